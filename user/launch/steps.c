/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/steps.h"

#include "launch/acts.h"
#include "launch/hint.h"
#include "launch/persist.h"
#include "launch/proc.h"
#include "launch/wire.h"
#include "util/cleanup.h"

#include <errno.h>
#include <string.h>
#include <sys/mount.h>

static int step_setgroups(struct steps_context *c, const char *arg)
{
	_close_ int proc = proc_open(c->pidfd);

	return proc < 0 ? proc : idmap_setgroups(proc, arg);
}

static int write_map(struct steps_context *c, enum idmap_kind kind)
{
	_close_ int proc = proc_open(c->pidfd);

	if (proc < 0)
		return proc;
	return idmap_write_outside(proc, c->pid, kind, &c->maps.of[kind], &c->exec_error);
}

static int step_users(struct steps_context *c, const char *arg)
{
	(void)arg;
	return write_map(c, IDMAP_USERS);
}

static int step_groups(struct steps_context *c, const char *arg)
{
	(void)arg;
	return write_map(c, IDMAP_GROUPS);
}

/* Bound in the order of the list: each step is of the next. */
static enum nss_ns next_bound(const struct steps_context *c)
{
	enum nss_ns ns = 0;

	while (!c->settings->persist[ns] || (c->bound >> ns & 1))
		ns++;
	return ns;
}

static int step_persist(struct steps_context *c, const char *arg)
{
	_close_ int proc = proc_open(c->pidfd);
	enum nss_ns ns = next_bound(c);
	int ret = proc < 0 ? proc : persist_bind(proc, ns, arg);

	if (!ret)
		c->bound |= 1ULL << ns;
	return ret;
}

void steps_undo(struct steps_context *c)
{
	unsigned int ns;

	for (ns = 0; ns < NSS_NS_MAX; ns++) {
		if (c->bound >> ns & 1)
			persist_undo(c->settings->persist[ns]);
	}
	c->bound = 0;
}

static int step_keep(struct steps_context *c, const char *arg)
{
	(void)arg;
	return write(c->keep, "k", 1) == 1 ? 0 : -errno;
}

void steps_forget(const struct steps_context *c)
{
	if (c->keep >= 0 && write(c->keep, "f", 1) < 0)
		return;
}

static int step_private(struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ? -errno : 0;
}

static int step_chroot(struct steps_context *c, const char *arg)
{
	(void)c;
	return chroot(arg) < 0 ? -errno : 0;
}

static int step_chdir(struct steps_context *c, const char *arg)
{
	(void)c;
	return chdir(arg) < 0 ? -errno : 0;
}

static int step_mount_proc(struct steps_context *c, const char *arg)
{
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;

	(void)c;
	return mount("proc", arg, "proc", flags, NULL) < 0 ? -errno : 0;
}

static uint32_t own_inum(int proc, const char *name)
{
	char path[64], link[64];
	const char *bracket;
	ssize_t n;

	snprintf(path, sizeof(path), "self/ns/%s", name);
	n = readlinkat(proc, path, link, sizeof(link) - 1);
	if (n < 0)
		return 0;
	link[n] = '\0';
	bracket = strchr(link, '[');
	return bracket ? (uint32_t)strtoul(bracket + 1, NULL, 10) : 0;
}

/*
 * What can change the command's PIDs, namespaces and cgroup stands before this step. It names its namespaces itself:
 * after a change of credentials nsscope need not have the right to look (ptrace(2), "Ptrace access mode checking").
 */
static int step_ready(struct steps_context *c, const char *arg)
{
	static const char *const names[NSS_NS_MAX] = {
#define NAMESPACE(ID, name, flag, what) [NSS_NS_##ID] = #name,
#include "abi/namespaces.def"
#undef NAMESPACE
	};
	struct wire w = { .kind = WIRE_EVENT, .event.what = LAUNCH_READY };
	ssize_t n;
	size_t i;
	char go;
	int ret;

	(void)arg;
	for (i = 0; i < NSS_NS_MAX; i++)
		w.event.ns[i] = own_inum(c->proc, names[i]);
	ret = wire_send(c->sock, &w, -1);
	if (ret < 0)
		return ret;
	do
		n = read(c->gate, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		_exit(125); /* nsscope has changed its mind, or is gone */
	return n < 0 ? -errno : 0;
}

/* exec(2) resets what is caught; what is ignored was inherited, but for SIGCHLD. */
static int step_signals(struct steps_context *c, const char *arg)
{
	(void)arg;
	if (c->ignore_sigchld && signal(SIGCHLD, SIG_IGN) == SIG_ERR)
		return -errno;
	return sigprocmask(SIG_SETMASK, &c->mask, NULL) < 0 ? -errno : 0;
}

static int step_exec(struct steps_context *c, const char *arg)
{
	(void)arg;
	execvp(c->settings->argv[0], c->settings->argv);
	return -errno;
}

static int step_exec_shell(struct steps_context *c, const char *arg)
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

static step_fn *const acts[PLAN_ACTS] = {
#define STEP(id, name, where, words) [PLAN_##id] = step_##name,
#include "launch/steps.def"
#undef STEP
};

int steps_run(const struct plan *p, enum plan_where where, struct steps_context *c,
	      struct launch_event *failed)
{
	const struct plan_step *s;
	char detail[STEPS_DETAIL];
	int ret;

	for (s = p->steps; s < p->steps + p->n; s++) {
		if (plan_where(s->act) != where)
			continue;
		detail[0] = '\0';
		c->step = s;
		c->detail = detail;
		ret = acts[s->act](c, s->arg);
		if (ret) {
			*failed = (struct launch_event){
				.what = LAUNCH_FAILED,
				.error = ret < 0 ? -ret : c->exec_error,
				.act = s->act,
				.helper = ret > 0 ? ret : 0,
				.is_exec = plan_is_exec(s->act),
			};
			if (detail[0])
				memcpy(failed->stage, detail, sizeof(detail));
			else
				plan_describe(s, failed->stage, sizeof(failed->stage));
			hint_plan(p, s, s->act == PLAN_PERSIST ? next_bound(c) : NSS_NS_MAX, failed->error, failed->hint,
				  sizeof(failed->hint));
			return ret;
		}
	}
	return 0;
}
