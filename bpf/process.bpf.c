/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fork, exec, exit. */

static __always_inline void fill_parent(struct nss_parent *to, struct pid *parent, struct pid *child)
{
	__u32 level = BPF_CORE_READ(child, level);

	to->host_pid = pid_in(parent, own_level(), upid_at(child, own_level()).ns);
	to->inside_pid = level == own_level() ? to->host_pid : pid_in(parent, level, upid_at(child, level).ns);
}

REAL_PROGRAM(on_newtask);

/*
 * Runs in the parent, once the child has its PIDs and before it runs; @flags are the kernel's own copy, so clone3's
 * caller cannot have changed them. sched_process_fork would come a moment later and tell less.
 */
SHARED_TRACEPOINT("task_newtask")
int BPF_PROG(on_newtask, struct task_struct *given, u64 flags)
{
	struct task_struct *child = GIVEN(given), *caller;
	struct nss_fork *fork;
	struct scratch *s;
	__u64 address;

	SHARED_REENTRANT(on_newtask);
	if ((flags & NSS_CLONE_THREAD) || !child->pid) /* pid 0: the idle thread of a CPU that comes up */
		return 0;
	caller = current_task();
	if (conf.only & NSS_ONLY_TRACKED) {
		if (!is_tracked(TASK_READ(caller, tgid)) && !is_cloner(caller))
			return 0;
		set_tracked(child->tgid, 1);
	}
	if (!in_scope_of(child))
		return 0;
	address = GIVEN_ADDRESS(given);
	if (wanted(NSS_EV_FORK)) {
		s = emit_begin_task(NSS_EV_FORK, sizeof(*fork), address);
		if (s) {
			fork = PAYLOAD(s, fork);
			fork->flags = flags;
			fill_parent(&fork->parent, tgid_of(caller), BPF_CORE_READ(child, thread_pid));
			emit_send(s);
		}
	}
	tell_new_namespaces(address, flags, NSS_BY_CLONE);
	return 0;
}

/*
 * One piece of the arguments; @exec: tgid and nonce. Not static: so the verifier looks at it once, not once a round of
 * its caller's loop.
 */
__noinline int send_args_piece(__u64 exec, __u64 start, __u32 offset, __u32 bytes)
{
	struct nss_args *args;
	struct scratch *s = emit_begin(NSS_EV_ARGS, sizeof(struct nss_rec) + sizeof(*args));

	if (!s)
		return -1;
	args = (void *)(s->bytes + sizeof(struct nss_rec));
	args->tgid = exec >> 32;
	args->nonce = exec;
	args->offset = offset;
	emit_user_bytes(s, &args->data, (void *)(start + offset), bytes - offset);
	return emit_send(s);
}

struct args_walk {
	__u64 exec, start;
	__u32 offset, bytes;
};

static long args_body(__u64 i, struct args_walk *x)
{
	if (x->offset >= x->bytes || send_args_piece(x->exec, x->start, x->offset, x->bytes))
		return 1;
	x->offset += NSS_ARGS_PIECE;
	return 0;
}

#define NSS_ARGS_ROW 20 /* pieces */

/*
 * So many pieces from @offset on: where they must go round for each, two loops of 20 are less to the verifier than one of 384.
 * 1: there are no more.
 */
__noinline int send_args_row(__u64 exec, __u64 start, __u32 offset, __u32 bytes)
{
	struct args_walk x = { exec, start, offset, bytes };

	LOOP(NSS_ARGS_ROW, args_body, &x);
	return x.offset != offset + NSS_ARGS_ROW * NSS_ARGS_PIECE;
}

static long args_rows_body(__u64 i, struct args_walk *x)
{
	if (send_args_row(x->exec, x->start, x->offset, x->bytes))
		return 1;
	x->offset += NSS_ARGS_ROW * NSS_ARGS_PIECE;
	return 0;
}

/*
 * Sends the arguments beyond the first piece, ahead of the record that they belong to. Where one is lost the reader
 * finds less than argv_bytes, and says so.
 */
static __always_inline void send_further_args(__u64 exec, __u64 start, __u32 bytes)
{
	struct args_walk x = { exec, start, NSS_ARGS_PIECE, bytes };

	LOOP((NSS_ARGS_MAX / NSS_ARGS_PIECE + NSS_ARGS_ROW - 1) / NSS_ARGS_ROW, args_rows_body, &x);
}

REAL_PROGRAM(on_exec);

/* The new program's stack has just been filled by the kernel: its pages are there to be read. */
SHARED_TRACEPOINT("sched_process_exec")
int BPF_PROG(on_exec, struct task_struct *task, pid_t old_pid)
{
	struct linux_binprm *bprm;
	struct mm_struct *mm;
	struct nss_exec *exec;
	struct scratch *s;
	unsigned long start;
	__u32 bytes, nonce = 0;

	SHARED_REENTRANT(on_exec);
	task = GIVEN(task);
	if (!wanted(NSS_EV_EXEC) || !in_scope())
		return 0;
	mm = BPF_CORE_READ(task, mm);
	start = BPF_CORE_READ(mm, arg_start);
	bytes = BPF_CORE_READ(mm, arg_end) - start;
	if (bytes > NSS_ARGS_PIECE) {
		nonce = bpf_ktime_get_ns();
		send_further_args((__u64)task->tgid << 32 | nonce, start, bytes);
	}
	s = emit_begin_current(NSS_EV_EXEC, sizeof(*exec));
	if (!s)
		return 0;
	exec = PAYLOAD(s, exec);
	exec->old_tid = old_pid == task->pid ? 0 : old_pid;
	exec->tgid = task->tgid;
	exec->nonce = nonce;
	exec->argv_bytes = bytes;
	bprm = (void *)FURTHER_ARG(ctx, 2);
	emit_kernel_str(s, &exec->filename, BPF_CORE_READ(bprm, filename), NSS_PATH_MAX);
	emit_user_bytes(s, &exec->argv, (void *)start, bytes);
	emit_send(s);
	return 0;
}

/* Whether the mount namespace of the thread that ends goes with it. Then it is seen for the last time. */
static __always_inline bool is_last_in_mnt_ns(struct task_struct *task)
{
	struct nsproxy *nsproxy = BPF_CORE_READ(task, nsproxy);
	const struct mnt_namespace *ns;
	__u32 count = 0; /* a refcount_t, until 6.1 an atomic_t */

	bpf_core_read(&count, sizeof(count), &nsproxy->count);
	if (count != 1)
		return false;
	ns = BPF_CORE_READ(nsproxy, mnt_ns);
	if (ns_count(&ns->ns, NSS_NS_MNT) != 1)
		return false;
	ns_seen(&ns->ns, NSS_NS_MNT);
	return true;
}

REAL_PROGRAM(on_exit);

SHARED_TRACEPOINT("sched_process_exit")
int BPF_PROG(on_exit, struct task_struct *task)
{
	struct signal_struct *signal;
	struct task_struct *leader;
	struct nss_exit *exit;
	struct scratch *s;
	__u32 tid;

	SHARED_REENTRANT(on_exit);
	task = GIVEN(task);
	tid = task->pid;
	if (!in_scope()) {
		/* It may be tracked and yet not wanted for another reason; its PID will be another process's. */
		if ((conf.only & NSS_ONLY_TRACKED) && conf.only != NSS_ONLY_TRACKED && is_last_thread(ctx, task))
			set_tracked(task->tgid, 0);
		return 0;
	}
	if (tells_calls())
		call_abandon(tid);
	if (conf.keeps)
		bpf_map_delete_elem(&kept, &tid);
	if ((told_count || told_mount_count) && is_last_in_mnt_ns(task))
		seek_mounts(0, 0); /* what went before its namespace does */
	if (!is_last_thread(ctx, task))
		return 0;
	if (conf.only & NSS_ONLY_TRACKED)
		set_tracked(task->tgid, 0);
	if (!wanted(NSS_EV_EXIT))
		return 0;
	s = emit_begin_current(NSS_EV_EXIT, sizeof(*exit));
	if (!s)
		return 0;
	exit = PAYLOAD(s, exit);
	leader = BPF_CORE_READ(task, group_leader);
	signal = BPF_CORE_READ(task, signal);
	/* As wait_task_zombie() of kernel/exit.c; SIGNAL_GROUP_EXIT is 4. */
	exit->status = BPF_CORE_READ(signal, flags) & 4 ? BPF_CORE_READ(signal, group_exit_code) :
							  BPF_CORE_READ(leader, exit_code);
	exit->runtime_ns = s->rec.mono_ns - BPF_CORE_READ(leader, start_time);
	emit_send(s);
	return 0;
}
