/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a process belongs, and what its beginning took. */
#ifndef NSS_STAT_LIFE_H
#define NSS_STAT_LIFE_H

#include "stat/span.h"

#define NSS_EEXIST 17

/* Whether the other of the two that meet for process @tgid has come before. */
static __always_inline bool has_met(__u32 tgid)
{
	__u32 one = 1;
	int err = bpf_map_update_elem(&met, &tgid, &one, BPF_NOEXIST); /* the upper half says nothing on 5.10 */

	if (err == -NSS_EEXIST)
		return !bpf_map_delete_elem(&met, &tgid);
	if (err)
		count(NSS_COUNT_MISSED);
	return false;
}

#define NSS_ENDED (1U << 31) /* beside a PID: which has fewer bits */

/* Whether it is the first time that process @tgid is found to end. */
static __always_inline bool ends_now(__u32 tgid)
{
	__u32 key = tgid | NSS_ENDED, one = 1;
	int err = bpf_map_update_elem(&met, &key, &one, BPF_NOEXIST);

	return err != -NSS_EEXIST;
}

static __always_inline void add_clone(const struct nss_life *life)
{
	struct nss_span_key key = { .group = life->first, .phase = NSS_PHASE_CLONE, .made = life->made };

	add_span(&key, life->cloned);
}

/*
 * What came before the first exec, or the end if there was none: so that it goes to the group that the process is then of. The
 * call that made it may take longer.
 */
static __always_inline void tell_beginning(struct nss_life *life, __u32 tgid)
{
	if (life->told)
		return;
	life->told = 1;
	life->first = life->group;
	add_from(&life->first, NSS_PHASE_FORK, life->begun, life->forked);
	if (life->run_queue)
		add(&life->first, NSS_PHASE_RUN_QUEUE, life->run_queue - 1);
	else
		count(NSS_COUNT_MISSED); /* the switch was from a task in which this kernel runs no BPF program */
	if (has_met(tgid))
		add_clone(life);
}

static __always_inline long name_length(const char *name)
{
	__u32 zero = 0;
	char *spare = bpf_map_lookup_elem(&spare_names, &zero);

	return spare ? bpf_probe_read_kernel_str(spare, NSS_SPARE_NAME, name) : 0;
}

/* A path that is too long: its end, which tells more than its beginning. */
static __always_inline void name_image(struct nss_group *group, struct task_struct *task, const char *filename)
{
	const unsigned char *name;
	long len;

	if (!filename) {
		name = BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_name.name);
		bpf_probe_read_kernel_str(group->name, sizeof(group->name), name);
		return;
	}
	if (bpf_probe_read_kernel_str(group->name, sizeof(group->name), filename) < NSS_GROUP_NAME)
		return;
	len = name_length(filename);
	if (len <= NSS_GROUP_NAME) /* with the NUL: all of it is there */
		return;
	__builtin_memcpy(group->name, "...", 3);
	bpf_probe_read_kernel_str(group->name + 3, NSS_GROUP_NAME - 3, filename + len - (NSS_GROUP_NAME - 3));
}

/* Of the process of @task, as ps(1) has it: with its number, which is used again, it says which it is. */
static __always_inline __u64 start_of(struct task_struct *task)
{
	return TASK_READ(task, group_leader, start_boottime);
}

/* The PID namespace of @task. Its number is that of another one soon after its end, so its init is what says which it is. */
static __always_inline void name_pid_ns(struct nss_group *group, struct task_struct *task)
{
	struct pid_namespace *ns = pid_ns_of(task);

	group->id = pid_ns_inum(ns);
	group->start_ns = ns ? BPF_CORE_READ(ns, child_reaper, group_leader, start_boottime) : 0;
}

/*
 * Where @task belongs now. @filename: what exec was given, or NULL. @known: where it belonged, or NULL. Behind the end of a
 * name is 0, as the helper writes no further: else one group could become two.
 */
static __always_inline void find_group(struct nss_group *group, struct task_struct *task, const char *filename,
				       const struct nss_group *known)
{
	__builtin_memset(group, 0, sizeof(*group));
	switch (stat_conf.by) {
	case NSS_BY_COMM:
		bpf_probe_read_kernel_str(group->name, NSS_COMM_LEN, &task->comm);
		break;
	case NSS_BY_NS:
		name_pid_ns(group, task);
		break;
	case NSS_BY_CGROUP:
		group->id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
		bpf_probe_read_kernel_str(group->name, sizeof(group->name), BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, name));
		break;
	case NSS_BY_PARENT:
		if (known)
			*group = *known;
		break;
	case NSS_BY_IMAGE:
		if (known && !filename)
			*group = *known;
		else
			name_image(group, task, filename);
	}
}

static __always_inline void count_spawner(struct task_struct *caller)
{
	struct nss_spawner key = { .start_ns = start_of(caller), .pid = host_pid_of(caller) };
	__u64 one = 1, *n;

	bpf_probe_read_kernel_str(key.comm, sizeof(key.comm), &caller->comm);
	n = bpf_map_lookup_elem(&spawners, &key);
	if (!n && !bpf_map_update_elem(&spawners, &key, &one, BPF_NOEXIST))
		return;
	if (!n)
		n = bpf_map_lookup_elem(&spawners, &key);
	if (n)
		__sync_fetch_and_add(n, 1);
	else
		count(NSS_COUNT_MISSED);
}

static __always_inline __u32 made_by(__u64 flags)
{
	__u32 made = 0;

#define NAMESPACE(ID, name, flag, doc) \
	if (flags & (flag))            \
		made |= 1U << NSS_NS_##ID;
#include "abi/namespaces.def"
#undef NAMESPACE
	return made;
}

/* The group of a new process: its parent's, as far as it inherits that. */
static __always_inline void first_group(struct nss_group *group, struct task_struct *child, struct task_struct *caller)
{
	__u32 tgid = TASK_READ(caller, tgid);
	const struct nss_life *parent = bpf_map_lookup_elem(&lives, &tgid);

	if (stat_conf.by == NSS_BY_PARENT) {
		__builtin_memset(group, 0, sizeof(*group));
		group->id = host_pid_of(caller);
		group->start_ns = start_of(caller);
		bpf_probe_read_kernel_str(group->name, NSS_COMM_LEN, &caller->comm);
	} else {
		find_group(group, child, NULL, parent ? &parent->group : NULL);
	}
}

#endif
