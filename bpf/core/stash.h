/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mounts of the caller's namespace, before a call that may take one away or move it, and those of other namespaces
 * that a propagated umount would take: what is gone or stands elsewhere at the end of the call is what it did. The
 * kernel has forgotten by then where a mount stood that is gone.
 */
#ifndef NSS_STASH_H
#define NSS_STASH_H

#include "core/walk.h"

#define NSS_STASHED 8192

struct stashed {
	__u64 mount, ns;
	__u64 parent, mountpoint;
	__u64 id; /* unique, or NSS_UNKNOWN */
	__s32 mnt_id;
	__u32 inum; /* of the namespace, if it is another than the caller's; else 0 */
};

struct stash {
	__u32 busy;
	__u32 count;
	__u32 cut; /* there was more, or may have been */
	__u32 others; /* those of other namespaces too */
	__u64 ns; /* of the caller */
	__u64 last; /* of its mounts, see ns_last() */
	__u64 next; /* of its mounts; 0: no more */
	__u32 slot; /* its key */
	__u32 own; /* how many of count are of the caller's namespace */
	__u64 of, link; /* where the walk over the mounts on the same directory as another is; 0: there is none */
	__u64 at; /* index of a scan, or before that walk */
	__u64 seen; /* of the mounts on the same directory one that is of the caller's */
	struct stashed entry[NSS_STASHED];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSS_STASHES); /* conf.stashes, before the load */
	__type(key, __u32);
	__type(value, struct stash);
} stashes SEC(".maps");

static __always_inline struct stash *stash_at(__u32 slot)
{
	return ELEMENT(stashes, struct stash, slot, conf.stashes);
}

static __always_inline void stash_release(__u32 slot)
{
	struct stash *s = stash_at(slot);

	if (s)
		*(volatile __u32 *)&s->busy = 0;
}

/* Notes @mount, of the namespace @ns with @inum. 1: there is no room. */
static __always_inline int stash_put(struct stash *s, __u64 mount, __u64 ns, __u32 inum)
{
	const struct mount *m = (void *)mount;
	__u32 count = s->count;
	struct stashed *e;

	if (count >= NSS_STASHED) {
		s->cut = 1;
		return 1;
	}
	e = &s->entry[count];
	e->mount = mount;
	e->ns = ns;
	e->inum = inum;
	e->parent = (__u64)BPF_CORE_READ(m, mnt_parent);
	e->mountpoint = (__u64)BPF_CORE_READ(m, mnt_mountpoint);
	e->mnt_id = BPF_CORE_READ(m, mnt_id);
	e->id = unique_id(mount);
	s->own += !inum;
	s->count = count + 1;
	return 0;
}

/* Notes the mount and where it stands. */
static __always_inline void take_mount(struct reached *r, __u64 mount)
{
	const struct mount *m = (void *)mount;

	r->mount = mount;
	r->parent = (__u64)BPF_CORE_READ(m, mnt_parent);
	r->mountpoint = (__u64)BPF_CORE_READ(m, mnt_mountpoint);
	r->id = unique_id(mount);
	r->mnt_id = BPF_CORE_READ(m, mnt_id);
}

/* It cannot be told which mount it was. */
static __always_inline void take_none(struct reached *r)
{
	r->mount = r->parent = r->mountpoint = 0;
	r->id = NSS_UNKNOWN;
	r->mnt_id = 0;
}

/* The namespace's mount in question, as it was before the call. */
static __always_inline void take_stashed(struct reached *r, const struct stashed *e)
{
	r->mount = e->mount;
	r->parent = e->parent;
	r->mountpoint = e->mountpoint;
	r->id = e->id;
	r->mnt_id = e->mnt_id;
}

/* Whether the mount of @e left its namespace. Its memory is not used again before the call has ended. */
static __always_inline bool is_gone(const struct stashed *e)
{
	return ns_of_mount(e->mount) != e->ns || unique_id(e->mount) != e->id;
}

/* Whether what the gone mount of @e stood on is still there: it is not below another that is gone. */
static __always_inline bool is_top(const struct stash *s, const struct stashed *e)
{
	return ns_of_mount(e->parent) == s->ns;
}

/* Whether a umount of @mount goes to others: its parent is shared. */
static __always_inline bool umount_propagates(const struct mount *mount)
{
	return BPF_CORE_READ(mount, mnt_parent, mnt_group_id);
}

/*
 * One of the mounts on the directory that the mount in question stands on: noted if it is of another namespace, and the one
 * in question is the first of the list that is of the caller's and propagates: so each such list is gone through once.
 * 1: no room.
 */
static __always_inline int stash_same_place(struct stash *s)
{
	__u64 other = same_place_mount(s->link), ns = ns_of_mount(other);

	s->link = same_place_next(s->link);
	if (left_place(other, s->of))
		s->cut = 1;
	if (ns == s->ns && other != s->of && !s->seen && umount_propagates((void *)other)) {
		s->count = s->at; /* another of the caller's stands before it */
		s->link = 0;
		return 0;
	}
	if (other == s->of)
		s->seen = 1;
	else if (ns == s->ns)
		return 0;
	else if (is_entered(ns))
		return stash_put(s, other, ns, ns_inum(ns));
	return 0;
}

/*
 * The next of the namespace's mounts, or of those that a umount of it might take from other namespaces: it does where the
 * parent is shared. 1: no more, or no room.
 */
__noinline int stash_step(__u32 slot)
{
	struct stash *s = stash_at(slot);
	const struct mount *mount;

	if (!s)
		return 1;
	if (s->link)
		return stash_same_place(s);
	if (!s->next)
		return 1;
	mount = (void *)s->next;
	s->next = ns_next(s->ns, (__u64)mount);
	if (stash_put(s, (__u64)mount, s->ns, 0))
		return 1;
	if (!s->others || !umount_propagates(mount))
		return 0;
	s->of = (__u64)mount;
	s->at = s->count;
	s->seen = 0;
	s->link = same_place_first((__u64)mount);
	return 0;
}

STEPS(stash)

/* A free slot, which is claimed; -1: there is none. */
static __always_inline int stash_claim(void)
{
	for (__u32 slot = 0; slot < NSS_STASHES; slot++) {
		struct stash *s = stash_at(slot);

		if (!s)
			continue;
		s->slot = slot; /* it is always that; afterwards the verifier would go on with each by itself */
		if (claim(&s->busy))
			return s->slot;
	}
	return -1;
}

/*
 * Notes the mounts of the namespace. No lock keeps another task from changing the tree meanwhile, and where it is rebalanced
 * some may be passed by: so they are counted. true: it did, and another look may find them all.
 */
static __always_inline bool stash_look(struct stash *s, __u32 slot)
{
	__u32 mounts = ns_mounts((void *)s->ns);

	s->count = 0;
	s->own = 0;
	s->cut = 0;
	s->last = ns_last(s->ns);
	s->link = 0;
	s->next = ns_first(s->ns);
	stash_steps(slot);
	if (!s->next && !s->link && !s->cut && s->own == mounts && ns_mounts((void *)s->ns) == mounts)
		return false;
	s->cut = 1;
	return s->count < NSS_STASHED;
}

/* Notes the mounts of @ns; @others: and those on the same directories in other namespaces. -1: there is no room. */
__noinline int stash_fill(__u64 ns, __u32 others)
{
	int slot = stash_claim();
	struct stash *s = stash_at(slot);

	if (!s)
		return -1;
	s->others = others;
	s->ns = ns;
	if (stash_look(s, slot) && stash_look(s, slot)) /* Linux 6.1 refuses a loop with such a call in it */
		stash_look(s, slot);
	return slot;
}

#endif
