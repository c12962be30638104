/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "sink/whole.h"
#include "util/cleanup.h"

int writer_open(struct sink *s, const char *path, int fd, const struct rotation *rotation, const char **ret_why)
{
	struct stat st;
	int err = 0;

	*ret_why = NULL;
	s->fd = fd;
	if (!path)
		return 0;
	if (!rotation->size && s->ops->whole) {
		s->fd = whole_open(path, &s->whole);
		err = s->fd < 0 ? s->fd : 0;
	} else if (!rotation->size) {
		s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		err = s->fd < 0 ? -errno : 0;
	} else if (!s->ops->lines) {
		*ret_why = "--rotate-size is for text and json: of this a part cannot be read without the others";
		err = -EINVAL;
	} else {
		err = rotate_open(path, rotation->keep, &s->rotate, &s->fd, &s->size, ret_why);
		s->rotate_at = s->rotate_size = rotation->size;
	}
	if (err)
		return err;
	s->own_fd = true;
	s->waits = !s->ops->whole && !fstat(s->fd, &st) && S_ISREG(st.st_mode);
	return 0;
}

bool writer_is_watched(const struct sink *s)
{
	struct stat st;

	if (s->ops->whole)
		return false;
	if (s->ops->no_file || fstat(s->fd, &st))
		return true;
	return !S_ISREG(st.st_mode) && !(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)); /* /dev/null */
}

bool writer_has_room(struct sink *s)
{
	bool has = !s->dead && (!s->err || s->buf.len < WRITER_KEEP);

	s->missing += !has;
	return has;
}

/* Takes the first @n bytes out of the buffer: they are in the file. */
static void take_written(struct sink *s, size_t n)
{
	const char *end = n ? memrchr(s->buf.data, '\n', n) : NULL;

	s->torn = end ? n - (size_t)(end + 1 - s->buf.data) : s->torn + n;
	s->size += n;
	s->buf.len -= n;
	if (s->buf.len)
		memmove(s->buf.data, s->buf.data + n, s->buf.len);
}

int writer_flush(struct sink *s)
{
	size_t done = 0;
	int err;

	if (s->dead || (!s->buf.len && !s->buf.failed)) {
		s->buf.len = 0;
		return s->dead ? s->err : 0;
	}
	err = buf_write(&s->buf, s->fd, &done);
	take_written(s, done);
	if (!err)
		return 0;
	s->err = err;
	if (!s->waits || (err != -ENOSPC && err != -EDQUOT)) {
		s->dead = true;
		s->buf.len = 0;
		s->buf.failed = false;
	}
	return err;
}

bool writer_is_over(const struct sink *s, size_t before)
{
	return s->rotate && s->size + s->buf.len > s->rotate_at && s->size + before > s->head;
}

void writer_rotate(struct sink *s, size_t before, int (*begin)(void *arg, struct sink *s), void *arg)
{
	struct buf behind = {};
	int err;

	buf_add(&behind, s->buf.data + before, s->buf.len - before);
	if (behind.failed)
		return; /* it is rotated after the next event */
	s->buf.len = before;
	err = writer_flush(s);
	if (!err)
		err = rotate_next(s->rotate, &s->fd);
	if (!err) {
		s->size = s->torn = 0;
		s->rotate_at = s->rotate_size;
		err = begin ? begin(arg, s) : 0;
		s->head = s->buf.len;
	} else if (!s->err) {
		s->rotate_err = err;
		s->rotate_at = s->size + s->rotate_size; /* not again for each event */
	}
	buf_add(&s->buf, behind.data, behind.len);
	buf_free(&behind);
}

/* How many lines the buffer ends. */
static uint64_t count_lines(const struct buf *b)
{
	uint64_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->data[i] == '\n';
	return n;
}

int writer_close(struct sink *s)
{
	int err = writer_flush(s), end;

	if (err && s->buf.len) {
		s->missing += s->ops->lines ? count_lines(&s->buf) : 1;
		if (s->ops->lines && s->torn && ftruncate(s->fd, (off_t)(s->size - s->torn)))
			s->err = -errno;
	}
	if (s->whole && (end = whole_end(TAKE_PTR(s->whole), s->fd, s->size && !err && !s->dead))) {
		err = s->err = end;
		s->dead = true;
	}
	rotate_free(TAKE_PTR(s->rotate), s->fd);
	if (s->own_fd && close(s->fd) && !err) {
		err = s->err = -errno;
		s->dead = true;
	}
	s->own_fd = false;
	return err;
}
