/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a place of the mount tree is, seen from nsscope's own root: the same directory by a mount of its file system that
 * stands in nsscope's namespace, and is not covered there.
 */
#ifndef NSS_PLACE_H
#define NSS_PLACE_H

#include "core/reach.h"

#define NSS_DEPTH 2048 /* of directories: NSS_PATH_MAX / 2 */

/* nsscope's own mount namespace and root: addresses, noted by note_host; 0: not known. */
__u64 host_mnt_ns;
__u64 host_root_mnt;
__u64 host_root_dentry;

SEC("raw_tp")
int note_host(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	host_mnt_ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	host_root_mnt = (__u64)BPF_CORE_READ(task, fs, root.mnt);
	host_root_dentry = (__u64)BPF_CORE_READ(task, fs, root.dentry);
	return 0;
}

struct ascent {
	__u64 root, dentry;
	__u64 differs; /* bits of its address */
};

static long ascend_body(__u64 i, struct ascent *a)
{
	const struct dentry *d = (void *)a->dentry;
	__u64 parent = (__u64)BPF_CORE_READ(d, d_parent);

	a->differs = a->dentry ^ a->root;
	if (!a->differs || parent == a->dentry)
		return 1;
	a->dentry = parent;
	return 0;
}

/* Whether @dentry is @root or below it. */
__noinline int is_below(__u64 root, __u64 dentry)
{
	struct ascent a = { root, dentry, 1 };

	LOOP(NSS_DEPTH, ascend_body, &a);
	return !a.differs;
}

/* Begins the walk from the place by @mount, which is of nsscope's namespace. */
static __always_inline void place_try(struct work *w, __u64 mount)
{
	w->walk.root_dentry = host_root_dentry;
	w->walk.root_mnt = host_root_mnt;
	walk_begin(&w->walk, w->reached.mountpoint, vfsmount_of(mount), 1);
	w->reached.walking = 1;
}

/* The walk by one mount has ended. 1: it came to the root, and the search ends. */
static __always_inline int place_tried(struct work *w)
{
	w->reached.walking = 0;
	walk_finish(&w->walk);
	w->reached.place = w->walk.covered ? NSS_PLACE_COVERED :
			   w->walk.flags & NSS_STR_OUTSIDE ? NSS_PLACE_OUTSIDE : NSS_PLACE_THERE;
	return w->reached.place == NSS_PLACE_THERE;
}

/* How like @mount is to the one that the caller's stands on: the less the better, up to NSS_PLACE_PASSES. */
static __always_inline __u32 likeness(const struct mount *mount, const struct mount *parent)
{
	__u32 group = BPF_CORE_READ(mount, mnt_group_id), parents = BPF_CORE_READ(parent, mnt_group_id);

	if (BPF_CORE_READ(mount, mnt.mnt_root) != BPF_CORE_READ(parent, mnt.mnt_root))
		return 3;
	if (BPF_CORE_READ(mount, mnt_mountpoint) == BPF_CORE_READ(parent, mnt_mountpoint))
		return 0; /* as in a copy of the namespace */
	if ((group && gets_from((__u64)parent, group)) || (parents && gets_from((__u64)mount, parents)))
		return 1;
	return 2;
}

#define NSS_PLACE_PASSES 4

/* Whether @mount came with the one in question: it is no place that was there. */
static __always_inline bool came_with(const struct reached *r, const struct mount *mount)
{
	const struct mount *made = (void *)r->mount;

	if (r->change == CHANGE_NONE || r->change == CHANGE_UMOUNT)
		return false;
	if (r->change == CHANGE_NEW && r->id != NSS_UNKNOWN)
		return unique_id((__u64)mount) >= r->id;
	return (__u64)BPF_CORE_READ(mount, mnt_mountpoint) == r->mountpoint &&
	       BPF_CORE_READ(mount, mnt.mnt_root) == BPF_CORE_READ(made, mnt.mnt_root) &&
	       (r->id == NSS_UNKNOWN || unique_id((__u64)mount) >= r->id);
}

/*
 * One step of the search: a step of the walk by one mount, or on to the next of the file system @sb, first those that are
 * most like the one that the caller's stands on. 1: end.
 */
__noinline int place_step(__u32 slot)
{
	struct work *w = work_at(slot);
	const struct mount *mount, *parent;
	__u64 sb;

	if (!w)
		return 1;
	sb = w->reached.sb;
	if (w->reached.walking)
		return walk_step(slot) ? place_tried(w) : 0;
	if (sb_end(sb, w->reached.cursor)) {
		w->reached.cursor = sb_first(sb);
		return ++w->reached.pass == NSS_PLACE_PASSES;
	}
	mount = (void *)w->reached.cursor;
	parent = (void *)w->reached.parent;
	w->reached.cursor = sb_next(sb, (__u64)mount);
	if ((__u64)BPF_CORE_READ(mount, mnt_ns) != host_mnt_ns || came_with(&w->reached, mount))
		return 0;
	if (w->reached.place == NSS_PLACE_NOT_MOUNTED)
		w->reached.place = NSS_PLACE_NOT_PART;
	if (likeness(mount, parent) == w->reached.pass &&
	    is_below((__u64)BPF_CORE_READ(mount, mnt.mnt_root), w->reached.mountpoint))
		place_try(w, (__u64)mount);
	return 0;
}

STEPS(place)

/* Where the mount of work @slot stands: enum nss_place; for NSS_PLACE_THERE the path is the walked one. */
__noinline int find_place(__u32 slot)
{
	struct work *w = work_at(slot);
	const struct mount *parent;

	if (!w || !w->reached.mount || !host_mnt_ns)
		return NSS_PLACE_UNKNOWN;
	if (w->reached.change != CHANGE_UMOUNT && !is_entered(ns_of_mount(w->reached.mount)))
		return NSS_PLACE_DETACHED;
	parent = (void *)w->reached.parent;
	w->reached.sb = (__u64)BPF_CORE_READ(parent, mnt.mnt_sb);
	w->reached.place = NSS_PLACE_NOT_MOUNTED;
	w->reached.pass = 0;
	w->reached.cursor = sb_first(w->reached.sb);
	if ((__u64)BPF_CORE_READ(parent, mnt_ns) == host_mnt_ns)
		place_try(w, (__u64)parent);
	return place_steps(slot) ? w->reached.place : NSS_PLACE_UNKNOWN;
}

#endif
