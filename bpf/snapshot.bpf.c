/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processes that run already. */

/*
 * One record a process, read from the iterator's file. The read is retried by the kernel when its buffer is full, so
 * nothing is lost; a process that begins or ends meanwhile is told or not.
 */
SEC("iter/task")
int on_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct nss_process *process;
	struct scratch *s;
	struct pid *pid;
	__u32 len, level;

	if (!task || task != task->group_leader)
		return 0;
	pid = BPF_CORE_READ(task, thread_pid);
	level = BPF_CORE_READ(pid, level);
	if (!host_level && pid_ns_inum(upid_at(pid, level).ns) == conf.host_pid_ns)
		host_level = level;
	if (!host_sees(task))
		return 0;
	s = emit_begin_task(NSS_EV_PROCESS, sizeof(*process), address_of(task));
	if (!s)
		return 0;
	process = PAYLOAD(s, process);
	process->tgid = task->tgid;
	process->kthread = !!(task->flags & NSS_PF_KTHREAD);
	len = s->rec.len;
	if (len <= NSS_RECORD_MAX)
		bpf_seq_write(ctx->meta->seq, s->bytes, len);
	scratch_release(s);
	return 0;
}
