/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals for a child that may be PID 1 of its namespace: pid_namespaces(7). */
#ifndef LAUNCH_DELIVER_H
#define LAUNCH_DELIVER_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

struct deliver {
	pid_t pid;
	int pidfd;
	int proc; /* its directory in /proc, as proc_open gives it; -1: unknown */
	int gate; /* whose other end is the child's, and closed by exec */
	bool in_pid_ns; /* it is PID 1 */
	bool held; /* it may have to wait before exec */
	bool orphaned; /* our process group was, where /proc can no longer tell */
	sigset_t mask; /* that the child gets by exec; before, it blocks all */
	int ended_by; /* signal that SIGKILL did the work of */
};

/*
 * Sends @sig. Where the kernel would drop it because the child is PID 1 with the default action, and that action is to
 * end or to stop, SIGKILL or SIGSTOP does it. @from_terminal: launch_signal_from_terminal; then the child has got it as
 * well, unless the kernel dropped it. 0 or -errno.
 */
int deliver_signal(struct deliver *d, int sig, bool from_terminal);

/* The wait status as it would be had the signal not been SIGKILL. */
int deliver_status(const struct deliver *d, int status);

/*
 * To be called when the child has stopped: stops this process too, and returns when it is continued. Does nothing if the
 * child goes on already, or if no shell is there that could continue us. 1: it was stopped; 0, or -errno.
 */
int deliver_stop_self(const struct deliver *d);

#endif
