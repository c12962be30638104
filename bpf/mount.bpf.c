/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the mount tree. */

static __noinline void tell_mount(struct task_struct *task, const struct call *call)
{
	struct nss_mount *mount;
	struct scratch *s = emit_begin_task(NSS_EV_MOUNT, sizeof(*mount), task);

	if (!s)
		return;
	mount = PAYLOAD(s, mount);
	mount->flags = call->arg[3];
	mount->error = call->result;
	mount->latency_ns = call->latency_ns;
	emit_user_str(s, &mount->source, (void *)call->arg[0], NSS_PATH_MAX);
	emit_user_str(s, &mount->target, (void *)call->arg[1], NSS_PATH_MAX);
	emit_user_str(s, &mount->fstype, (void *)call->arg[2], NSS_FSTYPE_MAX);
	emit_user_str(s, &mount->data, (void *)call->arg[4], NSS_DATA_MAX);
	emit_send(s);
}

static __noinline void tell_umount(struct task_struct *task, const struct call *call)
{
	struct nss_umount *umount;
	struct scratch *s = emit_begin_task(NSS_EV_UMOUNT, sizeof(*umount), task);

	if (!s)
		return;
	umount = PAYLOAD(s, umount);
	umount->flags = call->arg[1];
	umount->error = call->result;
	umount->latency_ns = call->latency_ns;
	emit_user_str(s, &umount->target, (void *)call->arg[0], NSS_PATH_MAX);
	emit_send(s);
}
