/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/launch.h"

#include "launch/cgroup.h"
#include "launch/deliver.h"
#include "launch/pidfd.h"
#include "launch/proc.h"
#include "launch/reap.h"
#include "launch/signals.h"
#include "launch/supervisor.h"
#include "launch/wire.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <paths.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

struct launch {
	pid_t supervisor;
	struct deliver to; /* the command; pid 0: it is not there; pidfd is our own: the supervisor may be killed */
	int sock; /* to the supervisor: struct wire */
	bool has_cgroup; /* of its own */
	bool is_over; /* the last event is known */
	bool keeps_modes; /* what the command did to the terminal's modes stands */
	struct launch_event failure; /* of the setup, kept until the command has ended */
	struct terminal terminal;
};

static void launch_free(struct launch *l)
{
	int fds[] = { l->to.pidfd, l->to.proc, l->to.gate, l->sock, l->terminal.fd };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(&fds[i]);
	free(l);
}

static void cleanup_launch(struct launch **l)
{
	if (*l)
		launch_free(*l);
}

const char *launch_shell(void)
{
	const char *shell = getenv("SHELL");
	const struct passwd *pw;

	if (shell && *shell)
		return shell;
	pw = getpwuid(getuid());
	return pw && pw->pw_shell && *pw->pw_shell ? pw->pw_shell : _PATH_BSHELL;
}

static int socket_pair(int type, int *ret_ours, int *ret_theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

static int fork_supervisor(struct launch *l, struct supervisor *s)
{
	struct sigaction sigchld;
	sigset_t all;
	pid_t pid;
	int error;

	if (sigaction(SIGCHLD, NULL, &sigchld) < 0)
		return -errno;
	s->context.ignore_sigchld = sigchld.sa_handler == SIG_IGN;
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &l->to.mask) < 0)
		return -errno;
	s->context.mask = l->to.mask;
	pid = fork();
	if (pid == 0) {
		/* Or they would be open here when nsscope closes them. */
		close(l->sock);
		close(l->to.gate);
		supervisor_run(s);
	}
	error = errno;
	sigprocmask(SIG_SETMASK, &l->to.mask, NULL);
	if (pid < 0)
		return -error;
	l->supervisor = pid;
	return 0;
}

/* What the supervisor does, decided before it is there. */
static int prepare(const struct launch_settings *settings, struct supervisor *s)
{
	struct idmap_error error;
	int ret;

	s->settings = settings;
	s->context.settings = settings;
	if (settings->in_place)
		return 0;
	ret = plan_make(settings, settings->argv ? NULL : launch_shell(), &s->plan);
	return ret < 0 ? ret : idmap_load(&settings->maps, &s->context.maps, &error);
}

int launch_begin(const struct launch_settings *settings, struct launch **ret_launch)
{
	__attribute__((cleanup(cleanup_launch))) struct launch *l = calloc(1, sizeof(*l));
	_close_ int nsscope = -1, sock = -1, gate = -1, proc = -1;
	struct supervisor s = {};
	int ret;

	if (!l)
		return -ENOMEM;
	l->to.pidfd = l->to.proc = l->to.gate = l->sock = l->terminal.fd = -1;
	ret = prepare(settings, &s);
	if (ret < 0)
		return ret;
	l->has_cgroup = settings->sandbox.memory || settings->sandbox.pids || settings->sandbox.cpu;
	s.time_limit = settings->sandbox.time_limit;
	l->to.in_pid_ns = s.plan.namespaces & CLONE_NEWPID;
	l->to.held = settings->announce;
	ret = socket_pair(SOCK_SEQPACKET, &l->sock, &sock);
	if (ret < 0)
		return ret;
	ret = socket_pair(SOCK_STREAM, &l->to.gate, &gate);
	if (ret < 0)
		return ret;
	nsscope = pidfd_of(getpid());
	if (nsscope < 0)
		return -errno;
	proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	terminal_remember(&l->terminal);
	s.terminal = l->terminal;
	s.context.sock = sock;
	s.context.gate = gate;
	s.context.proc = proc;
	s.context.join = -1;
	s.context.enter = settings->enter;
	s.nsscope = nsscope;
	/* Second in line: for the case that the supervisor is killed. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return -errno;
	ret = fork_supervisor(l, &s);
	if (ret < 0)
		return ret;
	*ret_launch = TAKE_PTR(l);
	return 0;
}

pid_t launch_supervisor(const struct launch *l)
{
	return l->supervisor;
}

/* What failed first is why the rest failed: what the command tells, and then the supervisor of a command that is gone. */
static void take_failure(struct launch *l, const struct launch_event *e)
{
	if (l->failure.what != LAUNCH_FAILED)
		l->failure = *e;
}

int launch_clone(struct launch *l, pid_t *ret_pid)
{
	struct wire w = { .kind = WIRE_CLONE };
	int ret;

	if (l->to.pid)
		return -EALREADY;
	ret = wire_send(l->sock, &w, -1);
	if (ret < 0)
		return ret;
	do {
		ret = wire_recv(l->sock, 0, &w, &l->to.pidfd);
		if (ret < 0)
			return ret;
		/* The command may have failed already, before the supervisor could tell of it. */
		if (w.kind == WIRE_EVENT && w.event.what == LAUNCH_FAILED)
			take_failure(l, &w.event);
	} while (w.kind != WIRE_CLONED);
	if (w.error)
		return -w.error;
	l->to.pid = w.pid; /* 0: it is not there, and an event says why */
	if (w.pid)
		l->to.proc = proc_open(l->to.pidfd);
	*ret_pid = w.pid;
	return 0;
}

int launch_release(struct launch *l)
{
	struct wire w = { .kind = WIRE_RELEASED };
	ssize_t n;

	if (!l->to.pid)
		return -ESRCH;
	wire_send(l->sock, &w, -1);
	do
		n = send(l->to.gate, "", 1, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	/* Killed while it was held: the event says why. */
	return n < 0 && errno != EPIPE ? -errno : 0;
}

int launch_pidfd(const struct launch *l)
{
	return l->to.pidfd;
}

int launch_fd(const struct launch *l)
{
	return l->sock;
}

static void take_last(struct launch *l, struct launch_event *e)
{
	l->is_over = true;
	if (e->what != LAUNCH_EXITED)
		return;
	e->status = deliver_status(&l->to, e->status);
	l->keeps_modes = WIFEXITED(e->status);
}

int launch_next(struct launch *l, struct launch_event *ret_event)
{
	struct launch_event e = { .what = LAUNCH_NOTHING };
	struct wire w;
	int ret;

	do {
		ret = wire_recv(l->sock, MSG_DONTWAIT, &w, NULL);
		if (ret == 0 && w.kind == WIRE_EVENT && w.event.what == LAUNCH_FAILED) {
			take_failure(l, &w.event);
			if (!l->to.pid) /* no end of it will come */
				break;
		}
	} while (ret == 0 && (l->is_over || w.kind != WIRE_EVENT || w.event.what == LAUNCH_FAILED));
	if (ret == 0) {
		e = w.event;
		if ((e.what == LAUNCH_EXITED || e.what == LAUNCH_FAILED) && l->failure.what == LAUNCH_FAILED)
			e = l->failure;
	} else if (ret == -EPIPE && !l->is_over) {
		e.what = LAUNCH_SUPERVISOR_DIED;
		if (l->to.pid)
			pidfd_signal(l->to.pidfd, SIGKILL);
		reap_kill_all(); /* what it had to kill is ours now */
	} else if (ret != -EAGAIN && ret != -EPIPE) {
		return ret;
	}
	if (launch_event_is_last(&e))
		take_last(l, &e);
	*ret_event = e;
	return 0;
}

int launch_signal(struct launch *l, int sig, bool from_terminal)
{
	if (!l->to.pid || l->is_over)
		return -ESRCH;
	return deliver_signal(&l->to, sig, from_terminal);
}

int launch_stop_self(struct launch *l)
{
	int ret = l->is_over ? 0 : deliver_stop_self(&l->to);

	return ret < 0 ? ret : 0;
}

void launch_end(struct launch *l)
{
	int ret;

	if (!l)
		return;
	/* That is the supervisor's sign to end. */
	close(l->sock);
	l->sock = -1;
	do
		ret = waitpid(l->supervisor, NULL, 0);
	while (ret < 0 && errno == EINTR);
	/* Already done, unless the supervisor was killed. */
	if (l->to.pid && !pidfd_wait(l->to.pidfd, 0)) {
		pidfd_signal(l->to.pidfd, SIGKILL);
		pidfd_wait(l->to.pidfd, 1000);
	}
	if (l->has_cgroup)
		cgroup_sweep(l->supervisor);
	terminal_restore(&l->terminal, !l->keeps_modes);
	launch_free(l);
}
