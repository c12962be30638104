/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/overlay.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "launch/mountapi.h"
#include "launch/mounttable.h"
#include "util/cleanup.h"

/*
 * All is put together in a tmpfs over @path, with names that need no quoting in the options of overlayfs:
 *	lower		what was at @path, with all below it
 *	layers		rootfs.layers, or a directory: upper and work of each
 *	root		the overlay
 *	<number>	what is mounted below, alone
 */
struct workshop {
	int fd; /* also the working directory, since overlayfs takes paths */
	int lower, layers, root; /* O_PATH */
};

static void workshop_close(struct workshop *w)
{
	int fds[] = { w->fd, w->lower, w->layers, w->root };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(&fds[i]);
}

/*
 * Whether overlayfs may use trusted.* attributes there: else it has to be told to use user.*, Linux 5.11. Not known is
 * not no: what one kind of attribute says in layers that were kept, the other kind does not see. 0, 1 or -errno.
 */
static int takes_trusted(const char *dir)
{
	static const char name[] = "trusted.nsscope";

	if (setxattr(dir, name, "", 0, 0) < 0)
		return errno == EPERM || errno == EOPNOTSUPP ? 0 : -errno;
	removexattr(dir, name);
	return 1;
}

/*
 * The upper layer's top is the overlay's: it looks as what it covers. IDs that the user namespace does
 * not have stay.
 */
static int make_upper(const char *upper, int lower)
{
	struct stat st;

	if (mkdir(upper, 0700) < 0)
		return errno == EEXIST ? 0 : -errno;
	if (fstat(lower, &st) < 0 || (chown(upper, st.st_uid, st.st_gid) < 0 && errno != EINVAL && errno != EPERM))
		return -errno;
	return chmod(upper, st.st_mode & 07777) < 0 ? -errno : 0;
}

/* An overlay on @lower (a path of the workshop), whose layers are named after @name: detached, or -errno. */
static int make_one(const char *lower, const char *name)
{
	char upper[NAME_MAX + 1], work[NAME_MAX + 1];
	const char *options[] = { "lowerdir", lower, "upperdir", upper, "workdir", work, NULL, NULL, NULL };
	_close_ int fd = open(lower, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	if (snprintf(upper, sizeof(upper), "layers/upper%s", name) >= (int)sizeof(upper))
		return -ENAMETOOLONG;
	snprintf(work, sizeof(work), "layers/work%s", name);
	err = make_upper(upper, fd);
	if (err)
		return err;
	if (mkdir(work, 0700) < 0 && errno != EEXIST)
		return -errno;
	err = takes_trusted(work);
	if (err < 0)
		return err;
	if (!err)
		options[6] = "userxattr";
	return mountapi_new("overlay", options, 0);
}

/* Others are not for files: their content is the kernel's, and so are changes. */
static bool is_for_files(const char *type)
{
	static const char *const types[] = { "tmpfs", "ramfs",    "overlay",  "ext2",  "ext3",     "ext4",
					     "xfs",   "btrfs",    "f2fs",     "vfat",  "exfat",    "ntfs3",
					     "zfs",   "bcachefs", "squashfs", "erofs", "iso9660",  "nfs",
					     "nfs4",  "cifs",     "smb3",     "9p",    "virtiofs", "ceph" };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return !strncmp(type, "fuse", 4) && strcmp(type, "fusectl");
}

/* "/home/my 100%" is "%2Fhome%2Fmy 100%25". */
static int layer_name(const char *path, char *name, size_t size)
{
	size_t len = 0;

	for (; *path; path++) {
		if (len + 4 > size)
			return -ENAMETOOLONG;
		if (*path == '/' || *path == '%')
			len += (size_t)sprintf(name + len, "%%%02X", *path);
		else
			name[len++] = *path;
	}
	name[len] = '\0';
	return 0;
}

/* What is mounted at @path (below lower, such as "/home"), the @number-th. */
static int make_below(struct rootfs *r, const struct workshop *w, const char *path, const char *type, size_t number)
{
	_close_ int from = mountapi_open_in(w->lower, path, RESOLVE_NO_SYMLINKS);
	_close_ int to = mountapi_open_in(w->root, path, RESOLVE_NO_SYMLINKS);
	_close_ int mount = -1, overlay = -1, at = -1;
	char place[32], name[NAME_MAX + 1];
	struct stat st;
	int err;

	/* The kept upper layer may have taken the directory away: then there is nothing to be seen. */
	if (to == -ENOENT || to == -ENOTDIR)
		return 0;
	if (from < 0 || to < 0)
		return from < 0 ? from : to;
	mount = mountapi_clone(from, false);
	if (mount < 0 || fstat(mount, &st) < 0)
		return mount < 0 ? mount : -errno;
	if (is_for_files(type) && S_ISDIR(st.st_mode) && !layer_name(path, name, sizeof(name))) {
		snprintf(place, sizeof(place), "%zu", number);
		if (mkdir(place, 0700) < 0)
			return -errno;
		at = open(place, O_PATH | O_CLOEXEC);
		err = at < 0 ? -errno : mountapi_attach(mount, at);
		if (err)
			return err;
		overlay = make_one(place, name);
		if (overlay >= 0) {
			err = mountapi_attach(overlay, to);
			return err ? err : rootfs_owns(r, overlay);
		}
		close(mount);
		mount = mountapi_clone(from, false);
		if (mount < 0)
			return mount;
	}
	err = mountapi_attach(mount, to);
	return err ? err : mounttable_read_only(mount);
}

/* Whether another mount is on the same place. */
static bool is_covered(const struct mounttable *t, size_t row)
{
	for (size_t i = row + 1; i < t->n; i++)
		if (!strcmp(t->rows[i].path, t->rows[row].path))
			return true;
	return false;
}

static int make_all_below(struct rootfs *r, const struct workshop *w)
{
	struct mounttable t;
	int err = mounttable_read(w->lower, &t);

	for (size_t i = 1, len = err ? 0 : strlen(t.rows[0].path); !err && i < t.n; i++)
		if (!is_covered(&t, i))
			err = make_below(r, w, t.rows[i].path + len, t.rows[i].type, i);
	mounttable_free(&t);
	return err;
}

/* An O_PATH descriptor of the new directory @name, with the detached @mount on it unless that is -1; or -errno. */
static int make_place(const char *name, int mount)
{
	_close_ int fd = -1;
	int err;

	if (mkdir(name, 0700) < 0)
		return -errno;
	fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (mount < 0)
		return TAKE_FD(fd);
	err = mountapi_attach(mount, fd);
	if (err)
		return err;
	err = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return err < 0 ? -errno : err;
}

/* Opens the workshop at @at, which is also what is under the overlay; @layers: a detached mount, or -1. */
static int workshop_open(int at, int layers, struct workshop *w)
{
	static const char *const options[] = { "mode", "0700", NULL };
	_close_ int lower = mountapi_clone(at, true);
	int err;

	if (lower < 0)
		return lower;
	w->fd = mountapi_new("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (w->fd < 0)
		return w->fd;
	err = mountapi_attach(w->fd, at);
	if (err)
		return err;
	if (fchdir(w->fd) < 0)
		return -errno;
	w->lower = make_place("lower", lower);
	if (w->lower < 0)
		return w->lower;
	w->layers = make_place("layers", layers);
	return w->layers < 0 ? w->layers : 0;
}

static int fill(struct rootfs *r, struct workshop *w)
{
	_close_ int overlay = make_one("lower", "");
	int err;

	if (overlay < 0)
		return overlay;
	w->root = make_place("root", overlay);
	if (w->root < 0)
		return w->root;
	err = rootfs_owns(r, w->root);
	return err ? err : make_all_below(r, w);
}

/*
 * Takes a copy of what was made to @at, in place of the workshop: what is on the root must be one mount, for
 * pivot_root(2) to leave nothing there. The layers stay with the overlays.
 */
static int move_out(struct rootfs *r, const struct workshop *w, int at)
{
	_close_ int tree = mountapi_clone(w->root, true);
	int err;

	if (tree < 0)
		return tree;
	if (syscall(SYS_umount2, ".", MOUNTAPI_DETACH) < 0)
		return -errno;
	err = mountapi_attach(tree, at);
	if (!err)
		r->fd = TAKE_FD(tree);
	return err;
}

int overlay_hold(const char *dir)
{
	_close_ int fd = -1;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : mountapi_clone(fd, true);
}

int overlay_make(struct rootfs *r, const char *path)
{
	_close_ int at = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), cwd = open(".", O_PATH | O_CLOEXEC);
	struct workshop w = { -1, -1, -1, -1 };
	int err;

	if (at < 0 || cwd < 0)
		return -errno;
	err = workshop_open(at, r->layers, &w);
	if (!err)
		err = fill(r, &w);
	if (!err)
		err = move_out(r, &w, at);
	workshop_close(&w);
	if (fchdir(cwd) < 0 && !err)
		err = -errno;
	return err;
}
