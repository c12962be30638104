/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the mount tree, and of a process's place in it. */

/* Path @which of the call: as the kernel looked it up, or as the caller has it in argument @arg. */
static __always_inline void emit_path(struct scratch *s, struct nss_str *str, const struct call *call, __u32 which,
				      __u32 arg)
{
	if (call->kept && which < call->kept->paths)
		emit_kept_path(s, str, &call->kept->path[which]);
	else
		emit_user_str(s, str, (void *)call->arg[arg], NSS_PATH_MAX);
}

#define MOUNT_EVENT(EV, name)                                                                  \
	struct nss_##name *name;                                                               \
	struct scratch *s = emit_begin_task(NSS_EV_##EV, sizeof(*name), task);                 \
	if (!s)                                                                                \
		return;                                                                        \
	name = PAYLOAD(s, name);                                                               \
	name->error = call->result;                                                            \
	name->latency_ns = call->latency_ns;                                                   \
	name->args = call->kept ? NSS_ARGS_KERNEL : NSS_ARGS_CALLER

static __noinline void tell_mount(struct task_struct *task, const struct call *call)
{
	struct kept *k = call->kept;
	MOUNT_EVENT(MOUNT, mount);

	mount->flags = call->arg[3];
	if (k) {
		emit_kept_str(s, &mount->source, k->source, k->source_bytes, sizeof(k->source_bytes));
		emit_path(s, &mount->target, call, 0, 1);
		emit_kept_str(s, &mount->fstype, k->fstype, k->fstype_bytes, sizeof(k->fstype_bytes));
		emit_kept_str(s, &mount->data, k->data, k->data_bytes, sizeof(k->data_bytes));
	} else {
		emit_user_str(s, &mount->source, (void *)call->arg[0], NSS_PATH_MAX);
		emit_user_str(s, &mount->target, (void *)call->arg[1], NSS_PATH_MAX);
		emit_user_str(s, &mount->fstype, (void *)call->arg[2], NSS_FSTYPE_MAX);
		emit_user_str(s, &mount->data, (void *)call->arg[4], NSS_DATA_MAX);
	}
	emit_send(s);
}

static __noinline void tell_umount(struct task_struct *task, const struct call *call)
{
	MOUNT_EVENT(UMOUNT, umount);

	umount->flags = call->arg[1];
	emit_path(s, &umount->target, call, 0, 0);
	emit_send(s);
}

static __noinline void tell_move_mount(struct task_struct *task, const struct call *call)
{
	MOUNT_EVENT(MOVE_MOUNT, move_mount);

	move_mount->from_fd = call->arg[0];
	move_mount->to_fd = call->arg[2];
	move_mount->flags = call->arg[4];
	emit_path(s, &move_mount->from, call, 0, 1);
	emit_path(s, &move_mount->to, call, 1, 3);
	emit_send(s);
}

static __noinline void tell_pivot_root(struct task_struct *task, const struct call *call)
{
	MOUNT_EVENT(PIVOT_ROOT, pivot_root);

	emit_path(s, &pivot_root->new_root, call, 0, 0);
	emit_path(s, &pivot_root->put_old, call, 1, 1);
	emit_send(s);
}

static __noinline void tell_chroot(struct task_struct *task, const struct call *call)
{
	MOUNT_EVENT(CHROOT, chroot);

	emit_path(s, &chroot->path, call, 0, 0);
	emit_send(s);
}
