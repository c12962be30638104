/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/snapshot.h"
#include "util/cleanup.h"

#define PIECE 65536

/* Gives the whole records at the start of @b, and moves what is left to its front. */
static int give_records(struct buf *b, record_fn fn, void *arg)
{
	_free_ char *aligned = aligned_alloc(8, RECORD_MAX);
	size_t at = 0;
	struct nss_rec rec;

	if (!aligned)
		return -ENOMEM;
	while (b->len - at >= sizeof(rec)) {
		int err;

		memcpy(&rec, b->data + at, sizeof(rec));
		if (rec.len < sizeof(rec) || rec.len > RECORD_MAX)
			return -EBADMSG;
		if (b->len - at < rec.len)
			break;
		memcpy(aligned, b->data + at, rec.len);
		err = fn(arg, aligned, rec.len);
		if (err)
			return err;
		at += rec.len;
	}
	b->len -= at;
	memmove(b->data, b->data + at, b->len);
	return 0;
}

int snapshot_iter(struct observer *observer, record_fn fn, void *arg)
{
	_close_ int fd = observe_snapshot_fd(observer);
	struct buf b = {};
	int err = fd < 0 ? fd : 0;

	while (!err) {
		char *to = buf_room(&b, PIECE);
		ssize_t n = to ? read(fd, to, PIECE) : -1;

		if (n > 0) {
			b.len += (size_t)n;
			err = give_records(&b, fn, arg);
		} else if (!n) {
			break;
		} else if (!to || errno != EINTR) {
			err = to ? -errno : -ENOMEM;
		}
	}
	buf_free(&b);
	return err;
}
