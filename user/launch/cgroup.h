/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A cgroup (v2) of its own for the command, where limits are asked for: nsscope-<its PID namespace>-<PID of the
 * supervisor>, in the nearest cgroup, from nsscope's own upwards, whose children may have the controllers.
 */
#ifndef LAUNCH_CGROUP_H
#define LAUNCH_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

struct cgroup {
	int parent, dir; /* -1: not there */
	char name[48];
};

/* Makes it, with room for the @controllers, such as "memory pids". 0 or -errno; -ENOTSUP: there is no such place. */
int cgroup_make(struct cgroup *g, const char *controllers);

/* Writes @text to its @file. 0 or -errno. */
int cgroup_write(const struct cgroup *g, const char *file, const char *text);

/* Kills all that is in it, and removes it. */
void cgroup_end(struct cgroup *g);

/* Removes what the supervisor @pid has left, since it was killed. All in it must have been told to end. */
void cgroup_sweep(pid_t pid);

#endif
