/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that an observer can do: three programs that reserve and submit an empty record, of the size that nsscope's
 * have, for each fork, exec and exit; and, if asked for, two that do nothing at each system call.
 */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

#define RECORD_SIZE 200

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

static __always_inline int submit(void)
{
	void *record = bpf_ringbuf_reserve(&events, RECORD_SIZE, 0);

	if (record)
		bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/task_newtask")
int floor_fork(void *ctx)
{
	return submit();
}

SEC("tp_btf/sched_process_exec")
int floor_exec(void *ctx)
{
	return submit();
}

SEC("tp_btf/sched_process_exit")
int floor_exit(void *ctx)
{
	return submit();
}

SEC("tp_btf/sys_enter")
int floor_sys_enter(void *ctx)
{
	return 0;
}

SEC("tp_btf/sys_exit")
int floor_sys_exit(void *ctx)
{
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
