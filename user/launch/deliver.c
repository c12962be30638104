/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/deliver.h"

#include <errno.h>
#include <sys/wait.h>

#include "launch/pidfd.h"
#include "launch/proc.h"
#include "launch/signals.h"

#define DOUBT_MS 50

static bool is_orphaned(const struct deliver *d)
{
	return proc_is_ours() ? signals_group_is_orphaned() : d->orphaned;
}

static bool has_execed(const struct deliver *d)
{
	struct pollfd p = { .fd = d->gate };

	return poll(&p, 1, 0) > 0;
}

/*
 * Whether the kernel drops @sig because the child is a PID 1 (kernel/signal.c, sig_task_ignored). It keeps a blocked
 * one, for sigwait(3) or signalfd(2), as most programs that are made to be an init have it. But before exec all are
 * blocked, and unblocking them drops them.
 */
static bool is_dropped(const struct deliver *d, int sig)
{
	bool execed = has_execed(d);
	struct proc_status s;

	/* One that is held, maybe for long, does not come to unblocking them: it is as if they were dropped. */
	if ((!d->in_pid_ns && (execed || !d->held)) || sig < 1 || sig > 64 || signals_default(sig) == SIGNALS_PASS)
		return false;
	if (sig == SIGKILL || sig == SIGSTOP || proc_read_status(d->proc, &s) < 0)
		return false;
	if (proc_set_has(s.ignored, sig))
		return false;
	if (!execed)
		return sigismember(&d->mask, sig) != 1;
	return !proc_set_has(s.blocked | s.caught, sig) && !proc_awaits(d->proc, sig);
}

/* Whether the kernel keeps @sig only for as long as it is blocked. */
static bool is_blocked(const struct deliver *d, int sig)
{
	struct proc_status s;

	return d->in_pid_ns && sig > 0 && sig <= 64 && signals_default(sig) != SIGNALS_PASS && has_execed(d) &&
	       proc_read_status(d->proc, &s) == 0 && proc_set_has(s.blocked & ~(s.ignored | s.caught), sig);
}

/*
 * Whether the kernel drops @sig, which was blocked when it was sent, at the end of that: shells block all for a moment
 * whenever they start something. What is still blocked after DOUBT_MS is so on purpose.
 */
static bool is_dropped_late(const struct deliver *d, int sig)
{
	struct proc_status s;
	int i;

	for (i = 0; i < DOUBT_MS; i++) {
		if (proc_read_status(d->proc, &s) < 0 || s.state == 'Z')
			return false;
		if (!proc_set_has(s.blocked, sig))
			return is_dropped(d, sig);
		if (!proc_set_has(s.pending, sig))
			return false; /* it has been taken */
		usleep(1000);
	}
	return false;
}

int deliver_signal(struct deliver *d, int sig, bool from_terminal)
{
	/* Twice, because it may enter or leave sigwait(3) between the two looks at /proc. */
	if (!is_dropped(d, sig) || !is_dropped(d, sig)) {
		bool blocked = is_blocked(d, sig);

		if (!from_terminal && pidfd_signal(d->pidfd, sig) < 0)
			return -errno;
		if (!blocked || !is_dropped_late(d, sig))
			return 0;
	}
	/* Had it left our process group, the terminal would not have meant it. */
	if (from_terminal && getpgid(d->pid) != getpgrp())
		return 0;
	if (signals_default(sig) == SIGNALS_STOP) {
		if (is_orphaned(d))
			return 0;
		sig = SIGSTOP;
	} else {
		d->ended_by = sig;
		sig = SIGKILL;
	}
	return pidfd_signal(d->pidfd, sig) < 0 ? -errno : 0;
}

int deliver_status(const struct deliver *d, int status)
{
	return d->ended_by && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? d->ended_by : status;
}

int deliver_stop_self(const struct deliver *d)
{
	struct proc_status s;

	if (proc_read_status(d->proc, &s) == 0 && s.state != 'T')
		return 0;
	if (is_orphaned(d))
		return 0;
	return kill(getpid(), SIGSTOP) < 0 ? -errno : 1;
}
