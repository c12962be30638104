/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signal, since those are for the main thread, with a stack of 256 KiB. Whether it runs. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg);

/* What a thread does meanwhile. */
struct aside {
	pthread_t thread;
	bool runs; /* in that thread */
};

/* Calls @run aside; here and now, where there is no thread to be had. */
void aside_begin(struct aside *ret_aside, void *(*run)(void *), void *arg);

/* Returns when it has been done. */
void aside_end(struct aside *aside);

#endif
