/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mount API by descriptors, and openat2(2): all in Linux 5.10 but mount_setattr(2), 5.12. The C library of
 * Debian 11 has no wrappers; that of Debian 12 has them in sys/mount.h, which cannot be included beside
 * linux/mount.h.
 */
#ifndef LAUNCH_MOUNTAPI_H
#define LAUNCH_MOUNTAPI_H

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* umount2(2) */
#define MOUNTAPI_DETACH 2

/*
 * A detached copy of what is mounted at @fd (O_PATH), with all that is mounted below it if @recursive. Below it
 * only as far as @fd is, if it is not a mount point. Descriptor, close-on-exec, or -errno.
 */
static inline int mountapi_clone(int fd, bool recursive)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
	int tree = (int)syscall(SYS_open_tree, fd, "", flags);

	return tree < 0 ? -errno : tree;
}

/* Attaches a detached mount on what @target (O_PATH) is. 0 or -errno. */
static inline int mountapi_attach(int mount, int target)
{
	const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;

	return syscall(SYS_move_mount, mount, "", target, "", flags) < 0 ? -errno : 0;
}

/*
 * A new mount of the filesystem @type, detached. @options: name, value, ..., NULL; a value of NULL: a flag. @attr:
 * MOUNT_ATTR_*. Descriptor, close-on-exec, or -errno.
 */
int mountapi_new(const char *type, const char *const *options, unsigned attr);

/* Makes a mount, and all below it, read-only. 0 or -errno; -ENOSYS: not before 5.12. */
int mountapi_read_only(int mount);

/*
 * open(2) with O_PATH below @root, which no .., symbolic link or absolute path leaves; symbolic links of /proc
 * that are none are refused with ELOOP. @resolve: more RESOLVE_*. Descriptor, close-on-exec, or -errno.
 */
int mountapi_open_in(int root, const char *path, unsigned resolve);

#endif
