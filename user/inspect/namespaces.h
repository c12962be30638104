/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finds all namespaces of the machine, also those without a process, and what keeps them. */
#ifndef INSPECT_NAMESPACES_H
#define INSPECT_NAMESPACES_H

#include "model/nstable.h"
#include "util/mountinfo.h"

/* What could not be looked at. What ended meanwhile is none of it. */
struct inspect_gaps {
	uint64_t processes; /* whose namespaces, threads or descriptors may not be read */
	uint32_t first; /* PID of the first of these */
	char first_comm[NSS_COMM_LEN];
	uint64_t mounts; /* mount namespaces whose mounts cannot be read */
	uint64_t files; /* namespaces of which only type and inum are known */
	uint64_t lines; /* of mountinfo that cannot be understood */
	bool unlisted; /* the kernel did not list the mount namespaces: one may be known only to what was not looked at */
};

/* Whether the mounts of all mount namespaces of the machine were seen. */
static inline bool inspect_has_all_mounts(const struct inspect_gaps *g)
{
	return !g->mounts && !g->lines && !(g->unlisted && g->processes);
}

/*
 * Gets each mount of the mount namespace @inum, as seen from its root; valid until it returns. 0 to go on, or -errno.
 */
typedef int (*mount_fn)(void *arg, uint32_t inum, const struct mountinfo *mount);

struct inspect_settings {
	mount_fn mount; /* may be NULL */
	/* Gets a descriptor of each namespace that can be opened, once; it is closed after that. May be NULL. 0 or -errno. */
	int (*file)(void *arg, int fd);
	void *arg;
	bool sockets; /* ask each socket of each process which network namespace it is of */
};

/*
 * Reads /proc once, and from there all that it leads to: parents, owners, bound files, open files; the kernel's list
 * of mount namespaces (Linux 6.12) or of all (Linux 6.19). nstable_finish is still to be called. 0 or -errno.
 */
int inspect_namespaces(const struct inspect_settings *settings, struct nstable *t, struct inspect_gaps *ret_gaps);

#endif
