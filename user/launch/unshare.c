/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/unshare.h"

#include <errno.h>
#include <paths.h>
#include <pwd.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "launch/deliver.h"
#include "launch/hint.h"
#include "launch/outsider.h"
#include "launch/pidfd.h"
#include "launch/proc.h"
#include "launch/signals.h"
#include "launch/spawn.h"
#include "launch/unshare_acts.h"
#include "util/cleanup.h"

/* The job with what only the flow needs. */
struct flow {
	struct unshare_job job;
	struct deliver child; /* pid 0: not forked, or this is it */
	bool is_child;
	int gate; /* the child's end */
	int signals; /* signalfd of the parent */
};

/* As whom the shell runs decides whose it is; passwd is read here, not in the new root, where it is the sandbox's. */
const char *unshare_shell(const struct launch_settings *s)
{
	const char *shell = s->in_place->clear_env || s->in_place->nkept_env ? NULL : getenv("SHELL");
	const struct idmap_request *users = &s->maps.of[IDMAP_USERS];
	const struct passwd *pw;
	uid_t uid = getuid();

	if (shell && *shell)
		return shell;
	if (s->in_place->has_uid)
		uid = s->in_place->uid;
	else if (users->one)
		uid = users->one_inner;
	pw = getpwuid(uid);
	return pw && pw->pw_shell && *pw->pw_shell ? pw->pw_shell : _PATH_BSHELL;
}

int unshare_status(const struct launch_event *failure)
{
	if (failure->helper)
		return failure->helper;
	if (failure->is_exec)
		return failure->error == ENOENT ? 127 : 126;
	return 1;
}

_Noreturn void unshare_die_of(int sig)
{
	sigset_t set;

	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	kill(getpid(), sig);
	_exit(128 + sig);
}

static void fail(struct unshare_end *end, const struct unshare_job *j, const struct unshare_step *step, int ret)
{
	struct launch_event *f = &end->failure;

	*end = (struct unshare_end){ .what = UNSHARE_FAILED };
	f->what = LAUNCH_FAILED;
	f->error = ret < 0 ? -ret : j->exec_error;
	f->helper = ret > 0 ? ret : 0;
	f->is_exec = step && (step->act == UNSHARE_EXEC || step->act == UNSHARE_EXEC_SHELL);
	if (step) {
		unshare_describe(step, f->stage, sizeof(f->stage));
		hint_unshare(&j->plan, step, f->error, f->hint, sizeof(f->hint));
	}
}

/* @hint: NULL for what is known of the error. */
static void fail_at(struct unshare_end *end, const char *stage, int error, const char *hint)
{
	struct launch_event *f = &end->failure;

	*end = (struct unshare_end){ .what = UNSHARE_FAILED };
	*f = (struct launch_event){ .what = LAUNCH_FAILED, .error = error };
	snprintf(f->stage, sizeof(f->stage), "%s", stage);
	if (hint)
		snprintf(f->hint, sizeof(f->hint), "%s", hint);
	else
		hint_other(error, f->hint, sizeof(f->hint));
}

static int act_outside(void *arg, int request, int *ret_exec_error)
{
	struct unshare_job *j = arg;
	int ret = unshare_do(j, &j->plan.steps[request]);

	*ret_exec_error = j->exec_error;
	return ret;
}

static void undo_outside(void *arg)
{
	unshare_unbind(arg);
}

/*
 * Blocks all signals for both, so that none is lost: the parent takes them from the signalfd, the child gets those that
 * came before exec when it restores its mask.
 */
static int prepare_fork(struct flow *f)
{
	sigset_t all;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	f->child.gate = pair[0];
	f->gate = pair[1];
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &f->job.mask) < 0)
		return -errno;
	f->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (f->signals < 0)
		return -errno;
	f->child.mask = f->job.mask;
	f->child.in_pid_ns = f->job.plan.namespaces & CLONE_NEWPID;
	f->child.orphaned = signals_group_is_orphaned();
	f->job.parent = pidfd_of(getpid());
	return f->job.parent < 0 ? -errno : 0;
}

/* In the child: waits until all is done that must be there before it. */
static int await_release(struct flow *f)
{
	ssize_t n;
	char go;

	close(f->child.gate);
	f->child.gate = -1;
	do
		n = read(f->gate, &go, 1);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		_exit(1); /* the parent has told why */
	return n < 0 ? -errno : 0;
}

static int fork_child(struct flow *f)
{
	int ret = prepare_fork(f);
	pid_t pid;

	if (ret < 0)
		return ret;
	pid = spawn_clone(0, &f->child.pidfd);
	if (pid < 0)
		return pid;
	if (pid == 0) {
		f->is_child = true;
		return await_release(f);
	}
	close(f->gate);
	f->gate = -1;
	f->child.pid = pid;
	f->child.proc = proc_open(f->child.pidfd); /* now: the child may mount another proc where we see it */
	return 0;
}

/* To be told of no more. */
static void abandon(struct flow *f)
{
	if (!f->child.pid)
		return;
	pidfd_signal(f->child.pidfd, SIGKILL);
	while (waitpid(f->child.pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/*
 * INT and TERM are for the child alone, as unshare(1) has it, unless they are to be forwarded. All others would end this
 * process and leave the child to its own devices, so the child gets them.
 */
static void take_signals(struct flow *f)
{
	struct signalfd_siginfo info;
	struct sigaction a;

	while (read(f->signals, &info, sizeof(info)) == sizeof(info)) {
		int sig = (int)info.ssi_signo;

		if (sig == SIGCHLD ||
		    ((sig == SIGINT || sig == SIGTERM) && !f->job.settings->in_place->forward_signals))
			continue;
		if (sigaction(sig, NULL, &a) == 0 && a.sa_handler == SIG_IGN)
			continue;
		deliver_signal(&f->child, sig, launch_signal_from_terminal(&info));
	}
}

/* 1: the child has ended; 0: it has not, or -errno. A stop of it stops this process, for the shell to see. */
static int look_at_child(struct flow *f, int *ret_status)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(f->child.pid, &status, WNOHANG | WUNTRACED)) > 0) {
		if (!WIFSTOPPED(status)) {
			*ret_status = deliver_status(&f->child, status);
			return 1;
		}
		if (deliver_stop_self(&f->child) > 0)
			pidfd_signal(f->child.pidfd, SIGCONT);
	}
	return pid < 0 ? -errno : 0;
}

static void supervise(struct flow *f, struct unshare_end *ret_end)
{
	struct pollfd p = { .fd = f->signals, .events = POLLIN };
	const char *stage = "learn of the command's end";
	int status = 0, ret = 0;
	ssize_t n;

	/* Or the outsider would wait for our end of its socket. */
	if (f->job.outsider >= 0)
		close(TAKE_FD(f->job.outsider));
	do
		n = send(f->child.gate, "", 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* Killed while it was held: what becomes of it is seen below. */
	if (n < 0 && errno != EPIPE) {
		ret = -errno;
		stage = "let the command go";
	}
	while (!ret && (ret = look_at_child(f, &status)) == 0) {
		poll(&p, 1, -1);
		take_signals(f);
	}
	if (ret < 0) {
		fail_at(ret_end, stage, -ret, NULL);
		abandon(f);
		return;
	}
	*ret_end = (struct unshare_end){ .what = UNSHARE_ENDED, .status = status };
}

/* One step, wherever it is done. */
static int do_step(struct flow *f, size_t i)
{
	struct unshare_step *step = &f->job.plan.steps[i];
	struct outsider_answer answer;
	int ret;

	if (step->act == UNSHARE_FORK)
		return fork_child(f);
	if (!unshare_is_outside(step->act))
		return unshare_do(&f->job, step);
	ret = outsider_ask(f->job.outsider, (int)i, &answer);
	if (ret < 0)
		return ret;
	f->job.exec_error = answer.exec_error;
	return answer.ret;
}

/*
 * The parent does, after the fork, what must be there before the child goes on: the binds, which are all the steps
 * outside that come then. The child does the rest.
 */
static void run_steps(struct flow *f, struct unshare_end *ret_end)
{
	const struct unshare_plan *p = &f->job.plan;
	size_t i;
	int ret;

	for (i = 0; i < p->n; i++) {
		bool outside = unshare_is_outside(p->steps[i].act);

		if (f->child.pid && !outside) {
			supervise(f, ret_end);
			return;
		}
		if (f->is_child && outside)
			continue;
		ret = do_step(f, i);
		if (ret) {
			fail(ret_end, &f->job, &p->steps[i], ret);
			abandon(f);
			if (f->job.outsider >= 0)
				outsider_undo(f->job.outsider);
			return;
		}
	}
}

static int begin(struct flow *f, const struct launch_settings *s, struct unshare_end *ret_end)
{
	struct outsider_acts acts = { act_outside, undo_outside, &f->job };
	struct idmap_error error;
	const char *why;
	int ret = unshare_plan(s, s->argv ? NULL : unshare_shell(s), &f->job.plan, &why);

	if (ret < 0) {
		fail_at(ret_end, "", 0, why);
		return ret;
	}
	ret = idmap_load(&s->maps, &f->job.maps, &error);
	if (ret < 0) {
		fail_at(ret_end, "map the IDs", 0, error.text);
		return ret;
	}
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave nothing to wait for */
	if (!f->job.plan.outsider)
		return 0;
	f->job.self = pidfd_of(getpid());
	f->job.pid = getpid();
	ret = f->job.self < 0 ? -errno : outsider_start(&acts, f->job.self, &f->job.outsider);
	if (ret < 0)
		fail_at(ret_end, "start a process outside of the new namespaces", -ret, NULL);
	return ret;
}

void unshare_run(const struct launch_settings *s, struct unshare_end *ret_end)
{
	struct flow f = {
		.job = { .settings = s, .self = -1, .outsider = -1, .parent = -1 },
		.child = { .pidfd = -1, .proc = -1, .gate = -1 },
		.gate = -1,
		.signals = -1,
	};
	int *fds[] = { &f.job.self,   &f.job.outsider, &f.job.parent, &f.child.pidfd,
		       &f.child.proc, &f.child.gate,   &f.gate,       &f.signals };
	size_t i;

	if (begin(&f, s, ret_end) == 0)
		run_steps(&f, ret_end);
	for (i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(fds[i]);
}
