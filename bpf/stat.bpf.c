/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsscope stat: durations are added up here; nothing is sent. One build for all kernels, by what 5.10 has: no program reads
 * much. The programs of each hook are a few loads and stores for a task that is not observed.
 */
#include "core/filter.h"
#include "core/spare.h"
#include "core/syscall.h"
#include "abi/stat.h"

#define NSS_WNOWAIT 0x01000000
#define NSS_EEXIST 17

const volatile struct nss_stat_config stat_conf = {};

__u64 counts[NSS_COUNTS];

/* A process, by its PID in the initial PID namespace. Times are CLOCK_MONOTONIC; 0: not known. */
struct life {
	__u64 begun; /* entry of the call that made it */
	__u64 forked, woken;
	__u64 run_queue; /* ns + 1; 0: not known */
	__u64 cloned; /* ns that the call took, once it has returned */
	__u64 execed, exited;
	__u32 made; /* bit per enum nss_ns */
	__u32 parent; /* that was to wait for it when it ended */
	__u32 told; /* what came before the first exec has been added */
	__u32 reaped;
	struct nss_group group;
	struct nss_group first; /* that what came before the first exec has been added to */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_LIVES);
	__type(key, __u32);
	__type(value, struct life);
} lives SEC(".maps");

/*
 * Processes of which one of two has come: the return of the call that made it, and its first exec or end. The two may be on
 * two CPUs at the same time, and 5.10 has no atomic exchange; to put an element where none may be is one.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_LIVES);
	__type(key, __u32);
	__type(value, __u32);
} met SEC(".maps");

/* The call that a thread is in. */
struct spawn {
	__u64 begun;
	__u32 call;
	__u32 child; /* that it made */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32); /* thread */
	__type(value, struct spawn);
} spawns SEC(".maps");

/* Which process the number of one that has ended was, in each PID namespace that could see it: for wait calls. */
struct ended_key {
	__u32 ns; /* inum */
	__u32 pid; /* there */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct ended_key);
	__type(value, __u32);
} ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_SPANS);
	__type(key, struct nss_span_key);
	__type(value, struct nss_span);
} spans SEC(".maps");

/* What a new span begins as: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nss_span);
} no_span SEC(".maps");

/* For the length of a path: what is read there is not looked at, so it is no harm if another program writes over it. */
#define NSS_SPARE_NAME 4096
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[NSS_SPARE_NAME]);
} spare_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_SPANS);
	__type(key, struct nss_spawner);
	__type(value, __u64);
} spawners SEC(".maps");

/* A byte for each PID, so that a process of which nothing is known costs no look into a hash. */
enum { LIFE_NONE, LIFE_FRESH /* has not run */, LIFE_RUNS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSS_PID_LIMIT / NSS_TRACKED_PAGE);
	__type(key, __u32);
	__type(value, __u8[NSS_TRACKED_PAGE]);
} known SEC(".maps");

static __always_inline void count(__u32 what)
{
	if (what < NSS_COUNTS)
		__sync_fetch_and_add(&counts[what], 1);
}

static __always_inline __u32 log2_of(__u64 v)
{
	__u32 log = 0;

#define HALVE(bits)             \
	if (v >> (bits)) {      \
		v >>= (bits);   \
		log += (bits);  \
	}
	HALVE(32) HALVE(16) HALVE(8) HALVE(4) HALVE(2) HALVE(1)
#undef HALVE
	return log;
}

/* Not static: the verifier would look at all its ways for each duration. */
__noinline __u32 bucket_of(__u64 ns)
{
	__u32 log, bucket;

	if (ns < NSS_BUCKETS_PER_POWER)
		return ns;
	log = log2_of(ns) - NSS_BUCKETS_LOG;
	if (log >= NSS_BUCKETS_POWERS)
		return NSS_BUCKETS - 1;
	bucket = (log + 1) * NSS_BUCKETS_PER_POWER + (__u32)((ns >> log) & (NSS_BUCKETS_PER_POWER - 1));
	return bucket < NSS_BUCKETS ? bucket : NSS_BUCKETS - 1;
}

/* The span of @key, made if it is not there; if there is no room, that of the rest. NULL: not even that. */
static __always_inline struct nss_span *span_of(struct nss_span_key *key)
{
	struct nss_span *span = bpf_map_lookup_elem(&spans, key), *nothing;
	__u32 zero = 0;

	if (span)
		return span;
	nothing = bpf_map_lookup_elem(&no_span, &zero);
	if (nothing)
		bpf_map_update_elem(&spans, key, nothing, BPF_NOEXIST);
	span = bpf_map_lookup_elem(&spans, key);
	if (span)
		return span;
	__builtin_memset(&key->group, 0, sizeof(key->group));
	key->made = 0;
	key->flags |= NSS_SPAN_REST;
	return bpf_map_lookup_elem(&spans, key);
}

/* A few rounds, since another CPU may put a smaller one over it: 5.10 has no atomic exchange. */
static __always_inline void raise(__u64 *max, __u64 ns)
{
	for (int i = 0; i < 4 && *(volatile __u64 *)max < ns; i++)
		*(volatile __u64 *)max = ns;
}

/* Adds a duration. Static, though the verifier looks at it for each call then: a global one takes no pointer before 5.13. */
static __noinline int add_span(struct nss_span_key *key, __u64 ns)
{
	struct nss_span *span = span_of(key);
	__u32 bucket;

	if (!span) {
		count(NSS_COUNT_MISSED);
		return 0;
	}
	bucket = bucket_of(ns);
	__sync_fetch_and_add(&span->count, 1);
	__sync_fetch_and_add(&span->sum, ns);
	raise(&span->max, ns);
	if (bucket < NSS_BUCKETS)
		__sync_fetch_and_add(&span->buckets[bucket], 1);
	return 0;
}

static __always_inline void add(const struct nss_group *group, __u32 phase, __u64 ns)
{
	struct nss_span_key key = { .group = *group, .phase = phase };

	add_span(&key, ns);
}

/* From @begin to @end, if both are known; clocks of two CPUs may differ by some ns. */
static __always_inline void add_from(const struct nss_group *group, __u32 phase, __u64 begin, __u64 end)
{
	if (begin)
		add(group, phase, end > begin ? end - begin : 0);
}

/* Whether the other of the two that meet for process @tgid has come before. */
static __always_inline bool has_met(__u32 tgid)
{
	__u32 one = 1;
	long err = bpf_map_update_elem(&met, &tgid, &one, BPF_NOEXIST);

	if (err == -NSS_EEXIST)
		return !bpf_map_delete_elem(&met, &tgid);
	if (err)
		count(NSS_COUNT_MISSED);
	return false;
}

static __always_inline void add_clone(const struct life *life)
{
	struct nss_span_key key = { .group = life->first, .phase = NSS_PHASE_CLONE, .made = life->made };

	add_span(&key, life->cloned);
}

/*
 * What came before the first exec, or the end if there was none: so that it goes to the group that the process is then of. The
 * call that made it may take longer.
 */
static __always_inline void tell_beginning(struct life *life, __u32 tgid)
{
	if (life->told)
		return;
	life->told = 1;
	life->first = life->group;
	add_from(&life->first, NSS_PHASE_FORK, life->begun, life->forked);
	if (life->run_queue)
		add(&life->first, NSS_PHASE_RUN_QUEUE, life->run_queue - 1);
	if (has_met(tgid))
		add_clone(life);
}

static __always_inline long name_length(const char *name)
{
	__u32 zero = 0;
	char *spare = bpf_map_lookup_elem(&spare_names, &zero);

	return spare ? bpf_probe_read_kernel_str(spare, NSS_SPARE_NAME, name) : 0;
}

/* A path that is too long: its end, which tells more than its beginning. */
static __always_inline void name_image(struct nss_group *group, struct task_struct *task, const char *filename)
{
	const unsigned char *name;
	long len;

	if (!filename) {
		name = BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name);
		bpf_probe_read_kernel_str(group->name, sizeof(group->name), name);
		return;
	}
	if (bpf_probe_read_kernel_str(group->name, sizeof(group->name), filename) < NSS_GROUP_NAME)
		return;
	len = name_length(filename);
	if (len <= NSS_GROUP_NAME) /* with the NUL: all of it is there */
		return;
	__builtin_memcpy(group->name, "...", 3);
	bpf_probe_read_kernel_str(group->name + 3, NSS_GROUP_NAME - 3, filename + len - (NSS_GROUP_NAME - 3));
}

/*
 * Where @task belongs now. @filename: what exec was given, or NULL. @known: where it belonged, or NULL. Behind the end of a
 * name is 0, as the helper writes no further: else one group could become two.
 */
static __always_inline void find_group(struct nss_group *group, struct task_struct *task, const char *filename,
				       const struct nss_group *known)
{
	__builtin_memset(group, 0, sizeof(*group));
	switch (stat_conf.by) {
	case NSS_BY_COMM:
		bpf_probe_read_kernel_str(group->name, NSS_COMM_LEN, &task->comm);
		break;
	case NSS_BY_NS:
		group->id = ns_inum_of(task, NSS_NS_PID);
		break;
	case NSS_BY_CGROUP:
		group->id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
		break;
	case NSS_BY_PARENT:
		if (known)
			*group = *known;
		break;
	case NSS_BY_IMAGE:
		if (known && !filename)
			*group = *known;
		else
			name_image(group, task, filename);
	}
}

static __always_inline void count_spawner(struct task_struct *caller)
{
	struct nss_spawner key = { .pid = host_pid_of(caller) };
	__u64 one = 1, *n;

	bpf_probe_read_kernel_str(key.comm, sizeof(key.comm), &caller->comm);
	n = bpf_map_lookup_elem(&spawners, &key);
	if (!n && !bpf_map_update_elem(&spawners, &key, &one, BPF_NOEXIST))
		return;
	if (!n)
		n = bpf_map_lookup_elem(&spawners, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		count(NSS_COUNT_MISSED);
}

static __always_inline __u32 made_by(__u64 flags)
{
	__u32 made = 0;

#define NAMESPACE(ID, name, flag, doc) \
	if (flags & (flag))            \
		made |= 1U << NSS_NS_##ID;
#include "abi/namespaces.def"
#undef NAMESPACE
	return made;
}

/* The group of a new process: its parent's, as far as it inherits that. */
static __always_inline void first_group(struct nss_group *group, struct task_struct *child, struct task_struct *caller)
{
	__u32 tgid = TASK_READ(caller, tgid);
	const struct life *parent = bpf_map_lookup_elem(&lives, &tgid);

	if (stat_conf.by == NSS_BY_PARENT) {
		__builtin_memset(group, 0, sizeof(*group));
		group->id = host_pid_of(caller);
		bpf_probe_read_kernel_str(group->name, NSS_COMM_LEN, &caller->comm);
	} else {
		find_group(group, child, NULL, parent ? &parent->group : NULL);
	}
}

REAL_PROGRAM(stat_newtask);

SEC("tp_btf/task_newtask")
int BPF_PROG(stat_newtask, struct task_struct *child, u64 flags)
{
	struct task_struct *caller;
	struct spawn *spawn;
	struct life life = {};
	__u32 tid = bpf_get_current_pid_tgid(), tgid = child->tgid;
	__u8 *byte;

	REENTRANT(stat_newtask);
	if ((flags & NSS_CLONE_THREAD) || !child->pid) /* pid 0: the idle thread of a CPU that comes up */
		return 0;
	caller = current_task();
	if (conf.only & NSS_ONLY_TRACKED) {
		if (!is_tracked(TASK_READ(caller, tgid)) && !is_cloner(caller))
			return 0;
		set_tracked(tgid, 1);
	}
	if (!in_scope(child))
		return 0;
	count(NSS_COUNT_FORKS);
	count_spawner(caller);
	life.forked = bpf_ktime_get_ns();
	life.made = made_by(flags);
	spawn = bpf_map_lookup_elem(&spawns, &tid);
	if (spawn) {
		life.begun = spawn->begun;
		spawn->child = tgid;
	}
	first_group(&life.group, child, caller);
	if (bpf_map_update_elem(&lives, &tgid, &life, BPF_ANY)) {
		count(NSS_COUNT_MISSED);
		return 0;
	}
	byte = pid_byte(&known, tgid);
	if (byte)
		*byte = LIFE_FRESH;
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(stat_wakeup_new, struct task_struct *task)
{
	__u32 pid = task->pid;
	__u8 *byte = pid_byte(&known, pid);
	struct life *life;

	if (!byte || *byte != LIFE_FRESH)
		return 0;
	life = bpf_map_lookup_elem(&lives, &pid);
	if (life)
		life->woken = bpf_ktime_get_ns();
	return 0;
}

/* Of all switches of all tasks: so it ends soon for those that are not of interest. */
SEC("tp_btf/sched_switch")
int BPF_PROG(stat_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 pid = next->pid;
	__u8 *byte = pid_byte(&known, pid);
	struct life *life;
	__u64 now;

	if (!byte || *byte != LIFE_FRESH)
		return 0;
	*byte = LIFE_RUNS;
	life = bpf_map_lookup_elem(&lives, &pid);
	if (!life || !life->woken)
		return 0;
	now = bpf_ktime_get_ns();
	life->run_queue = now > life->woken ? now - life->woken + 1 : 1;
	return 0;
}

/* A process that was there before begins for us with its next program. */
static __always_inline struct life *life_of(__u32 tgid)
{
	struct life *life = bpf_map_lookup_elem(&lives, &tgid), nothing = { .told = 1 };
	__u8 *byte = pid_byte(&known, tgid);

	if (life)
		return life;
	if (byte)
		*byte = LIFE_RUNS;
	if (bpf_map_update_elem(&lives, &tgid, &nothing, BPF_NOEXIST))
		count(NSS_COUNT_MISSED);
	return bpf_map_lookup_elem(&lives, &tgid);
}

REAL_PROGRAM(stat_exec);

/* @old_tid: the thread that called exec, which has taken its process's number. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(stat_exec, struct task_struct *task, pid_t old_tid, struct linux_binprm *bprm)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 tid = old_tid, tgid = task->tgid;
	struct nss_group group;
	struct spawn *spawn;
	struct life *life;

	REENTRANT(stat_exec);
	if (!in_scope(task))
		return 0;
	spawn = bpf_map_lookup_elem(&spawns, &tid);
	count(NSS_COUNT_EXECS);
	life = life_of(tgid);
	if (!life)
		return 0;
	find_group(&group, task, BPF_CORE_READ(bprm, filename), &life->group);
	life->group = group;
	tell_beginning(life, tgid);
	if (spawn)
		add_from(&life->group, NSS_PHASE_EXEC, spawn->begun, now);
	if (life->execed)
		add_from(&life->group, NSS_PHASE_EXEC_EXEC, life->execed, now);
	else
		add_from(&life->group, NSS_PHASE_FORK_EXEC, life->forked, now);
	life->execed = now;
	if (spawn)
		bpf_map_delete_elem(&spawns, &tid);
	return 0;
}

struct ending {
	struct pid *pid;
	__u32 level;
	__u32 tgid;
};

/* Notes the number of the process at the next level. */
static long ended_body(__u64 i, struct ending *e)
{
	__u32 level = i + host_level;
	struct pid_number upid;
	struct ended_key key;

	if (level > e->level)
		return 1;
	upid = upid_at(e->pid, level);
	key = (struct ended_key){ pid_ns_inum(upid.ns), upid.nr };
	bpf_map_update_elem(&ended, &key, &e->tgid, BPF_ANY);
	return 0;
}

static __always_inline void add_life(struct task_struct *task, const struct life *life)
{
	struct nss_span_key key = { .phase = NSS_PHASE_LIFE, .flags = NSS_SPAN_BY_COMM };

	if (!life->forked)
		return;
	add(&life->group, NSS_PHASE_LIFE, life->exited - life->forked);
	bpf_probe_read_kernel_str(key.group.name, NSS_COMM_LEN, &task->comm);
	add_span(&key, life->exited - life->forked);
}

static __always_inline void end_life(struct task_struct *task, struct life *life)
{
	struct pid *pid = tgid_of(task);
	struct ending e = { .pid = pid, .level = BPF_CORE_READ(pid, level), .tgid = TASK_READ(task, tgid) };
	struct nss_group group;

	find_group(&group, task, NULL, &life->group);
	life->group = group;
	tell_beginning(life, e.tgid);
	if (life->execed)
		add_from(&life->group, NSS_PHASE_EXEC_EXIT, life->execed, life->exited);
	else
		add_from(&life->group, NSS_PHASE_FORK_EXIT, life->forked, life->exited);
	add_life(task, life);
	LOOP(NSS_LEVELS_MAX, ended_body, &e);
}

REAL_PROGRAM(stat_exit);

SEC("tp_btf/sched_process_exit")
int BPF_PROG(stat_exit, struct task_struct *task)
{
	__u32 tid = task->pid, tgid = task->tgid;
	struct life *life;

	REENTRANT(stat_exit);
	if (!in_scope(task))
		return 0;
	bpf_map_delete_elem(&spawns, &tid);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;
	if (conf.only & NSS_ONLY_TRACKED)
		set_tracked(tgid, 0);
	count(NSS_COUNT_EXITS);
	life = bpf_map_lookup_elem(&lives, &tgid);
	if (!life)
		return 0;
	life->exited = bpf_ktime_get_ns();
	life->parent = BPF_CORE_READ(task, real_parent, tgid);
	end_life(task, life);
	return 0;
}

/* Some time after nothing could find the process any more. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(stat_free, struct task_struct *task)
{
	__u32 pid = task->pid;
	__u8 *byte = pid_byte(&known, pid);
	const struct life *life;

	if (!byte || *byte == LIFE_NONE || pid != (__u32)task->tgid)
		return 0;
	life = bpf_map_lookup_elem(&lives, &pid);
	if (!life || !life->exited)
		return 0;
	if (!life->reaped)
		count(NSS_COUNT_UNREAPED);
	*byte = LIFE_NONE;
	bpf_map_delete_elem(&met, &pid);
	bpf_map_delete_elem(&lives, &pid);
	return 0;
}

/*
 * The call that number @nr is; NSS_SPAWN_NONE for all others. @compat: of a 32-bit caller. Not static: the verifier would go on
 * from here with each by itself.
 */
__noinline __u32 spawn_call_of(__u64 nr, __u32 compat)
{
	__u32 event = call_event_of(nr, compat);

	if (event != NSS_EV_MAX)
		return event;
	if (compat) {
		switch (nr) {
#define SPAWN_CALL(ID, name, ...)    \
	case COMPAT_NR(__VA_ARGS__): \
		return NSS_SPAWN_##ID;
#include "abi/spawncalls.def"
#undef SPAWN_CALL
		}
	} else {
		switch (native_nr(nr)) {
#define SPAWN_CALL(ID, name, ...)    \
	case NATIVE_NR(__VA_ARGS__): \
		return NSS_SPAWN_##ID;
#include "abi/spawncalls.def"
#undef SPAWN_CALL
		}
	}
	return NSS_SPAWN_NONE;
}

/* Of the current task. Nearly all calls end here. */
static __always_inline __u32 spawn_call(__u64 nr)
{
	switch (native_nr(nr)) {
#define SPAWN_CALL(ID, name, ...) case NATIVE_NR(__VA_ARGS__):
#define SYSCALL(EV, name, ...) case NATIVE_NR(__VA_ARGS__):
#include "abi/spawncalls.def"
#include "abi/syscalls.def"
#undef SPAWN_CALL
#undef SYSCALL
		break;
	default:
		switch (nr) {
#define SPAWN_CALL(ID, name, ...) case COMPAT_NR(__VA_ARGS__):
#define SYSCALL(EV, name, ...) case COMPAT_NR(__VA_ARGS__):
#include "abi/spawncalls.def"
#include "abi/syscalls.def"
#undef SPAWN_CALL
#undef SYSCALL
			break;
		default:
			return NSS_SPAWN_NONE;
		}
	}
	return spawn_call_of(nr, is_compat(current_task()));
}

static __always_inline bool is_clone(__u32 call)
{
	return call >= NSS_SPAWN_CLONE && call <= NSS_SPAWN_VFORK;
}

/* A call that makes a process is noted whoever makes it, if the child may be of interest where its maker is not. */
static __always_inline bool may_be_told(__u32 call, struct task_struct *task)
{
	if (!is_clone(call))
		return in_scope(task);
	return !(conf.only & NSS_ONLY_TRACKED) || is_tracked(TASK_READ(task, tgid)) || is_cloner(task);
}

static __always_inline int call_begins(__u32 call)
{
	struct spawn spawn = { .call = call };
	__u32 tid;

	if (call == NSS_SPAWN_NONE || call == NSS_SPAWN_WAIT4 || call == NSS_SPAWN_WAITID)
		return 0;
	if (!may_be_told(call, current_task()))
		return 0;
	tid = bpf_get_current_pid_tgid();
	spawn.begun = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&spawns, &tid, &spawn, BPF_ANY))
		count(NSS_COUNT_MISSED);
	return 0;
}

static __always_inline void end_clone(const struct spawn *spawn, __u64 now)
{
	__u32 child = spawn->child;
	struct life *life = child ? bpf_map_lookup_elem(&lives, &child) : NULL;

	if (!child)
		return;
	if (!life) {
		count(NSS_COUNT_MISSED); /* its child is gone already */
		return;
	}
	life->cloned = now - spawn->begun;
	if (has_met(child))
		add_clone(life);
}

/* The caller's group, for a call that is not about a process's beginning or end. */
static __always_inline void add_call(__u32 phase, __u64 ns)
{
	struct task_struct *task = current_task();
	__u32 tgid = TASK_READ(task, tgid);
	const struct life *life = bpf_map_lookup_elem(&lives, &tgid);
	struct nss_group group;

	find_group(&group, task, NULL, life ? &life->group : NULL);
	add(&group, phase, ns);
}

/* Whether the current task is one that takes a process's end for itself, not one that traces it. */
static __always_inline bool is_reaper_of(const struct life *life)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, parent = life->parent;
	const struct life *other;

	if (tgid == parent)
		return true;
	other = bpf_map_lookup_elem(&lives, &parent);
	return !other || other->exited;
}

/* A wait call has returned with the process that the caller calls @pid. */
static __always_inline void reap(__u32 pid, __u64 now)
{
	struct task_struct *task = current_task();
	struct ended_key key = { ns_inum_of(task, NSS_NS_PID), pid };
	__u32 *tgid = bpf_map_lookup_elem(&ended, &key), child;
	struct life *life;

	if (!tgid)
		return;
	child = *tgid;
	life = bpf_map_lookup_elem(&lives, &child);
	if (!life || !life->exited || life->reaped || !is_reaper_of(life))
		return;
	life->reaped = 1;
	count(NSS_COUNT_REAPED);
	add_from(&life->group, NSS_PHASE_EXIT_REAPED, life->exited, now);
	bpf_map_delete_elem(&ended, &key);
}

/* waitid(2) says who in the structure that it was given, at the same place on all architectures. */
#define NSS_SI_PID_32 12
#define NSS_SI_PID_64 16

static __always_inline void end_waitid(const struct pt_regs *regs, __u64 now)
{
	struct task_struct *task = current_task();
	struct call call = {};
	__u32 pid = 0;

	call_args(&call, task, regs);
	if (call.arg[3] & NSS_WNOWAIT)
		return;
	if (call.arg[2])
		bpf_probe_read_user(&pid, sizeof(pid), (void *)call.arg[2] + (is_compat(task) ? NSS_SI_PID_32 : NSS_SI_PID_64));
	else if (call.arg[0] == 1) /* P_PID */
		pid = call.arg[1];
	if (pid)
		reap(pid, now);
}

static __always_inline int call_ends(__u32 call, const struct pt_regs *regs, long result)
{
	__u32 tid = bpf_get_current_pid_tgid();
	__u64 now = bpf_ktime_get_ns();
	struct spawn *known, spawn;

	if (call == NSS_SPAWN_WAIT4 && result > 0)
		reap(result, now);
	else if (call == NSS_SPAWN_WAITID && !result)
		end_waitid(regs, now);
	if (call == NSS_SPAWN_WAIT4 || call == NSS_SPAWN_WAITID)
		return 0;
	known = bpf_map_lookup_elem(&spawns, &tid);
	if (!known)
		return 0; /* an exec that is done, or a call that was begun before us, or is of no interest */
	spawn = *known;
	bpf_map_delete_elem(&spawns, &tid);
	if (spawn.call != call)
		return 0;
	if (is_clone(call)) {
		end_clone(&spawn, now);
	} else if (call == NSS_SPAWN_EXECVE || call == NSS_SPAWN_EXECVEAT) {
		if (!result) /* it has made the process one of no interest */
			return 0;
		count(NSS_COUNT_EXECS_FAILED);
		add_call(NSS_PHASE_EXEC_FAILED, now - spawn.begun);
	} else {
#define SYSCALL(EV, ...)             \
	if (call == NSS_EV_##EV)     \
		add_call(NSS_PHASE_CALL_##EV, now - spawn.begun);
#include "abi/syscalls.def"
#undef SYSCALL
	}
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(stat_sys_enter, struct pt_regs *regs, long nr)
{
	return call_begins(spawn_call(nr));
}

REAL_PROGRAM(stat_sys_exit);

SEC("tp_btf/sys_exit")
int BPF_PROG(stat_sys_exit, struct pt_regs *regs, long result)
{
	__u32 call = spawn_call(call_nr(regs));

	REENTRANT(stat_sys_exit);
	return call == NSS_SPAWN_NONE ? 0 : call_ends(call, regs, result);
}

/* The same by kprobes, which cost other calls nothing. The cookie is the call. */
SEC("kprobe.multi/enter")
int stat_probe_enter(struct pt_regs *ctx)
{
	return call_begins(bpf_get_attach_cookie(ctx));
}

SEC("kprobe.multi/leave")
int stat_probe_leave(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return call_ends(bpf_get_attach_cookie(ctx), (void *)bpf_task_pt_regs(task), PT_REGS_RC(ctx));
}

/* Run by nsscope itself: how deep its own PID namespace is. */
SEC("raw_tp")
int stat_find_level(void *ctx)
{
	host_level = BPF_CORE_READ(current_task(), thread_pid, level);
	return 0;
}

WITH_SPARES("task_newtask", stat_newtask, NSS_EV_FORK, MARK_NEWTASK)
WITH_SPARES("sched_process_exec", stat_exec, NSS_EV_EXEC, MARK_EXEC)
WITH_SPARES("sched_process_exit", stat_exit, NSS_EV_EXIT, MARK_EXIT)
WITH_SPARES("sys_exit", stat_sys_exit, NSS_EV_MAX, MARK_SYS_EXIT)

char LICENSE[] SEC("license") = "GPL";
