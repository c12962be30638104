/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system call: number, arguments, result, time. What depends on the architecture stands here and nowhere else. */
#ifndef NSS_SYSCALL_H
#define NSS_SYSCALL_H

#include "core/filter.h"
#include "core/work.h"

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
		call->arg[0] = (__u32)BPF_CORE_READ(regs, bx);
		call->arg[1] = (__u32)BPF_CORE_READ(regs, cx);
		call->arg[2] = (__u32)BPF_CORE_READ(regs, dx);
		call->arg[3] = (__u32)BPF_CORE_READ(regs, si);
		call->arg[4] = (__u32)BPF_CORE_READ(regs, di);
	} else {
		call->arg[0] = BPF_CORE_READ(regs, di);
		call->arg[1] = BPF_CORE_READ(regs, si);
		call->arg[2] = BPF_CORE_READ(regs, dx);
		call->arg[3] = BPF_CORE_READ(regs, r10);
		call->arg[4] = BPF_CORE_READ(regs, r8);
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
	call->arg[0] = BPF_CORE_READ(regs, orig_x0);
	call->arg[1] = BPF_CORE_READ(regs, regs[1]);
	call->arg[2] = BPF_CORE_READ(regs, regs[2]);
	call->arg[3] = BPF_CORE_READ(regs, regs[3]);
	call->arg[4] = BPF_CORE_READ(regs, regs[4]);
}

#else
#error "arguments of system calls are not known for this architecture"
#endif

/* What the call of each number is: of a native caller in the lower half, of a 32-bit one in the upper; events from 1 on. */
#define NSS_CALL_NUMBERS 512
const volatile __u8 call_events[2 * NSS_CALL_NUMBERS] = {
#define SYSCALL(EV, name, ...)                    \
	[NATIVE_NR(__VA_ARGS__)] = 1 + NSS_EV_##EV, \
	[NSS_CALL_NUMBERS + COMPAT_NR(__VA_ARGS__)] = 1 + NSS_EV_##EV,
#include "abi/syscalls.def"
#undef SYSCALL
};

/* The event that call number @nr is, NSS_EV_MAX for all others; @compat: of a 32-bit caller. */
static __always_inline __u32 call_event_of(__u64 nr, bool compat)
{
	__u64 at = compat ? nr : native_nr(nr);
	__u32 event;

	KNOWN_BY_COMPARISON(at);
	if (at >= NSS_CALL_NUMBERS)
		return NSS_EV_MAX;
	event = compat ? call_events[NSS_CALL_NUMBERS + at] : call_events[at];
	return event ? event - 1 : NSS_EV_MAX;
}

/* Of the current task. Nearly all calls end here, so there is nothing ahead of it, not even to ask for the task. */
static __always_inline __u32 call_event(__u64 nr)
{
	__u64 at = native_nr(nr);

	KNOWN_BY_COMPARISON(at);
	if (at >= NSS_CALL_NUMBERS || !(call_events[at] | call_events[NSS_CALL_NUMBERS + at])) /* a quick no */
		return NSS_EV_MAX;
	return call_event_of(nr, is_compat(current_task()));
}

#endif
