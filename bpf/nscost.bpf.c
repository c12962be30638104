/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time inside the functions that make namespaces, of the calls of one process, which has one thread: stat --namespaces. */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define SAMPLES 1024

enum {
#define COPY_NS(type, function, flag) INDEX_##function,
#include "abi/copy_ns.def"
#undef COPY_NS
	FUNCTIONS,
};

const volatile __u32 parent = 0; /* of that process, as the initial PID namespace numbers it */

__u64 started[FUNCTIONS];
__u32 counts[FUNCTIONS];
__u64 samples[FUNCTIONS][SAMPLES]; /* ns */

/* It is in a user namespace of its own: the making of that one is not measured. */
static __always_inline bool is_ours(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, real_parent, tgid) == (pid_t)parent &&
	       BPF_CORE_READ(task, real_cred, user_ns, level) > BPF_CORE_READ(task, real_parent, real_cred, user_ns, level);
}

static __always_inline void enter(__u32 i, __u64 flags, __u64 flag)
{
	if ((!flag || (flags & flag)) && is_ours())
		started[i] = bpf_ktime_get_ns();
}

static __always_inline void leave(__u32 i)
{
	__u32 n = counts[i];

	if (!started[i] || !is_ours())
		return;
	if (n < SAMPLES) {
		samples[i][n] = bpf_ktime_get_ns() - started[i];
		counts[i] = n + 1;
	}
	started[i] = 0;
}

#define COPY_NS(type, function, flag)                           \
	SEC("fentry/" #function) int enter_##function(__u64 *ctx) \
	{                                                       \
		enter(INDEX_##function, flag ? ctx[0] : 0, flag); \
		return 0;                                       \
	}                                                       \
	SEC("fexit/" #function) int leave_##function(__u64 *ctx) \
	{                                                       \
		leave(INDEX_##function);                        \
		return 0;                                       \
	}
#include "abi/copy_ns.def"
#undef COPY_NS

char LICENSE[] SEC("license") = "GPL";
