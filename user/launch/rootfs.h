/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tree of mounts that the command will see, while it is put together.
 *
 * It stands in the sandbox's own mount namespace from the start, so that a proc may be mounted (the kernel wants
 * another one visible), but is reached by a descriptor only. Targets are looked up below that, so that a hostile
 * symbolic link in it leads nowhere else; sources are looked up on the host's side and held before anything is
 * mounted, so that they mean what they meant to the caller.
 */
#ifndef LAUNCH_ROOTFS_H
#define LAUNCH_ROOTFS_H

#include <stdbool.h>
#include <sys/types.h>

#include "launch/sandbox.h"

#define ROOTFS_OWN_MAX (SANDBOX_MOUNTS_MAX + 8)

struct rootfs {
	int fd; /* its top; -1: / as it is */
	int layers; /* detached: see overlay.h; -1: none */
	char *cwd; /* where the caller was */
	int sources[SANDBOX_MOUNTS_MAX]; /* detached, in the order of the binds */
	size_t nsources, next;
	dev_t own[ROOTFS_OWN_MAX]; /* filesystems that nsscope made, where it may make files */
	size_t nown;
};

void rootfs_init(struct rootfs *r);

/* Holds what is at @path, with all below it, as the next source. 0 or -errno. */
int rootfs_hold_source(struct rootfs *r, const char *path);

/* The next source that was held: the caller's descriptor now. */
int rootfs_take_source(struct rootfs *r);

/* Makes what is at @path, with all below it, the top. 0 or -errno. */
int rootfs_set(struct rootfs *r, const char *path);

/* Remembers that files may be made on the filesystem of @fd. 0 or -errno. */
int rootfs_owns(struct rootfs *r, int fd);

/*
 * Mounts the detached @mount on @path. What is missing of @path is made, as a directory if @mount is one, where
 * nsscope may. 0 or -errno; -ENOENT: missing, and not to be made; -EBUSY: it is the root; -ENOTDIR: one is a directory, the other not.
 */
int rootfs_mount(struct rootfs *r, int mount, const char *path);

/* As open(2) with O_PATH, in the tree. Descriptor, close-on-exec, or -errno. */
int rootfs_open(const struct rootfs *r, const char *path);

/* Makes the tree the root, and detaches the old one. The working directory is / then. 0 or -errno. */
int rootfs_enter(struct rootfs *r);

/* Goes to the directory of the tree where the caller was on the host. 0 or -errno. */
int rootfs_return(const struct rootfs *r);

#endif
