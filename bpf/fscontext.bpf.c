/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fsopen, fsconfig, fsmount, fspick: a file system by steps on a context. */

/* The kind of file system of the context @fc. */
__noinline __u32 put_fstype(__u32 slot, __u64 fc)
{
	const struct fs_context *context = (void *)fc;

	return fc ? put_kernel_str(slot, (__u64)BPF_CORE_READ(context, fs_type, name)) : NSS_STR_NULL;
}

static __always_inline void tell_fsopen(const struct call *call)
{
	const struct kept *k;
	MOUNT_EVENT(FSOPEN, fsopen);

	fsopen->flags = call->arg[1];
	fsopen->context = 0;
	if (call->result >= 0)
		fsopen->context = context_put(fs_context_of_fd(call->result), 0, 0);
	k = kept_of(call);
	if (k)
		emit_kept_str(s, &fsopen->fsname, k->fstype, k->fstype_bytes, sizeof(k->fstype_bytes));
	else
		emit_user_str(s, &fsopen->fsname, (void *)call->arg[0], NSS_PATH_MAX);
	emit_send(s);
}

/* Whether the command takes a key, as linux/mount.h has it: FSCONFIG_SET_FLAG to FSCONFIG_SET_FD. */
#define NSS_FSCONFIG_SET_STRING 1
#define NSS_FSCONFIG_SET_BINARY 2
#define NSS_FSCONFIG_SET_PATH 3
#define NSS_FSCONFIG_SET_FD 5

static __always_inline bool sets_key(__u32 cmd)
{
	return cmd <= NSS_FSCONFIG_SET_FD;
}

/* At most NSS_DATA_MAX of @len bytes of the current process at @src, behind the record of scratch @slot. */
__noinline __u32 put_user_data(__u32 slot, __u64 src, __u64 len)
{
	struct scratch *s = scratch_at(slot);
	void *to = s ? emit_room(s, NSS_DATA_MAX) : NULL;
	__u64 n = len;

	if (!src)
		return NSS_STR_NULL;
	if (n > NSS_DATA_MAX)
		n = NSS_DATA_MAX;
	KNOWN_BY_COMPARISON(n);
	if (!s || !to || n > NSS_DATA_MAX || bpf_probe_read_user(to, n, (void *)src))
		return NSS_STR_UNREADABLE;
	s->rec.len += n;
	return n | (n < len ? NSS_STR_CUT : 0);
}

/* Key and value as the caller has them. */
static __always_inline void emit_setting(struct scratch *s, struct nss_fsconfig *f, const struct call *call)
{
	emit_user_str(s, &f->key, (void *)call->arg[2], NSS_PATH_MAX);
	if ((__u32)call->arg[1] == NSS_FSCONFIG_SET_BINARY)
		f->value.v = put_user_data(s->slot, call->arg[3], (__u32)call->arg[4]);
	else
		emit_user_str(s, &f->value, (void *)call->arg[3], NSS_PATH_MAX);
}

static __always_inline void tell_fsconfig(const struct call *call)
{
	__u64 fc = fs_context_of_fd(call->arg[0]);
	const struct kept *k;
	MOUNT_EVENT(FSCONFIG, fsconfig);

	fsconfig->fd = call->arg[0];
	fsconfig->cmd = call->arg[1];
	fsconfig->aux = call->arg[4];
	fsconfig->context = fs_context_number(fc);
	k = sets_key(call->arg[1]) ? kept_of(call) : NULL;
	if (k) {
		emit_kept_str(s, &fsconfig->key, k->fstype, k->fstype_bytes, sizeof(k->fstype_bytes));
		emit_kept_str(s, &fsconfig->value, k->data, k->data_bytes, sizeof(k->data_bytes));
	} else {
		emit_setting(s, fsconfig, call);
		/* What stands in registers only, nobody can have changed. */
		fsconfig->args = call->arg[2] || call->arg[3] ? NSS_ARGS_CALLER : NSS_ARGS_KERNEL;
	}
	fsconfig->fstype.v = put_fstype(s->slot, fc);
	fsconfig->log.v = call->latency_ns == NSS_UNKNOWN ? 0 : put_log(s->slot, fc, call->last);
	emit_send(s);
}

static __always_inline void tell_fsmount(const struct call *call)
{
	__u64 fc = fs_context_of_fd(call->arg[0]), number = fs_context_number(fc);
	const struct mount *mount = NULL;
	CALL_EVENT(FSMOUNT, fsmount);

	if (call->result >= 0 && mount_numbered(call->result, number))
		mount = (void *)made_mount_of_fd(call->result);
	fsmount->fs_fd = call->arg[0];
	fsmount->flags = (__u32)call->arg[1];
	fsmount->attr_flags = (__u32)call->arg[2];
	fsmount->context = number;
	fsmount->mnt_id_unique = mount ? unique_id((__u64)mount) : NSS_UNKNOWN;
	fsmount->mnt_id = mount ? BPF_CORE_READ(mount, mnt_id) : 0;
	fsmount->fstype.v = put_fstype(s->slot, fc);
	fsmount->log.v = call->latency_ns == NSS_UNKNOWN ? 0 : put_log(s->slot, fc, call->last);
	emit_send(s);
}

static __always_inline void tell_fspick(const struct call *call)
{
	__u64 fc = call->result >= 0 ? fs_context_of_fd(call->result) : 0;
	MOUNT_EVENT(FSPICK, fspick);

	fspick->dfd = call->arg[0];
	fspick->flags = (__u32)call->arg[2];
	fspick->args = NSS_ARGS_CALLER;
	fspick->context = context_put(fc, 0, 0);
	emit_user_str(s, &fspick->path, (void *)call->arg[1], NSS_PATH_MAX);
	fspick->fstype.v = put_fstype(s->slot, fc);
	emit_send(s);
}
