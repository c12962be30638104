/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unshare, setns, and the namespaces that a clone or an unshare made. */

struct new_ns {
	const struct ns_common *ns;
	struct user_namespace *owner;
};

/* The namespace behind the pointer @member of the nsproxy of @task. */
#define NSPROXY_NS(task, member)                                                            \
	({                                                                                  \
		typeof(((struct nsproxy *)0)->member) of = BPF_CORE_READ(task, nsproxy, member); \
		(struct new_ns){ &of->ns, BPF_CORE_READ(of, user_ns) };                     \
	})

/* The namespace of @type that @task got by a call with the CLONE_NEW flag of that type. */
static __always_inline struct new_ns new_ns_of(struct task_struct *task, __u32 type)
{
	struct user_namespace *user;

	switch (type) {
	case NSS_NS_CGROUP:
		return NSPROXY_NS(task, cgroup_ns);
	case NSS_NS_IPC:
		return NSPROXY_NS(task, ipc_ns);
	case NSS_NS_MNT:
		return NSPROXY_NS(task, mnt_ns);
	case NSS_NS_NET:
		return NSPROXY_NS(task, net_ns);
	case NSS_NS_PID: /* unshare makes it for the children; clone's child is in it */
		return NSPROXY_NS(task, pid_ns_for_children);
	case NSS_NS_TIME:
		return NSPROXY_NS(task, time_ns_for_children);
	case NSS_NS_USER:
		user = BPF_CORE_READ(task, cred, user_ns);
		return (struct new_ns){ &user->ns, BPF_CORE_READ(user, parent) };
	case NSS_NS_UTS:
		return NSPROXY_NS(task, uts_ns);
	}
	return (struct new_ns){};
}

/* Not static, for the same reason as fill_task. */
__noinline int tell_new_namespace(__u64 address, __u32 type, __u32 by)
{
	struct task_struct *task = (void *)address;
	struct new_ns made = new_ns_of(task, type);
	const struct ns_common___v6_18 *ns = (void *)made.ns; /* CO-RE would relocate an access through struct new_ns */
	struct user_namespace *owner = made.owner;
	struct nss_ns_create *create;
	struct scratch *s = emit_begin_task(NSS_EV_NS_CREATE, sizeof(*create), task);

	if (!s)
		return 0;
	create = PAYLOAD(s, ns_create);
	create->type = type;
	create->inum = BPF_CORE_READ(ns, inum);
	create->id = ns_id(ns);
	create->owner = BPF_CORE_READ(owner, ns.inum);
	create->by = by;
	return emit_send(s);
}

/* The user namespace owns the others, so it is told first. */
static __always_inline void tell_new_namespaces(struct task_struct *task, __u64 flags, __u32 by)
{
	__u64 address;

	if (!wanted(NSS_EV_NS_CREATE))
		return;
	address = address_of(task);
	for (int others = 0; others < 2; others++) {
#define NAMESPACE(ID, name, flag, doc)                                         \
	if ((flags & (flag)) && (NSS_NS_##ID != NSS_NS_USER) == others)        \
		tell_new_namespace(address, NSS_NS_##ID, by);
#include "abi/namespaces.def"
#undef NAMESPACE
	}
}

static __noinline void tell_unshare(struct task_struct *task, const struct call *call)
{
	struct nss_unshare *unshare;
	struct scratch *s = emit_begin_task(NSS_EV_UNSHARE, sizeof(*unshare), task);

	if (!s)
		return;
	unshare = PAYLOAD(s, unshare);
	unshare->flags = call->arg[0];
	unshare->error = call->result;
	unshare->latency_ns = call->latency_ns;
	emit_send(s);
}

static __noinline void tell_setns(struct task_struct *task, const struct call *call)
{
	struct nss_setns *setns;
	struct scratch *s = emit_begin_task(NSS_EV_SETNS, sizeof(*setns), task);

	if (!s)
		return;
	setns = PAYLOAD(s, setns);
	setns->fd = call->arg[0];
	setns->nstype = call->arg[1];
	setns->error = call->result;
	setns->latency_ns = call->latency_ns;
	emit_send(s);
}
