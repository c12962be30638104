/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a place in the mount tree up to a root: its path. As prepend_path() of fs/d_path.c, but without its locks: a rename
 * at the same moment can mix the old and the new name.
 */
#ifndef NSS_WALK_H
#define NSS_WALK_H

#include "core/mnt.h"

/* Looks at the child at the cursor: does it stand where the walk is? Then the walk ends. 1: it does. */
static __always_inline int walk_covered(struct walk *w)
{
	const struct mount *mount = real_mount(w->mnt), *child;
	const struct list_head *link = (void *)w->cursor;

	if (w->cursor == (__u64)mount + bpf_core_field_offset(struct mount, mnt_mounts)) {
		w->cursor = 0; /* the last child was before */
		return 0;
	}
	child = (void *)(w->cursor - bpf_core_field_offset(struct mount, mnt_child));
	w->cursor = (__u64)BPF_CORE_READ(link, next);
	w->covered = (__u64)BPF_CORE_READ(child, mnt_mountpoint) == w->dentry;
	return w->covered;
}

/* Whether it must be seen first if something is mounted here: then the cursor is on the first child. */
static __always_inline bool walk_must_look(struct walk *w)
{
	const struct dentry *dentry = (void *)w->dentry;
	const struct mount *mount = real_mount(w->mnt);

	if (!w->visible || w->below)
		return false;
	w->below = 1;
	if (BPF_CORE_READ(dentry, d_flags) & dcache_mounted())
		w->cursor = (__u64)BPF_CORE_READ(mount, mnt_mounts.next);
	return w->cursor;
}

/* Nothing is above @walk's dentry in its mount: goes on where that is mounted. 1: it is mounted nowhere. */
static __always_inline int walk_to_mountpoint(struct walk *walk)
{
	struct mount *mount = real_mount(walk->mnt);
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

	if (parent == mount) {
		walk->flags = NSS_STR_OUTSIDE;
		return 1;
	}
	walk->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
	walk->mnt = vfsmount_of((__u64)parent);
	walk->below = 1;
	return 0;
}

/* One step up of the walk in work @slot; 1: no more. Not static: so the verifier looks at it once. */
__noinline int walk_step(__u32 slot)
{
	struct work *work = work_at(slot);
	struct walk *w;
	struct dentry *dentry; /* variables of their own: CO-RE would relocate an access through struct walk */
	struct vfsmount *mnt;
	__u32 len, start;

	if (!work)
		return 1;
	w = &work->walk;
	dentry = (void *)w->dentry;
	mnt = (void *)w->mnt;
	if (w->dentry == w->root_dentry && w->mnt == w->root_mnt)
		return 1;
	if (w->cursor)
		return walk_covered(w);
	if (walk_must_look(w))
		return 0;
	w->below = 0;
	if (w->dentry == (__u64)BPF_CORE_READ(mnt, mnt_root))
		return walk_to_mountpoint(w);
	w->dentry = (__u64)BPF_CORE_READ(dentry, d_parent);
	len = BPF_CORE_READ(dentry, d_name.len);
	start = w->start;
	if ((__u64)dentry == w->dentry || len >= NSS_NAME_ROOM || start > NSS_PATH_MAX || start < len + 1) {
		w->flags = NSS_STR_CUT;
		return 1;
	}
	start = (start - len - 1) & (NSS_PATH_MAX - 1);
	w->bytes[start] = '/';
	bpf_probe_read_kernel(&w->bytes[start + 1], len & (NSS_NAME_ROOM - 1), BPF_CORE_READ(dentry, d_name.name));
	w->start = start;
	return 0;
}

STEPS(walk)

/*
 * Begins a walk from @dentry in @mnt (struct vfsmount) to the root that stands in the walk. @visible: end, and say so,
 * where something is mounted above the place.
 */
static __always_inline void walk_begin(struct walk *w, __u64 dentry, __u64 mnt, __u32 visible)
{
	w->dentry = dentry;
	w->mnt = mnt;
	w->visible = visible;
	w->below = 1;
	w->covered = 0;
	w->cursor = 0;
	w->flags = 0;
	w->start = NSS_PATH_MAX;
}

/* The path is now in bytes[] from start on. */
static __always_inline void walk_finish(struct walk *w)
{
	if (w->start == NSS_PATH_MAX)
		w->bytes[--w->start & (NSS_PATH_MAX - 1)] = '/';
}

/* A whole walk, that does not look what is mounted above. */
__noinline int walk_up(__u32 slot, __u64 dentry, __u64 mnt)
{
	struct work *work = work_at(slot);

	if (!work)
		return -1;
	walk_begin(&work->walk, dentry, mnt, 0);
	if (!walk_steps(slot))
		work->walk.flags = NSS_STR_CUT;
	walk_finish(&work->walk);
	return 0;
}

/* The root for the next walk: that of @task. */
static __always_inline void walk_to_root_of(struct walk *w, struct task_struct *task)
{
	w->root_dentry = (__u64)BPF_CORE_READ(task, fs, root.dentry);
	w->root_mnt = (__u64)BPF_CORE_READ(task, fs, root.mnt);
}

/* Puts the walked path behind the record. */
static __always_inline void emit_walk(struct scratch *s, struct nss_str *str, const struct walk *w)
{
	__u32 start = w->start & (NSS_PATH_MAX - 1), len = NSS_PATH_MAX - start;

	str->v = put_bytes(s->slot, address_of(w->bytes) + start, len);
	if (str->v == len)
		str->v |= w->flags;
}

#endif
