/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The acts that make the tree of mounts: see rootfs.h. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>

#include "launch/acts.h"
#include "launch/mountapi.h"
#include "launch/mounttable.h"
#include "launch/overlay.h"
#include "launch/spec.h"
#include "util/cleanup.h"

#define NOTHING_SPECIAL (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

int step_source(struct steps_context *c, const char *arg)
{
	struct spec_bind bind;
	int err = spec_bind(arg, &bind);

	return err ? err : rootfs_hold_source(&c->state->root, bind.source);
}

static int remember_cwd(struct rootfs *r)
{
	r->cwd = getcwd(NULL, 0);
	return r->cwd ? 0 : -errno;
}

int step_new_root(struct steps_context *c, const char *arg)
{
	return rootfs_set(&c->state->root, arg);
}

int step_layers(struct steps_context *c, const char *arg)
{
	int layers = overlay_hold(arg);

	if (layers < 0)
		return layers;
	c->state->root.layers = layers;
	return 0;
}

int step_overlay(struct steps_context *c, const char *arg)
{
	struct rootfs *r = &c->state->root;
	int err = remember_cwd(r);

	return err ? err : overlay_make(r, arg);
}

static int mount_new(struct rootfs *r, const char *type, const char *const *options, unsigned attr, const char *path)
{
	_close_ int mount = mountapi_new(type, options, attr);

	return mount < 0 ? mount : rootfs_mount(r, mount, path);
}

int step_proc(struct steps_context *c, const char *arg)
{
	return mount_new(&c->state->root, "proc", NULL, NOTHING_SPECIAL, arg);
}

static int show_hosts_sys(struct rootfs *r, const char *path)
{
	_close_ int host = open("/sys", O_PATH | O_CLOEXEC), tree = -1;
	int err;

	if (host < 0)
		return -errno;
	tree = mountapi_clone(host, true);
	if (tree < 0)
		return tree;
	err = rootfs_mount(r, tree, path);
	return err ? err : mounttable_read_only(tree);
}

/*
 * A user namespace may mount one only for a network namespace of its own; else the host's is shown, which has the
 * same network.
 */
int step_sys(struct steps_context *c, const char *arg)
{
	struct rootfs *r = &c->state->root;
	_close_ int mount = mountapi_new("sysfs", NULL, NOTHING_SPECIAL | MOUNT_ATTR_RDONLY);

	if (mount == -EPERM && !(c->settings->namespaces & CLONE_NEWNET))
		return show_hosts_sys(r, arg);
	return mount < 0 ? mount : rootfs_mount(r, mount, arg);
}

static int mount_source(struct rootfs *r, const char *arg, bool read_only)
{
	_close_ int tree = rootfs_take_source(r);
	struct spec_bind bind;
	int err = spec_bind(arg, &bind);

	if (!err)
		err = rootfs_mount(r, tree, bind.target);
	return err || !read_only ? err : mounttable_read_only(tree);
}

int step_bind(struct steps_context *c, const char *arg)
{
	return mount_source(&c->state->root, arg, false);
}

int step_bind_ro(struct steps_context *c, const char *arg)
{
	return mount_source(&c->state->root, arg, true);
}

int step_tmpfs(struct steps_context *c, const char *arg)
{
	struct rootfs *r = &c->state->root;
	_close_ int mount = -1;
	struct spec_tmpfs tmpfs;
	const char *options[] = { "size", tmpfs.size, NULL };
	int err = spec_tmpfs(arg, &tmpfs);

	if (err)
		return err;
	mount = mountapi_new("tmpfs", *tmpfs.size ? options : NULL, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount < 0)
		return mount;
	err = rootfs_mount(r, mount, tmpfs.target);
	return err ? err : rootfs_owns(r, mount);
}

int step_pivot_root(struct steps_context *c, const char *arg)
{
	(void)arg;
	return rootfs_enter(&c->state->root);
}

int step_return(struct steps_context *c, const char *arg)
{
	(void)arg;
	return rootfs_return(&c->state->root);
}
