/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which processes are observed. */
#ifndef NSS_FILTER_H
#define NSS_FILTER_H

#include "core/task.h"

static __always_inline __u8 *tracked_byte(__u32 tgid)
{
	__u32 page = tgid / NSS_TRACKED_PAGE;
	__u8 *bytes = bpf_map_lookup_elem(&tracked, &page);

	return bytes ? bytes + tgid % NSS_TRACKED_PAGE : NULL;
}

static __always_inline bool is_tracked(__u32 tgid)
{
	__u8 *byte = tracked_byte(tgid);

	return byte && *byte;
}

static __always_inline void set_tracked(__u32 tgid, __u8 value)
{
	__u8 *byte = tracked_byte(tgid);

	if (byte)
		*byte = value;
}

static __always_inline __u32 ns_inum_of(struct task_struct *task, __u32 type)
{
	struct nsproxy *ns = task->nsproxy;
	struct pid *pid = task->thread_pid;

	switch (type) {
	case NSS_NS_CGROUP:
		return ns->cgroup_ns->ns.inum;
	case NSS_NS_IPC:
		return ns->ipc_ns->ns.inum;
	case NSS_NS_MNT:
		return ns->mnt_ns->ns.inum;
	case NSS_NS_NET:
		return ns->net_ns->ns.inum;
	case NSS_NS_PID:
		return pid_ns_inum(upid_at(pid, pid->level).ns);
	case NSS_NS_PID_FOR_CHILDREN:
		return ns->pid_ns_for_children->ns.inum;
	case NSS_NS_TIME:
		return ns->time_ns->ns.inum;
	case NSS_NS_TIME_FOR_CHILDREN:
		return ns->time_ns_for_children->ns.inum;
	case NSS_NS_USER:
		return task->cred->user_ns->ns.inum;
	case NSS_NS_UTS:
		return ns->uts_ns->ns.inum;
	}
	return 0;
}

static __always_inline bool comm_is_wanted(struct task_struct *task)
{
	char comm[NSS_COMM_LEN];

	__builtin_memcpy(comm, task->comm, sizeof(comm));
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

	if ((only & NSS_ONLY_TRACKED) && !is_tracked(task->tgid))
		return false;
	if ((only & NSS_ONLY_CGROUP) &&
	    cgroup_ancestor_id(task->cgroups->dfl_cgrp, conf.cgroup_level) != conf.cgroup_id)
		return false;
	if ((only & NSS_ONLY_NS) && ns_inum_of(task, conf.ns_type) != conf.ns_inum)
		return false;
	if ((only & NSS_ONLY_UID) && task->cred->euid.val != conf.uid)
		return false;
	if ((only & NSS_ONLY_COMM) && !comm_is_wanted(task))
		return false;
	return host_sees(task);
}

#endif
