/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of abi/syscalls.def, by one of three backends: a pair of tracepoints with a switch; kprobes on all calls' own
 * functions by two links; or fentry and fexit of each. (A syscall tracepoint of its own for each would take an RCU grace
 * period each to close, and so does each link of fentry.)
 */

static __always_inline void tell_call(struct task_struct *task, __u32 event, const struct call *call)
{
	switch (event) {
#define SYSCALL(EV, name, ...)                    \
	case NSS_EV_##EV:                         \
		if (wanted(NSS_EV_##EV))          \
			tell_##name(task, call);  \
		break;
#include "abi/syscalls.def"
#undef SYSCALL
	}
	if (event == NSS_EV_UNSHARE && !call->result)
		tell_new_namespaces(task, call->arg[0], NSS_BY_UNSHARE);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	struct task_struct *task = current_task();
	__u32 event = call_event(task, nr);

	if (event != NSS_EV_MAX && wanted(event) && in_scope(task))
		call_begin(task, event);
	return 0;
}

REAL_PROGRAM(on_sys_exit);

/* The kernel has touched the pages of the arguments: they are there to be read. */
SEC("tp_btf/sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	__u32 event = call_event(task, call_nr(regs));
	struct call call = { .result = result };

	REENTRANT(on_sys_exit);
	if (event == NSS_EV_MAX || !in_scope(task))
		return 0;
	call_end(&call, task, regs);
	tell_call(task, event, &call);
	return 0;
}

static __always_inline int enter(__u32 event)
{
	struct task_struct *task = current_task();

	if (in_scope(task))
		call_begin(task, event);
	return 0;
}

static __always_inline int leave(__u32 event, const struct pt_regs *regs, long result)
{
	struct task_struct *task = current_task();
	__u32 tid = TASK_READ(task, pid);
	struct call call = { .result = result };

	if (!in_scope(task))
		return 0;
	call_end(&call, task, regs);
	call.kept = bpf_map_lookup_elem(&kept, &tid);
	tell_call(task, event, &call);
	if (call.kept)
		bpf_map_delete_elem(&kept, &tid);
	return 0;
}

#define CALL_PROGRAMS(EV, name, kind, prefix)                                                   \
	SEC("fentry/" prefix #name)                                                             \
	int BPF_PROG(enter_##kind##_##name, const struct pt_regs *regs)                         \
	{                                                                                       \
		return enter(NSS_EV_##EV);                                                      \
	}                                                                                       \
	SEC("fexit/" prefix #name)                                                              \
	int BPF_PROG(leave_##kind##_##name, const struct pt_regs *regs, long result)            \
	{                                                                                       \
		return leave(NSS_EV_##EV, regs, result);                                        \
	}

#define SYSCALL(EV, name, ...) CALL_PROGRAMS(EV, name, native, NATIVE_PREFIX)
#include "abi/syscalls.def"
#undef SYSCALL
#ifdef COMPAT_PREFIX
#define SYSCALL(EV, name, ...) CALL_PROGRAMS(EV, name, compat, COMPAT_PREFIX)
#include "abi/syscalls.def"
#undef SYSCALL
#endif

/* Where the kernel has copied and looked up what it was given, and has yet to act on it. */

static __always_inline struct kept *keep_paths(const struct path *first, const struct path *second)
{
	struct task_struct *task = current_task();
	__u32 tid = TASK_READ(task, pid);
	struct kept *k;

	if (!in_scope(task))
		return NULL;
	k = keep(tid);
	if (!k)
		return NULL;
	keep_path(k, tid, task, first);
	if (second)
		keep_path(k, tid, task, second);
	return k;
}

static __always_inline int keep_mount_args(const char *source, const struct path *target, const char *fstype,
					   const char *data)
{
	struct kept *k = keep_paths(target, NULL);

	if (!k)
		return 0;
	keep_str(&k->source, k->source_bytes, source, sizeof(k->source_bytes));
	keep_str(&k->fstype, k->fstype_bytes, fstype, sizeof(k->fstype_bytes));
	keep_str(&k->data, k->data_bytes, data, sizeof(k->data_bytes));
	return 0;
}

SEC("fentry/path_mount")
int BPF_PROG(keep_mount, const char *source, struct path *target, const char *fstype, unsigned long flags, void *data)
{
	return keep_mount_args(source, target, fstype, data);
}

SEC("fentry/path_umount")
int BPF_PROG(keep_umount, struct path *target)
{
	keep_paths(target, NULL);
	return 0;
}

SEC("fentry/security_move_mount")
int BPF_PROG(keep_move_mount, const struct path *from, const struct path *to)
{
	keep_paths(from, to);
	return 0;
}

SEC("fentry/security_sb_pivotroot")
int BPF_PROG(keep_pivot_root, const struct path *put_old, const struct path *new_root)
{
	keep_paths(new_root, put_old);
	return 0;
}

SEC("fentry/security_path_chroot")
int BPF_PROG(keep_chroot, const struct path *path)
{
	keep_paths(path, NULL);
	return 0;
}

/*
 * The same by kprobes: one program for all functions, each with a cookie that says which it is. The registers that a call
 * was entered with are found in its thread.
 */
SEC("kprobe.multi/enter")
int probe_enter(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	const void *first = (void *)PT_REGS_PARM1(ctx), *second = (void *)PT_REGS_PARM2(ctx);

	if (!(cookie & NSS_COOKIE_KEEP))
		return enter(cookie);
	switch (cookie & ~NSS_COOKIE_KEEP) {
	case NSS_EV_MOUNT: /* path_mount(source, target, fstype, flags, data) */
		return keep_mount_args(first, second, (void *)PT_REGS_PARM3(ctx), (void *)PT_REGS_PARM5(ctx));
	case NSS_EV_MOVE_MOUNT: /* security_move_mount(from, to) */
		keep_paths(first, second);
		break;
	case NSS_EV_PIVOT_ROOT: /* security_sb_pivotroot(put_old, new_root) */
		keep_paths(second, first);
		break;
	default: /* path_umount(target, flags), security_path_chroot(path) */
		keep_paths(first, NULL);
	}
	return 0;
}

SEC("kprobe.multi/leave")
int probe_leave(struct pt_regs *ctx)
{
	return leave(bpf_get_attach_cookie(ctx), (void *)bpf_task_pt_regs(current_task()), PT_REGS_RC(ctx));
}
