/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/plan.h"

#include <errno.h>
#include <stdio.h>

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
	p->steps[p->n++] = (struct plan_step){ act, arg };
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

/* The order is that of unshare(1): the proc directory is looked up in the new root. */
int plan_make(const struct launch_settings *s, const char *shell, struct plan *ret_plan)
{
	struct plan p = { .namespaces = s->namespaces };
	bool mount_proc = s->mount_proc || !s->namespaces;

	if ((s->namespaces & ~all_namespaces) || (s->argv && !s->argv[0]))
		return -EINVAL;
	if (!s->namespaces)
		p.namespaces = PLAN_DEFAULT_NAMESPACES;
	if (mount_proc)
		p.namespaces |= CLONE_NEWNS;
	if (idmap_wanted(&s->maps.of[IDMAP_USERS]) || idmap_wanted(&s->maps.of[IDMAP_GROUPS]))
		p.namespaces |= CLONE_NEWUSER;
	add_maps(&p, &s->maps);
	add_persistent(&p, s);
	if (p.namespaces & CLONE_NEWNS)
		add(&p, PLAN_PRIVATE, NULL);
	if (s->root)
		add(&p, PLAN_CHROOT, s->root);
	if (s->wd || s->root)
		add(&p, PLAN_CHDIR, s->wd ? s->wd : "/");
	if (mount_proc)
		add(&p, PLAN_MOUNT_PROC, s->proc_dir ? s->proc_dir : "/proc");
	add(&p, PLAN_SIGNALS, NULL);
	if (p.persists)
		add(&p, PLAN_KEEP, NULL);
	if (s->argv)
		add(&p, PLAN_EXEC, s->argv[0]);
	else
		add(&p, PLAN_EXEC_SHELL, shell);
	*ret_plan = p;
	return 0;
}

enum plan_where plan_where(enum plan_act act)
{
	return acts[act].where;
}

bool plan_is_exec(enum plan_act act)
{
	return act == PLAN_EXEC || act == PLAN_EXEC_SHELL;
}

void plan_describe(const struct plan_step *step, char *words, size_t size)
{
	const char *what = acts[step->act].words;

	if (step->arg)
		snprintf(words, size, "%s %s", what, step->arg);
	else
		snprintf(words, size, "%s", what);
}
