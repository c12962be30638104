/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that may run for two tasks on one CPU at the same time. */
#ifndef NSS_SPARE_H
#define NSS_SPARE_H

#include "core/filter.h"
#include "core/maps.h"

/*
 * From 7.0 on a task can be preempted while it runs a tracepoint's program, and the kernel skips the program for another
 * task that comes by on that CPU meanwhile: it takes it for recursion (recursion_misses of struct bpf_prog_info). So
 * there each hook has some small programs, which run one after the other; the first of them that is not skipped goes on
 * to the real one by a tail call, which is not checked. What all have skipped is lost, and counted: see observe_lost() and
 * statistics_read().
 *
 * Spares of sys_enter would only mend a latency.
 */

/* Where the programs of a hook find the real one: a map for each, which takes one hook's only. */
#define REAL_PROGRAM(program)                          \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, 1);                \
		__type(key, __u32);                    \
		__type(value, __u32);                  \
	} real_##program SEC(".maps")

/*
 * To stand in a real program that has no tail call. Since 6.13 the kernel may give a program a stack of its own on each CPU, which
 * only what it takes for recursion keeps two tasks from sharing. But not one that has a tail call, which is never made here.
 */
#define REENTRANT(program)          \
	do {                        \
		if (conf.types >> 63) \
			bpf_tail_call(ctx, &real_##program, 0); \
	} while (0)

/* The same in part of a program that has others. */
#ifdef NSS_FROM_6_18
#define SHARED_REENTRANT(program)
#else
#define SHARED_REENTRANT(program) REENTRANT(program)
#endif

/* Bits of a thread's byte in marks: the real program runs, or has run. */
enum { MARK_NEWTASK = 1, MARK_EXEC = 2, MARK_EXIT = 4, MARK_SYS_EXIT = 8 };

/*
 * Whether the thread has the mark; it has it afterwards, or not if @is_last. Where the last program is skipped, the mark
 * stays: should the first be skipped at that thread's next such event, that event is lost, and counted.
 */
static __always_inline bool take_mark(__u8 bit, bool is_last)
{
	__u8 *byte = pid_byte(marks, (__u32)bpf_get_current_pid_tgid());
	bool had;

	if (!byte)
		return true;
	had = *byte & bit;
	*byte = is_last ? *byte & ~bit : *byte | bit;
	return had;
}

/* @event: what is lost where all are skipped. */
#define FIRST(hook, program, bit)                                           \
	TRACEPOINT(hook)                                                    \
	int first_##program(__u64 *ctx)                                     \
	{                                                                   \
		take_mark(bit, false);                                      \
		bpf_tail_call(ctx, &real_##program, 0);                     \
		return 0;                                                   \
	}

#define SPARE(hook, program, event, bit, name, is_last)                     \
	TRACEPOINT(hook)                                                    \
	int name##_##program(__u64 *ctx)                                    \
	{                                                                   \
		if (take_mark(bit, is_last))                                \
			return 0;                                           \
		__sync_fetch_and_add(&rescued[event], 1);                   \
		bpf_tail_call(ctx, &real_##program, 0);                     \
		return 0;                                                   \
	}

#define WITH_SPARES(hook, program, event, bit)                              \
	FIRST(hook, program, bit)                                           \
	SPARE(hook, program, event, bit, second, false)                     \
	SPARE(hook, program, event, bit, third, false)                      \
	SPARE(hook, program, event, bit, fourth, false)                     \
	SPARE(hook, program, event, bit, fifth, false)                      \
	SPARE(hook, program, event, bit, last, true)

#endif
