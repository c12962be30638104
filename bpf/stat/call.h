/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls: what makes, changes and reaps processes, and those of syscalls.def. */
#ifndef NSS_STAT_CALL_H
#define NSS_STAT_CALL_H

#include "core/syscall.h"
#include "stat/life.h"

#define NSS_WNOWAIT 0x01000000

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
		return in_scope();
	return is_followed(task) || is_cloner(task);
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
	struct nss_life *life = child ? bpf_map_lookup_elem(&lives, &child) : NULL;

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
	const struct nss_life *life = bpf_map_lookup_elem(&lives, &tgid);
	struct nss_group group;

	find_group(&group, task, NULL, life ? &life->group : NULL);
	add(&group, phase, ns);
}

#define NSS_ERESTARTSYS 512 /* and above: the call is made once more, and nobody sees this one */

static __always_inline bool is_made_again(long result)
{
	return result <= -NSS_ERESTARTSYS;
}

/* Of a call of syscalls.def. */
static __always_inline __u32 phase_of(__u32 call, bool failed)
{
	switch (call) {
#define SYSCALL(EV, ...)     \
	case NSS_EV_##EV:    \
		return failed ? NSS_PHASE_FAILED_##EV : NSS_PHASE_CALL_##EV;
#include "abi/syscalls.def"
#undef SYSCALL
	}
	return NSS_PHASE_MAX;
}

static __always_inline void fail_clone(__u64 ns, long result)
{
	if (is_made_again(result) || !in_scope())
		return;
	count(NSS_COUNT_FORKS_FAILED);
	add_call(NSS_PHASE_CLONE_FAILED, ns);
}

/* Whether the current task is one that takes a process's end for itself, not one that traces it. */
static __always_inline bool is_reaper_of(const struct nss_life *life)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, parent = life->parent;
	const struct nss_life *other;

	if (tgid == parent || tgid != life->tracer)
		return true; /* it is its parent, or has become that */
	other = bpf_map_lookup_elem(&lives, &parent);
	return other && other->exited;
}

/* A wait call has returned with the process that the caller calls @pid. */
static __always_inline void reap(__u32 pid, __u64 now)
{
	struct task_struct *task = current_task();
	struct ended_key key = { ns_inum_of(task, NSS_NS_PID), pid };
	__u32 *tgid = bpf_map_lookup_elem(&ended, &key), child;
	struct nss_life *life;

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
	if (is_clone(call) && result < 0) {
		fail_clone(now - spawn.begun, result);
	} else if (is_clone(call)) {
		end_clone(&spawn, now);
	} else if (call == NSS_SPAWN_EXECVE || call == NSS_SPAWN_EXECVEAT) {
		if (!result) /* it has made the process one of no interest */
			return 0;
		count(NSS_COUNT_EXECS_FAILED);
		add_call(NSS_PHASE_EXEC_FAILED, now - spawn.begun);
	} else if (!is_made_again(result)) {
		add_call(phase_of(call, result < 0), now - spawn.begun);
	}
	return 0;
}

#endif
