/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_THREAD_H
#define UTIL_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Starts a thread that takes no signal, since those are for the main thread, with a stack of 256 KiB. Whether it runs. */
bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg);

#endif
