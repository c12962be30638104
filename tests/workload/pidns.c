/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pidns unshare: a new PID namespace for children only.
 * pidns setns: children into a PID namespace that another process made.
 * pidns reuse: four children, one after the other, with the same PID at every level it may choose.
 * pidns parents: three, one after the other, with PID 4242; the first makes one child, the second two, the third three. Each
 * says when it was started, in clock ticks.
 */
#include <linux/sched.h>
#include <stdint.h>

#include "witness.h"

static void have_child(const char *label)
{
	pid_t pid = child(0);

	if (!pid) {
		report(label);
		_exit(0);
	}
	reap(pid, "wait");
}

static void by_unshare(void)
{
	pid_t first, pid;
	int go[2];

	report("before");
	if (unshare(CLONE_NEWPID))
		err(99, "unshare");
	report("after");
	if (pipe(go))
		err(99, "pipe");
	first = child(0); /* its init, which must outlive the other */
	if (!first) {
		char c;

		close(go[1]);
		report("first");
		_exit(read(go[0], &c, 1) != 0);
	}
	pid = child(0);
	if (!pid) {
		report("second");
		_exit(0);
	}
	reap(pid, "wait");
	report("parent");
	close(go[1]);
	reap(first, "wait");
}

static void by_setns(void)
{
	int ready[2], go[2], fd;
	char path[64], c;
	pid_t init;

	if (pipe(ready) || pipe(go))
		err(99, "pipe");
	init = child(CLONE_NEWPID);
	if (!init) {
		close(go[1]);
		report("init");
		if (write(ready[1], "x", 1) != 1)
			_exit(99);
		_exit(read(go[0], &c, 1) != 0);
	}
	if (read(ready[0], &c, 1) != 1)
		err(99, "read");
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	fd = open(path, O_RDONLY);
	if (fd < 0 || setns(fd, CLONE_NEWPID))
		err(99, "setns %s", path);
	report("joined");
	have_child("member");
	close(go[1]);
	reap(init, "wait");
	report("left alone");
}

static void reuse(int levels)
{
	pid_t tids[2] = { 4242, 24242 };
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)tids, .set_tid_size = levels,
	};
	pid_t pid;

	for (int i = 0; i < 4; i++) {
		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (pid < 0)
			err(99, "clone3");
		if (!pid) {
			report("reused");
			_exit(i);
		}
		reap(pid, "wait");
	}
}

static _Noreturn void parent(int children)
{
	unsigned long long ticks;
	FILE *f = fopen("/proc/self/stat", "re");

	/* proc(5): the 22nd field; the name before it has no space here. */
	if (!f || fscanf(f, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &ticks) != 1)
		err(99, "/proc/self/stat");
	say("%llu\n", ticks);
	while (children--) {
		pid_t pid = child(0);

		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	_exit(0);
}

static void parents(void)
{
	pid_t tid = 4242, pid;
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid = (uintptr_t)&tid, .set_tid_size = 1 };

	for (int i = 1; i <= 3; i++) {
		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (pid < 0)
			err(99, "clone3");
		if (!pid)
			parent(i);
		waitpid(pid, NULL, 0);
		usleep(20000); /* the next one starts in another clock tick */
	}
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 99;
	if (!strcmp(argv[1], "unshare"))
		by_unshare();
	else if (!strcmp(argv[1], "setns"))
		by_setns();
	else if (!strcmp(argv[1], "reuse"))
		reuse(argc > 2 ? atoi(argv[2]) : 1);
	else if (!strcmp(argv[1], "parents"))
		parents();
	else
		return 99;
	return 0;
}
