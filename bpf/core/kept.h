/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel itself was given in a call: strings that it has copied, paths that it has looked up. Kept by the
 * thread from the moment that the kernel has them to the end of the call, which the caller's other threads cannot
 * change any more.
 */
#ifndef NSS_KEPT_H
#define NSS_KEPT_H

#include "core/emit.h"

/* A name is at most 255 bytes: so much may stand behind the last position that a mask of NSS_PATH_MAX - 1 leaves. */
#define NSS_NAME_ROOM 256

/* A path on its way up to the root, filled from the end. */
struct walk {
	__u64 dentry, mnt; /* addresses of struct dentry and struct vfsmount */
	__u64 root_dentry, root_mnt; /* of the process */
	__u32 start; /* offset of what there is so far */
	__u32 flags; /* NSS_STR_ flags; 0: the root was reached */
	char bytes[NSS_PATH_MAX + NSS_NAME_ROOM];
};

#define NSS_WALK_END NSS_PATH_MAX

struct kept {
	__u32 paths; /* how many of path[] are there */
	struct nss_str source, fstype, data;
	char source_bytes[NSS_PATH_MAX];
	char fstype_bytes[NSS_FSTYPE_MAX];
	char data_bytes[NSS_DATA_MAX];
	struct walk path[2];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, __u32); /* thread */
	__type(value, struct kept);
} kept SEC(".maps");

/* What a new element of kept begins as: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct kept);
} kept_nothing SEC(".maps");

/* A fresh element for thread @tid; NULL if there is no room (the event then tells what the caller has). */
static __always_inline struct kept *keep(__u32 tid)
{
	__u32 zero = 0;
	struct kept *nothing = bpf_map_lookup_elem(&kept_nothing, &zero);

	if (!nothing || bpf_map_update_elem(&kept, &tid, nothing, BPF_ANY))
		return NULL;
	return bpf_map_lookup_elem(&kept, &tid);
}

/* @max is a constant, the size of @to. */
static __always_inline void keep_str(struct nss_str *str, char *to, const char *from, __u32 max)
{
	long n;

	str->v = NSS_STR_NULL;
	if (!from)
		return;
	n = bpf_probe_read_kernel_str(to, max, from);
	str->v = n <= 0 ? NSS_STR_UNREADABLE : (__u32)(n - 1) | (n == max ? NSS_STR_CUT : 0);
}

/* Nothing is above @w's dentry in its mount: goes on where that is mounted. 1: it is mounted nowhere. */
static __always_inline int walk_to_mountpoint(struct walk *w)
{
	struct mount *mount = (void *)(w->mnt - bpf_core_field_offset(struct mount, mnt));
	struct mount *parent = BPF_CORE_READ(mount, mnt_parent);

	if (parent == mount) {
		w->flags = NSS_STR_OUTSIDE;
		return 1;
	}
	w->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
	w->mnt = (__u64)parent + bpf_core_field_offset(struct mount, mnt);
	return 0;
}

/*
 * One step up of path @which that thread @tid keeps; 1: no more. As prepend_path() of fs/d_path.c, but without its
 * locks: a rename at the same moment can mix the old and the new name. Not static: so the verifier looks at it once.
 */
__noinline int walk_step(__u32 tid, __u32 which)
{
	struct kept *k = bpf_map_lookup_elem(&kept, &tid);
	struct walk *w;
	struct dentry *dentry; /* variables of their own: CO-RE would relocate an access through struct walk */
	struct vfsmount *mnt;
	__u32 len, start;

	if (!k)
		return 1;
	w = &k->path[which & 1];
	dentry = (void *)w->dentry;
	mnt = (void *)w->mnt;
	if (w->dentry == w->root_dentry && w->mnt == w->root_mnt)
		return 1;
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

#define NSS_WALK_ROW 64

/* A row of steps: the verifier goes round a loop as often as it can run, so two short ones are less than a long one. */
__noinline int walk_row(__u32 tid, __u32 which)
{
	for (int i = 0; i < NSS_WALK_ROW; i++)
		if (walk_step(tid, which))
			return 1;
	return 0;
}

/* The most steps: a component takes two bytes at least, and as many mounts may stand on each other. */
#define NSS_WALK_ROWS (NSS_PATH_MAX / NSS_WALK_ROW)

/* Keeps @path as the process sees it, as the next one of the thread @tid. */
static __always_inline void keep_path(struct kept *k, __u32 tid, struct task_struct *task, const struct path *path)
{
	__u32 which = k->paths & 1;
	struct walk *w = &k->path[which];

	w->dentry = (__u64)BPF_CORE_READ(path, dentry);
	w->mnt = (__u64)BPF_CORE_READ(path, mnt);
	w->root_dentry = (__u64)BPF_CORE_READ(task, fs, root.dentry);
	w->root_mnt = (__u64)BPF_CORE_READ(task, fs, root.mnt);
	w->start = NSS_WALK_END;
	for (int i = 0; i < NSS_WALK_ROWS; i++) {
		if (walk_row(tid, which))
			break;
		if (i == NSS_WALK_ROWS - 1)
			w->flags = NSS_STR_CUT;
	}
	if (w->start == NSS_WALK_END)
		w->bytes[--w->start & (NSS_PATH_MAX - 1)] = '/';
	k->paths++;
}

/* Puts a kept string of the record's tail. @max is a constant, the size of @from. */
static __always_inline void emit_kept_str(struct scratch *s, struct nss_str *str, struct nss_str kept_str,
					  const char *from, __u32 max)
{
	void *to = emit_room(s, max);
	__u32 len = kept_str.v & NSS_STR_LEN;

	str->v = NSS_STR_UNREADABLE;
	if (!to || len >= max || bpf_probe_read_kernel(to, len, from))
		return;
	str->v = kept_str.v;
	s->rec.len += len;
}

static __always_inline void emit_kept_path(struct scratch *s, struct nss_str *str, const struct walk *w)
{
	void *to = emit_room(s, NSS_PATH_MAX);
	__u32 start = w->start & (NSS_PATH_MAX - 1), len = NSS_PATH_MAX - start;

	str->v = NSS_STR_UNREADABLE;
	if (!to || len > NSS_PATH_MAX || bpf_probe_read_kernel(to, len, &w->bytes[start]))
		return;
	str->v = len | w->flags;
	s->rec.len += len;
}

#endif
