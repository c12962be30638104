/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can only be known by trying is tried in a child, and goes with it. */
#ifndef DOCTOR_TRIAL_H
#define DOCTOR_TRIAL_H

#include <stdint.h>

/*
 * Runs @act in a child in new @namespaces (CLONE_NEW*), made by the call that run makes them by. What @act returns, 0
 * or -errno; or -errno of clone(2); -EINTR if the child was killed. @act may be NULL: only the namespaces.
 */
int trial(uint64_t namespaces, int (*act)(const void *arg), const void *arg);

/* Acts, for a child in a new user namespace; @arg is a struct trial_ids. */
struct trial_ids {
	unsigned uid, gid; /* outside */
};

/* Is root there (an ID map can be written), and makes another namespace by the rights that this gives. */
int trial_rights(const void *arg);

/* Is root there, and mounts a new proc on /proc; needs a new mount and PID namespace as well. */
int trial_proc(const void *arg);

#endif
