/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changes of the mount tree, and of a process's place in it. */

/*
 * What follows puts strings of the call in work @from behind the record of scratch @slot, and gives the value of their struct
 * nss_str. Not static and of numbers: so the verifier looks at each once.
 */

/* Path @which of the call: as the kernel looked it up, or as the caller has it at @user. */
__noinline __u32 put_path(__u32 slot, __u32 from, __u32 which, __u64 user)
{
	struct scratch *s = scratch_at(slot);
	struct work *w = work_at(from);
	struct nss_str str = { .v = NSS_STR_UNREADABLE };
	const struct kept *k;

	if (!s || !w)
		return str.v;
	k = kept_of(&w->call);
	if (k && which < k->paths && which < 2)
		emit_kept_str(s, &str, k->path[which], k->path_bytes[which], NSS_PATH_MAX);
	else
		str.v = put_user_str(slot, user, NSS_PATH_MAX);
	return str.v;
}

/* Where the mount in question stands, as the process sees it. */
__noinline __u32 put_place(__u32 slot, __u32 from)
{
	struct scratch *s = scratch_at(slot);
	struct work *w = work_at(from);
	struct nss_str str = { .v = NSS_STR_NULL };

	if (!s || !w || !w->reached.mount)
		return str.v;
	if (w->reached.is_named) /* where it stood at that moment: another task may have taken it away since */
		return put_bytes(slot, address_of(w->path), w->path_len);
	walk_to_root_of(&w->walk, current_task());
	walk_up(from, w->reached.mountpoint, vfsmount_of(w->reached.parent));
	emit_walk(s, &str, &w->walk);
	return str.v;
}

/* The target: as the kernel looked it up, as it found it after the call, or what the caller has at @user. */
static __always_inline __u32 put_target(struct scratch *s, const struct call *call, __u64 user)
{
	struct work *w = work_at(call->slot);

	if (!call->is_kept && w && w->reached.mount)
		return put_place(s->slot, call->slot);
	return put_path(s->slot, call->slot, 0, user);
}

#define CALL_EVENT(EV, name)                                                                   \
	struct nss_##name *name;                                                               \
	struct scratch *s = emit_begin_current(NSS_EV_##EV, sizeof(*name));                    \
	if (!s)                                                                                \
		return;                                                                        \
	name = PAYLOAD(s, name);                                                               \
	name->error = call->result;                                                            \
	name->latency_ns = call->latency_ns

/* One with arguments in memory. */
#define MOUNT_EVENT(EV, name) \
	CALL_EVENT(EV, name); \
	name->args = call->is_kept ? NSS_ARGS_KERNEL : NSS_ARGS_CALLER

/* What an event says of the mount in question, as it stands in each such event; the strings come last of the event. */
struct told {
	__u64 id;
	__s32 mnt_id;
	__u32 place;
	struct nss_str target_host;
	struct nss_reach reach;
	struct nss_str receivers;
} __attribute__((packed, aligned(4)));

#define NSS_TOLD_AT_MAX 1024 /* bytes */

/* Fills in the struct told that stands @at bytes into scratch @slot, of the call in work @from; @place: enum nss_place. */
__noinline int put_told(__u32 slot, __u32 at, __u32 from, __u32 place)
{
	struct scratch *s = scratch_at(slot);
	struct work *w = work_at(from);
	struct told *t;
	__u32 len;

	if (!s || at > NSS_TOLD_AT_MAX)
		return -1;
	t = (void *)(s->bytes + at);
	__builtin_memset(t, 0, sizeof(*t));
	t->id = NSS_UNKNOWN;
	t->target_host.v = NSS_STR_NULL;
	if (!w)
		return -1;
	t->id = w->reached.id;
	t->mnt_id = w->reached.mnt_id;
	t->place = place;
	if (place == NSS_PLACE_THERE)
		emit_walk(s, &t->target_host, &w->walk);
	t->reach.flags = w->reached.flags;
	t->reach.bytes = w->reached.count * sizeof(__u32);
	t->reach.tid = bpf_get_current_pid_tgid();
	t->reach.nonce = w->reached.nonce;
	len = w->reached.count * sizeof(__u32);
	if (len > NSS_ARGS_PIECE)
		len = NSS_ARGS_PIECE;
	if (len)
		t->receivers.v = put_bytes(slot, address_of(w->first), len);
	return 0;
}

#define IN_TOLD(name, member, first)                                                                          \
	_Static_assert(__builtin_offsetof(struct nss_##name, first) - __builtin_offsetof(struct nss_##name, mnt_id_unique) == \
			       __builtin_offsetof(struct told, member), #name " is not as struct told")

/*
 * Of the event @name in @s, which has struct told's members one behind the other. The place is not looked for in put_told:
 * the kernel allows eight calls within one another.
 */
#define PUT_TOLD(s, name, call)                                                                        \
	do {                                                                                           \
		IN_TOLD(name, mnt_id, mnt_id);                                                         \
		IN_TOLD(name, place, place);                                                           \
		IN_TOLD(name, target_host, target_host);                                               \
		IN_TOLD(name, reach, reach);                                                           \
		IN_TOLD(name, receivers, receivers);                                                   \
		put_told((s)->slot, sizeof(struct nss_rec) + sizeof(struct nss_task) +                 \
					    __builtin_offsetof(struct nss_##name, mnt_id_unique), (call)->slot, \
			 find_place((call)->slot));                                                    \
	} while (0)

static __always_inline void tell_mount(const struct call *call)
{
	const struct kept *k;
	MOUNT_EVENT(MOUNT, mount);

	mount->flags = call->arg[3];
	k = kept_of(call);
	if (k) {
		emit_kept_str(s, &mount->source, k->source, k->source_bytes, sizeof(k->source_bytes));
		mount->target.v = put_target(s, call, call->arg[1]);
		emit_kept_str(s, &mount->fstype, k->fstype, k->fstype_bytes, sizeof(k->fstype_bytes));
		emit_kept_str(s, &mount->data, k->data, k->data_bytes, sizeof(k->data_bytes));
	} else {
		emit_user_str(s, &mount->source, (void *)call->arg[0], NSS_PATH_MAX);
		mount->target.v = put_target(s, call, call->arg[1]);
		emit_user_str(s, &mount->fstype, (void *)call->arg[2], NSS_FSTYPE_MAX);
		emit_user_str(s, &mount->data, (void *)call->arg[4], NSS_DATA_MAX);
	}
	PUT_TOLD(s, mount, call);
	emit_user_str(s, &mount->target_arg, (void *)call->arg[1], NSS_PATH_MAX);
	emit_send(s);
}

static __always_inline void tell_umount(const struct call *call)
{
	MOUNT_EVENT(UMOUNT, umount);

	umount->flags = call->arg[1];
	umount->target.v = put_target(s, call, call->arg[0]);
	PUT_TOLD(s, umount, call);
	emit_user_str(s, &umount->target_arg, (void *)call->arg[0], NSS_PATH_MAX);
	emit_send(s);
}

static __always_inline void tell_move_mount(const struct call *call)
{
	struct work *w = work_at(call->slot);
	MOUNT_EVENT(MOVE_MOUNT, move_mount);

	move_mount->from_fd = call->arg[0];
	move_mount->to_fd = call->arg[2];
	move_mount->flags = call->arg[4];
	move_mount->from.v = put_path(s->slot, call->slot, 0, call->arg[1]);
	move_mount->to.v = put_path(s->slot, call->slot, 1, call->arg[3]);
	move_mount->target.v = put_place(s->slot, call->slot);
	PUT_TOLD(s, move_mount, call);
	move_mount->context = 0;
	if (moves_file(call))
		move_mount->context = mount_number(call->arg[0]);
	move_mount->fstype.v = move_mount->source.v = NSS_STR_NULL;
	if (w && w->reached.mount) {
		const struct mount *mount = (void *)w->reached.mount;

		move_mount->fstype.v = put_kernel_str(s->slot, (__u64)BPF_CORE_READ(mount, mnt.mnt_sb, s_type, name));
		move_mount->source.v = put_kernel_str(s->slot, (__u64)BPF_CORE_READ(mount, mnt_devname));
	}
	emit_send(s);
}

static __always_inline void tell_pivot_root(const struct call *call)
{
	MOUNT_EVENT(PIVOT_ROOT, pivot_root);

	pivot_root->new_root.v = put_path(s->slot, call->slot, 0, call->arg[0]);
	pivot_root->put_old.v = put_path(s->slot, call->slot, 1, call->arg[1]);
	emit_send(s);
}

static __always_inline void tell_chroot(const struct call *call)
{
	MOUNT_EVENT(CHROOT, chroot);

	chroot->path.v = put_path(s->slot, call->slot, 0, call->arg[0]);
	emit_send(s);
}
