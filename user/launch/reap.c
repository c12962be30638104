/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/reap.h"

#include "launch/proc.h"
#include "util/cleanup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define PID_MAX_LIMIT 4194304 /* include/linux/threads.h */

/*
 * A PID from the list is surely still the child's: only we reap. The count is of those that could
 * be killed, or -errno without CONFIG_PROC_CHILDREN.
 */
static int kill_listed(void)
{
	_fclose_ FILE *f = NULL;
	char path[64];
	int killed = 0;
	pid_t pid;

	if (!proc_is_ours())
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	f = fopen(path, "re");
	if (!f)
		return -errno;
	while (fscanf(f, "%d", &pid) == 1)
		killed += kill(pid, SIGKILL) == 0;
	return killed;
}

/* Whether a child was reaped; *ret_none: there is no such child. */
static bool reap_one(idtype_t which, pid_t pid, int flags, bool *ret_none)
{
	siginfo_t info = {};
	int ret;

	do
		ret = waitid(which, (id_t)pid, &info, WEXITED | __WALL | flags);
	while (ret < 0 && errno == EINTR);
	*ret_none = ret < 0;
	return ret == 0 && info.si_pid > 0;
}

/*
 * Needs nothing of /proc, which may be missing or another namespace's: waitid(2) tells whose child
 * a PID is, in about 1 us. What is killed is reaped at once, so that the end of the children ends
 * the search.
 */
static int kill_probed(void)
{
	bool none = false;
	siginfo_t info;
	int killed = 0;
	pid_t pid;

	for (pid = 1; pid < PID_MAX_LIMIT && !none; pid++) {
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) < 0 ||
		    kill(pid, SIGKILL) < 0)
			continue;
		killed++;
		reap_one(P_PID, pid, 0, &none);
		reap_one(P_ALL, 0, WNOHANG | WNOWAIT, &none);
	}
	return killed;
}

void reap_kill_all(void)
{
	bool none = false, reaped;
	int killed, flags;

	/* The search among all PIDs would take seconds to find that there is none. */
	reap_one(P_ALL, 0, WNOHANG | WNOWAIT, &none);
	while (!none) {
		/* What was killed surely ends, so there is something to wait for. */
		killed = kill_listed();
		flags = killed > 0 ? 0 : WNOHANG;
		if (killed < 0) {
			killed = kill_probed();
			flags = WNOHANG;
		}
		reaped = reap_one(P_ALL, 0, flags, &none);
		if (!reaped && killed <= 0)
			return;
		while (reaped && !none)
			reaped = reap_one(P_ALL, 0, WNOHANG, &none);
	}
}
