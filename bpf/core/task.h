/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an event says of its process: PIDs at every level, IDs on both sides, namespaces, cgroup. */
#ifndef NSS_TASK_H
#define NSS_TASK_H

#include "core/emit.h"
#include "core/loop.h"

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

/* Depth of nsscope's own PID namespace; 0 in the initial one to the verifier as well, so it sees what does not matter there. */
static __always_inline __u32 own_level(void)
{
	return host_level & conf.level_mask;
}

/* The number of @pid at @level, and the namespace. */
static __always_inline struct pid_number upid_at(const struct pid *pid, __u32 level)
{
	struct pid_number upid = {};
	const void *numbers = (const void *)pid + bpf_core_field_offset(struct pid, numbers);

	if (pid)
		read_kernel(&upid, sizeof(upid), numbers + level * sizeof(upid));
	return upid;
}

/* That which @task is in; nsproxy has the one for its children. */
static __always_inline struct pid_namespace *pid_ns_of(struct task_struct *task)
{
	struct pid *pid = BPF_CORE_READ(task, thread_pid);

	return upid_at(pid, BPF_CORE_READ(pid, level)).ns;
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

	if (!own_level())
		return true;
	pid = BPF_CORE_READ(task, thread_pid);
	if (BPF_CORE_READ(pid, level) < own_level())
		return false;
	return pid_ns_inum(upid_at(pid, own_level()).ns) == conf.host_pid_ns;
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

#define NSS_ID_FOUND (1ULL << 63)

/*
 * A step of a search for what @id is called above: looks at one of the extents at @address, in the middle of those left, from
 * the low half of @left to below the high half. What is left then, or NSS_ID_FOUND and the id.
 */
__noinline __u64 id_step(__u64 address, __u32 id, __u64 left)
{
	__u32 low = left, high = left >> 32, middle = (low + high) / 2;
	struct id_extent e = {};

	if (low >= high || bpf_probe_read_kernel(&e, sizeof(e), (void *)(address + middle * sizeof(e))))
		return 0;
	if (id - e.lower_first < e.count)
		return NSS_ID_FOUND | (e.first + (id - e.lower_first));
	return id < e.lower_first ? (__u64)middle << 32 | low : (__u64)high << 32 | (middle + 1);
}

struct id_search {
	__u64 extents, left;
	__u32 id, nr;
};

static long id_body(__u64 i, struct id_search *s)
{
	if (i >= s->nr)
		return 1;
	s->left = id_step(s->extents, s->id, s->nr <= 5 ? (i + 1) << 32 | i : s->left);
	return s->left >> 63;
}

/*
 * from_kuid_munged() of kernel/user_namespace.c: @id as the user namespace of the map shows it. Up to five extents
 * stand in the map itself, one after the other; more (340 at most) are an array sorted by the lower end, for bisection.
 */
__noinline int map_id_up(__u64 address, __u32 id)
{
	const struct uid_gid_map *map = (void *)address;
	__u32 nr = BPF_CORE_READ(map, nr_extents);
	struct id_search s = { .left = (__u64)nr << 32, .id = id, .nr = nr };

	s.extents = nr <= 5 ? (__u64)map->extent : (__u64)BPF_CORE_READ(map, reverse);
	LOOP(10, id_body, &s);
	return s.left & NSS_ID_FOUND ? (__u32)s.left : NSS_OVERFLOW_ID;
}

/* What an event needs of a task. */
struct task_part {
	__u64 real_parent, group_leader, thread_pid, cred, nsproxy, signal;
	const void *comm; /* in memory of the program's, or NULL: in the task */
};

#define TASK_OFFSET(member) bpf_core_field_offset(struct task_struct, member)
#define PART_OF(part, member) (*(__u64 *)((void *)(part) + TASK_OFFSET(member) - TASK_OFFSET(real_parent)))

/*
 * Reads it into @part at once, where it stands together in the kernel (it does, from real_parent to signal): to begin a read
 * by a call takes longer than some hundred bytes more.
 */
static __always_inline struct task_part read_task(struct task_struct *task, __u64 *part)
{
	__u32 size = TASK_OFFSET(signal) - TASK_OFFSET(real_parent) + sizeof(__u64);

	if (READS_ARE_CALLS && TASK_OFFSET(real_parent) < TASK_OFFSET(group_leader) &&
	    TASK_OFFSET(group_leader) < TASK_OFFSET(thread_pid) && TASK_OFFSET(thread_pid) < TASK_OFFSET(cred) &&
	    TASK_OFFSET(cred) < TASK_OFFSET(comm) && TASK_OFFSET(comm) < TASK_OFFSET(nsproxy) &&
	    TASK_OFFSET(nsproxy) < TASK_OFFSET(signal) && size <= NSS_TASK_PART &&
	    !bpf_probe_read_kernel(part, size, (void *)task + TASK_OFFSET(real_parent)))
		return (struct task_part){
			PART_OF(part, real_parent), PART_OF(part, group_leader), PART_OF(part, thread_pid), PART_OF(part, cred),
			PART_OF(part, nsproxy), PART_OF(part, signal), &PART_OF(part, comm),
		};
	return (struct task_part){
		(__u64)BPF_CORE_READ(task, real_parent), (__u64)BPF_CORE_READ(task, group_leader),
		(__u64)BPF_CORE_READ(task, thread_pid), (__u64)BPF_CORE_READ(task, cred), (__u64)BPF_CORE_READ(task, nsproxy),
		(__u64)BPF_CORE_READ(task, signal), NULL,
	};
}

static __always_inline void fill_ids(struct nss_task *to, const struct cred *cred)
{
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

/* What a struct nsproxy points to: FIELD(ID, member). */
#define IN_NSPROXY(FIELD)                            \
	FIELD(CGROUP, cgroup_ns)                     \
	FIELD(IPC, ipc_ns)                           \
	FIELD(MNT, mnt_ns)                           \
	FIELD(NET, net_ns)                           \
	FIELD(PID_FOR_CHILDREN, pid_ns_for_children) \
	FIELD(TIME, time_ns)                         \
	FIELD(TIME_FOR_CHILDREN, time_ns_for_children) \
	FIELD(UTS, uts_ns)

/* As above: its pointers are read at once. In a zombie there are none, and a read through NULL gives 0. */
static __always_inline void fill_namespaces(struct nss_task *to, __u64 *pointers, __u64 nsproxy)
{
	const struct nsproxy *proxy = (void *)nsproxy;
	__u32 size = bpf_core_type_size(struct nsproxy);

	if (size > NSS_NSPROXY_PART)
		size = NSS_NSPROXY_PART;
	if (READS_ARE_CALLS)
		bpf_probe_read_kernel(pointers, size, (void *)nsproxy); /* zeroes where it fails */
#define INUM(ID, member)                                                                                                     \
	if (READS_ARE_CALLS)                                                                                                 \
		bpf_probe_read_kernel(&to->ns[NSS_NS_##ID], sizeof(__u32),                                                   \
				      (void *)*(__u64 *)((void *)pointers + bpf_core_field_offset(struct nsproxy, member)) + \
					      bpf_core_field_offset(typeof(*((struct nsproxy *)0)->member), ns.inum));       \
	else                                                                                                                 \
		to->ns[NSS_NS_##ID] = BPF_CORE_READ(proxy, member, ns.inum);
	IN_NSPROXY(INUM)
#undef INUM
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
	struct scratch *s = scratch_at(slot);
	struct pid_number upid = upid_at((void *)tid, level);
	struct nss_pid *to;

	to = s ? emit_room(s, sizeof(*to)) : NULL;
	if (!to)
		return 0;
	to->ns = pid_ns_inum(upid.ns);
	s->own_ns = (__u64)upid.ns;
	if (level == own_level())
		s->host_ns = (__u64)upid.ns;
	((struct nss_task *)(s->bytes + sizeof(struct nss_rec)))->ns[NSS_NS_PID] = to->ns;
	to->tid = upid.nr;
	to->pid = tgid == tid ? upid.nr : upid_at((void *)tgid, level).nr;
	s->rec.levels++;
	s->rec.len += sizeof(*to);
	return 0;
}

struct levels {
	__u32 slot;
	__u32 last;
	__u64 tid, tgid;
};

static long level_body(__u64 i, struct levels *l)
{
	__u32 level = i + own_level();

	if (level > l->last)
		return 1;
	fill_level(l->slot, l->tid, l->tgid, level);
	return 0;
}

/* Fills in the head of the record in scratch @slot, of the task at @address; puts its PIDs behind the payload. */
__noinline int fill_task(__u32 slot, __u64 address)
{
	struct scratch *s = scratch_at(slot);
	struct task_struct *task = (void *)address, *leader, *parent_task;
	struct signal_struct *signal;
	struct pid *tid, *tgid, *parent;
	struct task_part part;
	struct levels levels;
	struct nss_task *to;
	__u32 level;

	if (!s)
		return 0;
	to = (void *)(s->bytes + sizeof(struct nss_rec));
	part = read_task(task, s->task);
	leader = (void *)part.group_leader;
	to->start_ns = BPF_CORE_READ(leader, start_boottime);
	to->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	if (part.comm)
		__builtin_memcpy(to->comm, part.comm, sizeof(to->comm));
	else
		read_kernel(to->comm, sizeof(to->comm), &task->comm);
	fill_namespaces(to, s->nsproxy, part.nsproxy);
	fill_ids(to, (void *)part.cred);

	tid = (void *)part.thread_pid;
	signal = (void *)part.signal;
	tgid = BPF_CORE_READ(signal, pids[NSS_PIDTYPE_TGID]);
	parent_task = (void *)part.real_parent;
	parent = tgid_of(parent_task);
	level = BPF_CORE_READ(tid, level);
	levels = (struct levels){ slot, level, (__u64)tid, (__u64)tgid };
	LOOP(NSS_LEVELS_MAX, level_body, &levels);
	to->inside_ppid = pid_in(parent, level, (void *)s->own_ns);
	to->ppid = level == own_level() ? to->inside_ppid : pid_in(parent, own_level(), (void *)s->host_ns);
	return 0;
}

/* Whether the thread that ends is the last of its process. Before 6.15 two that end at the same time may both be. */
static __always_inline bool is_last_thread(unsigned long long *ctx, struct task_struct *task)
{
	struct trace_event_raw_sched_process_exit___v6_15 *tp = NULL;

	if (HAS_SINCE_6_18(bpf_core_field_exists(tp->group_dead)))
		return ctx[1];
	return !BPF_CORE_READ(task, signal, live.counter);
}

/* File @fd of the current task, or 0. Not static, and of a number: so the verifier looks at it once. */
__noinline __u64 file_of_fd(__u32 fd)
{
	const struct task_struct *task = current_task();
	struct file **files = BPF_CORE_READ(task, files, fdt, fd), *file = NULL;

	if (fd < BPF_CORE_READ(task, files, fdt, max_fds))
		read_kernel(&file, sizeof(file), files + fd);
	return (__u64)file;
}

/* Begins a record of class TASK of @type, of the task at @address. Its scratch's slot; -1: none is to be had (counted). */
__noinline int begin_task(__u32 type, __u32 payload, __u64 address)
{
	struct scratch *s = emit_begin(type, sizeof(struct nss_rec) + sizeof(struct nss_task) + payload);

	if (!s)
		return -1;
	fill_task(s->slot, address);
	return s->slot;
}

/*
 * Begins a record of class TASK for the task at @address, of the payload size @payload; its PIDs are put behind the payload.
 * NULL if none is to be had (counted).
 *
 * The own PID namespace of a task hangs off its struct pid; nsproxy has the one for its children.
 */
static __always_inline struct scratch *emit_begin_task(__u32 type, __u32 payload, __u64 address)
{
	return scratch_at(begin_task(type, payload, address));
}

/* For the current task. */
static __always_inline struct scratch *emit_begin_current(__u32 type, __u32 payload)
{
	return emit_begin_task(type, payload, bpf_get_current_task());
}

/* The payload of a record of class TASK. */
#define PAYLOAD(s, name) ((struct nss_##name *)((s)->bytes + sizeof(struct nss_rec) + sizeof(struct nss_task)))

#endif
