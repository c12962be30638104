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
 * 6.17: the programs may read any memory as if it were their own, by an instruction; a read that fails gives 0. Until then,
 * they call a helper for each. They are built a third time for this, for kernels from 6.18 on, so that nothing is to be looked
 * for that came with that one, the first with long support. May be the only way when no kernel before 6.18 is in
 * tests/vm/kernels.
 */
#ifdef NSS_FROM_6_18

/* The kernel's own function, which makes of any pointer one to be read; user/observe/fit.c puts its number here. */
static const void *(*const rdonly_cast)(const void *, __u64) = (void *)NSS_CALL_RDONLY_CAST;

/* All memory, from address 0 on: rdonly_cast(NULL, 0), not volatile, and of nothing. So clang calls it but once in a function. */
static __always_inline const void *memory(void)
{
	const void *all;

	asm("r1 = 0; r2 = 0; call %1; %0 = r0"
	    : "=r"(all)
	    : "i"(NSS_CALL_RDONLY_CAST)
	    : "r0", "r1", "r2", "r3", "r4", "r5");
	return all;
}

/* What the kernel may give a program as a pointer is one to the verifier, which adds no two; all else is addresses. */
#define READABLE(from)                                               \
	_Generic((from),                                             \
		struct task_struct *: rdonly_cast((from), 0),        \
		const struct task_struct *: rdonly_cast((from), 0),  \
		struct linux_binprm *: rdonly_cast((from), 0),       \
		const struct path *: rdonly_cast((from), 0),         \
		const struct fs_parameter *: rdonly_cast((from), 0), \
		default: memory() + (__u64)(from))

#define READ_HOP(from, member) (((typeof(from))READABLE(from))->member)
#define READ_HOPS1(from, a) READ_HOP(from, a)
#define READ_HOPS2(from, a, b) READ_HOP(READ_HOPS1(from, a), b)
#define READ_HOPS3(from, a, b, c) READ_HOP(READ_HOPS2(from, a, b), c)
#define READ_HOPS4(from, a, b, c, d) READ_HOP(READ_HOPS3(from, a, b, c), d)
#define READ_HOPS5(from, a, b, c, d, e) READ_HOP(READ_HOPS4(from, a, b, c, d), e)

/* As that of libbpf. */
#undef BPF_CORE_READ
#define BPF_CORE_READ(from, ...) ({ ___apply(READ_HOPS, ___narg(__VA_ARGS__))(from, __VA_ARGS__); })

/* Reads some bytes of the kernel at @from; zeroes where that fails. @size: a constant. */
static __always_inline void read_kernel(void *to, __u32 size, const void *from)
{
	const void *at = rdonly_cast(from, 0);

	for (__u32 i = 0; i + 8 <= size; i += 8)
		*(__u64 *)(to + i) = *(__u64 *)(at + i);
	if (size % 8)
		*(__u32 *)(to + size / 8 * 8) = *(__u32 *)(at + size / 8 * 8);
}

/*
 * ELEMENT(map, type, slot, n): element @slot of the @n of an array map, or NULL. Here the map's one value is all of them:
 * user/observe/fit.c makes of the map's address that of its value. The verifier would make of each lookup a row of
 * instructions, and move all that follow.
 */
static __always_inline void *element(void *map, __u64 slot, __u64 size, __u32 n)
{
	void *all;

	if (slot >= n)
		return NULL;
	barrier_var(slot); /* what the verifier has seen of it is kept */
	asm("" : "=r"(all) : "0"(map)); /* clang knows how large the map's definition is */
	return all + slot * size;
}

#define ELEMENT(map, type, slot, n) ((type *)element(&(map), slot, sizeof(type), n))

/* BYTE(map, at, page, n): the byte @at of the @n that the elements of @page bytes of an array map have together, or NULL. */
#define BYTE(map, at, page, n) ((__u8 *)element(&(map), at, 1, n))

/*
 * There one program is attached to several tracepoints, by links whose cookies say which: what these share is verified once, and
 * no type is looked for in the kernel's BTF. See bpf/shared.bpf.c.
 */
#define TRACEPOINT(name) SEC("raw_tp/" name)
#define SHARED_TRACEPOINT(name) static __always_inline

/* What a tracepoint gives is addresses then: a pointer to be read of one, and the address itself. */
#define GIVEN(pointer) ((typeof(pointer))rdonly_cast((pointer), 0))
#define GIVEN_ADDRESS(pointer) ((__u64)(pointer))

/* Argument @n, from 0, of a tracepoint that has more than others of the program: which the kernel would not attach to those. */
#define FURTHER_ARG(ctx, n) (((const unsigned long long *)rdonly_cast((ctx), 0))[n])

#define READS_ARE_CALLS false
/* What was there then need not be looked for. */
#define HAS_SINCE_6_18(exists) (true || (exists))

#else

static __always_inline void read_kernel(void *to, __u32 size, const void *from)
{
	bpf_probe_read_kernel(to, size, from);
}

#define ELEMENT(map, type, slot, n) ((type *)bpf_map_lookup_elem(&(map), &(__u32){slot}))

static __always_inline __u8 *byte_in(void *map, __u32 at, __u32 page)
{
	__u8 *bytes = bpf_map_lookup_elem(map, &(__u32){at / page});

	return bytes ? bytes + at % page : NULL;
}

#define BYTE(map, at, page, n) byte_in(&(map), at, page)

#define TRACEPOINT(name) SEC("tp_btf/" name)
#define SHARED_TRACEPOINT(name) TRACEPOINT(name)
#define GIVEN(pointer) (pointer)
#define GIVEN_ADDRESS(pointer) address_of(pointer)
#define FURTHER_ARG(ctx, n) ((ctx)[n])

#define READS_ARE_CALLS true
#define HAS_SINCE_6_18(exists) (exists)

#endif

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

/* A number that @last has not given before: only its own CPU can have seen the same. */
static __always_inline __u64 next_number(__u64 *last)
{
	__sync_fetch_and_add(last, 1);
	return *(volatile __u64 *)last << 16 | (__u16)bpf_get_smp_processor_id();
}

/* A place behind the last, and @next the one behind that. Two CPUs may get the same; then the one before stays empty. */
static __always_inline __u64 next_place(__u64 *next)
{
	__sync_fetch_and_add(next, 1);
	return *(volatile __u64 *)next - 1;
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

static __always_inline __u64 next_number(__u64 *last)
{
	return __sync_fetch_and_add(last, 1) + 1;
}

static __always_inline __u64 next_place(__u64 *next)
{
	return __sync_fetch_and_add(next, 1);
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
	refcount_t __ns_ref;
} __attribute__((preserve_access_index));

/* 5.11 to 6.17: all kinds of namespaces count their references here. */
struct ns_common___v5_11 {
	refcount_t count;
} __attribute__((preserve_access_index));

/* Before, each kind by itself. */
#ifdef NSS_BEFORE_5_12
#define COUNTED_BEFORE_5_11(kind, member) \
	struct kind##___before_5_11 {     \
		member;                   \
	} __attribute__((preserve_access_index));

COUNTED_BEFORE_5_11(cgroup_namespace, refcount_t count)
COUNTED_BEFORE_5_11(ipc_namespace, refcount_t count)
COUNTED_BEFORE_5_11(mnt_namespace, atomic_t count)
COUNTED_BEFORE_5_11(net, refcount_t count)
COUNTED_BEFORE_5_11(pid_namespace, struct kref kref)
COUNTED_BEFORE_5_11(time_namespace, struct kref kref)
COUNTED_BEFORE_5_11(user_namespace, atomic_t count)
COUNTED_BEFORE_5_11(uts_namespace, struct kref kref)
#undef COUNTED_BEFORE_5_11

#define COUNT_BEFORE_5_11(ID, kind, counter)                                                     \
	case NSS_NS_##ID: {                                                                      \
		const struct kind##___before_5_11 *of = ns - bpf_core_field_offset(struct kind, ns); \
		return bpf_core_field_exists(of->counter) ? BPF_CORE_READ(of, counter) : 1;      \
	}
#endif

/* The count of references to the namespace at @ns, of @type; 1 if it is not known. */
static __always_inline __u32 ns_count(const void *ns, __u32 type)
{
	const struct ns_common___v6_18 *common = ns;
	const struct ns_common___v5_11 *before = ns;

	if (HAS_SINCE_6_18(bpf_core_field_exists(common->__ns_ref)))
		return BPF_CORE_READ(common, __ns_ref.refs.counter);
	if (bpf_core_field_exists(before->count))
		return BPF_CORE_READ(before, count.refs.counter);
#ifdef NSS_BEFORE_5_12
	switch (type) {
	COUNT_BEFORE_5_11(CGROUP, cgroup_namespace, count.refs.counter)
	COUNT_BEFORE_5_11(IPC, ipc_namespace, count.refs.counter)
	COUNT_BEFORE_5_11(MNT, mnt_namespace, count.counter)
	COUNT_BEFORE_5_11(NET, net, count.refs.counter)
	COUNT_BEFORE_5_11(PID, pid_namespace, kref.refcount.refs.counter)
	COUNT_BEFORE_5_11(TIME, time_namespace, kref.refcount.refs.counter)
	COUNT_BEFORE_5_11(USER, user_namespace, count.counter)
	COUNT_BEFORE_5_11(UTS, uts_namespace, kref.refcount.refs.counter)
	}
#endif
	return 1;
}

static __always_inline __u64 ns_id(const void *ns_common)
{
	const struct ns_common___v6_18 *ns = ns_common;

	if (!HAS_SINCE_6_18(bpf_core_field_exists(ns->ns_id)))
		return NSS_UNKNOWN;
	return BPF_CORE_READ(ns, ns_id);
}

/* Until 6.17 a mount namespace alone had a number that is never used again. */
struct mnt_namespace___before_6_18 {
	u64 seq;
} __attribute__((preserve_access_index));

/* That number, or its id. */
static __always_inline __u64 mnt_ns_number(const void *mnt_ns)
{
	const struct mnt_namespace___before_6_18 *before = mnt_ns;

	if (!HAS_SINCE_6_18(!bpf_core_field_exists(before->seq)))
		return BPF_CORE_READ(before, seq);
	return ns_id(mnt_ns + bpf_core_field_offset(struct mnt_namespace, ns));
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
	if (!HAS_SINCE_6_18(!bpf_core_field_exists(old->ancestor_ids))) {
		read_kernel(&id, sizeof(id), &old->ancestor_ids[level & 0xff]);
		return id;
	}
	read_kernel(&ancestor, sizeof(ancestor), &cgrp->ancestors[level & 0xff]);
	return BPF_CORE_READ(ancestor, kn, id);
}

/* 6.8: a mount has a 64-bit id that is never used again, and a namespace keeps its mounts in a tree by it. */
struct mount___v6_8 {
	u64 mnt_id_unique;
	struct rb_node mnt_node;
} __attribute__((preserve_access_index));

struct mnt_namespace___v6_8 {
	struct rb_root mounts;
} __attribute__((preserve_access_index));

struct mnt_namespace___before_6_8 {
	struct list_head list; /* by struct mount's mnt_list */
} __attribute__((preserve_access_index));

/* 6.18: the mounts of a super block hang together by a pointer, not by a list_head. */
struct mount___v6_18 {
	struct mount *mnt_next_for_sb;
} __attribute__((preserve_access_index));

struct super_block___v6_18 {
	struct mount *s_mounts;
} __attribute__((preserve_access_index));

struct mount___before_6_18 {
	struct list_head mnt_instance;
} __attribute__((preserve_access_index));

struct super_block___before_6_18 {
	struct list_head s_mounts;
} __attribute__((preserve_access_index));

/* 6.15: the flags of a dentry are an enum, and change their values; until then this is bit 16. */
enum dentry_flags___v6_15 { DCACHE_MOUNTED___v6_15 };

static __always_inline __u32 dcache_mounted(void)
{
	if (HAS_SINCE_6_18(bpf_core_enum_value_exists(enum dentry_flags___v6_15, DCACHE_MOUNTED___v6_15)))
		return bpf_core_enum_value(enum dentry_flags___v6_15, DCACHE_MOUNTED___v6_15);
	return 0x10000;
}

/* 5.17; before 5.13 the kernel does not even take a program that could call it. */
static __always_inline bool has_bpf_loop(void)
{
#ifdef NSS_BEFORE_5_12
	return false;
#else
	return HAS_SINCE_6_18(bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_loop));
#endif
}

/* 6.8: mounts is a tree, and their number is nr_mounts. */
struct mnt_namespace___count_before_6_8 {
	unsigned int mounts;
} __attribute__((preserve_access_index));

struct mnt_namespace___count_v6_8 {
	unsigned int nr_mounts;
} __attribute__((preserve_access_index));

static __always_inline __u32 ns_mounts(const void *mnt_ns)
{
	const struct mnt_namespace___count_before_6_8 *before = mnt_ns;
	const struct mnt_namespace___count_v6_8 *ns = mnt_ns;

	if (HAS_SINCE_6_18(bpf_core_field_exists(ns->nr_mounts)))
		return BPF_CORE_READ(ns, nr_mounts);
	return BPF_CORE_READ(before, mounts);
}

/* 6.9: the dentry of a namespace's file is a pointer, not a number that holds one. */
struct ns_common___before_6_9 {
	atomic_long_t stashed;
} __attribute__((preserve_access_index));

struct ns_common___v6_9 {
	struct dentry *stashed;
} __attribute__((preserve_access_index));

/* The dentry of the file of the namespace at @ns, if there is one now. */
static __always_inline struct dentry *ns_dentry(const void *ns)
{
	const struct ns_common___before_6_9 *before = ns;
	const struct ns_common___v6_9 *common = ns;

	if (!HAS_SINCE_6_18(!bpf_core_field_exists(before->stashed)))
		return (void *)BPF_CORE_READ(before, stashed.counter);
	return BPF_CORE_READ(common, stashed);
}

/* 6.18: the kind of a namespace stands in itself; until then in its operations. */
struct ns_common___type_v6_18 {
	u32 ns_type;
} __attribute__((preserve_access_index));

struct proc_ns_operations___before_6_18 {
	int type;
} __attribute__((preserve_access_index));

/* The CLONE_NEW flag of the namespace at @ns. */
static __always_inline __u32 ns_flag(const void *ns)
{
	const struct ns_common___type_v6_18 *typed = ns;
	const struct ns_common *common = ns;
	const struct proc_ns_operations___before_6_18 *ops;

	if (HAS_SINCE_6_18(bpf_core_field_exists(typed->ns_type)))
		return BPF_CORE_READ(typed, ns_type);
	ops = (void *)BPF_CORE_READ(common, ops);
	return BPF_CORE_READ(ops, type);
}

/* 6.9: a pidfd is a file of pidfs; until then of the anonymous inode, with struct pid behind it. */
#define NSS_PIDFS_MAGIC 0x50494446
#define NSS_ANON_INODE_FS_MAGIC 0x09041934
#define NSS_NSFS_MAGIC 0x6e736673

#endif
