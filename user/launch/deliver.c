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

/* What the kernel does with a signal for the child. */
enum fate {
	FATE_KEPT, /* acts on it, or leaves it to the child */
	FATE_BLOCKED, /* keeps it while it is blocked, and may drop it then */
	FATE_DROPPED,
};

/*
 * What becomes of @sig if the child is a PID 1 (kernel/signal.c, sig_task_ignored). The kernel keeps a blocked one, for
 * sigwait(3) or signalfd(2), as most programs that are made to be an init have it. But before exec all are blocked, and
 * unblocking them drops them.
 */
static enum fate fate_of(const struct deliver *d, int sig)
{
	bool execed = has_execed(d);
	struct proc_status s;

	/* One that is held, maybe for long, does not come to unblocking them: it is as if they were dropped. */
	if ((!d->in_pid_ns && (execed || !d->held)) || sig < 1 || sig > 64 || signals_default(sig) == SIGNALS_PASS)
		return FATE_KEPT;
	if (sig == SIGKILL || sig == SIGSTOP || proc_read_status(d->proc, &s) < 0 || proc_set_has(s.ignored, sig))
		return FATE_KEPT;
	if (!execed)
		return sigismember(&d->mask, sig) == 1 ? FATE_KEPT : FATE_DROPPED;
	if (s.state == 'Z' || proc_set_has(s.caught, sig))
		return FATE_KEPT;
	if (proc_set_has(s.blocked, sig))
		return FATE_BLOCKED;
	return proc_awaits(d->proc, sig) ? FATE_KEPT : FATE_DROPPED;
}

/*
 * Whether the kernel drops @sig, which was seen blocked, at the end of that: shells block all for a moment whenever they start
 * something, maybe again when we look. What is still blocked after DOUBT_MS is so on purpose.
 */
static bool is_dropped_late(const struct deliver *d, int sig)
{
	enum fate fate = fate_of(d, sig);

	for (int i = 0; i < DOUBT_MS && fate == FATE_BLOCKED; i++) {
		usleep(1000);
		fate = fate_of(d, sig);
	}
	return fate == FATE_DROPPED;
}

int deliver_signal(struct deliver *d, int sig, bool from_terminal)
{
	enum fate fate = fate_of(d, sig);

	/* Twice, because it may enter or leave sigwait(3) between the two looks at /proc. */
	if (fate == FATE_DROPPED)
		fate = fate_of(d, sig);
	if (fate != FATE_DROPPED) {
		if (!from_terminal && pidfd_signal(d->pidfd, sig) < 0)
			return -errno;
		if (fate == FATE_KEPT || !is_dropped_late(d, sig))
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
