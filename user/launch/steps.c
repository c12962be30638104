/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/steps.h"

#include "launch/idmap.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static int step_map_root(const struct steps_context *c, const char *arg)
{
	(void)arg;
	return idmap_root(c->pidfd);
}

static int step_private(const struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

static int step_chroot(const struct steps_context *c, const char *arg)
{
	(void)c;
	return chroot(arg) < 0 ? -errno : 0;
}

static int step_chdir(const struct steps_context *c, const char *arg)
{
	(void)c;
	return chdir(arg) < 0 ? -errno : 0;
}

static int step_mount_proc(const struct steps_context *c, const char *arg)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	(void)c;
	return mount("proc", arg, "proc", flags, NULL) < 0 ? -errno : 0;
}

/* exec(2) resets what is caught; what is ignored was inherited, but for SIGCHLD. */
static int step_signals(const struct steps_context *c, const char *arg)
{
	(void)arg;
	if (c->ignore_sigchld && signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return -errno;
	return sigprocmask(SIG_SETMASK, &c->mask, NULL) < 0 ? -errno : 0;
}

static int step_exec(const struct steps_context *c, const char *arg)
{
	(void)arg;
	execvp(c->argv[0], c->argv);
	return -errno;
}

static int step_exec_shell(const struct steps_context *c, const char *arg)
{
	const char *base = strrchr(arg, '/');
	_free_ char *name = NULL;

	(void)c;
	if (asprintf(&name, "-%s", base ? base + 1 : arg) < 0) {
		name = NULL;
		return -ENOMEM;
	}
	execl(arg, name, (char *)NULL);
	return -errno;
}

typedef int step_fn(const struct steps_context *c, const char *arg);

static step_fn *const acts[PLAN_ACTS] = {
#define STEP(id, name, where, words) [PLAN_##id] = step_##name,
#include "launch/steps.def"
#undef STEP
};

int steps_run(const struct plan *p, enum plan_where where, const struct steps_context *c,
	      struct launch_event *failed)
{
	const struct plan_step *s;
	int ret;

	for (s = p->steps; s < p->steps + p->n; s++) {
		if (plan_where(s->act) != where)
			continue;
		ret = acts[s->act](c, s->arg);
		if (ret < 0) {
			*failed = (struct launch_event){
				.what = LAUNCH_FAILED,
				.error = -ret,
				.is_exec = plan_is_exec(s->act),
			};
			plan_describe(s, failed->stage, sizeof(failed->stage));
			return ret;
		}
	}
	return 0;
}
