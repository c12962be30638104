/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/buf.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *buf_grow(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 4096;
	char *data;

	while (size - b->len < more)
		size *= 2;
	data = realloc(b->data, size);
	if (!data) {
		b->failed = true;
		return NULL;
	}
	b->data = data;
	b->size = size;
	return b->data + b->len;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ .ascii = b->ascii };
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args, again;
	char *to;
	int n;

	va_start(args, fmt);
	va_copy(again, args);
	n = vsnprintf(NULL, 0, fmt, args);
	to = n < 0 ? NULL : buf_room(b, (size_t)n + 1);
	if (to) {
		vsnprintf(to, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
	va_end(args);
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
			    "495051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

/* Puts the @n digits of @v, all of them or the last, to @to. Four at a time, since the divisions take most of the time. */
static void put_digits(char *to, uint64_t v, size_t n)
{
	for (; n >= 4; n -= 4, v /= 10000) {
		uint32_t four = (uint32_t)(v % 10000);

		memcpy(to + n - 4, pairs + four / 100 * 2, 2);
		memcpy(to + n - 2, pairs + four % 100 * 2, 2);
	}
	if (n >= 2) {
		n -= 2;
		memcpy(to + n, pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (n)
		*to = (char)('0' + v % 10);
}

/* How many digits @v has: a bit is log10(2) of one, which is about 1233 / 4096. */
static size_t count_digits(uint64_t v)
{
	static const uint64_t powers[] = {
		1ULL, 10ULL, 100ULL, 1000ULL, 10000ULL, 100000ULL, 1000000ULL, 10000000ULL, 100000000ULL, 1000000000ULL,
		10000000000ULL, 100000000000ULL, 1000000000000ULL, 10000000000000ULL, 100000000000000ULL, 1000000000000000ULL,
		10000000000000000ULL, 100000000000000000ULL, 1000000000000000000ULL, 10000000000000000000ULL,
	};
	size_t least = (64 - (size_t)__builtin_clzll(v | 1)) * 1233 >> 12;

	return least + ((v | 1) >= powers[least]);
}

void buf_add_digits(struct buf *b, uint64_t v, size_t n)
{
	char *to = buf_room(b, n);

	if (to) {
		put_digits(to, v, n);
		b->len += n;
	}
}

void buf_addu(struct buf *b, uint64_t v)
{
	buf_add_digits(b, v, count_digits(v));
}

void buf_addi(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_addc(b, '-');
	buf_addu(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

int buf_write(const struct buf *b, int fd, size_t *ret_done)
{
	size_t done = 0;
	int err = b->failed ? -ENOMEM : 0;

	while (done < b->len) {
		ssize_t n = write(fd, b->data + done, b->len - done);

		if (n >= 0) {
			done += (size_t)n;
		} else if (errno == EAGAIN) { /* the user's terminal may be set to O_NONBLOCK by the command */
			poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
		} else if (errno != EINTR) {
			err = -errno;
			break;
		}
	}
	*ret_done = done;
	return err;
}

int buf_flush(struct buf *b, int fd)
{
	size_t done;
	int err = buf_write(b, fd, &done);

	b->len = 0;
	b->failed = false;
	return err;
}
