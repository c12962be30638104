/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nsscope stat: durations are added up here; nothing is sent. One build for all kernels, by what 5.10 has: no program reads
 * much. The programs of each hook are a few loads and stores for a task that is not observed.
 */
#include "core/spare.h"
#include "stat/call.h"
#include "stat/life.h"

REAL_PROGRAM(stat_newtask);

SEC("tp_btf/task_newtask")
int BPF_PROG(stat_newtask, struct task_struct *child, u64 flags)
{
	struct task_struct *caller;
	struct spawn *spawn;
	struct nss_life life = {};
	__u32 tid = bpf_get_current_pid_tgid(), tgid = child->tgid;
	__u8 *byte;

	REENTRANT(stat_newtask);
	if ((flags & NSS_CLONE_THREAD) || !child->pid) /* pid 0: the idle thread of a CPU that comes up */
		return 0;
	caller = current_task();
	if (conf.only & NSS_ONLY_TRACKED) {
		if (!is_tracked(TASK_READ(caller, tgid)) && !is_cloner(caller))
			return 0;
		set_tracked(tgid, 1);
	}
	if (!in_scope_of(child))
		return 0;
	count(NSS_COUNT_FORKS);
	count_spawner(caller);
	life.forked = bpf_ktime_get_ns();
	life.made = made_by(flags);
	spawn = bpf_map_lookup_elem(&spawns, &tid);
	if (spawn) {
		life.begun = spawn->begun;
		spawn->child = tgid;
	}
	first_group(&life.group, child, caller);
	if (bpf_map_update_elem(&lives, &tgid, &life, BPF_ANY)) {
		count(NSS_COUNT_MISSED);
		return 0;
	}
	byte = pid_byte(known, tgid);
	if (byte)
		*byte = LIFE_FRESH;
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(stat_wakeup_new, struct task_struct *task)
{
	__u32 pid = task->pid;
	__u8 *byte = pid_byte(known, pid);
	struct nss_life *life;

	if (!byte || *byte != LIFE_FRESH)
		return 0;
	life = bpf_map_lookup_elem(&lives, &pid);
	if (life)
		life->woken = bpf_ktime_get_ns();
	return 0;
}

/* Of all switches of all tasks: so it ends soon for those that are not of interest. */
SEC("tp_btf/sched_switch")
int BPF_PROG(stat_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 pid = next->pid;
	__u8 *byte = pid_byte(known, pid);
	struct nss_life *life;
	__u64 now;

	if (!byte || *byte != LIFE_FRESH)
		return 0;
	*byte = LIFE_RUNS;
	life = bpf_map_lookup_elem(&lives, &pid);
	if (!life || !life->woken)
		return 0;
	now = bpf_ktime_get_ns();
	life->run_queue = now > life->woken ? now - life->woken + 1 : 1;
	return 0;
}

/* A process that was there before begins for us with its next program, or with its end. */
static __always_inline struct nss_life *life_of(__u32 tgid)
{
	struct nss_life *life = bpf_map_lookup_elem(&lives, &tgid), nothing = { .told = 1 };
	__u8 *byte = pid_byte(known, tgid);

	if (life)
		return life;
	if (byte)
		*byte = LIFE_RUNS;
	if (bpf_map_update_elem(&lives, &tgid, &nothing, BPF_NOEXIST))
		count(NSS_COUNT_MISSED);
	return bpf_map_lookup_elem(&lives, &tgid);
}

REAL_PROGRAM(stat_exec);

/* @old_tid: the thread that called exec, which has taken its process's number. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(stat_exec, struct task_struct *task, pid_t old_tid, struct linux_binprm *bprm)
{
	__u64 now = bpf_ktime_get_ns();
	__u32 tid = old_tid, tgid = task->tgid;
	struct nss_group group;
	struct spawn *spawn;
	struct nss_life *life;

	REENTRANT(stat_exec);
	if (!in_scope())
		return 0;
	spawn = bpf_map_lookup_elem(&spawns, &tid);
	count(NSS_COUNT_EXECS);
	life = life_of(tgid);
	if (!life)
		return 0;
	find_group(&group, task, BPF_CORE_READ(bprm, filename), &life->group);
	life->group = group;
	tell_beginning(life, tgid);
	if (spawn)
		add_from(&life->group, NSS_PHASE_EXEC, spawn->begun, now);
	if (life->execed)
		add_from(&life->group, NSS_PHASE_EXEC_EXEC, life->execed, now);
	else
		add_from(&life->group, NSS_PHASE_FORK_EXEC, life->forked, now);
	life->execed = now;
	if (spawn)
		bpf_map_delete_elem(&spawns, &tid);
	return 0;
}

struct ending {
	struct pid *pid;
	__u32 level;
	__u32 tgid;
};

/* Notes the number of the process at the next level. */
static long ended_body(__u64 i, struct ending *e)
{
	__u32 level = i + own_level();
	struct pid_number upid;
	struct ended_key key;

	if (level > e->level)
		return 1;
	upid = upid_at(e->pid, level);
	key = (struct ended_key){ pid_ns_inum(upid.ns), upid.nr };
	bpf_map_update_elem(&ended, &key, &e->tgid, BPF_ANY);
	return 0;
}

static __always_inline void add_life(struct task_struct *task, const struct nss_life *life)
{
	struct nss_span_key key = { .phase = NSS_PHASE_LIFE, .flags = NSS_SPAN_BY_COMM };

	if (!life->forked)
		return;
	add(&life->group, NSS_PHASE_LIFE, life->exited - life->forked);
	bpf_probe_read_kernel_str(key.group.name, NSS_COMM_LEN, &task->comm);
	add_span(&key, life->exited - life->forked);
}

static __always_inline void end_life(struct task_struct *task, struct nss_life *life)
{
	struct pid *pid = tgid_of(task);
	struct ending e = { .pid = pid, .level = BPF_CORE_READ(pid, level), .tgid = TASK_READ(task, tgid) };
	struct nss_group group;

	find_group(&group, task, NULL, &life->group);
	life->group = group;
	tell_beginning(life, e.tgid);
	if (life->execed)
		add_from(&life->group, NSS_PHASE_EXEC_EXIT, life->execed, life->exited);
	else
		add_from(&life->group, NSS_PHASE_FORK_EXIT, life->forked, life->exited);
	add_life(task, life);
	LOOP(NSS_LEVELS_MAX, ended_body, &e);
}

REAL_PROGRAM(stat_exit);

SEC("tp_btf/sched_process_exit")
int BPF_PROG(stat_exit, struct task_struct *task)
{
	__u32 tid = task->pid, tgid = task->tgid;
	struct nss_life *life;

	REENTRANT(stat_exit);
	if (!in_scope())
		return 0;
	bpf_map_delete_elem(&spawns, &tid);
	if (!is_last_thread(ctx, task) || !ends_now(tgid))
		return 0;
	if (conf.only & NSS_ONLY_TRACKED)
		set_tracked(tgid, 0);
	count(NSS_COUNT_EXITS);
	life = life_of(tgid);
	if (!life)
		return 0;
	life->exited = bpf_ktime_get_ns();
	life->parent = BPF_CORE_READ(task, real_parent, tgid);
	life->tracer = BPF_CORE_READ(task, parent, tgid); /* its parent's again, if none traces it */
	end_life(task, life);
	return 0;
}

/* Some time after nothing could find the process any more. */
SEC("tp_btf/sched_process_free")
int BPF_PROG(stat_free, struct task_struct *task)
{
	__u32 pid = task->pid, ended_key = pid | NSS_ENDED;
	__u8 *byte = pid_byte(known, pid);
	const struct nss_life *life;

	if (!byte || *byte == LIFE_NONE || pid != (__u32)task->tgid)
		return 0;
	life = bpf_map_lookup_elem(&lives, &pid);
	if (!life || !life->exited)
		return 0;
	if (!life->reaped)
		count(NSS_COUNT_UNREAPED);
	*byte = LIFE_NONE;
	bpf_map_delete_elem(&met, &pid);
	bpf_map_delete_elem(&met, &ended_key);
	bpf_map_delete_elem(&lives, &pid);
	return 0;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(stat_sys_enter, struct pt_regs *regs, long nr)
{
	return call_begins(spawn_call(nr));
}

REAL_PROGRAM(stat_sys_exit);

SEC("tp_btf/sys_exit")
int BPF_PROG(stat_sys_exit, struct pt_regs *regs, long result)
{
	__u32 call = spawn_call(call_nr(regs));

	REENTRANT(stat_sys_exit);
	return call == NSS_SPAWN_NONE ? 0 : call_ends(call, regs, result);
}

/* The same by kprobes, which cost other calls nothing. The cookie is the call. */
SEC("kprobe.multi/enter")
int stat_probe_enter(struct pt_regs *ctx)
{
	return call_begins(bpf_get_attach_cookie(ctx));
}

SEC("kprobe.multi/leave")
int stat_probe_leave(struct pt_regs *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();

	return call_ends(bpf_get_attach_cookie(ctx), (void *)bpf_task_pt_regs(task), PT_REGS_RC(ctx));
}

/* Run by nsscope itself: how deep its own PID namespace is. */
SEC("raw_tp")
int stat_find_level(void *ctx)
{
	host_level = BPF_CORE_READ(current_task(), thread_pid, level);
	return 0;
}

WITH_SPARES("task_newtask", stat_newtask, NSS_EV_FORK, MARK_NEWTASK)
WITH_SPARES("sched_process_exec", stat_exec, NSS_EV_EXEC, MARK_EXEC)
WITH_SPARES("sched_process_exit", stat_exit, NSS_EV_EXIT, MARK_EXIT)
WITH_SPARES("sys_exit", stat_sys_exit, NSS_EV_MAX, MARK_SYS_EXIT)

char LICENSE[] SEC("license") = "GPL";
