/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From 7.0 on a task can be preempted while it runs a tracepoint's program, and the kernel skips the program for another
 * task that comes by on that CPU meanwhile: it takes it for recursion (recursion_misses of struct bpf_prog_info). So
 * there each hook has some small programs, which run one after the other; the first of them that is not skipped goes on
 * to the real one by a tail call, which is not checked. What all have skipped is lost, and counted: see observe_lost().
 *
 * Spares of sys_enter would only mend a latency.
 */

/* Bits of a thread's byte in marks: the real program runs, or has run. */
enum { MARK_NEWTASK = 1, MARK_EXEC = 2, MARK_EXIT = 4, MARK_SYS_EXIT = 8 };

/*
 * Whether the thread has the mark; it has it afterwards, or not if @is_last. Where the last program is skipped, the mark
 * stays: should the first be skipped at that thread's next such event, that event is lost, and counted.
 */
static __always_inline bool take_mark(__u8 bit, bool is_last)
{
	__u8 *byte = pid_byte(&marks, (__u32)bpf_get_current_pid_tgid());
	bool had;

	if (!byte)
		return true;
	had = *byte & bit;
	*byte = is_last ? *byte & ~bit : *byte | bit;
	return had;
}

/* @event: what is lost where all are skipped. */
#define FIRST(hook, program, bit)                                           \
	SEC("tp_btf/" hook)                                                 \
	int first_##program(__u64 *ctx)                                     \
	{                                                                   \
		take_mark(bit, false);                                      \
		bpf_tail_call(ctx, &real_##program, 0);                     \
		return 0;                                                   \
	}

#define SPARE(hook, program, event, bit, name, is_last)                     \
	SEC("tp_btf/" hook)                                                 \
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

WITH_SPARES("task_newtask", on_newtask, NSS_EV_FORK, MARK_NEWTASK)
WITH_SPARES("sched_process_exec", on_exec, NSS_EV_EXEC, MARK_EXEC)
WITH_SPARES("sched_process_exit", on_exit, NSS_EV_EXIT, MARK_EXIT)
WITH_SPARES("sys_exit", on_sys_exit, NSS_EV_MAX, MARK_SYS_EXIT)
