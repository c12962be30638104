/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/unshare_plan.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>

#include "launch/persist.h"

#define BINFMT_DIR "/proc/sys/fs/binfmt_misc"

enum where { HERE, OUTSIDE };
enum shows { NOTHING, ARG, NUMBER, NAMES, BOUND };

static const struct {
	enum where where;
	enum shows shows;
	const char *words;
} acts[UNSHARE_ACTS] = {
#define STEP(id, name, where, shows, words) [UNSHARE_##id] = { where, shows, words },
#include "launch/unshare_steps.def"
#undef STEP
};

static void add(struct unshare_plan *p, enum unshare_act act, const char *arg, int64_t number)
{
	p->steps[p->n++] = (struct unshare_step){ act, arg, number };
	p->outsider = p->outsider || unshare_is_outside(act);
}

static void add_owner(struct unshare_plan *p, const struct unshare_settings *u)
{
	if (!u->has_owner)
		return;
	add(p, UNSHARE_OWNER_GROUPS, NULL, 0);
	add(p, UNSHARE_OWNER_GID, NULL, u->owner_gid);
	add(p, UNSHARE_OWNER_UID, NULL, u->owner_uid);
}

/*
 * A process may map its own IDs from inside; all else takes rights that only the old namespaces have. Another owner is
 * not dumpable, so its own files in /proc are not its own.
 */
static bool maps_outside(const struct launch_settings *s, enum idmap_kind kind)
{
	return s->maps.of[kind].n || (s->maps.of[kind].one && s->in_place->has_owner);
}

/* user_namespaces(7): who is not privileged may map groups only without setgroups(2), as unshare(1) has it for root too. */
static bool denies(const struct idmap_settings *maps)
{
	return maps->setgroups == IDMAP_SETGROUPS_DENY || idmap_is_single(&maps->of[IDMAP_GROUPS]);
}

static void add_outside_maps(struct unshare_plan *p, const struct launch_settings *s)
{
	bool users = maps_outside(s, IDMAP_USERS), groups = maps_outside(s, IDMAP_GROUPS);

	if ((groups || s->in_place->has_owner) && s->maps.setgroups == IDMAP_SETGROUPS_DENY)
		add(p, UNSHARE_OUTSIDE_DENY, NULL, 0);
	if (users)
		add(p, UNSHARE_OUTSIDE_USERS, NULL, IDMAP_USERS);
	if (groups)
		add(p, UNSHARE_OUTSIDE_GROUPS, NULL, IDMAP_GROUPS);
}

static void add_own_maps(struct unshare_plan *p, const struct launch_settings *s)
{
	bool groups = maps_outside(s, IDMAP_GROUPS);

	if (denies(&s->maps) && !groups && !(s->in_place->has_owner && s->maps.setgroups == IDMAP_SETGROUPS_DENY))
		add(p, UNSHARE_DENY, "deny", 0);
	if (s->maps.of[IDMAP_USERS].one && !maps_outside(s, IDMAP_USERS))
		add(p, UNSHARE_USERS, NULL, IDMAP_USERS);
	if (s->maps.of[IDMAP_GROUPS].one && !groups)
		add(p, UNSHARE_GROUPS, NULL, IDMAP_GROUPS);
	if (s->maps.setgroups == IDMAP_SETGROUPS_ALLOW)
		add(p, UNSHARE_ALLOW, "allow", 0);
}

static const char *propagation_name(unsigned long flags)
{
	return flags & MS_SHARED ? "shared" : flags & MS_SLAVE ? "slave" : "private";
}

/* The F flag has the kernel open the interpreter at once, so it must be there: before the chroot (binfmt-misc.rst). */
static bool is_fixed(const char *interpreter)
{
	const char *flags = strrchr(interpreter, ':');

	return flags && strchr(flags, 'F');
}

static void add_mounts(struct unshare_plan *p, const struct launch_settings *s)
{
	const struct unshare_settings *u = s->in_place;
	bool fixed = u->interpreter && s->root && is_fixed(u->interpreter);
	const char *proc = s->mount_proc                     ? (s->proc_dir ? s->proc_dir : "/proc") :
			   u->mount_binfmt && !u->binfmt_dir ? "/proc" :
							       NULL;
	const char *binfmt = u->binfmt_dir ? u->binfmt_dir : BINFMT_DIR;

	if ((p->namespaces & CLONE_NEWNS) && u->propagation)
		add(p, UNSHARE_PROPAGATION, propagation_name(u->propagation), (int64_t)u->propagation);
	if (fixed) {
		add(p, UNSHARE_BINFMT_FIXED, BINFMT_DIR, 0);
		add(p, UNSHARE_REGISTER_FIXED, u->interpreter, 0);
	}
	if (s->root)
		add(p, UNSHARE_CHROOT, s->root, 0);
	if (s->wd || s->root)
		add(p, UNSHARE_CHDIR, s->wd ? s->wd : "/", 0);
	if (proc) {
		if (!s->root && u->propagation != (MS_REC | MS_PRIVATE))
			add(p, UNSHARE_PROC_PRIVATE, proc, 0);
		add(p, UNSHARE_MOUNT_PROC, proc, 0);
	}
	if (u->mount_binfmt)
		add(p, UNSHARE_MOUNT_BINFMT, binfmt, 0);
	if (u->interpreter && !fixed)
		add(p, UNSHARE_REGISTER, u->interpreter, 0);
}

static void add_credentials(struct unshare_plan *p, const struct unshare_settings *u)
{
	if (u->has_gid) {
		add(p, UNSHARE_DROP_GROUPS, NULL, 0);
		add(p, UNSHARE_SET_GID, NULL, u->gid);
	}
	if (u->has_uid)
		add(p, UNSHARE_SET_UID, NULL, u->uid);
	if (u->keep_caps && (p->namespaces & CLONE_NEWUSER))
		add(p, UNSHARE_KEEP_CAPS, NULL, 0);
	if (u->kill_child && (u->has_gid || u->has_uid))
		add(p, UNSHARE_DEATH_SIGNAL_2, NULL, u->kill_child);
}

static bool persists(const struct launch_settings *s)
{
	enum nss_ns ns = 0;

	while (ns < NSS_NS_MAX && !s->persist[ns])
		ns++;
	return ns < NSS_NS_MAX;
}

static void add_end(struct unshare_plan *p, const struct launch_settings *s, const char *shell)
{
	const struct unshare_settings *u = s->in_place;

	if (u->clear_env || u->nkept_env)
		add(p, UNSHARE_ENVIRONMENT, NULL, 0);
	if (u->fork)
		add(p, UNSHARE_SIGNALS, NULL, 0);
	if (persists(s))
		add(p, UNSHARE_KEEP, NULL, 0);
	if (s->argv)
		add(p, UNSHARE_EXEC, s->argv[0], 0);
	else
		add(p, UNSHARE_EXEC_SHELL, shell, 0);
}

static const char *contradiction(const struct launch_settings *s)
{
	const struct unshare_settings *u = s->in_place;

	if ((u->has_boottime || u->has_monotonic) && !(s->namespaces & CLONE_NEWTIME))
		return "--monotonic and --boottime need a new time namespace (-T)";
	if (s->maps.setgroups == IDMAP_SETGROUPS_ALLOW && idmap_is_single(&s->maps.of[IDMAP_GROUPS]) && !u->has_owner)
		return "--setgroups=allow and --map-group exclude each other: see user_namespaces(7)";
	return NULL;
}

int unshare_plan(const struct launch_settings *s, const char *shell, struct unshare_plan *ret_plan,
		 const char **ret_why)
{
	const struct unshare_settings *u = s->in_place;
	struct unshare_plan p = { .namespaces = s->namespaces };
	enum nss_ns ns;

	*ret_why = contradiction(s);
	if (*ret_why)
		return -EINVAL;
	if (s->mount_proc)
		p.namespaces |= CLONE_NEWNS;
	if (u->mount_binfmt)
		p.namespaces |= CLONE_NEWNS | CLONE_NEWUSER;
	if (idmap_wanted(&s->maps.of[IDMAP_USERS]) || idmap_wanted(&s->maps.of[IDMAP_GROUPS]) || u->has_owner)
		p.namespaces |= CLONE_NEWUSER;
	add_owner(&p, u);
	if (p.namespaces)
		add(&p, UNSHARE_UNSHARE, NULL, (int64_t)p.namespaces);
	add_outside_maps(&p, s);
	if (u->has_boottime)
		add(&p, UNSHARE_BOOTTIME, "boottime", u->boottime);
	if (u->has_monotonic)
		add(&p, UNSHARE_MONOTONIC, "monotonic", u->monotonic);
	if (u->fork)
		add(&p, UNSHARE_FORK, NULL, 0);
	for (ns = 0; ns < NSS_NS_MAX; ns++) {
		if (s->persist[ns])
			add(&p, UNSHARE_BIND, s->persist[ns], ns);
	}
	if (u->kill_child)
		add(&p, UNSHARE_DEATH_SIGNAL, NULL, u->kill_child);
	add_own_maps(&p, s);
	add_mounts(&p, s);
	add_credentials(&p, u);
	add_end(&p, s, shell);
	*ret_plan = p;
	return 0;
}

bool unshare_is_outside(enum unshare_act act)
{
	return acts[act].where == OUTSIDE;
}

void unshare_describe(const struct unshare_step *step, char *words, size_t size)
{
	const char *what = acts[step->act].words;
	char names[96];

	switch (acts[step->act].shows) {
	case NOTHING:
		snprintf(words, size, "%s", what);
		break;
	case ARG:
		snprintf(words, size, "%s %s", what, step->arg);
		break;
	case NUMBER:
		snprintf(words, size, "%s %" PRId64, what, step->number);
		break;
	case NAMES:
		persist_names((uint64_t)step->number, names, sizeof(names));
		snprintf(words, size, "%s %s", what, names);
		break;
	case BOUND:
		snprintf(words, size, "%s %s on %s", what, persist_name((enum nss_ns)step->number), step->arg);
		break;
	}
}
