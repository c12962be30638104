/* SPDX-License-Identifier: GPL-2.0-or-later */
/* storm N [PROGRAM]: N processes, one after the other on each of two CPUs; says how many there really were. */
#include <spawn.h>

#include "witness.h"

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 1000, status, pipes[2][2], done[2], fail = 0;
	char *program[] = { argc > 2 ? argv[2] : "/bin/true", NULL };
	pid_t worker[2], pid;

	for (int w = 0; w < 2; w++) {
		cpu_set_t cpus;

		if (pipe(pipes[w]))
			err(99, "pipe");
		worker[w] = fork();
		if (worker[w])
			continue;
		CPU_ZERO(&cpus);
		CPU_SET(w, &cpus);
		sched_setaffinity(0, sizeof(cpus), &cpus); /* where there is but one CPU, both run there */
		for (done[w] = 0; done[w] < n / 2; done[w]++) {
			if (posix_spawn(&pid, program[0], NULL, NULL, program, environ) ||
			    waitpid(pid, &status, 0) != pid || status)
				break;
		}
		_exit(write(pipes[w][1], &done[w], sizeof(int)) != sizeof(int));
	}
	for (int w = 0; w < 2; w++) {
		if (read(pipes[w][0], &done[w], sizeof(int)) != sizeof(int) || waitpid(worker[w], &status, 0) < 0)
			fail = 1;
		fail |= status;
	}
	say("{\"at\":\"truth\",\"spawned\":%d,\"forked\":2}\n", done[0] + done[1]);
	return fail;
}
