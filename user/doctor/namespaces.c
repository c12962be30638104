/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which namespaces can be made, and what can be launched in them. */
#include <errno.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/exam.h"
#include "doctor/trial.h"
#include "launch/launch.h"
#include "util/cleanup.h"

static const struct ns_row {
	const char *name;
	uint64_t flag;
} ns_rows[] = {
#define NAMESPACE(ID, name, flag, isolates) { #name, flag },
#include "abi/namespaces.def"
#undef NAMESPACE
};

static const char *clone_mend(int err)
{
	switch (err) {
	case -EPERM:
		return "as root, or with CAP_SYS_ADMIN; or let user namespaces be made, and use run -U; and see seccomp";
	case -ENOSPC:
	case -EUSERS:
		return "raise the limits below, here and in the user namespaces above this one";
	case -EINVAL:
		return "use a kernel that has it; see configuration";
	case -ENOSYS:
		return "a filter refuses clone3(2), which time namespaces need; see seccomp";
	}
	return NULL;
}

static void try_namespace(struct exam *x, const struct ns_row *row)
{
	int err = trial(row->flag, NULL, NULL);
	int nested = err == -EPERM && row->flag != CLONE_NEWUSER ? trial(row->flag | CLONE_NEWUSER, NULL, NULL) : err;

	if (!err)
		tell_of(x, row->name, NULL, STATE_OK, NULL, "can be made");
	else if (!nested)
		tell_of(x, row->name, NULL, STATE_LIMITED, "run as root; or use run -U, which needs no root to make it",
			"only together with a user namespace: %s without", strerror(-err));
	else
		tell_of(x, row->name, NULL, row->flag == CLONE_NEWUSER ? STATE_LIMITED : STATE_MISSING, clone_mend(err),
			"cannot be made: %s", strerror(-err));
}

void check_namespaces(struct exam *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(ns_rows); i++)
		if (ns_rows[i].flag)
			try_namespace(x, &ns_rows[i]);
}

static struct trial_ids own_ids(void)
{
	return (struct trial_ids){ geteuid(), getegid() };
}

void check_user_rights(struct exam *x)
{
	struct trial_ids ids = own_ids();
	int err = trial(CLONE_NEWUSER, trial_rights, &ids);

	if (err)
		tell(x, STATE_LIMITED,
		     "see user above, sysctl and confinement: a policy may let it be made, but take its rights away",
		     "no: %s", strerror(-err));
	else
		tell(x, STATE_OK, NULL, "root inside, with rights");
}

void check_user_proc(struct exam *x)
{
	struct trial_ids ids = own_ids();
	int err = trial(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, trial_proc, &ids);

	if (!err)
		tell(x, STATE_OK, NULL, "can be mounted");
	else if (err == -EINVAL)
		tell(x, STATE_LIMITED, "mount --bind / /, before: this root directory is no mount point",
		     "cannot be: %s", strerror(EINVAL));
	else
		tell(x, STATE_LIMITED, "see rights by -U, and mounts below /proc", "cannot be mounted: %s",
		     strerror(-err));
}

void check_namespace_limits(struct exam *x)
{
	char name[64], path[80];
	long long value;

	for (size_t i = 0; i < ARRAY_SIZE(ns_rows); i++) {
		int err;

		if (!ns_rows[i].flag)
			continue;
		snprintf(name, sizeof(name), "user.max_%s_namespaces", ns_rows[i].name);
		snprintf(path, sizeof(path), "/proc/sys/user/max_%s_namespaces", ns_rows[i].name);
		err = read_number(path, &value);
		if (err)
			tell_of(x, name, NULL, STATE_UNKNOWN, "mount all of proc on /proc", "cannot be read: %s",
				strerror(-err));
		else if (!value)
			tell_of(x, name, NULL, ns_rows[i].flag == CLONE_NEWUSER ? STATE_LIMITED : STATE_MISSING,
				"set it to some thousands with sysctl(8)", "0");
		else
			tell_of(x, name, NULL, STATE_OK, NULL, "%lld", value);
	}
}

/* Up to the last event. 0 or -errno. */
static int wait_for_end(struct launch *l, struct launch_event *e)
{
	struct pollfd fd = { .fd = launch_fd(l), .events = POLLIN };
	int err;

	do {
		poll(&fd, 1, 1000);
		err = launch_next(l, e);
	} while (!err && !launch_event_is_last(e));
	return err;
}

/*
 * The whole way of run, but for the program: there is none with this name, so that nothing is executed. When that is
 * all that fails, run works.
 */
static int try_launch(struct launch_event *e)
{
	char nothing[] = "", *argv[] = { nothing, NULL };
	struct launch_settings settings = { .argv = argv };
	struct launch *l;
	pid_t pid;
	int err = launch_begin(&settings, &l);

	snprintf(e->stage, sizeof(e->stage), "start the supervisor");
	if (err)
		return err;
	err = launch_clone(l, &pid);
	if (err)
		snprintf(e->stage, sizeof(e->stage), "create the namespaces");
	if (!err)
		err = launch_release(l);
	if (!err)
		err = wait_for_end(l, e);
	launch_end(l);
	if (err)
		return err;
	return e->what == LAUNCH_FAILED && e->is_exec && e->error == ENOENT ? 0 :
	       e->what == LAUNCH_FAILED && e->error                         ? -e->error :
									      -ECHILD;
}

void check_launcher(struct exam *x)
{
	struct launch_event e = {};
	const char *mend;

	x->launching = try_launch(&e);
	if (!x->launching) {
		tell(x, STATE_OK, NULL, "cgroup, ipc, mnt, pid and uts, with /proc");
		return;
	}
	snprintf(x->launching_text, sizeof(x->launching_text), "cannot %s: %s", e.stage, strerror(-x->launching));
	mend = clone_mend(x->launching);
	if (x->launching == -EINVAL && e.what == LAUNCH_FAILED)
		mend = "mount --bind / /, before: this root directory is no mount point";
	tell(x, STATE_MISSING, mend, "%s", x->launching_text);
}
