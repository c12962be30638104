/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A system call as its tracepoints show it: number, arguments, result, time. */
#ifndef NSS_SYSCALL_H
#define NSS_SYSCALL_H

#include "core/filter.h"

struct call {
	__u64 arg[5];
	__s64 result;
	__u64 latency_ns; /* NSS_UNKNOWN if the entry was not seen */
};

#define NSS_TS_COMPAT 2 /* arch/x86/include/asm/thread_info.h: a call by the 32-bit entry */
#define NSS_X32_BIT 0x40000000

static __always_inline bool is_compat(struct task_struct *task)
{
	return task->thread_info.status & NSS_TS_COMPAT;
}

/* The event that call number @nr of @task is, NSS_EV_MAX for all others. */
static __always_inline __u32 call_event(struct task_struct *task, __u64 nr)
{
#define SYSCALL(EV, name, x86_64, i386) case x86_64:
	switch (nr & ~NSS_X32_BIT) { /* a quick no for nearly all */
#include "abi/syscalls.def"
#undef SYSCALL
#define SYSCALL(EV, name, x86_64, i386) case i386:
#include "abi/syscalls.def"
#undef SYSCALL
		break;
	default:
		return NSS_EV_MAX;
	}
	if (is_compat(task)) {
		switch (nr) {
#define SYSCALL(EV, name, x86_64, i386) \
	case i386:                      \
		return NSS_EV_##EV;
#include "abi/syscalls.def"
#undef SYSCALL
		}
	} else {
		switch (nr & ~NSS_X32_BIT) {
#define SYSCALL(EV, name, x86_64, i386) \
	case x86_64:                    \
		return NSS_EV_##EV;
#include "abi/syscalls.def"
#undef SYSCALL
		}
	}
	return NSS_EV_MAX;
}

/* At the end of a call its arguments are still in the registers: the result has a place of its own. */
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

#endif
