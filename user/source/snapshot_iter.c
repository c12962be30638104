/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/snapshot.h"
#include "util/cleanup.h"

#define PIECE 65536

struct seen {
	uint8_t *pids; /* a byte for each PID */
	record_fn fn;
	void *arg;
};

/* record_fn: notes the process and passes the record on. */
static int note(void *arg, const void *record, size_t len)
{
	uint32_t pid = snapshot_pids(record)[0].pid;
	struct seen *seen = arg;

	if (pid < NSS_PID_LIMIT)
		seen->pids[pid] = 1;
	return seen->fn(seen->arg, record, len);
}

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

static int read_iterator(int fd, struct seen *seen)
{
	struct buf b = {};
	int err = 0;

	while (!err) {
		char *to = buf_room(&b, PIECE);
		ssize_t n = to ? read(fd, to, PIECE) : -1;

		if (n > 0) {
			b.len += (size_t)n;
			err = give_records(&b, note, seen);
		} else if (!n) {
			break;
		} else if (!to || errno != EINTR) {
			err = to ? -errno : -ENOMEM;
		}
	}
	buf_free(&b);
	return err;
}

struct wanted {
	uint32_t pid;
	bool found;
	record_fn fn;
	void *arg;
};

/* record_fn: passes on the one that is wanted. */
static int pick(void *arg, const void *record, size_t len)
{
	struct wanted *w = arg;

	if (w->found || snapshot_pids(record)[0].pid != w->pid)
		return 0;
	w->found = true;
	return w->fn(w->arg, record, len);
}

int snapshot_one(struct observer *observer, uint32_t pid, record_fn fn, void *arg)
{
	struct wanted w = { .pid = pid, .fn = fn, .arg = arg };
	_close_ int fd = observer ? observe_snapshot_fd(observer) : -EOPNOTSUPP;
	_free_ uint8_t *pids = calloc(NSS_PID_LIMIT, 1);
	struct seen seen = { pids, pick, &w };
	int err;

	if (!pids)
		return -ENOMEM;
	err = fd < 0 ? 0 : read_iterator(fd, &seen);
	return err || w.found ? err : snapshot_proc_one(pid, fn, arg);
}

int snapshot_iter(struct observer *observer, record_fn fn, void *arg)
{
	_close_ int fd = observe_snapshot_fd(observer);
	_free_ uint8_t *pids = calloc(NSS_PID_LIMIT, 1); /* pages that are not touched cost nothing */
	struct seen seen = { pids, fn, arg };
	int err;

	if (fd < 0)
		return fd;
	if (!pids)
		return -ENOMEM;
	err = read_iterator(fd, &seen);
	return err ? err : snapshot_proc(pids, fn, arg);
}
