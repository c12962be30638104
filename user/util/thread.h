/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/*
 * Starts a thread that takes no signal, since those are for the main thread, with a stack of 256 KiB. Whether it runs.
 * @elsewhere: for work that the caller has a share in, on another CPU than that on which the caller is now, if it may use any. The
 * kernel may have a new thread wait for the CPU of the one that made it until that sleeps: for longer than the work takes.
 */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg, bool elsewhere);

/* What a thread does meanwhile. */
struct aside {
	pthread_t thread;
	bool runs; /* in that thread */
};

/* Calls @run aside, @elsewhere as above; here and now, where there is no thread to be had. */
void aside_begin(struct aside *ret_aside, void *(*run)(void *), void *arg, bool elsewhere);

/* Returns when it has been done. */
void aside_end(struct aside *aside);

#endif
