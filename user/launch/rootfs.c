/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/rootfs.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "launch/mountapi.h"
#include "util/cleanup.h"

void rootfs_init(struct rootfs *r)
{
	*r = (struct rootfs){ .fd = -1, .layers = -1 };
}

int rootfs_hold_source(struct rootfs *r, const char *path)
{
	_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	int tree;

	if (fd < 0)
		return -errno;
	if (r->nsources == SANDBOX_MOUNTS_MAX)
		return -E2BIG;
	tree = mountapi_clone(fd, true);
	if (tree < 0)
		return tree;
	r->sources[r->nsources++] = tree;
	return 0;
}

int rootfs_take_source(struct rootfs *r)
{
	return r->sources[r->next++];
}

int rootfs_set(struct rootfs *r, const char *path)
{
	_close_ int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), tree = -1;
	int err;

	if (fd < 0)
		return -errno;
	tree = mountapi_clone(fd, true);
	if (tree < 0)
		return tree;
	err = mountapi_attach(tree, fd);
	if (err)
		return err;
	r->fd = TAKE_FD(tree);
	return 0;
}

int rootfs_owns(struct rootfs *r, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (r->nown == ROOTFS_OWN_MAX)
		return -E2BIG;
	r->own[r->nown++] = st.st_dev;
	return 0;
}

static bool may_make_in(const struct rootfs *r, int dir)
{
	struct stat st;

	if (fstat(dir, &st) < 0)
		return false;
	for (size_t i = 0; i < r->nown; i++)
		if (r->own[i] == st.st_dev)
			return true;
	return false;
}

int rootfs_open(const struct rootfs *r, const char *path)
{
	_close_ int root = r->fd < 0 ? open("/", O_PATH | O_CLOEXEC) : -1;

	return mountapi_open_in(r->fd < 0 ? root : r->fd, path, 0);
}

/* An empty directory or file @name in the directory at @path of the tree. */
static int make_one(const struct rootfs *r, const char *path, const char *name, bool is_dir)
{
	_close_ int parent = rootfs_open(r, path), file = -1;

	if (parent < 0)
		return parent;
	if (!may_make_in(r, parent))
		return -ENOENT;
	if (is_dir)
		return mkdirat(parent, name, 0755) < 0 ? -errno : 0;
	file = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return file < 0 ? -errno : 0;
}

/* Makes what is missing of @path, from the top on; each part is looked up in the tree, since it may be a link. */
static int make_missing(const struct rootfs *r, const char *path, bool is_dir)
{
	char part[PATH_MAX];
	size_t end = strlen(path), from = 0, len;
	int fd, err;

	if (end >= sizeof(part))
		return -ENAMETOOLONG;
	while (end > 1 && path[end - 1] == '/')
		end--;
	for (;;) {
		from += strspn(path + from, "/");
		if (from >= end)
			return 0;
		len = strcspn(path + from, "/");
		snprintf(part, sizeof(part), "%.*s", (int)(from + len), path);
		fd = rootfs_open(r, part);
		if (fd >= 0) {
			close(fd);
		} else if (fd != -ENOENT) {
			return fd;
		} else {
			char name[NAME_MAX + 1];

			if (len > NAME_MAX)
				return -ENAMETOOLONG;
			snprintf(name, sizeof(name), "%.*s", (int)len, path + from);
			part[from] = '\0';
			err = make_one(r, part, name, is_dir || from + len < end);
			if (err)
				return err;
		}
		from += len;
	}
}

static bool is_same(int a, int b)
{
	struct stat one, two;

	return fstat(a, &one) == 0 && fstat(b, &two) == 0 && one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

int rootfs_mount(struct rootfs *r, int mount, const char *path)
{
	_close_ int target = rootfs_open(r, path), top = rootfs_open(r, "/");
	struct stat st, there;
	int err;

	if (fstat(mount, &st) < 0)
		return -errno;
	if (target == -ENOENT) {
		err = make_missing(r, path, S_ISDIR(st.st_mode));
		if (err)
			return err;
		target = rootfs_open(r, path);
	}
	if (target < 0)
		return target;
	if (top < 0)
		return top;
	if (is_same(target, top))
		return -EBUSY;
	if (fstat(target, &there) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) != S_ISDIR(there.st_mode) ? -ENOTDIR : mountapi_attach(mount, target);
}

/*
 * pivot_root(2), "pivot_root(".", ".")": the old root comes to lie on the new one, from where it is taken away. By
 * then / is the new root, since our own root is moved as well.
 */
int rootfs_enter(struct rootfs *r)
{
	if (fchdir(r->fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    syscall(SYS_umount2, ".", MOUNTAPI_DETACH) < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

int rootfs_return(const struct rootfs *r)
{
	return chdir(r->cwd) < 0 ? -errno : 0;
}
