/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/deliver.h"

#include <errno.h>
#include <sys/wait.h>

#include "launch/pidfd.h"
#include "launch/proc.h"
#include "launch/signals.h"

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

int deliver_signal(struct deliver *d, int sig, bool from_terminal)
{
	/* Twice, because it may enter or leave sigwait(3) between the two looks at /proc. */
	if (is_dropped(d, sig) && is_dropped(d, sig)) {
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
	} else if (from_terminal) {
		return 0;
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
