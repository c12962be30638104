/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small /dev, as bwrap(1) makes it. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/acts.h"
#include "launch/mountapi.h"
#include "util/cleanup.h"

/* Bound from the host, also for root: mknod(2) is refused in user namespaces, and one way is enough. */
static const char *const nodes[] = { "null", "zero", "full", "random", "urandom", "tty" };

static const struct {
	const char *name, *target;
} links[] = {
	{ "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
	{ "stderr", "/proc/self/fd/2" }, { "core", "/proc/kcore" },      { "ptmx", "pts/ptmx" },
};

/*
 * The terminal that the command has, if it has one: what is open as 0, 1 or 2; by name, since what is open is of the mount
 * namespace where it was opened. Detached, or -errno.
 */
static int clone_terminal(void)
{
	char path[PATH_MAX];

	for (int i = 0; i <= 2; i++) {
		_close_ int fd = -1;

		if (!isatty(i) || ttyname_r(i, path, sizeof(path)))
			continue;
		fd = open(path, O_PATH | O_CLOEXEC);
		return fd < 0 ? -errno : mountapi_clone(fd, false);
	}
	return -ENOTTY;
}

static int put_node(int dev, const char *name, int mount)
{
	_close_ int file = openat(dev, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444), at = -1;

	if (file < 0)
		return -errno;
	at = openat(dev, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return at < 0 ? -errno : mountapi_attach(mount, at);
}

static int put_pts(int dev)
{
	static const char *const options[] = { "newinstance", NULL, "ptmxmode", "0666", "mode", "0620", NULL };
	_close_ int pts = mountapi_new("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC), at = -1;

	if (pts < 0)
		return pts;
	if (mkdirat(dev, "pts", 0755) < 0)
		return -errno;
	at = openat(dev, "pts", O_PATH | O_CLOEXEC);
	return at < 0 ? -errno : mountapi_attach(pts, at);
}

static int put_links(int dev)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (symlinkat(links[i].target, dev, links[i].name) < 0)
			return -errno;
	/* Not by the umask. */
	return mkdirat(dev, "shm", 0) < 0 || fchmodat(dev, "shm", 01777, 0) < 0 ? -errno : 0;
}

static int fill(int dev, const int *held, int terminal)
{
	int err = put_links(dev);

	for (size_t i = 0; !err && i < ARRAY_SIZE(nodes); i++)
		err = put_node(dev, nodes[i], held[i]);
	if (!err)
		err = put_pts(dev);
	/* One without a name here cannot be bound: then there is no console. */
	if (!err && terminal >= 0)
		err = put_node(dev, "console", terminal);
	return err;
}

/* The host's nodes are held first: the new /dev may cover them. */
static int hold_nodes(int *held)
{
	char path[32];

	for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
		_close_ int fd = -1;

		snprintf(path, sizeof(path), "/dev/%s", nodes[i]);
		fd = open(path, O_PATH | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		held[i] = mountapi_clone(fd, false);
		if (held[i] < 0)
			return held[i];
	}
	return 0;
}

int step_dev(struct steps_context *c, const char *arg)
{
	static const char *const options[] = { "mode", "0755", NULL };
	struct rootfs *r = &c->state->root;
	_close_ int mount = -1, terminal = clone_terminal();
	int held[ARRAY_SIZE(nodes)], err;

	memset(held, -1, sizeof(held));
	err = hold_nodes(held);
	if (!err) {
		mount = mountapi_new("tmpfs", options, MOUNT_ATTR_NOSUID);
		err = mount < 0 ? mount : rootfs_mount(r, mount, arg);
	}
	if (!err)
		err = fill(mount, held, terminal);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		cleanup_close(&held[i]);
	return err ? err : rootfs_owns(r, mount);
}
