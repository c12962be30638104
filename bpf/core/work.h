/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Room to work on a call: more than the stack has. Claimed and released as a scratch is, and as many of them. */
#ifndef NSS_WORK_H
#define NSS_WORK_H

#include "core/loop.h"
#include "core/task.h"

/* A name is at most 255 bytes: so much may stand behind the last position that a mask of NSS_PATH_MAX - 1 leaves. */
#define NSS_NAME_ROOM 256

#define NSS_RECEIVERS (NSS_ARGS_PIECE / sizeof(__u32))

/* A path on its way up to a root, filled from the end; see walk.h. Addresses are of struct dentry and struct vfsmount. */
struct walk {
	__u64 dentry, mnt;
	__u64 root_dentry, root_mnt;
	__u32 start; /* offset of what there is so far */
	__u32 flags; /* NSS_STR_ flags; 0: the root was reached */
	__u32 visible; /* end where something else is mounted above the place */
	__u32 below; /* what is mounted here is the place itself, or the mount that the walk comes from */
	__u32 covered; /* so it ended */
	__u64 cursor; /* of the search for what is mounted above */
	char bytes[NSS_PATH_MAX + NSS_NAME_ROOM]; /* from NSS_PATH_MAX on: zeroes */
};

/* What a call does to the mount tree. */
enum change { CHANGE_NONE, CHANGE_NEW, CHANGE_MOVE, CHANGE_MOVE_FD, CHANGE_UMOUNT };

/* What an operation did to the mount tree; see reach.h. Addresses are of struct mount and struct dentry. */
struct reached {
	__u64 ns; /* of the caller */
	__u64 mount; /* that was made, moved or unmounted; 0: not known */
	__u64 parent, mountpoint; /* where it stands, or stood */
	__u64 id; /* its unique id, or NSS_UNKNOWN */
	__s32 mnt_id;
	__u32 flags; /* NSS_REACH_ */
	__u64 cursor; /* of the walk over a list */
	__u64 last_id; /* what is not above it was there before */
	__u32 group; /* peer group that a receiver's parent must have as its own or as a master */
	__u32 last; /* inum put last */
	__u32 count; /* of receivers put */
	__u32 nonce;
	__u32 place; /* enum nss_place */
	__u32 pass; /* of the search for it */
	__u32 walking; /* by one mount */
	__u64 candidate; /* the one: its address, or index in the stash */
	__u64 looked_up; /* the mount to be unmounted, as the kernel looked it up; 0: not known */
	__u32 tops; /* mounts that went from the caller's namespace, each with what was below it */
	__u32 certain; /* which mount it is: it is named by the path, or it was this task that let go of it */
	__u32 is_named; /* it stands at the work's path */
	__u32 below; /* what was noted last of the caller's namespace stood on the one in question, and is gone */
	__u32 is_tree; /* something stood on the one in question */
	__u32 left_out; /* others had, or get, one that may be the one in question, or of its tree */
	__u64 first; /* of the namespace's mounts that may be the new one; 0: any */
	__u64 sb; /* whose mounts are gone through */
	__u32 stash; /* that is gone through */
	__u32 change; /* enum change */
};

/* A path that is made one from the root; see spell.h. */
struct spelling {
	__u32 at; /* in the given one */
	__u32 name; /* where in the work's path the name begins that is taken */
	__u32 named; /* a name has been taken: it may be a link's */
	__u32 leaving; /* the name before is taken away */
	__u32 ended;
	char given[NSS_PATH_MAX];
};

/* A look at the told mounts; see core/told_mount.h. */
struct seeking {
	__u32 at; /* slot that is next */
	__u32 left; /* of them, yet to be looked at */
	__u32 end; /* behind the last that stays noted */
	__u32 by; /* process that takes them away, as the host numbers it; 0: not known */
	__u32 quietly; /* what is gone has been told */
	__u64 began; /* CLOCK_MONOTONIC */
};

/* A system call, at its end. */
struct call {
	__u64 arg[5];
	__s64 result;
	__u64 latency_ns; /* NSS_UNKNOWN if the entry was not seen */
	__u64 last; /* what was the last mount before it, see ns_last(), or the last message, see log_head() */
	__u64 taken; /* taken_so_far() before it */
	__s32 stash; /* of the mounts before it; -1: none */
	__u32 event; /* enum nss_type */
	__u32 slot; /* of the work that it is in */
	__u32 tid; /* of the caller, until it is told */
	__u32 is_kept; /* what the kernel was given can be had: kept_of() */
	__u32 overlaps; /* another call may have changed a mount tree meanwhile */
	__u32 contends; /* that of the caller's own namespace */
};

/* A look at what has been taken since the call began; see core/taken.h. */
struct taking_scan {
	__u64 at, end;
	__u32 found;
};

struct work {
	__u32 busy;
	__u32 slot;
	struct call call;
	struct walk walk;
	struct reached reached;
	struct seeking seeking;
	struct taking_scan taking;
	struct claiming claiming;
	struct spelling spelling;
	__u32 equal; /* it is the walked one */
	__u32 path_len; /* bytes */
	char path[NSS_PATH_MAX + sizeof(__u64)]; /* that is looked for */
	__u32 first[NSS_RECEIVERS]; /* the piece for the event itself */
	__u32 further[NSS_RECEIVERS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSS_SCRATCHES); /* conf.all_works, before the load */
	__type(key, __u32);
	__type(value, struct work);
} works SEC(".maps");

static __always_inline struct work *work_at(__u32 slot)
{
	return ELEMENT(works, struct work, slot, conf.all_works);
}

static __always_inline struct work *work_claim(void)
{
	for (__u32 i = 0; i < NSS_SCRATCHES && i < conf.scratches; i++) {
		__u32 key = bpf_get_smp_processor_id() * conf.scratches + i;
		struct work *w = work_at(key);

		if (!w)
			continue;
		w->slot = key; /* as scratch_claim() has it */
		if (claim(&w->busy))
			return work_at(w->slot);
	}
	return NULL;
}

/* That which the current thread has claimed on this CPU, from another program: none leaves its CPU on the way. NULL: none. */
static __always_inline struct work *work_of_current(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

	for (__u32 i = 0; i < NSS_SCRATCHES && i < conf.scratches; i++) {
		struct work *w = work_at(bpf_get_smp_processor_id() * conf.scratches + i);

		if (w && w->call.tid == tid)
			return work_at(w->slot);
	}
	return NULL;
}

static __always_inline void work_release(struct work *w)
{
	*(volatile __u32 *)&w->call.tid = 0;
	*(volatile __u32 *)&w->busy = 0;
}

#endif
