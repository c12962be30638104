/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How far an operation on a mount reached: found at the end of the call, from what was noted at its beginning. Where another
 * task of the namespace may have changed its tree meanwhile, the mount must be the one that the path names, to the letter, or
 * that this task has just let go of; if it cannot be told which it is, it is not known.
 */
#ifndef NSS_REACH_H
#define NSS_REACH_H

#include "core/kept.h"
#include "core/named.h"
#include "core/stash.h"
#include "core/taken.h"
#include "core/told_mount.h"

/* The mount that file @fd of the current task is of. */
static __always_inline __u64 mount_of_fd(__u32 fd)
{
	const struct file *file = (void *)file_of_fd(fd);
	__u64 mnt = file ? (__u64)BPF_CORE_READ(file, f_path.mnt) : 0;

	return mnt ? (__u64)real_mount(mnt) : 0;
}

/* Notes what stands before the call. */
static __always_inline void reach_begin(struct task_struct *task, const struct call *call, struct entry *entry)
{
	__u64 ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);

	entry->stash = -1;
	switch (change_of(call)) {
	case CHANGE_NEW:
		entry->last = ns_last(ns);
		break;
	case CHANGE_MOVE:
		entry->stash = stash_fill(ns, 0);
		break;
	case CHANGE_UMOUNT:
		entry->stash = stash_fill(ns, 1);
		break;
	case CHANGE_MOVE_FD:
		entry->last = mount_of_fd(call->arg[0]);
		if (ns_of_mount(entry->last) == ns) /* it is moved as one that is named by a path */
			entry->stash = stash_fill(ns, 0);
		break;
	case CHANGE_NONE:
		break;
	}
}

/* Sends the receivers of one piece, ahead of the event. */
__noinline int send_receivers(__u32 slot, __u32 tid, __u32 bytes)
{
	struct work *w = work_at(slot);
	struct nss_args *args;
	struct scratch *s;
	void *to;

	s = w ? emit_begin(NSS_EV_ARGS, sizeof(struct nss_rec) + sizeof(*args)) : NULL;
	if (!s || !w)
		return -1;
	args = (void *)(s->bytes + sizeof(struct nss_rec));
	args->tgid = tid;
	args->nonce = w->reached.nonce;
	args->offset = ((w->reached.count * sizeof(__u32) - 1) / NSS_ARGS_PIECE) * NSS_ARGS_PIECE;
	args->data.v = NSS_STR_UNREADABLE;
	to = emit_room(s, NSS_ARGS_PIECE);
	if (to && bytes <= NSS_ARGS_PIECE && !bpf_probe_read_kernel(to, bytes, w->further)) {
		args->data.v = bytes;
		s->rec.len += bytes;
	}
	return emit_send(s);
}

/* Adds the namespace of a receiver. */
static __always_inline void put_receiver(struct work *w, __u32 inum)
{
	struct reached *r = &w->reached;
	__u32 at = r->count % NSS_RECEIVERS;

	if (!inum || inum == NSS_ANON_INUM || inum == r->last)
		return;
	if (r->count < NSS_RECEIVERS)
		w->first[at] = inum;
	else
		w->further[at] = inum;
	r->last = inum;
	r->count++;
	if (r->count > NSS_RECEIVERS && !(r->count % NSS_RECEIVERS))
		send_receivers(w->slot, bpf_get_current_pid_tgid(), NSS_ARGS_PIECE);
}

/*
 * A mount that stands on the same directory as the new one: it came with it if its parent gets what is mounted below the
 * new one's parent. 1: no more.
 */
__noinline int receiver_step(__u32 slot)
{
	struct work *w = work_at(slot);
	const struct mount *other, *mount;
	struct reached *r;
	__u64 ns;

	if (!w || !w->reached.cursor)
		return 1;
	r = &w->reached;
	other = (void *)same_place_mount(r->cursor);
	r->cursor = same_place_next(r->cursor);
	mount = (void *)r->mount;
	if (other == mount)
		return 0;
	if (left_place((__u64)other, (__u64)mount))
		r->left_out = 1;
	ns = (__u64)BPF_CORE_READ(other, mnt_ns);
	/* It comes with another call, which has not ended: that may be the one of the mount in question. */
	if (!ns && !is_leaving((__u64)other) && gets_from((__u64)BPF_CORE_READ(other, mnt_parent), r->group))
		r->left_out = 1;
	if (!ns || ns == r->ns || BPF_CORE_READ(other, mnt.mnt_root) != BPF_CORE_READ(mount, mnt.mnt_root))
		return 0;
	if (unique_id((__u64)other) < unique_id((__u64)mount)) /* it stood there before */
		return 0;
	if (gets_from((__u64)BPF_CORE_READ(other, mnt_parent), r->group))
		put_receiver(w, ns_inum(ns));
	return 0;
}

STEPS(receiver)

/* Goes through those who got the mount that stands in work @slot. */
__noinline int find_receivers(__u32 slot)
{
	struct work *w = work_at(slot);
	const struct mount *parent;

	if (!w)
		return 0;
	parent = (void *)w->reached.parent;
	w->reached.flags = NSS_REACH_KNOWN;
	w->reached.group = BPF_CORE_READ(parent, mnt_group_id);
	if (w->reached.group) { /* else nothing goes anywhere */
		w->reached.cursor = same_place_first(w->reached.mount);
		if (!receiver_steps(slot))
			w->reached.flags |= NSS_REACH_CUT;
	}
	if (w->reached.left_out || was_taken(w->slot)) /* those that were found have it; they may not be all */
		w->reached.flags |= NSS_REACH_CUT;
	/* Another task takes it away, or what it stands on: nothing tells who had it. */
	if (!stands(w->reached.mount) || !stands((__u64)parent))
		w->reached.flags = 0;
	return 0;
}

/*
 * What is gone from the caller's namespace: the topmost is told. If several are, because a peer stands in the same namespace,
 * it is the one that the kernel looked up, or for want of that what the call lets go of last, which the kernel has just put in
 * front of what the task is to clean up on its way out.
 */
static __always_inline void see_gone(struct work *w, const struct stash *s, const struct stashed *e)
{
	const struct task_struct *task = current_task();
	struct reached *r = &w->reached;
	bool certain;

	if (e->inum || !is_gone(e) || !is_top(s, e))
		return;
	r->tops++;
	certain = r->looked_up ? e->mount == r->looked_up : (__u64)BPF_CORE_READ(task, task_works) == mount_rcu(e->mount);
	if (!r->mount || certain)
		take_stashed(r, e);
	r->certain |= certain;
}

/* Whether the namespace of @e lives: if not, its mounts went with it. The memory of one that has just ended is not used again. */
static __always_inline bool still_lives(const struct stashed *e)
{
	const struct mnt_namespace *ns = (void *)e->ns;

	return ns_count(&ns->ns, NSS_NS_MNT);
}

/*
 * The mount in question is known. Where another task may have taken others away, what went by this call stood on the same
 * directory, or right on it, and so did what others had of that, which is noted behind it. Of what stood further up it cannot
 * be told whose doing it was.
 */
static __always_inline void see_receiver(struct work *w, const struct stashed *e)
{
	struct reached *r = &w->reached;
	bool gone = is_gone(e);

	if (!e->inum) {
		r->below = gone && e->parent == r->mount;
		r->is_tree |= r->below;
	}
	if (!gone)
		return;
	if (w->call.overlaps && !r->below && e->mountpoint != r->mountpoint) {
		r->left_out |= e->inum && still_lives(e);
		return;
	}
	told_mount_unmounted(e->mount);
	if (e->inum && still_lives(e))
		put_receiver(w, e->inum);
}

/* What stands elsewhere now, and not because another was put beneath it: the moved one, or one that came with the call. */
static __always_inline void see_moved(struct work *w, const struct stash *s, const struct stashed *e)
{
	const struct mount *m = (void *)e->mount;
	__u64 parent = (__u64)BPF_CORE_READ(m, mnt_parent);

	if (is_gone(e) || (parent == e->parent && (__u64)BPF_CORE_READ(m, mnt_mountpoint) == e->mountpoint))
		return;
	if (has_tree() && unique_id(parent) > s->last)
		return;
	if (!w->reached.mount || parent != w->reached.mount)
		take_mount(&w->reached, e->mount);
}

/* The next of the stash of work @slot. 1: no more. */
__noinline int scan_step(__u32 slot)
{
	struct work *w = work_at(slot);
	struct stash *s = w ? stash_at(w->reached.stash) : NULL;
	__u64 at;

	if (!w || !s)
		return 1;
	at = s->at++;
	if (at >= s->count || at >= NSS_STASHED)
		return 1;
	if (w->reached.change == CHANGE_UMOUNT && w->reached.pass)
		see_receiver(w, &s->entry[at]);
	else if (w->reached.change == CHANGE_UMOUNT)
		see_gone(w, s, &s->entry[at]);
	else
		see_moved(w, s, &s->entry[at]);
	return 0;
}

STEPS(scan)

/* Goes through what was noted before the call. */
__noinline int scan_stash(__u32 slot)
{
	struct work *w = work_at(slot);
	struct stash *s = w ? stash_at(w->reached.stash) : NULL;

	if (!w || !s)
		return 0;
	s->at = 0;
	scan_steps(slot);
	return s->cut;
}

/* The mount that the call was of, which stands where it stood; of MOVE_MOUNT_SET_GROUP the one whose group is set. */
static __always_inline __u64 unmoved(struct work *w)
{
	const struct kept *k = kept_of(&w->call);
	bool is_second = w->call.event == NSS_EV_MOVE_MOUNT;
	__u64 path = w->call.arg[1];
	__s32 dfd = NSS_AT_FDCWD;

	if (k)
		return is_second ? k->second : k->mount;
	if (is_second) {
		dfd = w->call.arg[2];
		path = w->call.arg[3];
	} else if (w->call.event == NSS_EV_MOUNT_SETATTR) {
		dfd = w->call.arg[0];
	}
	if (w->call.event != NSS_EV_MOUNT && is_empty_path(path))
		return mount_of_fd(dfd);
	find_named(w->slot, dfd, path);
	return w->reached.mount;
}

/* The mount that the call made or moved. */
static __always_inline __u64 newcomer(struct task_struct *task, struct work *w)
{
	struct reached *r = &w->reached;

	if (r->change == CHANGE_MOVE_FD) /* unless it was another in the end */
		return ns_of_mount(w->call.last) == r->ns ? w->call.last : 0;
	if (r->change != CHANGE_NEW)
		return 0;
	if (w->call.overlaps) {
		/* In a list it is not sure what stands behind one that may have gone. */
		r->first = has_tree() ? ns_first_behind(r->ns, w->call.last) : 0;
		walk_to_root_of(&w->walk, task);
		find_named(w->slot, NSS_AT_FDCWD, w->call.arg[1]);
		r->is_named = r->certain;
		if (r->certain || w->call.contends)
			return r->mount;
	}
	return ns_first_behind(r->ns, w->call.last);
}

/* Where several may have moved one: that which stands where the call was to move one to. */
static __always_inline void find_moved(struct task_struct *task, struct work *w)
{
	bool by_mount = w->call.event == NSS_EV_MOUNT;

	walk_to_root_of(&w->walk, task);
	find_named(w->slot, by_mount ? NSS_AT_FDCWD : (__s32)w->call.arg[2], by_mount ? w->call.arg[1] : w->call.arg[3]);
	w->reached.is_named = w->reached.certain;
	if (w->reached.certain)
		take_mount(&w->reached, w->reached.mount);
}

/* Finds what the call took away, and from whom. */
static __always_inline void find_gone(struct task_struct *task, struct work *w)
{
	const struct kept *k = kept_of(&w->call);
	struct reached *r = &w->reached;
	const struct mount *parent; /* a variable of its own: CO-RE would relocate an access through struct reached */
	bool cut = true;

	r->looked_up = k ? k->mount : 0;
	walk_to_root_of(&w->walk, task);
	r->pass = 0;
	if (w->call.stash >= 0)
		cut = scan_stash(w->slot);
	if (!r->certain && (r->tops > 1 || w->call.overlaps)) {
		find_named(w->slot, NSS_AT_FDCWD, w->call.arg[0]);
		r->is_named = r->certain;
	}
	if (w->call.contends && !r->certain)
		take_none(r);
	r->pass = 1;
	if (r->mount) {
		scan_stash(w->slot);
		r->flags = NSS_REACH_KNOWN | (cut ? NSS_REACH_CUT : 0);
	}
	/* Others had it, as it seems, but it was noted when it had just come to be, or to go: not all of them were. */
	parent = (void *)r->parent;
	r->group = BPF_CORE_READ(parent, mnt_group_id);
	if (w->call.contends && !r->count && r->group)
		r->flags = 0;
	if (r->is_tree && r->left_out)
		r->flags = 0;
	if (r->flags != NSS_REACH_KNOWN)
		seek_mounts(0, 1); /* not all that it may have taken was noted */
	if (was_taken(w->slot)) /* what is gone may be another's doing */
		r->flags = 0;
}

/* Finds which mount the call of work @slot was of, and who got it. */
static __always_inline void reach_find(struct task_struct *task, struct work *w)
{
	struct reached *r = &w->reached;
	__u64 mount;

	if (r->change == CHANGE_NONE) {
		walk_to_root_of(&w->walk, task);
		mount = unmoved(w);
		if (mount)
			take_mount(r, mount);
		if (vfsmount_of(mount) == w->walk.root_mnt) { /* what it stands on cannot be seen */
			r->parent = mount;
			r->mountpoint = w->walk.root_dentry;
		}
		return;
	}
	if (r->change == CHANGE_UMOUNT) {
		find_gone(task, w);
	} else {
		mount = newcomer(task, w);
		if (mount)
			take_mount(r, mount);
		if (w->call.stash >= 0)
			scan_stash(w->slot);
		if (r->change == CHANGE_MOVE && w->call.overlaps)
			find_moved(task, w);
		if (r->mount)
			find_receivers(w->slot);
	}
	if (r->count > NSS_RECEIVERS && r->count % NSS_RECEIVERS)
		send_receivers(w->slot, bpf_get_current_pid_tgid(), r->count % NSS_RECEIVERS * sizeof(__u32));
}

/* At the end of the call of work @slot: fills in what it reached. */
__noinline int reach_end(__u32 slot)
{
	struct task_struct *task = current_task();
	struct work *w = work_at(slot);
	struct reached *r;

	if (!w)
		return 0;
	r = &w->reached;
	__builtin_memset(r, 0, sizeof(*r));
	r->id = NSS_UNKNOWN;
	r->ns = (__u64)BPF_CORE_READ(task, nsproxy, mnt_ns);
	r->nonce = bpf_ktime_get_ns();
	r->stash = w->call.stash;
	r->change = change_of(&w->call);
	if (r->change == CHANGE_MOVE_FD && w->call.stash >= 0)
		r->change = CHANGE_MOVE;
	if (r->change == CHANGE_NONE)
		r->flags = NSS_REACH_KNOWN;
	if (w->call.result >= 0 && (r->change == CHANGE_NONE || w->call.latency_ns != NSS_UNKNOWN))
		reach_find(task, w);
	return 0;
}

#endif
