/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mounts that were told of, to tell as well if one goes other than by a call that is told: its mount point was removed
 * from another mount namespace, or somebody unmounted it who is not observed. Where a kprobe or fentry may be set on what
 * removes mount points, that is known at once; else it is found by looking, at each tick of the reader, and when the last
 * process of a mount namespace ends.
 */
#ifndef NSS_TOLD_MOUNT_H
#define NSS_TOLD_MOUNT_H

#include "core/stash.h"

#define NSS_TOLD_MOUNT_PATH 192 /* bytes */

struct told_mount {
	__u64 address; /* of struct mount; 0: free */
	__u64 ns; /* of struct mnt_namespace */
	__u64 ns_number; /* mnt_ns_number() of it */
	__u64 id; /* unique, or NSS_UNKNOWN */
	__u64 seen; /* when it surely stood last; CLOCK_MONOTONIC */
	__s32 mnt_id;
	__u32 inum; /* of the namespace */
	__u32 busy;
	__u32 ended; /* there are several who look */
	struct nss_str target; /* as the process saw it that mounted */
	char bytes[NSS_TOLD_MOUNT_PATH];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSS_TOLD_MOUNTS); /* conf.told_mounts, before the load */
	__type(key, __u32);
	__type(value, struct told_mount);
} told_mounts SEC(".maps");

/* The slot of each, by its address. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_TOLD_MOUNTS); /* as told_mounts */
	__type(key, __u64);
	__type(value, __u32);
} told_mount_at SEC(".maps");

__u32 told_mount_next; /* slot to be tried next */
__u64 detaching_since; /* a mount point is being removed; 0: none. CLOCK_MONOTONIC */
__u32 told_mount_count; /* how many there are: never less than slots with an address */

static __always_inline struct told_mount *told_mount_in(__u32 slot)
{
	return ELEMENT(told_mounts, struct told_mount, slot, conf.told_mounts);
}

/* The slot of the mount; -1: it has none. Not static: the verifier puts much in place of a look into a hash. */
__noinline int told_mount_slot(__u64 address)
{
	__u32 *slot = bpf_map_lookup_elem(&told_mount_at, &address);
	struct told_mount *t = slot ? told_mount_in(*slot) : NULL;

	return t && t->address == address ? (int)*slot : -1;
}

static __always_inline struct told_mount *told_mount_find(__u64 address)
{
	int slot = told_mount_slot(address);

	return slot < 0 ? NULL : told_mount_in(slot);
}

static __always_inline bool told_mount_is(const struct told_mount *t, __u64 mount)
{
	const struct mount *m = (void *)mount;

	return unique_id(mount) == t->id && BPF_CORE_READ(m, mnt_id) == t->mnt_id;
}

static __always_inline bool told_mount_stands(const struct told_mount *t)
{
	return ns_of_mount(t->address) == t->ns && told_mount_is(t, t->address);
}

/* Whether its namespace lives: if not, it went with that. Its memory and inum may be another's by now. */
static __always_inline bool told_mount_ns_lives(const struct told_mount *t)
{
	const struct ns_common *ns = (void *)(t->ns + bpf_core_field_offset(struct mnt_namespace, ns));

	return mnt_ns_number((void *)t->ns) == t->ns_number && ns_count(ns, NSS_NS_MNT);
}

/* Nothing more is to be told of it. False: another has said so already. */
static __always_inline bool told_mount_forget(struct told_mount *t)
{
	__u64 address = t->address;

	if (!address || !claim(&t->ended))
		return false;
	bpf_map_delete_elem(&told_mount_at, &address);
	*(volatile __u64 *)&t->address = 0;
	__sync_fetch_and_add(&told_mount_count, -1);
	return true;
}

static __always_inline void told_mount_release(struct told_mount *t)
{
	*(volatile __u32 *)&t->busy = 0;
}

/* A call that is told takes the mount away. */
static __always_inline void told_mount_unmounted(__u64 address)
{
	struct told_mount *t;

	if (!told_mount_count)
		return;
	t = told_mount_find(address);
	if (t && told_mount_forget(t))
		told_mount_release(t);
}

static __always_inline void send_detach(const struct told_mount *t, __u32 by, __u64 now)
{
	struct nss_detach *detach;
	struct scratch *s = emit_begin(NSS_EV_DETACH, sizeof(struct nss_rec) + sizeof(*detach));
	__u32 target = *(volatile __u32 *)&t->target.v, len = target & NSS_STR_LEN; /* once: it may be written meanwhile */

	if (!s)
		return;
	s->rec.mono_ns = now; /* what late_ns is from */
	detach = (void *)(s->bytes + sizeof(struct nss_rec));
	detach->mnt_id_unique = t->id;
	detach->mnt_id = t->mnt_id;
	detach->mnt_ns = t->inum;
	detach->late_ns = by ? 0 : now - t->seen;
	detach->remover = by;
	detach->target.v = put_bytes(s->slot, address_of(t->bytes), len);
	if (detach->target.v == len)
		detach->target.v = target;
	emit_send(s);
}

/* The mount does not stand any more. */
static __always_inline void mount_went(struct told_mount *t, struct seeking *x)
{
	bool tell = !x->quietly && told_mount_ns_lives(t);

	if (!told_mount_forget(t))
		return;
	if (tell)
		send_detach(t, x->by, bpf_ktime_get_ns());
	told_mount_release(t);
}

static long unmounting_body(__u64 i, __u32 *is)
{
	const struct stash *s = stash_at(i);

	*is = s && *(volatile __u32 *)&s->busy && s->others;
	return *is;
}

/* Whether a umount is on its way that will be told: at its end it says which mounts it took. */
static __always_inline bool is_unmounting(void)
{
	__u32 is = 0;

	LOOP(NSS_STASHES, unmounting_body, &is);
	return is;
}

#define NSS_DETACHING_NS 1000000000ULL /* longer than it takes: its end may not be seen */

/* Whether a mount point is being removed: who looks at the end of that knows more. */
static __always_inline bool is_detaching(__u64 now)
{
	__u64 since = *(volatile __u64 *)&detaching_since;

	return since && now - since < NSS_DETACHING_NS;
}

/* Looks at the next of the told mounts. 1: no more. */
__noinline int seek_step(__u32 slot)
{
	struct work *w = work_at(slot);
	struct told_mount *t = w ? told_mount_in(w->seeking.at) : NULL;

	if (!t || !w || !w->seeking.left)
		return 1;
	w->seeking.at++;
	if (!t->address)
		return 0;
	w->seeking.left--;
	if (told_mount_stands(t)) {
		if (t->seen < w->seeking.began)
			t->seen = w->seeking.began;
	} else if (w->seeking.quietly || (!is_unmounting() && (w->seeking.by || !is_detaching(bpf_ktime_get_ns())))) {
		mount_went(t, &w->seeking);
	}
	if (t->address)
		w->seeking.end = w->seeking.at;
	return 0;
}

STEPS(seek)

/*
 * Looks which of the told mounts are gone. @by: process that removed a mount point, as the host numbers it; 0: not known.
 * @quietly: what is gone has been told. So that it need not go far, the next to be noted takes a slot behind the last.
 */
__noinline int seek_mounts(__u32 by, __u32 quietly)
{
	__u32 next = told_mount_next;
	struct work *w;

	if (!told_mount_count)
		return 0;
	w = work_claim();
	if (!w)
		return 0;
	w->seeking.at = w->seeking.end = 0;
	w->seeking.left = told_mount_count;
	w->seeking.began = bpf_ktime_get_ns();
	w->seeking.by = by;
	w->seeking.quietly = quietly;
	seek_steps(w->slot);
	if (told_mount_next == next)
		told_mount_next = w->seeking.end;
	work_release(w);
	return 0;
}

#endif
