/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The calls of abi/syscalls.def, by one of three backends: a pair of tracepoints with a switch; kprobes on all calls' own
 * functions by two links; or fentry and fexit of each. (A syscall tracepoint of its own for each would take an RCU grace
 * period each to close, and so does each link of fentry.)
 */

/* Each not static, and of a number: so the verifier looks at it once. */
#define SYSCALL(EV, name, ...)                                    \
	__noinline int told_##name(__u32 slot)                    \
	{                                                         \
		struct work *w = work_at(slot);                   \
		if (w)                                            \
			tell_##name(&w->call);                    \
		return 0;                                         \
	}
#include "abi/syscalls.def"
#undef SYSCALL

/* Behind the calls by their kinds: @event again, which the verifier knows there, of each by itself, unless it is a constant. */
#define ONE_EVENT(w, event) (__builtin_constant_p(event) ? (event) : *(volatile __u32 *)&(w)->call.event)

/*
 * A function for each kind: where clang finds only in the end that one of two conditions never holds, it keeps both, and the
 * program would be loaded with all that is called there. @event: a constant in the programs of fentry, of which each then has
 * what is of its call alone.
 */
#define TELL(EV, name)                        \
	case NSS_EV_##EV:                     \
		if (wanted(NSS_EV_##EV))      \
			told_##name(w->slot); \
		break;

static __always_inline void tell_reaching_call(struct work *w, __u32 event)
{
	switch (event) {
#define SYSCALL(...)
#define REACHING_SYSCALL(EV, name, ...) TELL(EV, name)
#include "abi/syscalls.def"
#undef SYSCALL
	}
	event = ONE_EVENT(w, event);
	if ((event == NSS_EV_MOUNT || event == NSS_EV_MOVE_MOUNT) && w->reached.change != CHANGE_NONE && wanted(NSS_EV_DETACH))
		note_mount(w->slot);
}

static __always_inline void tell_other_call(struct work *w, __u32 event)
{
	switch (event) {
#define SYSCALL(EV, name, ...) TELL(EV, name)
#define REACHING_SYSCALL(...)
#include "abi/syscalls.def"
#undef SYSCALL
	}
	event = ONE_EVENT(w, event);
	if (event == NSS_EV_UNSHARE && !w->call.result)
		tell_new_namespaces(bpf_get_current_task(), w->call.arg[0], NSS_BY_UNSHARE);
	if (w->call.result >= 0 && wanted(NSS_EV_NS_CREATE)) {
		if (event == NSS_EV_OPEN_TREE || event == NSS_EV_OPEN_TREE_ATTR)
			tell_namespace_of_fd(w->call.result, NSS_BY_OPEN_TREE);
		else if (event == NSS_EV_FSMOUNT)
			tell_namespace_of_fd(w->call.result, NSS_BY_FSMOUNT);
	}
}

#undef TELL

static __always_inline void tell_call(struct work *w, __u32 event)
{
	if (call_kind(event) == CALL_REACHES)
		tell_reaching_call(w, event);
	else
		tell_other_call(w, event);
}

/* @regs: address. */
static __always_inline int call_begins(__u32 event, __u64 regs)
{
	if (wanted(event) && in_scope())
		call_begin(event, regs);
	else
		count_change(event, regs);
	return 0;
}

SHARED_TRACEPOINT("sys_enter")
int BPF_PROG(on_sys_enter, struct pt_regs *regs, long nr)
{
	__u32 event = call_event(nr);

	return event == NSS_EV_MAX ? 0 : call_begins(event, GIVEN_ADDRESS(regs));
}

REAL_PROGRAM(on_sys_exit);

/* Whether a call is told, or may have done what is. */
static __always_inline bool matters(__u32 event)
{
	return wanted(event) || wanted(call_kind(event) == CALL_REACHES ? NSS_EV_DETACH : NSS_EV_NS_CREATE);
}

/*
 * A program for each kind of call, by enum call_kind, loaded if one of that kind matters, and the second half of the longest: the
 * kernel verifies them on two CPUs at once.
 */
#define NSS_CALL_TELL 2

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, NSS_CALL_TELL + 1);
	__type(key, __u32);
	__type(value, __u32);
} call_ends SEC(".maps");

static __always_inline int call_is_over(unsigned long long *ctx, __u32 event, __u64 regs)
{
	if (!matters(event) || !in_scope()) {
		count_change(event, regs);
		return 0;
	}
	bpf_tail_call(ctx, &call_ends, call_kind(event) - 1);
	count_lost(event);
	return 0;
}

SHARED_TRACEPOINT("sys_exit")
int BPF_PROG(on_sys_exit, struct pt_regs *regs, long result)
{
	__u32 event = call_event(call_nr(GIVEN(regs)));

	return event == NSS_EV_MAX ? 0 : call_is_over(ctx, event, GIVEN_ADDRESS(regs));
}

static __always_inline __u32 event_at_end(const struct pt_regs *regs)
{
	return call_event_of(call_nr(GIVEN(regs)), is_compat(current_task()));
}

/* The kernel has touched the pages of the arguments: they are there to be read. */
SHARED_TRACEPOINT("sys_exit")
int BPF_PROG(end_other_call, struct pt_regs *regs, long result)
{
	__u32 event = event_at_end(regs);
	struct work *w;

	SHARED_REENTRANT(on_sys_exit);
	w = call_end(event, GIVEN_ADDRESS(regs), result, false, CALL_DOES_NOT);
	if (w) {
		tell_other_call(w, event);
		work_release(w);
	}
	return 0;
}

TRACEPOINT("sys_exit")
int BPF_PROG(end_reaching_call, struct pt_regs *regs, long result)
{
	__u32 event = event_at_end(regs);
	struct work *w;

	w = call_end(event, GIVEN_ADDRESS(regs), result, false, CALL_REACHES);
	if (!w)
		return 0;
	bpf_tail_call(ctx, &call_ends, NSS_CALL_TELL);
	work_release(w);
	count_lost(event);
	return 0;
}

/* The rest of it: tells what it has found. */
TRACEPOINT("sys_exit")
int BPF_PROG(tell_reached)
{
	struct work *w = work_of_current();

	REENTRANT(on_sys_exit);
	if (w) {
		tell_reaching_call(w, w->call.event);
		work_release(w);
	}
	return 0;
}

/* in_scope(), once for all programs that are not run for each call of each task. */
__noinline int is_scoped(void)
{
	return in_scope();
}

static __always_inline int enter(__u32 event, __u64 regs)
{
	__u32 tid = bpf_get_current_pid_tgid();

	if (!is_scoped()) {
		count_change(event, regs);
		return 0;
	}
	bpf_map_delete_elem(&kept, &tid); /* of a call that did not end */
	call_begin(event, regs);
	return 0;
}

static __always_inline int leave(__u32 event, __u64 regs, long result)
{
	__u32 tid = bpf_get_current_pid_tgid();
	bool is_kept;
	struct work *w;

	if (!is_scoped()) {
		count_change(event, regs);
		return 0;
	}
	is_kept = bpf_map_lookup_elem(&kept, &tid);
	w = call_end(event, regs, result, is_kept, CALL_ANY);
	if (w) {
		tell_call(w, event);
		work_release(w);
	}
	if (is_kept)
		bpf_map_delete_elem(&kept, &tid);
	return 0;
}

#define CALL_PROGRAMS(EV, name, kind, prefix)                                                   \
	SEC("fentry/" prefix #name)                                                             \
	int BPF_PROG(enter_##kind##_##name, const struct pt_regs *regs)                         \
	{                                                                                       \
		return enter(NSS_EV_##EV, address_of(regs));                                                    \
	}                                                                                       \
	SEC("fexit/" prefix #name)                                                              \
	int BPF_PROG(leave_##kind##_##name, const struct pt_regs *regs, long result)            \
	{                                                                                       \
		return leave(NSS_EV_##EV, address_of(regs), result);                                        \
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

	if (!in_scope())
		return NULL;
	k = keep(tid);
	if (!k)
		return NULL;
	keep_path(k, task, first);
	if (second)
		keep_path(k, task, second);
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

/*
 * A fresh element for what the kernel has copied in call @event of the thread: the first of its kind, since file systems do
 * the same in turn. NULL: the thread is not in that call.
 */
static __always_inline struct kept *keep_first(__u32 event)
{
	__u32 tid = bpf_get_current_pid_tgid();
	const struct entry *entry = bpf_map_lookup_elem(&in_call, &tid);

	if (!entry || entry->event != event || bpf_map_lookup_elem(&kept, &tid))
		return NULL;
	return keep(tid);
}

static __always_inline int keep_fsname(const char *name)
{
	struct kept *k = keep_first(NSS_EV_FSOPEN);

	if (k)
		keep_str(&k->fstype, k->fstype_bytes, name, sizeof(k->fstype_bytes));
	return 0;
}

/* enum fs_value_type of include/linux/fs_context.h. */
#define NSS_VALUE_IS_STRING 2
#define NSS_VALUE_IS_BLOB 3
#define NSS_VALUE_IS_FILENAME 4

static __always_inline int keep_param(const struct fs_parameter *param)
{
	struct kept *k = keep_first(NSS_EV_FSCONFIG);
	__u64 size;

	if (!k)
		return 0;
	keep_str(&k->fstype, k->fstype_bytes, BPF_CORE_READ(param, key), sizeof(k->fstype_bytes));
	k->data.v = NSS_STR_NULL;
	switch (BPF_CORE_READ_BITFIELD_PROBED(param, type)) {
	case NSS_VALUE_IS_STRING:
		keep_str(&k->data, k->data_bytes, BPF_CORE_READ(param, string), sizeof(k->data_bytes));
		break;
	case NSS_VALUE_IS_BLOB:
		size = BPF_CORE_READ(param, size);
		keep_bytes(&k->data, k->data_bytes, BPF_CORE_READ(param, blob), size, sizeof(k->data_bytes));
		break;
	case NSS_VALUE_IS_FILENAME:
		keep_str(&k->data, k->data_bytes, BPF_CORE_READ(param, name, name), sizeof(k->data_bytes));
	}
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

SEC("fentry/get_fs_type")
int BPF_PROG(keep_fsopen, const char *name)
{
	return keep_fsname(name);
}

SEC("fentry/vfs_parse_fs_param")
int BPF_PROG(keep_fsconfig, struct fs_context *fc, struct fs_parameter *param)
{
	return keep_param(param);
}

static __always_inline __u64 regs_of_current(void)
{
	return address_of((void *)bpf_task_pt_regs(current_task()));
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

	if (cookie == NSS_EV_DETACH) /* __detach_mounts(dentry) */
		return detach_begins();
	if (cookie & NSS_COOKIE_END)
		return (__u32)cookie == NSS_COOKIE_INUM ? ns_freed((__u64)first) : ns_put((__u64)first, (__u8)cookie);
	if (!(cookie & NSS_COOKIE_KEEP))
		return enter(cookie, regs_of_current());
	switch (cookie & ~NSS_COOKIE_KEEP) {
	case NSS_EV_MOUNT: /* path_mount(source, target, fstype, flags, data) */
		return keep_mount_args(first, second, (void *)PT_REGS_PARM3(ctx), (void *)PT_REGS_PARM5(ctx));
	case NSS_EV_MOVE_MOUNT: /* security_move_mount(from, to) */
		keep_paths(first, second);
		break;
	case NSS_EV_PIVOT_ROOT: /* security_sb_pivotroot(put_old, new_root) */
		keep_paths(second, first);
		break;
	case NSS_EV_FSOPEN: /* get_fs_type(name) */
		return keep_fsname(first);
	case NSS_EV_FSCONFIG: /* vfs_parse_fs_param(fc, param) */
		return keep_param(second);
	default: /* path_umount(target, flags), security_path_chroot(path) */
		keep_paths(first, NULL);
	}
	return 0;
}

SEC("kprobe.multi/leave")
int probe_leave(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (cookie == NSS_EV_DETACH)
		return detach_ends();
	return leave(cookie, regs_of_current(), PT_REGS_RC(ctx));
}
