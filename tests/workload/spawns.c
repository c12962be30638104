/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spawns MODE N: makes N processes, one after the other, and says how long that took by its own clock, from before each
 * call to after the wait for it. What is executed is this program, without arguments, which ends at once.
 *	fork, vfork	the child executes it; fork2: twice, one after the other
 *	exit		the child ends without
 *	fail		the child fails to execute what is not there, and ends
 *	names		the child gives itself a name of its own, and ends
 *	ns		the child is made in no, one, and two new namespaces by turns
 *	unwaited	the child executes it, and SIGCHLD is ignored
 *	threads		two threads of the child end at the same time
 *	refused		no child is made: the flags do not go together
 */
#include <linux/sched.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <time.h>

#include "witness.h"

static const char *mode;
static char *me;

static uint64_t now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static int ready;

/* Ends its thread when the other does, on a CPU of its own. */
static void *end_with_the_other(void *cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((intptr_t)cpu, &set);
	sched_setaffinity(0, sizeof(set), &set); /* it is as well without */
	__atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 2)
		;
	syscall(SYS_exit, 0);
	return NULL;
}

static _Noreturn void be_child(int i)
{
	char name[16], *argv[] = { me, NULL }, *again[] = { me, "again", NULL };

	pthread_t thread;

	if (!strcmp(mode, "threads") && !pthread_create(&thread, NULL, end_with_the_other, (void *)1))
		end_with_the_other(NULL);
	if (!strcmp(mode, "fail"))
		execv("/nonexistent", argv);
	if (!strcmp(mode, "names")) {
		snprintf(name, sizeof(name), "n%d", i);
		prctl(PR_SET_NAME, name);
	}
	if (!strcmp(mode, "fork2"))
		execv(me, again);
	if (!strcmp(mode, "fork") || !strcmp(mode, "vfork") || !strcmp(mode, "unwaited"))
		execv(me, argv);
	_exit(0);
}

static pid_t make(int i)
{
	static const unsigned long flags[] = { 0, CLONE_NEWUTS, CLONE_NEWUTS | CLONE_NEWIPC };
	pid_t pid;

	if (!strcmp(mode, "vfork"))
		pid = vfork();
	else if (!strcmp(mode, "refused"))
		pid = syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0); /* without CLONE_VM */
	else
		pid = syscall(SYS_clone, (strcmp(mode, "ns") ? 0 : flags[i % 3]) | SIGCHLD, 0, 0, 0, 0);
	if (!pid)
		be_child(i);
	return pid;
}

int main(int argc, char **argv)
{
	uint64_t ns = 0, begin;
	int n;

	me = argv[0];
	if (argc == 2)
		execv(me, (char *[]){ me, NULL });
	if (argc < 3)
		return 0;
	mode = argv[1];
	n = atoi(argv[2]);
	if (!strcmp(mode, "unwaited"))
		signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < n; i++) {
		pid_t pid;
		int ret;

		begin = now();
		pid = make(i);
		ret = waitpid(pid, NULL, 0);
		ns += now() - begin;
		if (!strcmp(mode, "refused") && pid < 0)
			continue;
		if (pid < 0 || (ret != pid && strcmp(mode, "unwaited")))
			err(99, "%s", mode);
	}
	say("{\"at\":\"truth\",\"pid\":%d,\"made\":%d,\"ns\":%llu}\n", getpid(), n, (unsigned long long)ns);
	return 0;
}
