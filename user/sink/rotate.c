/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/rotate.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/cleanup.h"

struct rotate {
	int dir;
	unsigned keep;
	char *base; /* FILE, without its directory */
};

/* FILE.@number, or FILE for 0. */
static const char *name_of(const struct rotate *r, unsigned number, char to[NAME_MAX + 1])
{
	snprintf(to, NAME_MAX + 1, number ? "%s.%u" : "%s", r->base, number);
	return to;
}

static int open_dir(struct rotate *r, const char *path)
{
	const char *slash = strrchr(path, '/');
	_free_ char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");

	r->base = strdup(slash ? slash + 1 : path);
	if (!dir || !r->base)
		return -ENOMEM;
	if (strlen(r->base) + strlen(".999") > NAME_MAX)
		return -ENAMETOOLONG;
	r->dir = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return r->dir < 0 ? -errno : 0;
}

/* Whether it is a file that can be renamed and appended to without harm to anything else. */
static int check(const struct rotate *r, int fd, struct stat *ret_st, const char **ret_why)
{
	if (fstat(fd, ret_st))
		return -errno;
	if (!S_ISREG(ret_st->st_mode)) {
		*ret_why = "not a regular file, and only such can be rotated";
		return -EINVAL;
	}
	if (ret_st->st_nlink != 1) {
		*ret_why = "it has other names (hard links), and would be written to under these too";
		return -EMLINK;
	}
	if (faccessat(r->dir, ".", W_OK | X_OK, AT_EACCESS)) {
		*ret_why = "its directory cannot be written to, so the file could not be rotated";
		return -errno;
	}
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		*ret_why = errno == EWOULDBLOCK ? "another process has locked it, as nsscope does while it writes" : NULL;
		return -errno;
	}
	return 0;
}

/* What was killed in the middle of a line has left one that the next must not go on with. */
static int end_line(int fd, uint64_t *size)
{
	char last = '\n';

	if (!*size)
		return 0;
	if (pread(fd, &last, 1, (off_t)*size - 1) < 0)
		return -errno;
	if (last == '\n')
		return 0;
	if (write(fd, "\n", 1) != 1)
		return -errno;
	++*size;
	return 0;
}

int rotate_open(const char *path, unsigned keep, struct rotate **ret_rotate, int *ret_fd, uint64_t *ret_size,
		const char **ret_why)
{
	struct rotate *r = calloc(1, sizeof(*r));
	_close_ int fd = -1;
	struct stat st;
	uint64_t size;
	int err;

	*ret_why = NULL;
	if (!r)
		return -ENOMEM;
	*r = (struct rotate){ .dir = -1, .keep = keep };
	err = open_dir(r, path);
	if (!err) {
		/* A FIFO must not block; what it opens is looked at below, before anything is written. */
		fd = openat(r->dir, r->base, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0666);
		err = fd < 0 ? -errno : check(r, fd, &st, ret_why);
		if (err == -ELOOP)
			*ret_why = "a symbolic link; give the file that it leads to";
	}
	size = err ? 0 : (uint64_t)st.st_size;
	if (!err)
		err = end_line(fd, &size);
	if (err) {
		rotate_free(r, fd);
		return err;
	}
	*ret_rotate = r;
	*ret_fd = TAKE_FD(fd);
	*ret_size = size;
	return 0;
}

/* Moves FILE and its predecessors on by one, up to the first number that is free; where none is, the oldest goes. */
static int move_on(const struct rotate *r)
{
	char from[NAME_MAX + 1], to[NAME_MAX + 1];
	unsigned last = 1;
	struct stat st;

	while (last < r->keep && !fstatat(r->dir, name_of(r, last, to), &st, AT_SYMLINK_NOFOLLOW))
		last++;
	for (; last; last--)
		if (renameat(r->dir, name_of(r, last - 1, from), r->dir, name_of(r, last, to)))
			return -errno;
	return 0;
}

int rotate_next(struct rotate *r, int *fd)
{
	_close_ int next = -1;
	struct stat st, there;
	int err;

	if (fstat(*fd, &st))
		return -errno;
	if (!fstatat(r->dir, r->base, &there, AT_SYMLINK_NOFOLLOW))
		err = move_on(r);
	else /* moved already: by someone else, or before a new one could not be made */
		err = errno == ENOENT ? 0 : -errno;
	if (err)
		return err;
	next = openat(r->dir, r->base, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (next < 0)
		return -errno;
	if (fchown(next, st.st_uid, st.st_gid) && errno != EPERM)
		return -errno;
	if (fchmod(next, st.st_mode & 0777))
		return -errno;
	flock(next, LOCK_EX | LOCK_NB); /* against another nsscope; whoever can lock it must not stop this one */
	close(*fd);
	*fd = TAKE_FD(next);
	return 0;
}

void rotate_free(struct rotate *r, int fd)
{
	if (!r)
		return;
	if (fd >= 0)
		flock(fd, LOCK_UN); /* a forked process may still have it open */
	if (r->dir >= 0)
		close(r->dir);
	free(r->base);
	free(r);
}
