/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The namespaces whose creation was told, to tell their end as well. Functions of the kernel tell it, where kprobes or
 * fentry are allowed (see ns_end.bpf.c). No tracepoint does, so else it is found by looking, at each tick of the reader: a
 * namespace lives as long as its memory is what it was and its count of references is not 0.
 */
#ifndef NSS_TOLD_NS_H
#define NSS_TOLD_NS_H

#include "core/mnt.h"

#define NSS_TOLD_ROOM 1024 /* free slots at the beginning that are worth going back for */
#define NSS_NSFS_MOUNTS 256 /* looked through for a bind mount of a namespace */

struct told_ns {
	__u64 address; /* of struct ns_common; 0: free */
	__u64 id; /* or NSS_UNKNOWN */
	__u64 number; /* ns_number() of it */
	__u64 created, seen; /* when it was made (0: not known), and surely lived last; CLOCK_MONOTONIC */
	__u32 inum;
	__u32 type;
	__u32 kept; /* NSS_KEPT_ bits, as it was seen last */
	__u32 looked; /* of the last look alone: these, or KEPT_PATH */
	__u32 mounts; /* in a mount namespace then */
	__u32 busy;
	__u32 ended; /* its end is told already: there are two who look for it */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSS_TOLD_NS); /* conf.told_ns, before the load */
	__type(key, __u32);
	__type(value, struct told_ns);
} told_ns SEC(".maps");

/* The slot of each, by its inum: no two namespaces have the same. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_TOLD_NS); /* as told_ns */
	__type(key, __u32);
	__type(value, __u32);
} told_at SEC(".maps");

__u32 told_next; /* slot to be tried next */
__u32 told_cursor; /* of the look at all of them */
__u64 told_looked; /* when that began; CLOCK_MONOTONIC */
__u32 told_count; /* how many there are: never less than slots with an address */
__u32 told_left; /* of them, yet to be looked at */
__u32 told_first, told_last; /* slots of the first that lives and of the last, as the look found them */

/* What tells the namespace at @ns from one that has its inum and its memory afterwards, or NSS_UNKNOWN. */
static __always_inline __u64 ns_number(__u64 ns, __u32 type)
{
	if (type == NSS_NS_MNT)
		return mnt_ns_number((void *)(ns - bpf_core_field_offset(struct mnt_namespace, ns)));
	return ns_id((void *)ns);
}

/* References to the namespace; 0 also where its memory is not that of the namespace with this number any more. */
static __always_inline __u32 ns_refs(const struct told_ns *t)
{
	const struct ns_common___v6_18 *common = (void *)t->address;

	if (BPF_CORE_READ(common, inum) != t->inum || ns_number(t->address, t->type) != t->number)
		return 0;
	return ns_count(common, t->type);
}

/* Mounts in the mount namespace at @ns; 0 if it is of another type. */
static __always_inline __u32 mounts_in(__u64 ns, __u32 type)
{
	if (type != NSS_NS_MNT)
		return 0;
	return ns_mounts((void *)(ns - bpf_core_field_offset(struct mnt_namespace, ns)));
}

static __always_inline struct told_ns *told_in(__u32 slot)
{
	return ELEMENT(told_ns, struct told_ns, slot, conf.told_ns);
}

/* The told namespace with the inum, or NULL. */
static __always_inline struct told_ns *told_find(__u32 inum)
{
	__u32 *slot = bpf_map_lookup_elem(&told_at, &inum);
	struct told_ns *t = slot ? told_in(*slot) : NULL;

	return t && t->address && t->inum == inum ? t : NULL;
}

/* Takes the next slot, if that is free. 1: no more. */
__noinline int told_claiming_step(__u32 from)
{
	__u32 slot = told_next++ % NSS_TOLD_NS;
	struct told_ns *t = told_in(slot);
	struct scratch *s = scratch_at(from);

	if (!s || !t || !s->claiming.left)
		return 1;
	s->claiming.left--;
	if (t->address || !claim(&t->busy))
		return 0;
	s->claiming.slot = slot;
	return 1;
}

STEPS(told_claiming)

/* A free slot, which is mostly the next: NULL if there is none. Scratch @s has the state of the search. */
static __always_inline struct told_ns *told_claim(struct scratch *s)
{
	s->claiming.left = told_count < NSS_TOLD_NS ? NSS_TOLD_NS : 0;
	s->claiming.slot = -1;
	told_claiming_steps(s->slot);
	return told_in(s->claiming.slot);
}

/* Notes that the namespace at @ns is known of, made at @created. Scratch @from has the state of the search for a slot. */
static __always_inline void ns_told(struct scratch *from, __u64 ns, __u32 type, __u64 created)
{
	const struct ns_common___v6_18 *common = (void *)ns;
	struct told_ns *t;
	__u32 slot;

	if (!wanted(NSS_EV_NS_DESTROY))
		return;
	t = told_claim(from);
	if (!t) {
		count_lost(NSS_EV_NS_DESTROY);
		return;
	}
	t->id = ns_id(common);
	t->number = ns_number(ns, type);
	t->created = created;
	t->seen = bpf_ktime_get_ns();
	t->inum = BPF_CORE_READ(common, inum);
	t->type = type;
	t->kept = t->looked = 0;
	t->mounts = mounts_in(ns, type);
	t->ended = 0;
	__sync_fetch_and_add(&told_count, 1);
	*(volatile __u64 *)&t->address = ns;
	slot = from->claiming.slot;
	bpf_map_update_elem(&told_at, &t->inum, &slot, BPF_ANY); /* if it fails, looking finds the end */
}

/* The namespace @ns lives now, perhaps for the last time. NULL if it has not been told. */
static __always_inline struct told_ns *ns_seen(const struct ns_common *ns, __u32 type)
{
	struct told_ns *t = told_find(BPF_CORE_READ(ns, inum));

	if (!t || t->address != (__u64)ns)
		return NULL;
	t->seen = bpf_ktime_get_ns();
	t->mounts = mounts_in((__u64)ns, type);
	return t;
}

struct nsfs_search {
	__u64 sb, mount, dentry;
	__u32 found;
};

static long nsfs_body(__u64 i, struct nsfs_search *s)
{
	const struct mount *m = (void *)s->mount;

	if (sb_end(s->sb, s->mount))
		return 1;
	s->found = (__u64)BPF_CORE_READ(m, mnt.mnt_root) == s->dentry && is_entered((__u64)BPF_CORE_READ(m, mnt_ns));
	s->mount = sb_next(s->sb, s->mount);
	return s->found;
}

#define KEPT_PATH 4U /* beside NSS_KEPT_: a path leads to its file, which is not open for reading */

/* What of user space holds the namespace other than by a process in it. */
static __always_inline __u32 ns_kept(__u64 ns)
{
	struct nsfs_search s = {};
	const struct dentry *dentry = ns_dentry((void *)ns);

	if (!dentry)
		return 0;
	s.dentry = (__u64)dentry;
	s.sb = (__u64)BPF_CORE_READ(dentry, d_sb);
	s.mount = sb_first(s.sb);
	LOOP(NSS_NSFS_MOUNTS, nsfs_body, &s);
	if (s.found)
		return NSS_KEPT_MOUNT;
	if (BPF_CORE_READ(dentry, d_inode, i_readcount.counter) > 0)
		return NSS_KEPT_FILE;
	return BPF_CORE_READ(dentry, d_lockref.count) > 0 ? KEPT_PATH : 0;
}

#endif
