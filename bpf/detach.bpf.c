/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mounts that go other than by a call that is told; see core/told_mount.h. */

/* Run by nsscope itself, at each tick. */
SEC("raw_tp")
int look_at_mounts(void *ctx)
{
	return seek_mounts(0, 0);
}

/* The kernel begins to remove a mount point: what is gone now went before. */
static __always_inline int detach_begins(void)
{
	seek_mounts(0, 0);
	*(volatile __u64 *)&detaching_since = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int detach_ends(void)
{
	__u32 by = host_pid_of(current_task()); /* 0: the host does not see it */

	if (!by)
		*(volatile __u64 *)&detaching_since = 0;
	seek_mounts(by, 0);
	*(volatile __u64 *)&detaching_since = 0;
	return 0;
}

SEC("fentry/__detach_mounts")
int BPF_PROG(enter_detach_mounts)
{
	return detach_begins();
}

SEC("fexit/__detach_mounts")
int BPF_PROG(leave_detach_mounts)
{
	return detach_ends();
}

/* Takes the next slot for the mount in question of work @from, if that is free. 1: no more. */
__noinline int claiming_step(__u32 from)
{
	__u32 slot = told_mount_next++ % NSS_TOLD_MOUNTS;
	struct told_mount *t = told_mount_in(slot);
	struct work *w = work_at(from);
	__u64 address;

	if (!w || !t || !w->claiming.left)
		return 1;
	w->claiming.left--;
	if (t->address || !claim(&t->busy))
		return 0;
	t->ended = 0;
	address = w->reached.mount;
	if (bpf_map_update_elem(&told_mount_at, &address, &slot, BPF_ANY))
		told_mount_release(t);
	else
		w->claiming.slot = slot;
	return 1;
}

STEPS(claiming)

/* A free slot for the mount in question of work @from, which is mostly the next; -1: there is none. */
__noinline int told_mount_claim(__u32 from)
{
	struct work *w = work_at(from);

	if (!w || told_mount_count >= NSS_TOLD_MOUNTS)
		return -1;
	w->claiming.left = NSS_TOLD_MOUNTS;
	w->claiming.slot = -1;
	claiming_steps(from);
	return w->claiming.slot;
}

/* Notes in slot @to where the mount of the call in work @from stands, as the caller sees it. */
__noinline int note_target(__u32 to, __u32 from)
{
	struct work *w = work_at(from);
	struct told_mount *t = told_mount_in(to);
	__u64 start, len;

	if (!w || !t)
		return 0;
	walk_to_root_of(&w->walk, current_task());
	walk_up(from, w->reached.mountpoint, vfsmount_of(w->reached.parent));
	start = w->walk.start & (NSS_PATH_MAX - 1);
	len = NSS_PATH_MAX - start;
	t->target.v = NSS_STR_UNREADABLE;
	if (len > NSS_TOLD_MOUNT_PATH)
		len = NSS_TOLD_MOUNT_PATH;
	KNOWN_BY_COMPARISON(len);
	if (len <= NSS_TOLD_MOUNT_PATH && !bpf_probe_read_kernel(t->bytes, len, &w->walk.bytes[start]))
		t->target.v = len | w->walk.flags | (start + len < NSS_PATH_MAX ? NSS_STR_CUT : 0);
	return 0;
}

/* The slot of the mount that the call in work @from made or moved, a new one if it has none; -1: none is free. */
__noinline int note_slot(__u32 from)
{
	struct work *w = work_at(from);
	__u64 address = w ? w->reached.mount : 0;
	struct seeking unknown = {};
	struct told_mount *t;
	int slot;

	if (!address)
		return -1;
	slot = told_mount_slot(address);
	t = slot < 0 ? NULL : told_mount_in(slot);
	/* The memory of one that went; before there were unique ids, a new mount can have the id of that as well. */
	if (t && ((w->reached.change == CHANGE_NEW && t->id == NSS_UNKNOWN) || !told_mount_is(t, address))) {
		mount_went(t, &unknown);
		t = NULL;
	}
	if (t)
		return slot;
	slot = told_mount_claim(from);
	if (slot < 0)
		count_lost(NSS_EV_DETACH);
	else
		__sync_fetch_and_add(&told_mount_count, 1);
	return slot;
}

/*
 * Notes the mount that the call in work @from made or moved: if it goes, that is told. Not one that has gone already, by a call
 * of another, nor one that was put into a tree which stands nowhere.
 */
__noinline int note_mount(__u32 from)
{
	struct work *w = work_at(from);
	struct told_mount *t;
	int slot;

	if (!w || !w->reached.mount || ns_of_mount(w->reached.mount) != w->reached.ns)
		return 0;
	slot = note_slot(from);
	t = slot < 0 ? NULL : told_mount_in(slot);
	if (!t)
		return 0;
	t->ns = w->reached.ns;
	t->ns_number = mnt_ns_number((void *)t->ns);
	t->inum = ns_inum(t->ns);
	t->id = w->reached.id;
	t->mnt_id = w->reached.mnt_id;
	t->seen = bpf_ktime_get_ns();
	note_target(slot, from);
	*(volatile __u64 *)&t->address = w->reached.mount; /* from here on others see it */
	return 0;
}
