/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event says of its process: PIDs at every level, IDs on both sides, namespaces, cgroup. */
#ifndef NSS_TASK_H
#define NSS_TASK_H

#include "core/emit.h"

/* PIDTYPE_TGID and PF_KTHREAD are enumerators and macros of the kernel. */
#define NSS_PIDTYPE_TGID 1
#define NSS_PF_KTHREAD 0x00200000
/* What getuid() says for an ID that the user namespace does not map (/proc/sys/kernel/overflowuid). */
#define NSS_OVERFLOW_ID 65534

/*
 * As struct upid and struct uid_gid_extent of the kernel, which have not changed since 2.6.24 and 4.15. Arrays of them
 * are read by their size, so nothing is gained by letting libbpf look for them, which takes a millisecond for a type.
 */
struct pid_number {
	int nr;
	struct pid_namespace *ns;
};

struct id_extent {
	__u32 first;
	__u32 lower_first;
	__u32 count;
};

/* The number of @pid at @level, and the namespace. */
static __always_inline struct pid_number upid_at(const struct pid *pid, __u32 level)
{
	struct pid_number upid = {};
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
 * Whether the host's PID namespace can see @task at all: it is that of its process or one of its ancestors.
 * nsscope may run in a container with the rest of the machine outside.
 */
static __always_inline bool host_sees(const struct task_struct *task)
{
	struct pid *pid;

	if (!host_level)
		return true;
	pid = BPF_CORE_READ(task, thread_pid);
	if (BPF_CORE_READ(pid, level) < host_level)
		return false;
	return pid_ns_inum(upid_at(pid, host_level).ns) == conf.host_pid_ns;
}

/*
 * The address that @p is, as a number: what a function that is not static can be given. The verifier would not let it
 * be cast.
 */
static __always_inline __u64 address_of(const void *p)
{
	__u64 address = 0;

	bpf_probe_read_kernel(&address, sizeof(address), &p);
	return address;
}

static __always_inline struct pid *tgid_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, pids[NSS_PIDTYPE_TGID]);
}

/* The number of @pid in the PID namespace that @upid_ns is, at @level; 0 if it has none there. */
static __always_inline __u32 pid_in(struct pid *pid, __u32 level, struct pid_namespace *upid_ns)
{
	struct pid_number upid;

	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	upid = upid_at(pid, level);
	return upid.ns == upid_ns ? upid.nr : 0;
}

/*
 * from_kuid_munged() of kernel/user_namespace.c: @id as the user namespace of the map shows it. Up to five extents
 * stand in the map itself; more are an array sorted by the lower end, found by bisection.
 */
__noinline int map_id_up(__u64 address, __u32 id)
{
	const struct uid_gid_map *map = (void *)address;
	struct id_extent e;
	__u32 nr = BPF_CORE_READ(map, nr_extents);
	const struct id_extent *reverse = NULL;
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
	reverse = (void *)BPF_CORE_READ(map, reverse);
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
	const struct cred *cred = BPF_CORE_READ(task, cred);
	struct user_namespace *user = BPF_CORE_READ(cred, user_ns);

	to->uid = BPF_CORE_READ(cred, euid.val);
	to->gid = BPF_CORE_READ(cred, egid.val);
	to->inside_uid = to->uid;
	to->inside_gid = to->gid;
	to->ns[NSS_NS_USER] = BPF_CORE_READ(user, ns.inum);
	if (BPF_CORE_READ(user, level)) {
		to->inside_uid = map_id_up((__u64)&user->uid_map, to->uid);
		to->inside_gid = map_id_up((__u64)&user->gid_map, to->gid);
	}
}

static __always_inline void fill_namespaces(struct nss_task *to, struct task_struct *task)
{
	struct nsproxy *ns = BPF_CORE_READ(task, nsproxy); /* NULL in a zombie; a read through it then gives 0 */

	to->ns[NSS_NS_CGROUP] = BPF_CORE_READ(ns, cgroup_ns, ns.inum);
	to->ns[NSS_NS_IPC] = BPF_CORE_READ(ns, ipc_ns, ns.inum);
	to->ns[NSS_NS_MNT] = BPF_CORE_READ(ns, mnt_ns, ns.inum);
	to->ns[NSS_NS_NET] = BPF_CORE_READ(ns, net_ns, ns.inum);
	to->ns[NSS_NS_PID_FOR_CHILDREN] = BPF_CORE_READ(ns, pid_ns_for_children, ns.inum);
	to->ns[NSS_NS_TIME] = BPF_CORE_READ(ns, time_ns, ns.inum);
	to->ns[NSS_NS_TIME_FOR_CHILDREN] = BPF_CORE_READ(ns, time_ns_for_children, ns.inum);
	to->ns[NSS_NS_UTS] = BPF_CORE_READ(ns, uts_ns, ns.inum);
}

/*
 * Puts the numbers at @level of the thread @tid and the process @tgid (addresses of struct pid) behind the record in
 * scratch @slot.
 *
 * This and fill_task are not static, have numbers for arguments, and read by address: so the verifier looks at them once,
 * not at each place that begins a record, and has no types to follow, for which it goes through all type names of
 * the kernel. Otherwise a load takes it half a second.
 */
__noinline int fill_level(__u32 slot, __u64 tid, __u64 tgid, __u32 level)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	struct pid_number upid = upid_at((void *)tid, level);
	struct nss_pid *to;

	to = s ? emit_room(s, sizeof(*to)) : NULL;
	if (!to)
		return 0;
	to->ns = pid_ns_inum(upid.ns);
	to->tid = upid.nr;
	to->pid = tgid == tid ? upid.nr : upid_at((void *)tgid, level).nr;
	s->rec.levels++;
	s->rec.len += sizeof(*to);
	return 0;
}

/* Fills in the head of the record in scratch @slot, of the task at @address; puts its PIDs behind the payload. */
__noinline int fill_task(__u32 slot, __u64 address)
{
	struct scratch *s = bpf_map_lookup_elem(&scratches, &slot);
	struct pid *tid, *tgid, *parent;
	struct task_struct *task = (void *)address;
	struct pid_namespace *ns;
	struct nss_task *to;
	__u32 level;

	if (!s)
		return 0;
	to = (void *)(s->bytes + sizeof(struct nss_rec));
	to->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	to->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	bpf_core_read(to->comm, sizeof(to->comm), &task->comm);
	fill_namespaces(to, task);
	fill_ids(to, task);

	tid = BPF_CORE_READ(task, thread_pid);
	tgid = tgid_of(task);
	parent = tgid_of(BPF_CORE_READ(task, real_parent));
	level = BPF_CORE_READ(tid, level);
	for (__u32 i = 0; i < NSS_LEVELS_MAX && i + host_level <= level; i++)
		fill_level(slot, (__u64)tid, (__u64)tgid, i + host_level);
	ns = upid_at(tid, level).ns;
	to->ns[NSS_NS_PID] = pid_ns_inum(ns);
	to->inside_ppid = pid_in(parent, level, ns);
	to->ppid = level == host_level ? to->inside_ppid : pid_in(parent, host_level, upid_at(tid, host_level).ns);
	return 0;
}

/*
 * Begins a record of class TASK for @task, of the payload size @payload; its PIDs are put behind the payload. NULL if
 * none is to be had (counted).
 *
 * The own PID namespace of a task hangs off its struct pid; nsproxy has the one for its children.
 */
static __always_inline struct scratch *emit_begin_task(__u32 type, __u32 payload, struct task_struct *task)
{
	struct scratch *s = emit_begin(type, sizeof(struct nss_rec) + sizeof(struct nss_task) + payload);

	if (!s)
		return NULL;
	fill_task(s->slot, address_of(task));
	return s;
}

/* The payload of a record of class TASK. */
#define PAYLOAD(s, name) ((struct nss_##name *)((s)->bytes + sizeof(struct nss_rec) + sizeof(struct nss_task)))

#endif
