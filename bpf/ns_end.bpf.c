/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of namespaces: as the kernel lets go of them, and else by looking. */

static __always_inline void send_ns_end(const struct told_ns *t, __u64 now)
{
	struct nss_ns_destroy *end;
	struct scratch *s = emit_begin(NSS_EV_NS_DESTROY, sizeof(struct nss_rec) + sizeof(*end));

	if (!s)
		return;
	s->rec.mono_ns = now; /* what late_ns is from */
	end = (void *)(s->bytes + sizeof(struct nss_rec));
	end->type = t->type;
	end->inum = t->inum;
	end->id = t->id;
	end->lifetime_ns = t->created ? now - t->created : NSS_UNKNOWN;
	end->late_ns = now - t->seen;
	end->kept = t->kept;
	end->mounts = t->mounts;
	emit_send(s);
}

static __always_inline void tell_ns_end(struct told_ns *t, __u64 now)
{
	__u32 inum = t->inum, *at = bpf_map_lookup_elem(&told_at, &inum);

	if (!claim(&t->ended))
		return;
	send_ns_end(t, now);
	if (at && told_in(*at) == t) /* else the number is used again already */
		bpf_map_delete_elem(&told_at, &inum);
	*(volatile __u64 *)&t->address = 0;
	*(volatile __u32 *)&t->busy = 0;
	__sync_fetch_and_add(&told_count, -1);
}

/*
 * A path that leads to the file may be a mere stat of /proc/PID/ns, or what the kernel has yet to let go of after its last mount
 * is gone. It is a file that is open (O_PATH) if it is there at the next look too, or if nothing else holds the namespace.
 */
static __always_inline void note_kept(struct told_ns *t, __u32 refs)
{
	__u32 kept = ns_kept(t->address);

	if (kept != KEPT_PATH)
		t->kept = kept;
	else if (t->looked == KEPT_PATH || (refs == 1 && t->kept != NSS_KEPT_MOUNT))
		t->kept = NSS_KEPT_FILE;
	t->looked = kept;
}

/* Looks at the next of the told namespaces. 1: no more. */
__noinline int told_step(__u32 unused)
{
	__u32 slot = told_cursor++;
	struct told_ns *t = told_in(slot);
	__u32 refs;

	if (!t || !told_left)
		return 1;
	if (!t->address)
		return 0;
	told_left--;
	refs = ns_refs(t);
	if (refs) {
		note_kept(t, refs);
		t->mounts = mounts_in(t->address, t->type);
		if (t->seen < told_looked) /* it may have been seen meanwhile */
			t->seen = told_looked;
		told_last = slot;
		if (slot < told_first)
			told_first = slot;
		return 0;
	}
	tell_ns_end(t, bpf_ktime_get_ns());
	return 0;
}

STEPS(told)

/*
 * Run by nsscope itself, at each tick. It ends with the last that there is; so that it need not go far, the next to be told
 * takes a slot behind that, or at the beginning where there is room: unless one was told meanwhile.
 */
SEC("raw_tp")
int look_at_namespaces(void *ctx)
{
	__u32 next = told_next;

	told_left = told_count;
	if (!told_left)
		return 0;
	told_cursor = 0;
	told_looked = bpf_ktime_get_ns();
	told_first = NSS_TOLD_NS;
	told_last = 0;
	told_steps(0);
	if (told_next == next)
		told_next = told_first >= NSS_TOLD_ROOM ? 0 : told_last + 1;
	return 0;
}

/* Run by nsscope itself: its file args[0] is that of a namespace which was there before. */
SEC("raw_tp")
int note_namespace(struct bpf_raw_tracepoint_args *ctx)
{
	struct file *file = (void *)file_of_fd(ctx->args[0]);
	const struct ns_common *ns;
	__u32 flag, type = NSS_NS_MAX;
	struct told_ns *t;
	struct scratch *s;

	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) != NSS_NSFS_MAGIC)
		return 0;
	ns = BPF_CORE_READ(file, f_inode, i_private);
	flag = ns_flag(ns);
#define NAMESPACE(ID, name, clone_flag, doc)        \
	if ((clone_flag) && flag == (clone_flag)) \
		type = NSS_NS_##ID;
#include "abi/namespaces.def"
#undef NAMESPACE
	t = told_find(BPF_CORE_READ(ns, inum));
	if (type == NSS_NS_MAX || (t && t->address == (__u64)ns))
		return 0;
	s = scratch_claim();
	if (!s) {
		count_lost(NSS_EV_NS_DESTROY);
		return 0;
	}
	ns_told(s, (__u64)ns, type, 0);
	scratch_release(s);
	return 0;
}

/* What all namespaces of @type have in common, in the kernel's struct at @address. */
static __always_inline const struct ns_common *common_of(__u64 address, __u32 type)
{
	switch (type) {
	case NSS_NS_IPC:
		return &((struct ipc_namespace *)address)->ns;
	case NSS_NS_MNT:
		return &((struct mnt_namespace *)address)->ns;
	case NSS_NS_NET:
		return &((struct net *)address)->ns;
	case NSS_NS_PID:
		return &((struct pid_namespace *)address)->ns;
	case NSS_NS_USER:
		return &((struct user_namespace *)address)->ns;
	}
	return NULL;
}

/*
 * A reference to the namespace is given up, perhaps the last: until now it lived. These types are freed later, by a worker.
 * __put_net() and __put_user_ns() are called for the last one only.
 */
__noinline int ns_put(__u64 address, __u32 type)
{
	const struct ns_common *ns = common_of(address, type);
	struct told_ns *t = ns ? ns_seen(ns, type) : NULL;

	if (t && (type == NSS_NS_NET || type == NSS_NS_USER))
		tell_ns_end(t, t->seen);
	return 0;
}

/* The number is given back: the namespace has ended, those of the other types in this very call. */
__noinline int ns_freed(__u32 inum)
{
	struct told_ns *t = told_find(inum);
	__u64 now = bpf_ktime_get_ns();

	if (!t)
		return 0;
	if (t->type == NSS_NS_UTS || t->type == NSS_NS_TIME || t->type == NSS_NS_CGROUP)
		t->seen = now;
	tell_ns_end(t, now);
	return 0;
}

#define NS_PUT_PROGRAM(function, ID)                     \
	SEC("fentry/" #function)                         \
	int BPF_PROG(end_##function, void *ns)           \
	{                                                \
		return ns_put(address_of(ns), NSS_NS_##ID); \
	}

NS_PUT_PROGRAM(put_ipc_ns, IPC)
NS_PUT_PROGRAM(put_mnt_ns, MNT)
NS_PUT_PROGRAM(__put_net, NET)
NS_PUT_PROGRAM(__put_user_ns, USER)

SEC("fentry/proc_free_inum")
int BPF_PROG(end_proc_free_inum, unsigned int inum)
{
	return ns_freed(inum);
}
