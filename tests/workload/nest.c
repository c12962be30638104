/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nest N: N further PID namespaces, one in another; in the innermost a child that executes another program. */
#include "witness.h"

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 0;
	pid_t pid;

	if (n < 0) {
		report("exec");
		return 7;
	}
	report("birth");
	for (; n; n--) {
		pid = child(CLONE_NEWPID);
		if (pid) {
			reap(pid, "wait");
			return 0;
		}
		report("birth");
	}
	if (argc > 2) { /* one more than the kernel allows */
		pid = syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
		if (!pid)
			_exit(0);
		say("{\"at\":\"limit\",\"error\":\"%s\"}\n", pid < 0 ? strerrorname_np(errno) : "none");
	}
	pid = child(0);
	if (!pid) {
		report("birth");
		execl("/proc/self/exe", "nest", "-1", NULL);
		execl(argv[0], "nest", "-1", NULL); /* /proc is not of this PID namespace */
		err(99, "execl");
	}
	reap(pid, "wait");
	return 0;
}
