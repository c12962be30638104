/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of abi/syscalls.def, by one pair of programs with a switch: a tracepoint link of its own for each call
 * would take an RCU grace period each to close.
 */

/* Only the time is kept: the arguments are read at the end, when the kernel has touched their pages. */
SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 event = call_event(task, nr), tid;
	__u64 now;

	if (event == NSS_EV_MAX || !wanted(event) || !in_scope(task))
		return 0;
	tid = task->pid;
	now = bpf_ktime_get_ns();
	bpf_map_update_elem(&in_call, &tid, &now, BPF_ANY);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = bpf_get_current_task_btf();
	__u32 event = call_event(task, regs->orig_ax), tid;
	struct call call = { .result = result, .latency_ns = NSS_UNKNOWN };
	__u64 *entered;

	if (event == NSS_EV_MAX || !in_scope(task))
		return 0;
	tid = task->pid;
	entered = bpf_map_lookup_elem(&in_call, &tid);
	if (entered) {
		call.latency_ns = bpf_ktime_get_ns() - *entered;
		bpf_map_delete_elem(&in_call, &tid);
	}
	call_args(&call, task, regs);
	switch (event) {
#define SYSCALL(EV, name, x86_64, i386)            \
	case NSS_EV_##EV:                          \
		if (wanted(NSS_EV_##EV))           \
			tell_##name(task, &call);  \
		break;
#include "abi/syscalls.def"
#undef SYSCALL
	}
	if (event == NSS_EV_UNSHARE && !result)
		tell_new_namespaces(task, call.arg[0], NSS_BY_UNSHARE);
	return 0;
}
