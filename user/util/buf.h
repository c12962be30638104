/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A growing byte buffer that is written to a file in large pieces. */
#ifndef UTIL_BUF_H
#define UTIL_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Zero-initialised is empty. Memory that cannot be had sets @failed and drops what was to be added: the writer checks
 * once, at the end of a record (buf_flush).
 */
struct buf {
	char *data;
	size_t len;
	size_t size;
	bool failed;
	bool ascii; /* for a reader that does not take UTF-8: writers of text escape what is not ASCII */
};

/* Makes the buffer larger, for @more bytes. NULL and @failed if there is no memory. */
char *buf_grow(struct buf *b, size_t more);
void buf_free(struct buf *b);

/* Makes room for @more bytes and returns where they go; NULL and @failed if there is no memory. */
static inline char *buf_room(struct buf *b, size_t more)
{
	return more <= b->size - b->len ? b->data + b->len : buf_grow(b, more);
}

static inline void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = len ? buf_room(b, len) : NULL;

	if (to) {
		memcpy(to, data, len);
		b->len += len;
	}
}

static inline void buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

static inline void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* @v in decimal: as "%llu" and "%lld", without their cost. */
void buf_addu(struct buf *b, uint64_t v);
void buf_addi(struct buf *b, int64_t v);
/* The last @n digits of @v, at most 20, zeroes before it. */
void buf_add_digits(struct buf *b, uint64_t v, size_t n);

/* Writes all of it to @fd and empties it. 0, -ENOMEM if anything was dropped, or -errno of write(2). */
int buf_flush(struct buf *b, int fd);
/* The same, but leaves it as it is; also on failure, *@ret_done are the bytes that were written. */
int buf_write(const struct buf *b, int fd, size_t *ret_done);

#endif
