/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event says of its process: PIDs at every level, IDs on both sides, namespaces, cgroup. */
#ifndef NSS_TASK_H
#define NSS_TASK_H

#include "core/compat.h"
#include "core/emit.h"

/* PIDTYPE_TGID and PF_KTHREAD are enumerators and macros of the kernel. */
#define NSS_PIDTYPE_TGID 1
#define NSS_PF_KTHREAD 0x00200000
/* What getuid() says for an ID that the user namespace does not map (/proc/sys/kernel/overflowuid). */
#define NSS_OVERFLOW_ID 65534

/* The upid of @pid at @level: its number there, and the namespace. */
static __always_inline struct upid upid_at(const struct pid *pid, __u32 level)
{
	struct upid upid = {};
	const void *numbers = (const void *)pid + bpf_core_field_offset(struct pid, numbers);

	if (pid)
		bpf_probe_read_kernel(&upid, sizeof(upid), numbers + level * sizeof(upid));
	return upid;
}

static __always_inline __u32 pid_ns_inum(struct pid_namespace *ns)
{
	return ns ? BPF_CORE_READ(ns, ns.inum) : 0;
}

/*
 * Whether the host's PID namespace can see @pid at all: it is that of its process or one of its ancestors.
 * nsscope may run in a container with the rest of the machine outside.
 */
static __always_inline bool host_sees(const struct pid *pid)
{
	if (!host_level)
		return true;
	if (pid->level < host_level)
		return false;
	return pid_ns_inum(upid_at(pid, host_level).ns) == conf.host_pid_ns;
}

/* The number of @of in the PID namespace that @upid_ns is, at @level; 0 if it has none there. */
static __always_inline __u32 tgid_in(struct task_struct *of, __u32 level, struct pid_namespace *upid_ns)
{
	struct pid *tgid = of->signal->pids[NSS_PIDTYPE_TGID];
	struct upid upid;

	if (!tgid || tgid->level < level)
		return 0;
	upid = upid_at(tgid, level);
	return upid.ns == upid_ns ? upid.nr : 0;
}

/*
 * from_kuid_munged() of kernel/user_namespace.c: @id as the user namespace of the map shows it. Up to five extents
 * stand in the map itself; more are an array sorted by the lower end, found by bisection.
 */
static __noinline __u32 map_id_up(const struct uid_gid_map *map, __u32 id)
{
	struct uid_gid_extent e;
	__u32 nr = BPF_CORE_READ(map, nr_extents);
	const struct uid_gid_extent *reverse = NULL;
	__u32 low = 0, high = nr;

	if (nr <= 5) {
		for (__u32 i = 0; i < 5; i++) {
			if (i >= nr)
				break;
			if (bpf_probe_read_kernel(&e, sizeof(e), (void *)map->extent + i * sizeof(e)))
				break;
			if (id - e.lower_first < e.count)
				return e.first + (id - e.lower_first);
		}
		return NSS_OVERFLOW_ID;
	}
	reverse = BPF_CORE_READ(map, reverse);
	for (int step = 0; step < 10; step++) { /* 340 extents at most */
		__u32 middle = (low + high) / 2;

		if (low >= high || bpf_probe_read_kernel(&e, sizeof(e), reverse + middle))
			break;
		if (id < e.lower_first)
			high = middle;
		else if (id - e.lower_first < e.count)
			return e.first + (id - e.lower_first);
		else
			low = middle + 1;
	}
	return NSS_OVERFLOW_ID;
}

static __always_inline void fill_ids(struct nss_task *to, struct task_struct *task)
{
	const struct cred *cred = task->cred;
	struct user_namespace *user = cred->user_ns;

	to->uid = cred->euid.val;
	to->gid = cred->egid.val;
	to->inside_uid = to->uid;
	to->inside_gid = to->gid;
	to->ns[NSS_NS_USER] = user->ns.inum;
	if (user->level) {
		to->inside_uid = map_id_up(&user->uid_map, to->uid);
		to->inside_gid = map_id_up(&user->gid_map, to->gid);
	}
}

static __always_inline void fill_namespaces(struct nss_task *to, struct task_struct *task)
{
	struct nsproxy *ns = task->nsproxy; /* NULL in a zombie; a read through it then gives 0 */

	to->ns[NSS_NS_CGROUP] = ns->cgroup_ns->ns.inum;
	to->ns[NSS_NS_IPC] = ns->ipc_ns->ns.inum;
	to->ns[NSS_NS_MNT] = ns->mnt_ns->ns.inum;
	to->ns[NSS_NS_NET] = ns->net_ns->ns.inum;
	to->ns[NSS_NS_PID_FOR_CHILDREN] = ns->pid_ns_for_children->ns.inum;
	to->ns[NSS_NS_TIME] = ns->time_ns->ns.inum;
	to->ns[NSS_NS_TIME_FOR_CHILDREN] = ns->time_ns_for_children->ns.inum;
	to->ns[NSS_NS_UTS] = ns->uts_ns->ns.inum;
}

/*
 * Begins a record of class TASK for @task, of the payload size @payload; its PIDs are put behind the payload. NULL if
 * none is to be had (counted).
 *
 * The own PID namespace of a task hangs off its struct pid; nsproxy has the one for its children.
 */
static __always_inline struct scratch *emit_begin_task(__u32 type, __u32 payload, struct task_struct *task)
{
	__u32 fixed = sizeof(struct nss_rec) + sizeof(struct nss_task) + payload;
	struct task_struct *leader = task->group_leader, *parent = task->real_parent;
	struct pid *tid = task->thread_pid, *tgid = task->signal->pids[NSS_PIDTYPE_TGID];
	struct scratch *s = emit_begin(type, fixed);
	__u32 level = tid->level;
	struct upid upid = {};
	struct nss_task *to;
	struct nss_pid *pids;

	if (!s)
		return NULL;
	to = (void *)(s->bytes + sizeof(struct nss_rec));
	to->start_ns = leader->start_boottime;
	to->cgroup_id = task->cgroups->dfl_cgrp->kn->id;
	fill_namespaces(to, task);
	fill_ids(to, task);
	__builtin_memcpy(to->comm, task->comm, sizeof(to->comm));

	pids = (void *)(s->bytes + fixed);
	for (__u32 i = 0; i < NSS_LEVELS_MAX; i++) {
		__u32 at = i + host_level;

		if (at > level)
			break;
		upid = upid_at(tid, at);
		pids[i].ns = pid_ns_inum(upid.ns);
		pids[i].tid = upid.nr;
		pids[i].pid = tgid == tid ? upid.nr : upid_at(tgid, at).nr;
		if (!i)
			to->ppid = tgid_in(parent, at, upid.ns);
		s->rec.levels = i + 1;
	}
	to->ns[NSS_NS_PID] = pid_ns_inum(upid.ns);
	to->inside_ppid = level == host_level ? to->ppid : tgid_in(parent, level, upid.ns);
	s->rec.len = fixed + (__u32)s->rec.levels * sizeof(struct nss_pid);
	return s;
}

/* The payload of a record of class TASK. */
#define PAYLOAD(s, name) ((struct nss_##name *)((s)->bytes + sizeof(struct nss_rec) + sizeof(struct nss_task)))

#endif
