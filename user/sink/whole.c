/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/whole.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

struct whole {
	int dir;
	char *name; /* in it */
	char *temporary; /* its name meanwhile, where it needs one */
	bool is_named; /* it has that name */
};

static void whole_free(struct whole *w)
{
	if (w->dir >= 0)
		close(w->dir);
	free(w->name);
	free(w->temporary);
	free(w);
}

static int open_unnamed(struct whole *w)
{
	int fd = openat(w->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT && errno != EINVAL))
		return fd < 0 ? -errno : fd;
	fd = openat(w->dir, w->temporary, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC,
		    0666); /* this file system has none without */
	w->is_named = fd >= 0;
	return fd < 0 ? -errno : fd;
}

static int open_whole(const char *path, struct whole *w)
{
	_free_ char *for_dir = strdup(path), *for_name = strdup(path);
	int fd;

	w->dir = -1;
	if (!for_dir || !for_name || !(w->name = strdup(basename(for_name))) ||
	    asprintf(&w->temporary, ".%.200s.%d", w->name, (int)getpid()) < 0)
		return -ENOMEM;
	w->dir = open(dirname(for_dir), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (w->dir < 0)
		return -errno;
	fd = open_unnamed(w);
	if (fd >= 0 && unlinkat(w->dir, w->name, 0) && errno != ENOENT) {
		int err = -errno;

		if (w->is_named)
			unlinkat(w->dir, w->temporary, 0);
		close(fd);
		return err;
	}
	return fd;
}

int whole_open(const char *path, struct whole **ret_whole)
{
	_free_ char *real = NULL;
	struct whole *w;
	struct stat st;
	int fd;

	*ret_whole = NULL;
	if (!stat(path, &st) ? !S_ISREG(st.st_mode) : !lstat(path, &st) || !*path || path[strlen(path) - 1] == '/') {
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		return fd < 0 ? -errno : fd;
	}
	real = realpath(path, NULL); /* a link stays, and the file that it leads to is replaced */
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	fd = open_whole(real ? real : path, w);
	if (fd < 0)
		whole_free(w);
	else
		*ret_whole = w;
	return fd;
}

static int give_name(struct whole *w, int fd)
{
	char link[64];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (!w->is_named && linkat(AT_FDCWD, link, w->dir, w->name, AT_SYMLINK_FOLLOW)) {
		if (errno != EEXIST || linkat(AT_FDCWD, link, w->dir, w->temporary, AT_SYMLINK_FOLLOW))
			return -errno;
		w->is_named =
			true; /* somebody has made a file of that name meanwhile: as any output, this one replaces it */
	}
	return w->is_named && renameat(w->dir, w->temporary, w->dir, w->name) ? -errno : 0;
}

int whole_end(struct whole *w, int fd, bool keep)
{
	int err = keep ? give_name(w, fd) : 0;

	if (w->is_named && (!keep || err))
		unlinkat(w->dir, w->temporary, 0);
	whole_free(w);
	return err;
}
