/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ID maps of a new user namespace: what the machine says about them, and their writing. */
#ifndef LAUNCH_IDMAP_WRITE_H
#define LAUNCH_IDMAP_WRITE_H

#include <sys/types.h>

#include "launch/idmap.h"

/* By enum idmap_kind. */
struct idmaps {
	struct idmap of[2];
};

/*
 * Makes both maps for the calling process: reads /etc/subuid, /etc/subgid and /proc/self/{uid,gid}_map where they are
 * asked for. A map that is not asked for is empty. 0 or -errno with *ret_error.
 */
int idmap_load(const struct idmap_settings *s, struct idmaps *ret_maps, struct idmap_error *ret_error);

/* Writes @word to the file setgroups of the process whose directory in /proc is @proc. 0 or -errno. */
int idmap_setgroups(int proc, const char *word);

/* Writes the map, by one write(2). 0 or -errno; -E2BIG: longer than the kernel takes. */
int idmap_write(int proc, enum idmap_kind kind, const struct idmap *m);

/*
 * The same, from outside: by itself with CAP_SETUID (CAP_SETGID for groups) or as root, else through newuidmap(1) or
 * newgidmap(1), which are children, so SIGCHLD must not be ignored. @pid: what these call the process. 0, -errno, or the
 * exit status of the helper, which has told what is wrong; 127 or 126 with *ret_exec_error: it could not be executed.
 */
int idmap_write_outside(int proc, pid_t pid, enum idmap_kind kind, const struct idmap *m, int *ret_exec_error);

/* Whether idmap_write_outside would need newuidmap(1), newgidmap(1). */
bool idmap_needs_helper(enum idmap_kind kind, const struct idmap *m);

extern const char *const idmap_files[2]; /* "uid_map", "gid_map" */

#endif
