/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unshare, setns, and the namespaces that a clone or an unshare made. */

struct new_ns {
	const struct ns_common *ns;
	struct user_namespace *owner;
};

/* The namespace of @type that @task got by a call with the CLONE_NEW flag of that type. */
static __always_inline struct new_ns new_ns_of(struct task_struct *task, __u32 type)
{
	struct nsproxy *ns = task->nsproxy;
	struct user_namespace *user = task->cred->user_ns;

	switch (type) {
	case NSS_NS_CGROUP:
		return (struct new_ns){ &ns->cgroup_ns->ns, ns->cgroup_ns->user_ns };
	case NSS_NS_IPC:
		return (struct new_ns){ &ns->ipc_ns->ns, ns->ipc_ns->user_ns };
	case NSS_NS_MNT:
		return (struct new_ns){ &ns->mnt_ns->ns, ns->mnt_ns->user_ns };
	case NSS_NS_NET:
		return (struct new_ns){ &ns->net_ns->ns, ns->net_ns->user_ns };
	case NSS_NS_PID: /* unshare makes it for the children; clone's child is in it */
		return (struct new_ns){ &ns->pid_ns_for_children->ns, ns->pid_ns_for_children->user_ns };
	case NSS_NS_TIME:
		return (struct new_ns){ &ns->time_ns_for_children->ns, ns->time_ns_for_children->user_ns };
	case NSS_NS_USER:
		return (struct new_ns){ &user->ns, user->parent };
	case NSS_NS_UTS:
		return (struct new_ns){ &ns->uts_ns->ns, ns->uts_ns->user_ns };
	}
	return (struct new_ns){};
}

static __noinline void tell_new_namespace(struct task_struct *task, __u32 type, __u32 by)
{
	struct new_ns made = new_ns_of(task, type);
	const struct ns_common *ns = made.ns; /* CO-RE would relocate an access through struct new_ns */
	struct user_namespace *owner = made.owner;
	struct nss_ns_create *create;
	struct scratch *s = emit_begin_task(NSS_EV_NS_CREATE, sizeof(*create), task);

	if (!s)
		return;
	create = PAYLOAD(s, ns_create);
	create->type = type;
	create->inum = BPF_CORE_READ(ns, inum);
	create->id = ns_id(ns);
	create->owner = BPF_CORE_READ(owner, ns.inum);
	create->by = by;
	emit_send(s);
}

/* The user namespace owns the others, so it is told first. */
static __always_inline void tell_new_namespaces(struct task_struct *task, __u64 flags, __u32 by)
{
	if (!wanted(NSS_EV_NS_CREATE))
		return;
	for (int others = 0; others < 2; others++) {
#define NAMESPACE(ID, name, flag, doc)                                         \
	if ((flags & (flag)) && (NSS_NS_##ID != NSS_NS_USER) == others)        \
		tell_new_namespace(task, NSS_NS_##ID, by);
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
