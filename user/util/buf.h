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

/* Makes room for @more bytes and returns where they go; NULL and @failed if there is no memory. */
char *buf_room(struct buf *b, size_t more);
void buf_free(struct buf *b);

static inline void buf_add(struct buf *b, const void *data, size_t len)
{
	char *to = buf_room(b, len);

	if (to && len) {
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
/* @v in decimal: as "%llu", without its cost. */
void buf_addu(struct buf *b, uint64_t v);

/* Writes all of it to @fd and empties it. 0, -ENOMEM if anything was dropped, or -errno of write(2). */
int buf_flush(struct buf *b, int fd);

#endif
