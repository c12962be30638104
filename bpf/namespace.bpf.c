/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unshare, setns, and the namespaces that a clone or an unshare made. */

#define NSS_CLONE_NEWUSER 0x10000000

struct new_ns {
	const struct ns_common *ns;
	struct user_namespace *owner;
};

/* The namespace of @type that @task got by a call with the CLONE_NEW flag of that type. */
static __always_inline struct new_ns new_ns_of(struct task_struct *task, __u32 type)
{
	struct user_namespace *user, *owner = NULL;
	__u64 ns, offsets;

	if (type == NSS_NS_USER) {
		user = BPF_CORE_READ(task, cred, user_ns);
		return (struct new_ns){ &user->ns, BPF_CORE_READ(user, parent) };
	}
	/* unshare makes these for the children; clone's child is in them */
	if (type == NSS_NS_PID)
		type = NSS_NS_PID_FOR_CHILDREN;
	else if (type == NSS_NS_TIME)
		type = NSS_NS_TIME_FOR_CHILDREN;
	offsets = ns_offsets_of(type);
	if (!offsets)
		return (struct new_ns){};
	ns = ns_in_nsproxy(task, offsets);
	read_kernel(&owner, sizeof(owner), (void *)(ns + (__u16)(offsets >> 32)));
	return (struct new_ns){ (void *)(ns + (__u16)(offsets >> 16)), owner };
}

/* The namespace that the one of @type which @task just got is nested in; 0: those of this type are not. */
static __always_inline __u32 parent_inum(struct task_struct *task, __u32 type)
{
	if (type == NSS_NS_PID)
		return BPF_CORE_READ(task, nsproxy, pid_ns_for_children, parent, ns.inum);
	return type == NSS_NS_USER ? BPF_CORE_READ(task, cred, user_ns, parent, ns.inum) : 0;
}

/*
 * The namespace at @ns of @type, made in the call @by by the task at @address; @owner: address of its user namespace; @parent:
 * inum of the one that it is nested in. Not static, for the same reason as fill_task.
 */
__noinline int send_ns_create(__u64 address, __u64 ns, __u32 type_and_by, __u64 owner, __u32 parent)
{
	const struct ns_common___v6_18 *common = (void *)ns;
	const struct user_namespace *user = (void *)owner;
	__u32 type = type_and_by & 0xff;
	struct nss_ns_create *create;
	struct scratch *s = emit_begin_task(NSS_EV_NS_CREATE, sizeof(*create), address);

	if (!s)
		return 0;
	create = PAYLOAD(s, ns_create);
	create->type = type;
	create->inum = BPF_CORE_READ(common, inum);
	create->id = ns_id(common);
	create->owner = BPF_CORE_READ(user, ns.inum);
	create->by = type_and_by >> 8;
	create->parent = parent;
	create->mounts = mounts_in(ns, type);
	ns_told(s, ns, type, bpf_ktime_get_ns());
	return emit_send(s);
}

__noinline int tell_new_namespace(__u64 address, __u32 type, __u32 by)
{
	struct task_struct *task = (void *)address;
	struct new_ns made = new_ns_of(task, type);

	return send_ns_create(address, (__u64)made.ns, type | by << 8, (__u64)made.owner, parent_inum(task, type));
}

/* The user namespace owns the others, so it is told first. */
static __always_inline void tell_new_namespaces(__u64 address, __u64 flags, __u32 by)
{
	if (!wanted(NSS_EV_NS_CREATE))
		return;
	if (flags & NSS_CLONE_NEWUSER)
		tell_new_namespace(address, NSS_NS_USER, by);
#define NAMESPACE(ID, name, flag, doc)                                         \
	if ((flag) != NSS_CLONE_NEWUSER && (flags & (flag)))                   \
		tell_new_namespace(address, NSS_NS_##ID, by);
#include "abi/namespaces.def"
#undef NAMESPACE
}

/* 7.0: open_tree(2), and then fsmount(2), can make a mount namespace and give its file: @fd of the current task. */
__noinline int tell_namespace_of_fd(__u32 fd, __u32 by)
{
	const struct file *file = (void *)file_of_fd(fd);
	const struct mnt_namespace *ns;

	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != NSS_NSFS_MAGIC)
		return 0;
	ns = BPF_CORE_READ(file, f_inode, i_private) - bpf_core_field_offset(struct mnt_namespace, ns);
	return send_ns_create(bpf_get_current_task(), (__u64)&ns->ns, NSS_NS_MNT | by << 8, (__u64)BPF_CORE_READ(ns, user_ns), 0);
}

static __always_inline void tell_unshare(const struct call *call)
{
	struct nss_unshare *unshare;
	struct scratch *s = emit_begin_current(NSS_EV_UNSHARE, sizeof(*unshare));

	if (!s)
		return;
	unshare = PAYLOAD(s, unshare);
	unshare->flags = call->arg[0];
	unshare->error = call->result;
	unshare->latency_ns = call->latency_ns;
	emit_send(s);
}

/* The process that the pidfd @file is of; NULL: it is none. */
static __always_inline struct pid *pid_of(struct file *file)
{
	__u64 magic = BPF_CORE_READ(file, f_inode, i_sb, s_magic);
	char name[8] = {};

	if (magic == NSS_PIDFS_MAGIC)
		return BPF_CORE_READ(file, f_inode, i_private);
	if (magic != NSS_ANON_INODE_FS_MAGIC)
		return NULL;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	return *(__u64 *)name == *(__u64 *)"[pidfd]" ? BPF_CORE_READ(file, private_data) : NULL;
}

/* The inum of the namespace of @type that the current task has entered. Not static, for the same reason as fill_task. */
__noinline __u32 entered_inum(__u32 type)
{
	struct new_ns entered = new_ns_of(current_task(), type);
	const struct ns_common___v6_18 *ns = (void *)entered.ns;

	return BPF_CORE_READ(ns, inum);
}

/* What the call has entered: of its namespaces now, those that the @flags name. */
static __always_inline void fill_entered(struct nss_entered *to, __u64 flags)
{
#define NAMESPACE(ID, name, flag, doc)                                                         \
	if ((flag) && (flags & (flag)))                                                        \
		to->inum[NSS_NS_##ID] = entered_inum(NSS_NS_##ID);
#include "abi/namespaces.def"
#undef NAMESPACE
}

/* The one that the namespace file meant. */
static __always_inline void fill_meant(struct nss_entered *to, const struct ns_common *ns)
{
	__u32 flags = ns_flag(ns), inum = BPF_CORE_READ(ns, inum);

#define NAMESPACE(ID, name, flag, doc)                  \
	if ((flag) && flags == (flag))                  \
		to->inum[NSS_NS_##ID] = inum;
#include "abi/namespaces.def"
#undef NAMESPACE
}

static __always_inline void tell_setns(const struct call *call)
{
	struct nss_setns *setns;
	struct file *file;
	struct pid *pid;
	struct scratch *s = emit_begin_current(NSS_EV_SETNS, sizeof(*setns));

	if (!s)
		return;
	setns = PAYLOAD(s, setns);
	setns->fd = call->arg[0];
	setns->nstype = call->arg[1];
	setns->error = call->result;
	setns->latency_ns = call->latency_ns;
	__builtin_memset(&setns->entered, 0, sizeof(setns->entered));
	file = (void *)file_of_fd(call->arg[0]);
	pid = file ? pid_of(file) : NULL;
	setns->target = pid ? upid_at(pid, own_level()).nr : 0;
	if (pid && !call->result)
		fill_entered(&setns->entered, call->arg[1]);
	else if (file && BPF_CORE_READ(file, f_inode, i_sb, s_magic) == NSS_NSFS_MAGIC)
		fill_meant(&setns->entered, BPF_CORE_READ(file, f_inode, i_private));
	emit_send(s);
}
