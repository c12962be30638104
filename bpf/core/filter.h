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

static __always_inline __u32 ns_inum_of(struct task_struct *task, __u32 type)
{
	struct pid *pid;

	switch (type) {
	case NSS_NS_CGROUP:
		return TASK_READ(task, nsproxy, cgroup_ns, ns.inum);
	case NSS_NS_IPC:
		return TASK_READ(task, nsproxy, ipc_ns, ns.inum);
	case NSS_NS_MNT:
		return TASK_READ(task, nsproxy, mnt_ns, ns.inum);
	case NSS_NS_NET:
		return TASK_READ(task, nsproxy, net_ns, ns.inum);
	case NSS_NS_PID:
		pid = BPF_CORE_READ(task, thread_pid);
		return pid_ns_inum(upid_at(pid, BPF_CORE_READ(pid, level)).ns);
	case NSS_NS_PID_FOR_CHILDREN:
		return TASK_READ(task, nsproxy, pid_ns_for_children, ns.inum);
	case NSS_NS_TIME:
		return TASK_READ(task, nsproxy, time_ns, ns.inum);
	case NSS_NS_TIME_FOR_CHILDREN:
		return TASK_READ(task, nsproxy, time_ns_for_children, ns.inum);
	case NSS_NS_USER:
		return TASK_READ(task, cred, user_ns, ns.inum);
	case NSS_NS_UTS:
		return TASK_READ(task, nsproxy, uts_ns, ns.inum);
	}
	return 0;
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

/* Whether what @task does is to be told. The cheapest condition, and that of `run`, stands first. */
static __always_inline bool in_scope(struct task_struct *task)
{
	__u32 only = conf.only;

	if ((only & NSS_ONLY_TRACKED) && !is_tracked(TASK_READ(task, tgid)))
		return false;
	if ((only & NSS_ONLY_CGROUP) &&
	    cgroup_ancestor_id(BPF_CORE_READ(task, cgroups, dfl_cgrp), conf.cgroup_level) != conf.cgroup_id)
		return false;
	if ((only & NSS_ONLY_NS) && ns_inum_of(task, conf.ns_type) != conf.ns_inum)
		return false;
	if ((only & NSS_ONLY_UID) && TASK_READ(task, cred, euid.val) != conf.uid)
		return false;
	if ((only & NSS_ONLY_COMM) && !comm_is_wanted(task))
		return false;
	return host_sees(task);
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
