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
	__u32 len;

	if (!task || task != task->group_leader)
		return 0;
	pid = task->thread_pid;
	if (!host_level && pid_ns_inum(upid_at(pid, pid->level).ns) == conf.host_pid_ns)
		host_level = pid->level;
	if (!host_sees(pid))
		return 0;
	s = emit_begin_task(NSS_EV_PROCESS, sizeof(*process), task);
	if (!s)
		return 0;
	process = PAYLOAD(s, process);
	process->tgid = task->tgid;
	process->kthread = !!(task->flags & NSS_PF_KTHREAD);
	len = s->rec.len;
	if (len <= NSS_SCRATCH_SIZE)
		bpf_seq_write(ctx->meta->seq, s->bytes, len);
	scratch_release(s);
	return 0;
}
