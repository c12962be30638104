/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/supervisor.h"

#include "launch/hint.h"
#include "launch/pidfd.h"
#include "launch/reap.h"
#include "launch/spawn.h"
#include "launch/tree.h"
#include "launch/unshare.h"
#include "launch/wire.h"
#include "util/cleanup.h"
#include "util/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

struct state {
	struct supervisor *s;
	struct launch_event broken; /* LAUNCH_FAILED: it could not become what it has to be */
	int sigchld; /* signalfd, or -1 */
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
			if (keep[least] > 0)
				close_fds(from, (unsigned int)keep[least] - 1);
			from = (unsigned int)keep[least] + 1;
		}
		keep[least] = keep[--n];
	}
	close_fds(from, ~0U);
}

/* What no step of the plan says. */
static struct launch_event failure(const char *stage, int error)
{
	struct launch_event e = { .what = LAUNCH_FAILED, .error = error, .act = -1 };

	snprintf(e.stage, sizeof(e.stage), "%s", stage);
	hint_other(error, e.hint, sizeof(e.hint));
	return e;
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
	wire_send(s->context.sock, &w, -1);
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

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) {
		w.event = failure("bind the command to its supervisor (prctl)", errno);
		wire_send(s->context.sock, &w, -1);
		_exit(125);
	}
	if (pidfd_wait(parent, 0))
		_exit(125);
	do
		n = read(s->context.gate, &go, 1);
	while (n < 0 && errno == EINTR);
	s->state.parent = parent;
	if (n == 1 && s->settings->in_place)
		in_place_main(s);
	if (n < 0) {
		w.event = failure("wait to be let go", errno);
		wire_send(s->context.sock, &w, -1);
	} else if (n == 1) {
		steps_run(&s->plan, PLAN_INSIDE, &s->context, &w.event);
		steps_forget(&s->context);
		wire_send(s->context.sock, &w, -1);
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

static _Noreturn void enter_main(struct supervisor *s, int parent, int join)
{
	struct wire w = { .kind = WIRE_EVENT };

	s->context.join = join;
	if (steps_run(&s->plan, PLAN_ENTERING, &s->context, &w.event) < 0) {
		wire_send(join, &w, -1);
		_exit(125);
	}
	/* The sibling has been told of by the one that made it. */
	if (!plan_forks(&s->plan)) {
		w.kind = WIRE_CLONED;
		wire_send(join, &w, -1);
	}
	close(join);
	command_main(s, parent);
}

/*
 * Waits until the namespaces have been entered, maybe by another process than the first: then that is the command. If
 * that cannot be learnt, nobody knows which it is: then there is none to be let go, and it ends with the supervisor.
 */
static void await_entered(struct state *st, int join, struct launch_event *failed)
{
	struct wire w;
	int pidfd = -1, ret = wire_recv(join, 0, &w, &pidfd);

	if (ret < 0) {
		*failed = failure("learn that the namespaces have been entered", -ret);
		pidfd_signal(st->pidfd, SIGKILL);
		st->pid = 0;
	} else if (w.kind == WIRE_EVENT) {
		*failed = w.event;
	} else if (pidfd >= 0) {
		close(st->pidfd);
		st->pidfd = pidfd;
		st->pid = w.pid;
	}
}

/*
 * -errno: the clone failed. Else it is there, or *failed says why it is not, or why it could not enter the namespaces.
 */
static int clone_command(struct state *st, struct launch_event *failed)
{
	struct supervisor *s = st->s;
	bool enters = plan_has(&s->plan, PLAN_ENTERING);
	_close_ int self = pidfd_of(getpid()), ours = -1;
	int pair[2];
	pid_t pid;
	int ret;

	if (st->broken.what == LAUNCH_FAILED || self < 0) {
		*failed = self < 0 ? failure("open the supervisor (pidfd_open)", errno) : st->broken;
		return 0;
	}
	if (enters && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ret = open_kept(st);
	if (ret < 0)
		return ret;
	if (s->time_limit && st->timer < 0)
		return -EMFILE;
	pid = spawn_clone(s->plan.namespaces, &st->pidfd);
	if (pid == 0) {
		if (!enters)
			command_main(s, self);
		close(pair[0]);
		enter_main(s, self, pair[1]);
	}
	if (enters) {
		ours = pair[0];
		close(pair[1]);
	}
	if (pid < 0)
		return pid;
	st->pid = pid;
	if (enters)
		await_entered(st, ours, failed);
	return 0;
}

/* nsscope is gone, or wants an end. */
static _Noreturn void finish(struct state *st)
{
	if (st->pid) {
		st->modes = true;
		/* Only we reap it, so the PID is surely still its. */
		if (plan_has(&st->s->plan, PLAN_ENTERING))
			tree_kill(st->pid);
		else
			pidfd_signal(st->pidfd, SIGKILL);
		reap_kill_all();
		undo_persistent(st);
	}
	cgroup_end(&st->s->state.cgroup);
	terminal_restore(&st->s->terminal, st->modes);
	_exit(0);
}

/* What nsscope cannot be told, it would wait for: it learns of the end of the supervisor instead. */
static void tell(struct state *st, const struct wire *w, int fd)
{
	if (wire_send(st->s->context.sock, w, fd) < 0)
		finish(st);
}

/* The steps outside come before the answer: nsscope may release the command upon it. */
static void serve_clone(struct state *st)
{
	struct supervisor *s = st->s;
	struct wire answer = { .kind = WIRE_CLONED };
	struct wire failed = { .kind = WIRE_EVENT };

	answer.error = -clone_command(st, &failed.event);
	answer.pid = st->pid;
	if (!answer.error && failed.event.what != LAUNCH_FAILED) {
		s->context.pidfd = st->pidfd;
		s->context.pid = st->pid;
		steps_run(&s->plan, PLAN_OUTSIDE, &s->context, &failed.event);
	}
	/* Before the answer, upon which nsscope releases the command. */
	if (failed.event.what == LAUNCH_FAILED && st->pid)
		pidfd_signal(st->pidfd, SIGKILL);
	close_others((int[]){ s->context.sock, s->nsscope, s->terminal.fd, st->sigchld, st->pidfd, st->kept, st->timer,
			      s->state.cgroup.parent, s->state.cgroup.dir },
		     9);
	tell(st, &answer, st->pidfd);
	if (failed.event.what == LAUNCH_FAILED)
		tell(st, &failed, -1);
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
		/* The sandbox ends with its command; elsewhere orphans stay, as unshare(1) and nsenter(1) have it. */
		if (!st->s->settings->in_place && !st->s->settings->enter && !st->s->settings->plain)
			reap_kill_all();
		undo_persistent(st);
		st->modes = WIFSIGNALED(status);
	}
	tell(st, &w, -1);
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
	if (pid < 0 && errno != ECHILD)
		finish(st); /* or an end would be missed */
}

static void start_timer(const struct state *st)
{
	const struct itimerspec limit = { .it_value.tv_sec = st->s->time_limit };

	if (st->timer >= 0)
		timerfd_settime(st->timer, 0, &limit, NULL);
}

/* The command here, that its status is told; what it leaves then. */
static void time_out(struct state *st)
{
	close(st->timer);
	st->timer = -1;
	if (!st->pid)
		return;
	st->timed_out = true;
	pidfd_signal(st->pidfd, SIGKILL);
}

static void become_supervisor(struct state *st)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	st->sigchld = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (st->sigchld < 0)
		st->broken = failure("learn of the command's end (signalfd)", errno);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		st->broken = failure("become the reaper of what the command leaves (prctl)", errno);
	if (signal(SIGCHLD, SIG_DFL) == SIG_ERR) /* ignored, it would leave nothing to wait for */
		st->broken = failure("learn of the command's end (sigaction)", errno);
}

_Noreturn void supervisor_run(struct supervisor *s)
{
	struct state st = { .s = s, .sigchld = -1, .pidfd = -1, .timer = -1, .kept = -1 };
	struct pollfd on[] = {
		{ .fd = s->context.sock, .events = POLLIN },
		{ .fd = s->nsscope, .events = POLLIN },
		{ .events = POLLIN },
		{ .fd = -1, .events = POLLIN },
	};
	struct wire w;
	int ret;

	rootfs_init(&s->state.root);
	s->state.cgroup.parent = s->state.cgroup.dir = -1;
	s->context.state = &s->state;
	if (s->time_limit)
		st.timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	become_supervisor(&st);
	on[2].fd = st.sigchld;
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
			ret = wire_recv(s->context.sock, MSG_DONTWAIT, &w, NULL);
			if (ret == -EPIPE)
				finish(&st);
			if (ret == 0 && w.kind == WIRE_CLONE)
				serve_clone(&st);
			if (ret == 0 && w.kind == WIRE_RELEASED)
				start_timer(&st);
		}
	}
}
