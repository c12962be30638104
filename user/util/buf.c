/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/buf.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

char *buf_room(struct buf *b, size_t more)
{
	size_t size = b->size ? b->size : 4096;
	char *data;

	if (more <= b->size - b->len)
		return b->data + b->len;
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

void buf_addu(struct buf *b, uint64_t v)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, digits + i, sizeof(digits) - i);
}

int buf_flush(struct buf *b, int fd)
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
	b->len = 0;
	b->failed = false;
	return err;
}
