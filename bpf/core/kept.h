/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel itself was given in a call: strings that it has copied, paths that it has looked up. Kept by the
 * thread from the moment that the kernel has them to the end of the call, which the caller's other threads cannot
 * change any more.
 */
#ifndef NSS_KEPT_H
#define NSS_KEPT_H

#include "core/walk.h"

struct kept {
	__u32 paths; /* how many of path[] are there */
	__u64 mount, second; /* of the first path, and of the second: addresses of struct mount */
	struct nss_str source, fstype, data; /* of fsopen fstype, of fsconfig as fstype the key and as data its value */
	struct nss_str path[2];
	char source_bytes[NSS_PATH_MAX];
	char fstype_bytes[NSS_FSTYPE_MAX];
	char data_bytes[NSS_DATA_MAX];
	char path_bytes[2][NSS_PATH_MAX];
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

/*
 * What the kernel was given in @call, or NULL. To be asked where it matters, not before: where nothing is kept, the verifier cuts
 * out in one piece then what depends on it.
 */
static __always_inline const struct kept *kept_of(const struct call *call)
{
	__u32 tid = bpf_get_current_pid_tgid();

	return conf.keeps && call->is_kept ? bpf_map_lookup_elem(&kept, &tid) : NULL;
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

/* Keeps @len bytes of the kernel. @max is a constant, the size of @to. */
static __always_inline void keep_bytes(struct nss_str *str, char *to, const void *from, __u64 len, __u64 max)
{
	__u32 cut = len > max ? NSS_STR_CUT : 0;

	if (len > max)
		len = max;
	KNOWN_BY_COMPARISON(len);
	str->v = NSS_STR_UNREADABLE;
	if (len <= max && !bpf_probe_read_kernel(to, len, from))
		str->v = len | cut;
}

/* Keeps @path as the process sees it, as the next one. */
static __always_inline void keep_path(struct kept *k, struct task_struct *task, const struct path *path)
{
	__u64 mount = (__u64)real_mount((__u64)BPF_CORE_READ(path, mnt));
	__u32 which = k->paths++ & 1, start, len;
	struct work *w = work_claim();

	if (which)
		k->second = mount;
	else
		k->mount = mount;
	k->path[which].v = NSS_STR_UNREADABLE;
	if (!w)
		return;
	walk_to_root_of(&w->walk, task);
	walk_up(w->slot, (__u64)BPF_CORE_READ(path, dentry), (__u64)BPF_CORE_READ(path, mnt));
	start = w->walk.start & (NSS_PATH_MAX - 1);
	len = NSS_PATH_MAX - start;
	if (len <= NSS_PATH_MAX && !bpf_probe_read_kernel(k->path_bytes[which], len, &w->walk.bytes[start]))
		k->path[which].v = len | w->walk.flags;
	work_release(w);
}

/* Puts a kept string into the record's tail. @max is the size of @from. */
static __always_inline void emit_kept_str(struct scratch *s, struct nss_str *str, struct nss_str kept_str,
					  const char *from, __u32 max)
{
	__u32 len = kept_str.v & NSS_STR_LEN;

	str->v = NSS_STR_UNREADABLE;
	if (len <= max && put_bytes(s->slot, address_of(from), len) == len)
		str->v = kept_str.v;
}

#endif
