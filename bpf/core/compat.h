/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What differs between kernels, and nothing else of the kind elsewhere: each with the version that changed it, and so the
 * oldest kernel that no longer needs it: it may go when nothing older is in tests/vm/kernels. A type of another version
 * is declared with a ___suffix, which CO-RE leaves out when it looks the type up in the running kernel.
 */
#ifndef NSS_COMPAT_H
#define NSS_COMPAT_H

#include "core/maps.h"

/*
 * Before 5.12 there is no atomic exchange, and before 5.11 no bpf_get_current_task_btf(): the programs are built a
 * second time for these. There, preemption is off while a program runs, so a plain load and store are as good. May go
 * with 5.10, which kernel.org supports until December 2026.
 */
#ifdef NSS_BEFORE_5_12

static __always_inline struct task_struct *current_task(void)
{
	return (void *)bpf_get_current_task();
}

#define TASK_READ(task, ...) BPF_CORE_READ(task, __VA_ARGS__)

static __always_inline bool claim(__u32 *busy)
{
	if (*busy)
		return false;
	*busy = 1;
	return true;
}

#else

static __always_inline struct task_struct *current_task(void)
{
	return bpf_get_current_task_btf();
}

/* TASK_READ(task, a, b): task->a->b, as the verifier allows it for a pointer that it knows. */
#define TASK_READ(task, ...) ___arrow(task, __VA_ARGS__)

static __always_inline bool claim(__u32 *busy)
{
	return !__sync_lock_test_and_set(busy, 1);
}

#endif

/*
 * 6.8: the verifier keeps what it knows of a number on its way through a 32-bit register. Before, what is compared and
 * then used must be one 64-bit variable, and the compiler must not compare something else.
 */
#define KNOWN_BY_COMPARISON(number) barrier_var(number)

/*
 * 6.13: bpf_probe_read_user_str() counts the NUL of an empty string too. @n: what it gave. The bytes with their NUL, or
 * -errno.
 */
static __always_inline long user_str_bytes(long n)
{
	return n ? n : 1;
}

/* 6.15: sched_process_exit tells group_dead, "this was the last thread". */
struct trace_event_raw_sched_process_exit___v6_15 {
	bool group_dead;
} __attribute__((preserve_access_index));

/* 6.18: a 64-bit id that is never used again. */
struct ns_common___v6_18 {
	unsigned int inum; /* read through this type as well: libbpf looks up each type at a cost */
	u64 ns_id;
} __attribute__((preserve_access_index));

static __always_inline __u64 ns_id(const void *ns_common)
{
	const struct ns_common___v6_18 *ns = ns_common;

	if (!bpf_core_field_exists(ns->ns_id))
		return NSS_UNKNOWN;
	return BPF_CORE_READ(ns, ns_id);
}

/* Until 6.0 a cgroup held the ids of its ancestors, then pointers to them. */
struct cgroup___before_6_1 {
	u64 ancestor_ids[0];
} __attribute__((preserve_access_index));

/* The id of the ancestor of @cgrp at @level, 0 if there is none (kernel/cgroup/cgroup.c). */
static __always_inline __u64 cgroup_ancestor_id(struct cgroup *cgrp, __u32 level)
{
	struct cgroup___before_6_1 *old = (void *)cgrp;
	struct cgroup *ancestor = NULL;
	__u64 id = 0;

	if ((__u32)BPF_CORE_READ(cgrp, level) < level)
		return 0;
	if (bpf_core_field_exists(old->ancestor_ids)) {
		bpf_probe_read_kernel(&id, sizeof(id), &old->ancestor_ids[level & 0xff]);
		return id;
	}
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor), &cgrp->ancestors[level & 0xff]);
	return BPF_CORE_READ(ancestor, kn, id);
}

#endif
