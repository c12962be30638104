/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system call: number, arguments, result, time. What depends on the architecture stands here and nowhere else. */
#ifndef NSS_SYSCALL_H
#define NSS_SYSCALL_H

#include "core/filter.h"
#include "core/kept.h"

struct call {
	__u64 arg[5];
	__s64 result;
	__u64 latency_ns; /* NSS_UNKNOWN if the entry was not seen */
	struct kept *kept; /* what the kernel was given; NULL: only what the caller has */
};

/* NSS_REGS(regs, task): the five arguments at the end of a call, when the result has taken its register. */
#if defined(__TARGET_ARCH_x86)

#define NATIVE_NR(x86_64, i386, arm64, arm) x86_64
#define COMPAT_NR(x86_64, i386, arm64, arm) i386
#define NATIVE_PREFIX "__x64_sys_"
#define COMPAT_PREFIX "__ia32_sys_" /* a function of its own for calls by the 32-bit entry */

#define NSS_TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h: a call by the 32-bit entry */
#define NSS_X32_BIT 0x40000000

static __always_inline bool is_compat(struct task_struct *task)
{
	return TASK_READ(task, thread_info.status) & NSS_TS_COMPAT;
}

static __always_inline __u64 native_nr(__u64 nr)
{
	return nr & ~NSS_X32_BIT;
}

static __always_inline __u64 call_nr(const struct pt_regs *regs)
{
	return regs->orig_ax;
}

static __always_inline void call_args(struct call *call, struct task_struct *task, const struct pt_regs *regs)
{
	if (is_compat(task)) {
		call->arg[0] = (__u32)regs->bx;
		call->arg[1] = (__u32)regs->cx;
		call->arg[2] = (__u32)regs->dx;
		call->arg[3] = (__u32)regs->si;
		call->arg[4] = (__u32)regs->di;
	} else {
		call->arg[0] = regs->di;
		call->arg[1] = regs->si;
		call->arg[2] = regs->dx;
		call->arg[3] = regs->r10;
		call->arg[4] = regs->r8;
	}
}

#elif defined(__TARGET_ARCH_arm64)

#define NATIVE_NR(x86_64, i386, arm64, arm) arm64
#define COMPAT_NR(x86_64, i386, arm64, arm) arm
#define NATIVE_PREFIX "__arm64_sys_" /* for 32-bit calls as well */

#define NSS_TIF_32BIT 22 /* arch/arm64/include/asm/thread_info.h */

static __always_inline bool is_compat(struct task_struct *task)
{
	return TASK_READ(task, thread_info.flags) & (1UL << NSS_TIF_32BIT);
}

static __always_inline __u64 native_nr(__u64 nr)
{
	return nr;
}

static __always_inline __u64 call_nr(const struct pt_regs *regs)
{
	return regs->syscallno;
}

static __always_inline void call_args(struct call *call, struct task_struct *task, const struct pt_regs *regs)
{
	call->arg[0] = regs->orig_x0;
	call->arg[1] = regs->regs[1];
	call->arg[2] = regs->regs[2];
	call->arg[3] = regs->regs[3];
	call->arg[4] = regs->regs[4];
}

#else
#error "arguments of system calls are not known for this architecture"
#endif

/* The event that call number @nr of @task is, NSS_EV_MAX for all others. */
static __always_inline __u32 call_event(struct task_struct *task, __u64 nr)
{
#define SYSCALL(EV, name, ...) case NATIVE_NR(__VA_ARGS__):
	switch (native_nr(nr)) { /* a quick no for nearly all */
#include "abi/syscalls.def"
#undef SYSCALL
		break;
	default:
		switch (nr) {
#define SYSCALL(EV, name, ...) case COMPAT_NR(__VA_ARGS__):
#include "abi/syscalls.def"
#undef SYSCALL
			break;
		default:
			return NSS_EV_MAX;
		}
	}
	if (is_compat(task)) {
		switch (nr) {
#define SYSCALL(EV, name, ...)       \
	case COMPAT_NR(__VA_ARGS__): \
		return NSS_EV_##EV;
#include "abi/syscalls.def"
#undef SYSCALL
		}
	} else {
		switch (native_nr(nr)) {
#define SYSCALL(EV, name, ...)       \
	case NATIVE_NR(__VA_ARGS__): \
		return NSS_EV_##EV;
#include "abi/syscalls.def"
#undef SYSCALL
		}
	}
	return NSS_EV_MAX;
}

/* The thread leaves the call that it was in. @entry, if not NULL: what is known of it. */
static __always_inline bool call_take(__u32 tid, struct entry *entry)
{
	struct entry *known = bpf_map_lookup_elem(&in_call, &tid);

	if (!known)
		return false;
	*entry = *known;
	bpf_map_delete_elem(&in_call, &tid);
	return true;
}

/* A call that the thread has entered and not left, as far as is known: its end was lost, or it died in it. */
static __always_inline void call_abandon(__u32 tid)
{
	struct entry entry;

	if (call_take(tid, &entry))
		count_lost(entry.event);
}

/*
 * What the kernel makes of the arguments is kept when it has, or the arguments are read at the end: here only the time
 * is noted.
 */
static __always_inline void call_begin(struct task_struct *task, __u32 event)
{
	__u32 tid = TASK_READ(task, pid);
	struct entry entry = { .time = bpf_ktime_get_ns(), .event = event };

	call_abandon(tid);
	bpf_map_update_elem(&in_call, &tid, &entry, BPF_ANY);
}

/* Fills in @call from the registers at its end. */
static __always_inline void call_end(struct call *call, struct task_struct *task, const struct pt_regs *regs)
{
	__u32 tid = TASK_READ(task, pid);
	struct entry entry;

	call->latency_ns = call_take(tid, &entry) ? bpf_ktime_get_ns() - entry.time : NSS_UNKNOWN;
	call_args(call, task, regs);
}

#endif
