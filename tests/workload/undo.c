/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * undo HOW DIR N: when a line can be read, N times a mount on DIR/x that goes to one other mount namespace, where that is undone
 * as soon as it can be seen: while its call has yet to end.
 *
 * private: DIR is made private, by another process of this namespace.
 * elsewhere: the process that got the mount makes its DIR private.
 * umount, move: it takes away what it got.
 */
#include <sys/prctl.h>
#include <sys/stat.h>

#include "witness.h"

static char dir[4096], at[4096 + 2], aside[4096 + 2];

static void do_mount(const char *source, const char *target, const char *type, unsigned long flags)
{
	if (mount(source, target, type, flags, NULL))
		err(99, "mount %s on %s", source, target);
}

static void run_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* it is as well without */
}

/* Has a peer of DIR, or a slave of it, in a mount namespace of its own. */
static void live_elsewhere(unsigned long type)
{
	if (unshare(CLONE_NEWNS))
		err(99, "unshare");
	do_mount("none", dir, NULL, type);
}

static void undo(const char *how)
{
	if (!strcmp(how, "umount"))
		umount2(at, MNT_DETACH);
	else if (!strcmp(how, "move"))
		mount(at, aside, NULL, MS_MOVE, NULL);
	else
		mount("none", dir, NULL, MS_PRIVATE, NULL);
}

static pid_t start(const char *how, int ready)
{
	struct stat before, now;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_NAME, "other"); /* so it can be left out */
	run_on(1);
	if (strcmp(how, "private"))
		live_elsewhere(MS_SLAVE);
	if (stat(at, &before))
		err(99, "stat");
	if (write(ready, "", 1) != 1)
		err(99, "write");
	if (!strcmp(how, "wait"))
		pause();
	do
		stat(at, &now);
	while (now.st_dev == before.st_dev);
	undo(how);
	_exit(0);
}

/* One mount, which goes to one other namespace. */
static void once(const char *how)
{
	int ready[2];
	char one[2];
	pid_t other = 0, undoing;

	do_mount("d", dir, "tmpfs", 0);
	do_mount("none", dir, NULL, MS_SHARED);
	if (mkdir(at, 0700) || mkdir(aside, 0700) || pipe(ready))
		err(99, "mkdir");
	if (!strcmp(how, "private"))
		other = start("wait", ready[1]);
	undoing = start(how, ready[1]);
	for (int n = 0; n < 1 + !!other; n++)
		if (read(ready[0], one, 1) != 1)
			err(99, "read");
	do_mount("x", at, "tmpfs", 0);
	if (other)
		kill(other, SIGKILL);
	waitpid(undoing, NULL, 0);
	if (other)
		waitpid(other, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	umount2(dir, MNT_DETACH);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		errx(99, "usage: undo HOW DIR N");
	snprintf(dir, sizeof(dir), "%s", argv[2]);
	snprintf(at, sizeof(at), "%s/x", dir);
	snprintf(aside, sizeof(aside), "%s/y", dir);
	run_on(0);
	getchar();
	for (int i = 0; i < atoi(argv[3]); i++)
		once(argv[1]);
	return 0;
}
