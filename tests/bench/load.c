/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The workloads of the benchmark, run in small rounds on request.
 *
 *	load TINY
 *
 * Reads lines "WORKLOAD N" from standard input, and answers each with a line "WALL CPU DONE": nanoseconds of the clock, and of
 * user and system time of itself and its children that have ended, and how much was done. N times: vfork (posix_spawn of
 * TINY), fork (fork and exec of /bin/true), getppid, live (a child that stays), livens (one that stays in a UTS namespace of
 * its own). For N seconds: storm (fork and exec of TINY on each CPU).
 */
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static void stay(int flags)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0) {
		fprintf(stderr, "load: cannot fork\n");
		exit(1);
	}
	if (pid)
		return;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent || (flags && unshare(flags)))
		_exit(1);
	for (;;)
		pause();
}

static void live(char *tiny)
{
	(void)tiny;
	stay(0);
}

static void live_in_namespace(char *tiny)
{
	(void)tiny;
	stay(CLONE_NEWUTS);
}

/* Spawns for @ns on @cpu, and says how often. */
static _Noreturn void storm_on(char *tiny, int cpu, uint64_t ns, int fd)
{
	uint64_t end = wall_ns() + ns, n = 0;
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		_exit(1);
	for (; wall_ns() < end; n++)
		spawn_vfork(tiny);
	_exit(write(fd, &n, sizeof(n)) != sizeof(n));
}

/* How many spawns there were. */
static uint64_t storm(char *tiny, unsigned long seconds)
{
	uint64_t n, total = 0;
	cpu_set_t cpus;
	int pair[2];

	if (sched_getaffinity(0, sizeof(cpus), &cpus) || pipe(pair))
		exit(1);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &cpus) && !fork())
			storm_on(tiny, cpu, seconds * 1000000000, pair[1]);
	close(pair[1]);
	while (read(pair[0], &n, sizeof(n)) == sizeof(n))
		total += n;
	close(pair[0]);
	while (wait(NULL) > 0)
		;
	return total;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*fn)(char *tiny);
	} loads[] = { { "vfork", spawn_vfork }, { "fork", spawn_fork }, { "getppid", call_getppid },
		      { "live", live }, { "livens", live_in_namespace } };
	char line[256], name[32];
	unsigned long n;

	if (argc != 2)
		return 2;
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		void (*fn)(char *tiny) = NULL;
		uint64_t wall, cpu, done;

		if (sscanf(line, "%31s %lu", name, &n) != 2)
			return 2;
		for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
			if (!strcmp(loads[i].name, name))
				fn = loads[i].fn;
		if (!fn && strcmp(name, "storm"))
			return 2;
		cpu = cpu_ns();
		wall = wall_ns();
		for (done = 0; fn && done < n; done++)
			fn(argv[1]);
		if (!fn)
			done = storm(argv[1], n);
		wall = wall_ns() - wall;
		printf("%llu %llu %llu\n", (unsigned long long)wall, (unsigned long long)(cpu_ns() - cpu),
		       (unsigned long long)done);
		fflush(stdout);
	}
	return 0;
}
