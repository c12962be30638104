/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/supervisor.h"

#include "launch/pidfd.h"
#include "launch/reap.h"
#include "launch/spawn.h"
#include "launch/unshare.h"
#include "launch/wire.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

struct state {
	struct supervisor *s;
	int sigchld; /* signalfd, or -errno */
	int pidfd; /* of the command */
	pid_t pid; /* of the command; 0: it is not there */
	int timer; /* timerfd of the time limit, or -1 */
	bool timed_out;
	bool modes; /* the terminal's modes are to be restored */
	int kept; /* pipe: what the command says of the persistent namespaces; -1: none was made */
};

/* Closes all but @keep, so that no pipe's reader waits for a supervisor. */
static void close_others(int *keep, size_t n)
{
	unsigned int from = 0;
	size_t i, least;

	while (n) {
		for (least = 0, i = 1; i < n; i++) {
			if (keep[i] < keep[least])
				least = i;
		}
		if (keep[least] >= 0) {
			if ((unsigned int)keep[least] > from)
				close_range(from, (unsigned int)keep[least] - 1, 0);
			from = (unsigned int)keep[least] + 1;
		}
		keep[least] = keep[--n];
	}
	close_range(from, ~0U, 0);
}

/* As unshare(1) runs, but that nsscope tells what went wrong. */
static _Noreturn void in_place_main(struct supervisor *s)
{
	struct wire w = { .kind = WIRE_EVENT };
	struct unshare_end end;

	signal(SIGCHLD, s->context.ignore_sigchld ? SIG_IGN : SIG_DFL);
	sigprocmask(SIG_SETMASK, &s->context.mask, NULL);
	unshare_run(s->settings, &end);
	if (end.what == UNSHARE_ENDED) {
		if (WIFSIGNALED(end.status))
			unshare_die_of(WTERMSIG(end.status));
		_exit(WEXITSTATUS(end.status));
	}
	w.event = end.failure;
	wire_send(s->sock, &w, -1);
	_exit(unshare_status(&end.failure));
}

/*
 * The parent-death signal is a second belt, for the case that the supervisor is killed. It is not
 * sent if the parent has ended already, and in a new PID namespace getppid(2) cannot tell.
 */
static _Noreturn void command_main(struct supervisor *s, int parent)
{
	struct wire w = { .kind = WIRE_EVENT };
	ssize_t n;
	char go;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || pidfd_wait(parent, 0))
		_exit(125);
	do
		n = read(s->gate, &go, 1);
	while (n < 0 && errno == EINTR);
	s->state.parent = parent;
	if (n == 1 && s->settings->in_place)
		in_place_main(s);
	if (n == 1) {
		steps_run(&s->plan, PLAN_INSIDE, &s->context, &w.event);
		steps_forget(&s->context);
		wire_send(s->sock, &w, -1);
	}
	_exit(125);
}

/* Only if there is something to keep. */
static int open_kept(struct state *st)
{
	struct supervisor *s = st->s;
	int pair[2];

	s->context.keep = -1;
	if (!s->plan.persists)
		return 0;
	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	st->kept = pair[0];
	s->context.keep = pair[1];
	return 0;
}

/* The command has ended: unless it had been executed, the namespaces are not to stay. */
static void undo_persistent(struct state *st)
{
	char said[2];

	if (st->kept < 0)
		return;
	if (read(st->kept, said, sizeof(said)) != 1 || said[0] != 'k')
		steps_undo(&st->s->context);
	close(st->kept);
	st->kept = -1;
}

static int clone_command(struct state *st)
{
	struct supervisor *s = st->s;
	_close_ int self = pidfd_of(getpid());
	pid_t pid;
	int ret;

	if (self < 0)
		return -errno;
	if (st->sigchld < 0)
		return st->sigchld;
	ret = open_kept(st);
	if (ret < 0)
		return ret;
	if (s->time_limit && st->timer < 0)
		return -EMFILE;
	pid = spawn_clone(s->plan.namespaces, &st->pidfd);
	if (pid == 0)
		command_main(s, self);
	if (pid < 0)
		return pid;
	st->pid = pid;
	return 0;
}

/* The steps outside come before the answer: nsscope may release the command upon it. */
static void serve_clone(struct state *st)
{
	struct supervisor *s = st->s;
	struct wire answer = { .kind = WIRE_CLONED };
	struct wire failed = { .kind = WIRE_EVENT };
	int ret = 0;

	answer.error = -clone_command(st);
	answer.pid = st->pid;
	if (!answer.error) {
		s->context.pidfd = st->pidfd;
		s->context.pid = st->pid;
		ret = steps_run(&s->plan, PLAN_OUTSIDE, &s->context, &failed.event);
	}
	/* Before the answer, upon which nsscope releases the command. */
	if (ret)
		pidfd_signal(st->pidfd, SIGKILL);
	close_others((int[]){ s->sock, s->nsscope, s->terminal.fd, st->sigchld, st->pidfd, st->kept, st->timer,
			      s->state.cgroup.parent, s->state.cgroup.dir },
		     9);
	wire_send(s->sock, &answer, st->pidfd);
	if (ret)
		wire_send(s->sock, &failed, -1);
}

static void tell_status(struct state *st, int status)
{
	struct wire w = { .kind = WIRE_EVENT, .event.status = status };

	if (WIFSTOPPED(status)) {
		w.event.what = LAUNCH_STOPPED;
	} else if (WIFCONTINUED(status)) {
		w.event.what = LAUNCH_CONTINUED;
	} else {
		w.event.what = LAUNCH_EXITED;
		w.event.timed_out = st->timed_out;
		st->pid = 0;
		undo_persistent(st);
		st->modes = WIFSIGNALED(status);
	}
	wire_send(st->s->sock, &w, -1);
}

/* Orphans of the command are reaped in silence. */
static void reap(struct state *st)
{
	struct signalfd_siginfo drained;
	int status;
	pid_t pid;

	if (read(st->sigchld, &drained, sizeof(drained)) < 0 && errno != EAGAIN)
		return;
	while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED | __WALL)) > 0) {
		if (pid == st->pid)
			tell_status(st, status);
	}
}

static void start_timer(const struct state *st)
{
	const struct itimerspec limit = { .it_value.tv_sec = st->s->time_limit };

	if (st->timer >= 0)
		timerfd_settime(st->timer, 0, &limit, NULL);
}

/* The command here, that its status is told; what it leaves in finish(). */
static void time_out(struct state *st)
{
	close(st->timer);
	st->timer = -1;
	if (!st->pid)
		return;
	st->timed_out = true;
	pidfd_signal(st->pidfd, SIGKILL);
}

/* nsscope is gone, or wants an end. */
static _Noreturn void finish(struct state *st)
{
	if (st->pid) {
		st->modes = true;
		pidfd_signal(st->pidfd, SIGKILL);
		reap_kill_all();
		undo_persistent(st);
	} else if (st->timed_out) {
		reap_kill_all();
	}
	cgroup_end(&st->s->state.cgroup);
	terminal_restore(&st->s->terminal, st->modes);
	_exit(0);
}

static int open_sigchld(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

_Noreturn void supervisor_run(struct supervisor *s)
{
	struct state st = { .s = s, .sigchld = open_sigchld(), .pidfd = -1, .timer = -1, .kept = -1 };
	struct pollfd on[] = {
		{ .fd = s->sock, .events = POLLIN },
		{ .fd = s->nsscope, .events = POLLIN },
		{ .fd = st.sigchld, .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	struct wire w;
	int ret;

	rootfs_init(&s->state.root);
	s->state.cgroup.parent = s->state.cgroup.dir = -1;
	s->context.state = &s->state;
	if (s->time_limit)
		st.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGCHLD, SIG_DFL); /* ignored, it would leave nothing to wait for */
	for (;;) {
		on[3].fd = st.timer;
		if (poll(on, ARRAY_SIZE(on), -1) < 0) {
			if (errno == EINTR || errno == ENOMEM)
				continue;
			finish(&st);
		}
		if (on[2].revents)
			reap(&st);
		if (on[1].revents)
			finish(&st);
		if (on[3].revents)
			time_out(&st);
		if (on[0].revents) {
			ret = wire_recv(s->sock, MSG_DONTWAIT, &w, NULL);
			if (ret == -EPIPE)
				finish(&st);
			if (ret == 0 && w.kind == WIRE_CLONE)
				serve_clone(&st);
			if (ret == 0 && w.kind == WIRE_RELEASED)
				start_timer(&st);
		}
	}
}
