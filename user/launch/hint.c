/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/hint.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launch/persist.h"
#include "util/cleanup.h"

/* The steps of both plans, and what is none, in one row of numbers; 0 ends a list of them. */
#define RUN(act) (1 + PLAN_##act)
#define IN_PLACE(act) (1 + PLAN_ACTS + UNSHARE_##act)
#define MAKE (1 + PLAN_ACTS + UNSHARE_ACTS)
#define ANY_STEP (MAKE + 1)

#define MAPS RUN(USERS), RUN(GROUPS), IN_PLACE(USERS), IN_PLACE(GROUPS), IN_PLACE(OUTSIDE_USERS), IN_PLACE(OUTSIDE_GROUPS)
#define PROCS RUN(PROC), RUN(MOUNT_PROC), IN_PLACE(MOUNT_PROC)
#define TARGETS RUN(PROC), RUN(SYS), RUN(DEV), RUN(BIND), RUN(BIND_RO), RUN(TMPFS)

/* What failed. */
struct failed {
	int step; /* 0: none of the plan */
	int error;
	uint64_t namespaces; /* CLONE_NEW* flags of the launch */
	enum nss_ns bound; /* the namespace that was to be persistent; NSS_NS_MAX: it was something else */
};

typedef bool condition_fn(const struct failed *f);

static bool always(const struct failed *f)
{
	(void)f;
	return true;
}

static bool with_user_ns(const struct failed *f)
{
	return f->namespaces & CLONE_NEWUSER;
}

static bool without_user_ns(const struct failed *f)
{
	return !with_user_ns(f);
}

/* Nobody else may mount what a user namespace forbids. */
static bool without_rights(const struct failed *f)
{
	return !with_user_ns(f) && geteuid() != 0;
}

static bool without_pid_ns(const struct failed *f)
{
	return with_user_ns(f) && !(f->namespaces & CLONE_NEWPID);
}

static bool for_pid_ns(const struct failed *f)
{
	return f->bound == NSS_NS_PID || f->bound == NSS_NS_PID_FOR_CHILDREN;
}

static bool for_mnt_ns(const struct failed *f)
{
	return f->bound == NSS_NS_MNT;
}

/* The first character of a sysctl; 0: there is none. */
static char sysctl_char(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 ? c : 0;
}

static bool sysctl_forbids(const struct failed *f)
{
	return with_user_ns(f) && sysctl_char("/proc/sys/kernel/unprivileged_userns_clone") == '0';
}

/* It allows them, but takes the capabilities that they give: so later steps fail. */
static bool apparmor_restricts(const struct failed *f)
{
	return with_user_ns(f) && sysctl_char("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1';
}

#define LIST(...) { __VA_ARGS__ }
static const struct {
	int steps[8], errors[4];
	condition_fn *condition;
	const char *hint;
} hints[] = {
#define HINT(steps, errors, condition, hint) { LIST steps, LIST errors, condition, hint },
#include "launch/hints.def"
#undef HINT
};

#define HINT(steps, errors, condition, text) \
	_Static_assert(sizeof(text) <= sizeof(((struct launch_event *)NULL)->hint), "it would be cut");
#include "launch/hints.def"
#undef HINT

static bool has(const int *list, size_t max, int value)
{
	for (size_t i = 0; i < max && list[i]; i++)
		if (list[i] == value)
			return true;
	return false;
}

static void find(const struct failed *f, char *hint, size_t size)
{
	char names[96];

	*hint = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		const char *text = hints[i].hint;

		if ((hints[i].steps[0] != ANY_STEP && !has(hints[i].steps, ARRAY_SIZE(hints[i].steps), f->step)) ||
		    !has(hints[i].errors, ARRAY_SIZE(hints[i].errors), f->error) || !hints[i].condition(f))
			continue;
		persist_names(f->namespaces, names, sizeof(names));
		if (text[strlen(text) - 1] == ':')
			snprintf(hint, size, "%s %s", text, names);
		else
			snprintf(hint, size, "%s", text);
		return;
	}
}

void hint_unshare(const struct unshare_plan *p, const struct unshare_step *step, int error, char *hint, size_t size)
{
	bool makes = step->act == UNSHARE_UNSHARE, binds = step->act == UNSHARE_BIND;
	const struct failed f = {
		.step = makes ? MAKE : 1 + PLAN_ACTS + (int)step->act,
		.error = error,
		.namespaces = p->namespaces,
		.bound = binds ? (enum nss_ns)step->number : NSS_NS_MAX,
	};

	find(&f, hint, size);
}

void hint_plan(const struct plan *p, const struct plan_step *step, enum nss_ns bound, int error, char *hint, size_t size)
{
	const struct failed f = { 1 + (int)step->act, error, p->namespaces, bound };

	find(&f, hint, size);
}

void hint_namespaces(uint64_t flags, int error, char *hint, size_t size)
{
	const struct failed f = { MAKE, error, flags, NSS_NS_MAX };

	find(&f, hint, size);
}

void hint_other(int error, char *hint, size_t size)
{
	const struct failed f = { .error = error, .bound = NSS_NS_MAX };

	find(&f, hint, size);
}
