/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls that the C library of Debian 11 has no wrapper for. */
#ifndef LAUNCH_PIDFD_H
#define LAUNCH_PIDFD_H

#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

/* pidfd_open(2); the descriptor is close-on-exec. */
static inline int pidfd_of(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

/* pidfd_send_signal(2) */
static inline int pidfd_signal(int pidfd, int sig)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0);
}

/* Waits for the end of the process, at most @timeout ms; whether it has ended. */
static inline bool pidfd_wait(int pidfd, int timeout)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, timeout) > 0;
}

#endif
