/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/signals.h"

#include "launch/launch.h"
#include "launch/proc.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum signals_action signals_default(int sig)
{
	switch (sig) {
	case SIGCHLD:
	case SIGCONT:
	case SIGURG:
	case SIGWINCH:
		return SIGNALS_PASS;
	case SIGSTOP:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
		return SIGNALS_STOP;
	default:
		return SIGNALS_END;
	}
}

bool signals_group_is_orphaned(void)
{
	pid_t group = getpgrp(), session = getsid(0), pid;

	for (pid = getppid(); pid > 0; pid = proc_parent(pid)) {
		if (getsid(pid) != session)
			return true;
		if (getpgid(pid) != group)
			return false;
	}
	return true;
}

bool launch_signal_from_terminal(const struct signalfd_siginfo *info)
{
	if (info->ssi_code != SI_KERNEL)
		return false;
	switch (info->ssi_signo) {
	case SIGHUP:
	case SIGCONT:
		/* A hangup is told to the session leader alone (tty_signal_session_leader). */
		return getsid(0) != getpid();
	case SIGINT:
	case SIGQUIT:
	case SIGTSTP:
	case SIGTTIN:
	case SIGTTOU:
	case SIGWINCH:
		return true;
	default:
		return false;
	}
}
