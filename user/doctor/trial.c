/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "launch/spawn.h"
#include "util/cleanup.h"

/* An errno fits into an exit status: all are below 134. */
static void __attribute__((noreturn)) be_child(int (*act)(const void *arg), const void *arg)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	_exit(act ? -act(arg) : 0);
}

int trial(uint64_t namespaces, int (*act)(const void *arg), const void *arg)
{
	_close_ int pidfd = -1;
	pid_t pid = spawn_clone(namespaces, &pidfd);
	int status;

	if (pid < 0)
		return pid;
	if (!pid)
		be_child(act, arg);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

static int write_once(const char *path, const char *text)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* user_namespaces(7): a process may map its own IDs, the group only after it has given up setgroups(2). */
static int be_root(const struct trial_ids *ids)
{
	char map[32];
	int err = write_once("/proc/self/setgroups", "deny");

	snprintf(map, sizeof(map), "0 %u 1\n", ids->uid);
	if (!err)
		err = write_once("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1\n", ids->gid);
	return err ? err : write_once("/proc/self/gid_map", map);
}

int trial_rights(const void *arg)
{
	int err = be_root(arg);

	return err ? err : unshare(CLONE_NEWUTS) ? -errno : 0;
}

int trial_proc(const void *arg)
{
	int err = be_root(arg);

	if (err)
		return err;
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -errno;
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) ? -errno : 0;
}
