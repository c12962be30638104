/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/thread.h"

#include <signal.h>

#define STACK_SIZE (256 * 1024)

bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	sigset_t all, before;
	bool runs;

	if (pthread_attr_init(&attr))
		return false;
	sigfillset(&all);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	runs = !pthread_create(ret_thread, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return runs;
}

void aside_begin(struct aside *ret_aside, void *(*run)(void *), void *arg)
{
	ret_aside->runs = thread_start(&ret_aside->thread, run, arg);
	if (!ret_aside->runs)
		run(arg);
}

void aside_end(struct aside *aside)
{
	if (aside->runs)
		pthread_join(aside->thread, NULL);
	aside->runs = false;
}
