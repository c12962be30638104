/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/thread.h"

#include <sched.h>
#include <signal.h>

#define STACK_SIZE (256 * 1024)

/* Of the CPUs that the caller may run on, those that it does not. False: there is none. */
static bool other_cpus(cpu_set_t *ret_set)
{
	int cpu = sched_getcpu();

	if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(*ret_set), ret_set))
		return false;
	CPU_CLR((size_t)cpu, ret_set);
	return CPU_COUNT(ret_set);
}

bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg, bool elsewhere)
{
	pthread_attr_t attr;
	cpu_set_t others;
	sigset_t all, before;
	bool runs;

	if (pthread_attr_init(&attr))
		return false;
	if (elsewhere && other_cpus(&others))
		pthread_attr_setaffinity_np(&attr, sizeof(others), &others);
	sigfillset(&all);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	runs = !pthread_create(ret_thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return runs;
}

void aside_begin(struct aside *ret_aside, void *(*run)(void *), void *arg, bool elsewhere)
{
	ret_aside->runs = thread_start(&ret_aside->thread, run, arg, elsewhere);
	if (!ret_aside->runs)
		run(arg);
}

void aside_end(struct aside *aside)
{
	if (aside->runs)
		pthread_join(aside->thread, NULL);
	aside->runs = false;
}
