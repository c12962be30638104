/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/plan.h"

#include "launch/enter.h"

#include <errno.h>
#include <stdio.h>

#include "launch/spec.h"

static const struct {
	enum plan_where where;
	const char *words;
} acts[PLAN_ACTS] = {
#define STEP(id, name, where, words) [PLAN_##id] = { PLAN_##where, words },
#include "launch/steps.def"
#undef STEP
};

#define NAMESPACE(id, name, flag, what) | (flag)
static const uint64_t all_namespaces = 0
#include "abi/namespaces.def"
	;
#undef NAMESPACE

static void add(struct plan *p, enum plan_act act, const char *arg)
{
	p->steps[p->n++] = (struct plan_step){ act, arg, 0 };
}

/* Who is not privileged may map groups only without setgroups(2): user_namespaces(7). */
static void add_maps(struct plan *p, const struct idmap_settings *maps)
{
	if (maps->setgroups == IDMAP_SETGROUPS_DENY || idmap_is_single(&maps->of[IDMAP_GROUPS]))
		add(p, PLAN_SETGROUPS, "deny");
	if (idmap_wanted(&maps->of[IDMAP_USERS]))
		add(p, PLAN_USERS, NULL);
	if (idmap_wanted(&maps->of[IDMAP_GROUPS]))
		add(p, PLAN_GROUPS, NULL);
	if (maps->setgroups == IDMAP_SETGROUPS_ALLOW)
		add(p, PLAN_SETGROUPS, "allow");
}

static void add_persistent(struct plan *p, const struct launch_settings *s)
{
	unsigned int ns;

	for (ns = 0; ns < NSS_NS_MAX; ns++) {
		if (!s->persist[ns])
			continue;
		add(p, PLAN_PERSIST, s->persist[ns]);
		p->persists = true;
	}
}

static void add_caps(struct plan *p, enum plan_act act, uint64_t caps)
{
	if (caps)
		p->steps[p->n++] = (struct plan_step){ act, NULL, caps };
}

/*
 * The cgroup namespace is made after the command was moved to its cgroup. Which controllers: bit 0 memory, 1 pids,
 * 2 cpu.
 */
static void add_limits(const struct sandbox_settings *s, struct plan *p)
{
	static const char *const controllers[] = { "",    "memory",     "pids",     "memory pids",
						   "cpu", "memory cpu", "pids cpu", "memory pids cpu" };
	size_t which = (s->memory ? 1 : 0) | (s->pids ? 2 : 0) | (s->cpu ? 4 : 0);

	if (!which)
		return;
	add(p, PLAN_CGROUP, controllers[which]);
	if (s->memory)
		add(p, PLAN_MEMORY, s->memory);
	if (s->pids)
		add(p, PLAN_PIDS, s->pids);
	if (s->cpu)
		add(p, PLAN_CPU, s->cpu);
	add(p, PLAN_CGROUP_ENTER, NULL);
	if (!(p->namespaces & CLONE_NEWCGROUP))
		return;
	p->namespaces &= ~(uint64_t)CLONE_NEWCGROUP;
	add(p, PLAN_CGROUP_NS, NULL);
}

static bool has_new_root(const struct sandbox_settings *s)
{
	return s->root || s->overlay;
}

static bool has_tree(const struct sandbox_settings *s)
{
	return has_new_root(s) || s->nmounts || s->dev || s->sys;
}

/* Proc, sys and dev first, that the user's own may be mounted in them. */
static void add_tree(const struct sandbox_settings *s, const char *proc, struct plan *p)
{
	static const enum plan_act acts_of[] = {
		[SANDBOX_BIND] = PLAN_BIND,
		[SANDBOX_BIND_RO] = PLAN_BIND_RO,
		[SANDBOX_TMPFS] = PLAN_TMPFS,
	};
	const char *root = s->root ? s->root : "/";
	size_t i;

	for (i = 0; i < s->nmounts; i++)
		if (s->mounts[i].kind != SANDBOX_TMPFS)
			add(p, PLAN_SOURCE, s->mounts[i].spec);
	if (s->overlay && s->overlay_dir)
		add(p, PLAN_LAYERS, s->overlay_dir);
	if (has_new_root(s))
		add(p, s->overlay ? PLAN_OVERLAY : PLAN_NEW_ROOT, root);
	if (proc)
		add(p, PLAN_PROC, proc);
	if (s->sys)
		add(p, PLAN_SYS, s->sys);
	if (s->dev)
		add(p, PLAN_DEV, s->dev);
	for (i = 0; i < s->nmounts; i++)
		add(p, acts_of[s->mounts[i].kind], s->mounts[i].spec);
	if (has_new_root(s))
		add(p, PLAN_PIVOT_ROOT, root);
}

/* Where the command begins: in a new root at its top, unless it is a copy of the old. */
static void add_place(const struct launch_settings *s, struct plan *p)
{
	if (s->wd)
		add(p, PLAN_CHDIR, s->wd);
	else if (s->root || s->sandbox.root)
		add(p, PLAN_CHDIR, "/");
	else if (s->sandbox.overlay)
		add(p, PLAN_RETURN, NULL);
}

static void add_env(const struct sandbox_settings *s, struct plan *p)
{
	static const enum plan_act acts_of[] = {
		[SANDBOX_SETENV] = PLAN_SETENV,
		[SANDBOX_UNSETENV] = PLAN_UNSETENV,
		[SANDBOX_CLEARENV] = PLAN_CLEARENV,
	};

	for (size_t i = 0; i < s->nenv; i++)
		add(p, acts_of[s->env[i].kind], s->env[i].arg);
}

/* What takes rights away, in the order in which what is left suffices for the next. */
static void add_rights(const struct sandbox_settings *s, struct plan *p)
{
	size_t i;

	for (i = 0; i < s->nrlimits; i++)
		add(p, PLAN_RLIMIT, s->rlimits[i]);
	if (s->uid && (s->cap_drop || s->cap_add))
		add(p, PLAN_KEEP_CAPS, NULL);
	if (s->uid || s->gid)
		add(p, PLAN_DROP_GROUPS, NULL);
	if (s->gid)
		add(p, PLAN_SET_GID, s->gid);
	if (s->uid)
		add(p, PLAN_SET_UID, s->uid);
	add_caps(p, PLAN_DROP_CAPS, s->cap_drop);
	add_caps(p, PLAN_ADD_CAPS, s->cap_add);
	if (s->no_new_privs || s->seccomp)
		add(p, PLAN_NO_NEW_PRIVS, NULL);
}

static bool is_plannable(const struct launch_settings *s)
{
	const struct sandbox_settings *b = &s->sandbox;

	return !(s->namespaces & ~all_namespaces) && (!s->argv || s->argv[0]) && b->nmounts <= SANDBOX_MOUNTS_MAX &&
	       b->nenv <= SANDBOX_ENV_MAX && b->nrlimits <= SANDBOX_RLIMITS_MAX;
}

static void add_namespaces(const struct launch_settings *s, bool mount_proc, struct plan *p)
{
	p->namespaces = s->namespaces || s->plain ? s->namespaces : PLAN_DEFAULT_NAMESPACES;
	if (mount_proc || has_tree(&s->sandbox))
		p->namespaces |= CLONE_NEWNS;
	if (s->sandbox.hostname)
		p->namespaces |= CLONE_NEWUTS;
	if (idmap_wanted(&s->maps.of[IDMAP_USERS]) || idmap_wanted(&s->maps.of[IDMAP_GROUPS]))
		p->namespaces |= CLONE_NEWUSER;
}

/* What every plan ends with. */
static void add_end(struct plan *p, const struct launch_settings *s, const char *shell)
{
	if (s->announce)
		add(p, PLAN_READY, NULL);
	add(p, PLAN_SIGNALS, NULL);
	if (p->persists)
		add(p, PLAN_KEEP, NULL);
	if (s->sandbox.seccomp)
		add(p, PLAN_FILTER, NULL);
	if (s->argv)
		add(p, PLAN_EXEC, s->argv[0]);
	else
		add(p, PLAN_EXEC_SHELL, shell);
}

/* The order is that of nsenter(1). */
static void plan_enter(struct plan *p, const struct launch_settings *s, const char *shell)
{
	const struct launch_enter *e = s->enter;

	if (e->cgroup >= 0)
		add(p, PLAN_ENTER_CGROUP, e->what);
	add(p, PLAN_ENTER, e->what);
	if ((enter_namespaces(e) & CLONE_NEWPID) && !e->no_fork)
		add(p, PLAN_ENTER_FORK, e->what);
	if (e->root >= 0)
		add(p, PLAN_ENTER_ROOT, e->root_what);
	if (e->wd >= 0)
		add(p, PLAN_ENTER_WD, e->wd_what);
	else if (s->wd)
		add(p, PLAN_CHDIR, s->wd);
	if (e->env)
		add(p, PLAN_ENTER_ENV, e->what);
	if (e->set_gid)
		add(p, PLAN_ENTER_GID, e->what);
	if (e->set_uid)
		add(p, PLAN_ENTER_UID, e->what);
	if (e->keep_caps)
		add(p, PLAN_ENTER_CAPS, NULL);
	add_end(p, s, shell);
}

/*
 * The order is that of unshare(1), whose proc directory is looked up in the new root; run's own tree
 * of mounts is made before.
 */
int plan_make(const struct launch_settings *s, const char *shell, struct plan *ret_plan)
{
	struct plan p = {};
	bool mount_proc = s->mount_proc || !(s->namespaces || s->plain), tree = has_tree(&s->sandbox);
	const char *proc = !mount_proc ? NULL : s->proc_dir ? s->proc_dir : "/proc";

	if (!is_plannable(s))
		return -EINVAL;
	if (s->enter) {
		plan_enter(&p, s, shell);
		*ret_plan = p;
		return 0;
	}
	add_namespaces(s, mount_proc, &p);
	add_maps(&p, &s->maps);
	add_persistent(&p, s);
	add_limits(&s->sandbox, &p);
	if (s->sandbox.hostname)
		add(&p, PLAN_HOSTNAME, s->sandbox.hostname);
	if (s->sandbox.loopback && (p.namespaces & CLONE_NEWNET))
		add(&p, PLAN_LOOPBACK, NULL);
	if (s->sandbox.seccomp)
		add(&p, PLAN_READ_FILTER, s->sandbox.seccomp);
	if (p.namespaces & CLONE_NEWNS)
		add(&p, PLAN_PRIVATE, NULL);
	if (tree)
		add_tree(&s->sandbox, proc, &p);
	if (s->root)
		add(&p, PLAN_CHROOT, s->root);
	add_place(s, &p);
	if (proc && !tree)
		add(&p, PLAN_MOUNT_PROC, proc);
	add_env(&s->sandbox, &p);
	add_rights(&s->sandbox, &p);
	add_end(&p, s, shell);
	*ret_plan = p;
	return 0;
}

enum plan_where plan_where(enum plan_act act)
{
	return acts[act].where;
}

bool plan_has(const struct plan *p, enum plan_where where)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (plan_where(p->steps[i].act) == where)
			return true;
	}
	return false;
}

bool plan_forks(const struct plan *p)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (p->steps[i].act == PLAN_ENTER_FORK)
			return true;
	}
	return false;
}

bool plan_is_exec(enum plan_act act)
{
	return act == PLAN_EXEC || act == PLAN_EXEC_SHELL;
}

void plan_describe(const struct plan_step *step, char *words, size_t size)
{
	const char *what = acts[step->act].words;
	char caps[512];

	spec_cap_words(step->caps, caps, sizeof(caps));
	if (step->caps)
		snprintf(words, size, "%s %s", what, caps);
	else if (step->arg)
		snprintf(words, size, "%s %s", what, step->arg);
	else
		snprintf(words, size, "%s", what);
}
