/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/spawn.h"

#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Filters that cannot look into clone3's arguments refuse it with ENOSYS (containers, systemd). */
static long clone_by_flags(uint64_t flags, int *pidfd)
{
	if (flags & CLONE_NEWTIME) {
		/* It is one of the bits of the exit signal there. */
		errno = ENOSYS;
		return -1;
	}
	return syscall(SYS_clone, flags | SIGCHLD, NULL, pidfd, NULL, NULL);
}

static pid_t spawn(uint64_t flags, int *ret_pidfd)
{
	int pidfd = -1;
	struct clone_args args = {
		.flags = flags,
		.pidfd = (uintptr_t)&pidfd,
		.exit_signal = flags & CLONE_PARENT ? 0 : SIGCHLD, /* a sibling's is that of its maker */
	};
	long pid;

	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0 && errno == ENOSYS)
		pid = clone_by_flags(flags, &pidfd);
	if (pid < 0)
		return -errno;
	if (pid > 0)
		*ret_pidfd = pidfd;
	return (pid_t)pid;
}

pid_t spawn_clone(uint64_t namespaces, int *ret_pidfd)
{
	return spawn(namespaces | CLONE_PIDFD, ret_pidfd);
}

pid_t spawn_sibling(int *ret_pidfd)
{
	return spawn(CLONE_PARENT | CLONE_PIDFD, ret_pidfd);
}
