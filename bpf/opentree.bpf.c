/* SPDX-License-Identifier: GPL-2.0-or-later */
/* open_tree, open_tree_attr, mount_setattr. */

#define NSS_AT_EMPTY_PATH 0x1000

/* struct mount_attr of linux/mount.h, as the caller has it: so much of it as its size says. */
struct attr {
	__u64 set, clr, propagation, userns_fd;
};

static __always_inline bool read_attr(struct attr *attr, const struct call *call)
{
	__u64 size = call->arg[4];

	__builtin_memset(attr, 0, sizeof(*attr));
	if (!call->arg[3] || size < sizeof(*attr)) /* the kernel takes no less */
		return false;
	return !bpf_probe_read_user(attr, sizeof(*attr), (void *)call->arg[3]);
}

#define FILL_ATTR(ev, call)                               \
	do {                                              \
		struct attr attr;                         \
		(ev)->attr_read = read_attr(&attr, call); \
		(ev)->attr_set = attr.set;                \
		(ev)->attr_clr = attr.clr;                \
		(ev)->propagation = attr.propagation;     \
		(ev)->userns_fd = attr.userns_fd;         \
	} while (0)

/* What the call gave: the mount of the new file, and its number if it was made for it. @tree: also an open_tree_attr. */
static __always_inline void fill_tree(struct nss_open_tree *tree, const struct call *call)
{
	const struct file *file = NULL;
	const struct mount *mount;
	__u32 fd = call->result;

	tree->dfd = call->arg[0];
	tree->flags = (__u32)call->arg[2];
	tree->error = call->result;
	tree->latency_ns = call->latency_ns;
	tree->args = NSS_ARGS_CALLER;
	tree->context = 0;
	tree->mnt_id_unique = NSS_UNKNOWN;
	tree->mnt_id = 0;
	tree->mounts = 0;
	if (call->result >= 0)
		file = (void *)file_of_fd(fd);
	if (!file || BPF_CORE_READ(file, f_inode, i_sb, s_magic) == NSS_NSFS_MAGIC) /* that of a namespace */
		return;
	mount = real_mount((__u64)BPF_CORE_READ(file, f_path.mnt));
	tree->context = mount_numbered(fd, 0);
	tree->mnt_id_unique = unique_id((__u64)mount);
	tree->mnt_id = BPF_CORE_READ(mount, mnt_id);
	if (tree->context)
		tree->mounts = ns_mounts(BPF_CORE_READ(mount, mnt_ns));
}

/* An open_tree_attr is an open_tree with more behind it. */
_Static_assert(__builtin_offsetof(struct nss_open_tree, path) == __builtin_offsetof(struct nss_open_tree_attr, path), "not alike");
_Static_assert(__builtin_offsetof(struct nss_open_tree, mounts) == __builtin_offsetof(struct nss_open_tree_attr, mounts), "not alike");

__noinline int tell_tree(__u32 from, __u32 size)
{
	struct work *w = work_at(from);
	struct nss_open_tree_attr *tree;
	struct scratch *s = w ? emit_begin_current(w->call.event, size) : NULL;

	if (!s || !w)
		return -1;
	tree = PAYLOAD(s, open_tree_attr);
	fill_tree((void *)tree, &w->call);
	if (size == sizeof(*tree))
		FILL_ATTR(tree, &w->call);
	tree->path.v = put_user_str(s->slot, w->call.arg[1], NSS_PATH_MAX);
	return emit_send(s);
}

static __always_inline void tell_open_tree(const struct call *call)
{
	tell_tree(call->slot, sizeof(struct nss_open_tree));
}

static __always_inline void tell_open_tree_attr(const struct call *call)
{
	tell_tree(call->slot, sizeof(struct nss_open_tree_attr));
}

static __always_inline void tell_mount_setattr(const struct call *call)
{
	struct work *w = work_at(call->slot);
	MOUNT_EVENT(MOUNT_SETATTR, mount_setattr);

	mount_setattr->dfd = call->arg[0];
	mount_setattr->flags = (__u32)call->arg[2];
	mount_setattr->args = NSS_ARGS_CALLER;
	mount_setattr->context = 0;
	if ((call->arg[2] & NSS_AT_EMPTY_PATH) && is_empty_path(call->arg[1]))
		mount_setattr->context = mount_number(call->arg[0]);
	FILL_ATTR(mount_setattr, call);
	mount_setattr->target.v = NSS_STR_NULL;
	if (w && is_entered(ns_of_mount(w->reached.mount)))
		mount_setattr->target.v = put_place(s->slot, call->slot);
	PUT_TOLD(s, mount_setattr, call);
	emit_user_str(s, &mount_setattr->target_arg, (void *)call->arg[1], NSS_PATH_MAX);
	emit_send(s);
}
