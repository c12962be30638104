/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/idmap.h"

#include "launch/proc.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* The kernel takes a map in one write(2) only. */
static int write_once(int dir, const char *path, const char *text)
{
	_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int idmap_root(int pidfd)
{
	_close_ int dir = proc_open(pidfd);
	char map[64];
	int ret;

	if (dir < 0)
		return dir;
	ret = write_once(dir, "setgroups", "deny");
	if (ret < 0)
		return ret;
	snprintf(map, sizeof(map), "0 %u 1\n", geteuid());
	ret = write_once(dir, "uid_map", map);
	if (ret < 0)
		return ret;
	snprintf(map, sizeof(map), "0 %u 1\n", getegid());
	return write_once(dir, "gid_map", map);
}
