/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/enter.h"

#include "launch/acts.h"
#include "launch/spawn.h"
#include "launch/wire.h"
#include "util/cleanup.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* In the order that setns(2) of several at once has, which is fs/nsfs.c and kernel/nsproxy.c, validate_nsset(). */
static const struct {
	uint64_t flag;
	const char *name;
} types[] = {
	{ CLONE_NEWUSER, "user" }, { CLONE_NEWNS, "mount" },	 { CLONE_NEWUTS, "UTS" },     { CLONE_NEWIPC, "IPC" },
	{ CLONE_NEWPID, "PID" },   { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWNET, "network" }, { CLONE_NEWTIME, "time" },
};

static const char *name_of(uint64_t flag)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(types) - 1 && types[i].flag != flag)
		i++;
	return types[i].name;
}

/* The namespaces of files that are still to be entered; one is marked as done by its descriptor. 0 or -errno. */
static int enter_files(struct launch_enter *e, uint64_t flag)
{
	struct launch_ns_file *f;

	for (f = e->files; f < e->files + e->nfiles; f++) {
		if (f->flag != flag || f->fd < 0)
			continue;
		if (setns(f->fd, (int)flag) < 0)
			return -errno;
		f->fd = -1;
	}
	return 0;
}

static int enter_one(struct launch_enter *e, uint64_t flag)
{
	int ret = enter_files(e, flag);

	if (ret < 0 || !(e->of_target & flag))
		return ret;
	if (setns(e->pidfd, (int)flag) < 0)
		return -errno;
	e->of_target &= ~flag;
	return 0;
}

/*
 * The user namespace comes last where it is entered to have fewer rights, and first where it gives the rights to enter
 * the others: as nsenter(1) does it, all others are tried before it, and those that failed once more after it.
 */
static int enter_piecewise(struct steps_context *c)
{
	size_t i;
	int ret;

	for (i = 1; i < ARRAY_SIZE(types); i++)
		enter_one(c->enter, types[i].flag);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		ret = enter_one(c->enter, types[i].flag);
		if (ret < 0) {
			snprintf(c->detail, STEPS_DETAIL, "enter the %s namespace of %s", name_of(types[i].flag), c->enter->what);
			return ret;
		}
	}
	return 0;
}

int step_enter(struct steps_context *c, const char *arg)
{
	struct launch_enter *e = c->enter;
	size_t i;

	(void)arg;
	/* Inside it may be forbidden (user_namespaces(7)), outside too: one of the two must work. */
	if (e->set_gid)
		e->groups_dropped = setgroups(0, NULL) == 0;
	/* Those of files need not belong to the target's user namespace. What fails here is tried again behind it. */
	for (i = 1; i < ARRAY_SIZE(types); i++)
		enter_files(e, types[i].flag);
	if (e->of_target && setns(e->pidfd, (int)e->of_target) == 0)
		e->of_target = 0;
	return enter_piecewise(c);
}

/* The process that goes on as the command returns; the one that made it ends. */
int step_enter_fork(struct steps_context *c, const char *arg)
{
	struct wire w = { .kind = WIRE_CLONED };
	int pidfd = -1;

	(void)arg;
	w.pid = spawn_sibling(&pidfd);
	if (w.pid < 0)
		return w.pid;
	if (w.pid > 0)
		_exit(wire_send(c->join, &w, pidfd) < 0 ? 125 : 0);
	return 0;
}

/* "0" is the writer. */
int step_enter_cgroup(struct steps_context *c, const char *arg)
{
	(void)arg;
	return write(c->enter->cgroup, "0", 1) < 0 ? -errno : 0;
}

int step_enter_root(struct steps_context *c, const char *arg)
{
	(void)arg;
	if (fchdir(c->enter->root) < 0 || chroot(".") < 0)
		return -errno;
	return chdir("/") < 0 ? -errno : 0;
}

int step_enter_wd(struct steps_context *c, const char *arg)
{
	(void)arg;
	return fchdir(c->enter->wd) < 0 ? -errno : 0;
}

int step_enter_env(struct steps_context *c, const char *arg)
{
	(void)arg;
	environ = c->enter->env;
	return 0;
}

int step_enter_gid(struct steps_context *c, const char *arg)
{
	const struct launch_enter *e = c->enter;

	(void)arg;
	if (setgroups(0, NULL) < 0 && !e->groups_dropped && !e->groups_may_stay) {
		snprintf(c->detail, STEPS_DETAIL, "drop the supplementary groups");
		return -errno;
	}
	if (setgid(e->gid) < 0) {
		snprintf(c->detail, STEPS_DETAIL, "set the group ID to %u", e->gid);
		return -errno;
	}
	return 0;
}

/* A change of credentials clears the parent-death signal, prctl(2). */
static int arm_death_signal(void)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ? -errno : 0;
}

int step_enter_uid(struct steps_context *c, const char *arg)
{
	(void)arg;
	if (c->enter->keep_caps && prctl(PR_SET_KEEPCAPS, 1) < 0)
		return -errno;
	if (setuid(c->enter->uid) < 0) {
		snprintf(c->detail, STEPS_DETAIL, "set the user ID to %u", c->enter->uid);
		return -errno;
	}
	return arm_death_signal();
}

/* Ambient are only those that are inheritable too. */
int step_enter_caps(struct steps_context *c, const char *arg)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned cap;

	(void)c;
	(void)arg;
	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (cap = 0; cap < 2; cap++)
		data[cap].effective = data[cap].inheritable = data[cap].permitted;
	if (syscall(SYS_capset, &head, data) < 0)
		return -errno;
	for (cap = 0; cap < 64; cap++) {
		if (!(data[cap / 32].permitted >> cap % 32 & 1))
			continue;
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return -errno;
	}
	return arm_death_signal();
}
