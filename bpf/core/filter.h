/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are observed. */
#ifndef NSS_FILTER_H
#define NSS_FILTER_H

#include "core/task.h"

/* The byte of @pid in @map, which has all conf.pids: NULL if that is not enough. */
#define pid_byte(map, pid) BYTE(map, pid, NSS_TRACKED_PAGE, conf.pids)

static __always_inline bool is_tracked(__u32 tgid)
{
	__u8 *byte = pid_byte(tracked, tgid);

	return byte && *byte;
}

static __always_inline void set_tracked(__u32 tgid, __u8 value)
{
	__u8 *byte = pid_byte(tracked, tgid);

	if (byte)
		*byte = value;
}

/*
 * Where the namespaces of @type are: the offset of a pointer in struct nsproxy, and from bit 16 and bit 32 on those of ns and
 * user_ns in what that points to; 0: nsproxy has none. Not static: they are numbers to the verifier then, not eight ways to go on.
 */
__noinline __u64 ns_offsets_of(__u32 type)
{
	switch (type) {
#define OFFSET(member, of) bpf_core_field_offset(typeof(*((struct nsproxy *)0)->member), of)
#define OFFSETS(ID, member)                                                                            \
	case NSS_NS_##ID:                                                                              \
		return bpf_core_field_offset(struct nsproxy, member) | OFFSET(member, ns) << 16 |      \
		       (__u64)OFFSET(member, user_ns) << 32;
		IN_NSPROXY(OFFSETS)
#undef OFFSETS
#undef OFFSET
	}
	return 0;
}

/* What the nsproxy of @task has there. */
static __always_inline __u64 ns_in_nsproxy(struct task_struct *task, __u64 offsets)
{
	const void *nsproxy = BPF_CORE_READ(task, nsproxy);
	__u64 ns = 0;

	read_kernel(&ns, sizeof(ns), nsproxy + (__u16)offsets);
	return ns;
}

static __always_inline __u32 ns_inum_of(struct task_struct *task, __u32 type)
{
	const struct ns_common *ns;
	__u64 offsets;

	if (type == NSS_NS_PID)
		return pid_ns_inum(pid_ns_of(task));
	if (type == NSS_NS_USER)
		return BPF_CORE_READ(task, cred, user_ns, ns.inum);
	offsets = ns_offsets_of(type);
	if (!offsets)
		return 0;
	ns = (void *)(ns_in_nsproxy(task, offsets) + (__u16)(offsets >> 16));
	return BPF_CORE_READ(ns, inum);
}

static __always_inline bool comm_is_wanted(struct task_struct *task)
{
	char comm[NSS_COMM_LEN];

	read_kernel(comm, sizeof(comm), &task->comm);
	for (int i = 0; i < NSS_COMM_LEN; i++) {
		if (comm[i] != conf.comm[i])
			return false;
		if (!comm[i])
			break;
	}
	return true;
}

/*
 * Whether the task at @address meets all conditions but that of `run`. Not static, and of an address: so the verifier looks at it
 * once, or not at all.
 */
__noinline int meets_conditions(__u64 address)
{
	struct task_struct *task = (void *)address;
	__u32 only = conf.only;

	if ((only & NSS_ONLY_CGROUP) &&
	    cgroup_ancestor_id(BPF_CORE_READ(task, cgroups, dfl_cgrp), conf.cgroup_level) != conf.cgroup_id)
		return false;
	if ((only & NSS_ONLY_NS) && ns_inum_of(task, conf.ns_type) != conf.ns_inum)
		return false;
	if ((only & NSS_ONLY_UID) && BPF_CORE_READ(task, cred, euid.val) != conf.uid)
		return false;
	if ((only & NSS_ONLY_COMM) && !comm_is_wanted(task))
		return false;
	return host_sees(task);
}

/* Whether there are others than that of `run`. */
static __always_inline bool has_conditions(void)
{
	return (conf.only & ~NSS_ONLY_TRACKED) || conf.level_mask;
}

/* Whether @task meets the cheapest condition, that of `run`, if it is one. */
static __always_inline bool is_followed(struct task_struct *task)
{
	return !(conf.only & NSS_ONLY_TRACKED) || is_tracked(TASK_READ(task, tgid));
}

/* Whether what @task does is to be told. Its address is asked for last: that costs a call. */
static __always_inline bool in_scope_of(struct task_struct *task)
{
	return is_followed(task) && (!has_conditions() || meets_conditions(address_of(task)));
}

/* The same of the current task. */
static __always_inline bool in_scope(void)
{
	return is_followed(current_task()) && (!has_conditions() || meets_conditions(bpf_get_current_task()));
}

/* The PID of the process of @task, as nsscope's own PID namespace numbers it; 0: it cannot be seen from there. */
static __always_inline __u32 host_pid_of(struct task_struct *task)
{
	return host_sees(task) ? (__u32)upid_at(tgid_of(task), own_level()).nr : 0;
}

/* Whether @caller is the process that launches: known by nsscope's own numbers, which may not be the initial ones. */
static __always_inline bool is_cloner(struct task_struct *caller)
{
	return cloner && host_pid_of(caller) == cloner;
}

#define NSS_CLONE_THREAD 0x00010000

#endif
