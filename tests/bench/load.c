/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workloads of the benchmark, run in small rounds on request.
 *
 *	load TINY
 *
 * Reads lines "WORKLOAD N" from standard input, does the workload N times, and answers each with a line
 * "WALL CPU": nanoseconds of the clock, and of user and system time of itself and its children. Workloads: vfork
 * (posix_spawn of TINY), fork (fork and exec of /bin/true), getppid.
 */
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static uint64_t wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t timeval_ns(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_usec * 1000;
}

static uint64_t cpu_ns(void)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return timeval_ns(self.ru_utime) + timeval_ns(self.ru_stime) + timeval_ns(children.ru_utime) +
	       timeval_ns(children.ru_stime);
}

static void await(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
		fprintf(stderr, "load: a child failed\n");
		exit(1);
	}
}

static void spawn_vfork(char *tiny)
{
	char *argv[] = { tiny, NULL };
	pid_t pid;

	await(posix_spawn(&pid, tiny, NULL, NULL, argv, environ) ? -1 : pid);
}

static void spawn_fork(char *tiny)
{
	pid_t pid = fork();

	(void)tiny;
	if (!pid) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	await(pid);
}

static void call_getppid(char *tiny)
{
	(void)tiny;
	syscall(SYS_getppid);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(char *tiny);
	} loads[] = { { "vfork", spawn_vfork }, { "fork", spawn_fork }, { "getppid", call_getppid } };
	char line[256], name[32];
	unsigned long n;

	if (argc != 2)
		return 2;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		void (*fn)(char *tiny) = NULL;
		uint64_t wall, cpu;

		if (sscanf(line, "%31s %lu", name, &n) != 2)
			return 2;
		for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
			if (!strcmp(loads[i].name, name))
				fn = loads[i].fn;
		if (!fn)
			return 2;
		cpu = cpu_ns();
		wall = wall_ns();
		while (n--)
			fn(argv[1]);
		wall = wall_ns() - wall;
		printf("%llu %llu\n", (unsigned long long)wall, (unsigned long long)(cpu_ns() - cpu));
		fflush(stdout);
	}
	return 0;
}
