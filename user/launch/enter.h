/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Namespaces of others, for a launch to enter (setns(2)). The child that the supervisor clones enters them; for a PID
 * namespace, which only children get, it then makes the command as its sibling (CLONE_PARENT), so that the supervisor
 * is the command's parent in either case.
 */
#ifndef LAUNCH_ENTER_H
#define LAUNCH_ENTER_H

#include "abi/abi.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct launch_ns_file {
	uint64_t flag; /* CLONE_NEW* */
	int fd;
};

/* All descriptors are the caller's, close-on-exec, and may be closed after launch_begin. */
struct launch_enter {
	int pidfd; /* of the target; -1: none */
	uint64_t of_target; /* CLONE_NEW* flags: enter those of the target */
	struct launch_ns_file files[NSS_NS_MAX];
	size_t nfiles;
	bool no_fork; /* stay outside the PID namespace, for children only */
	int cgroup; /* cgroup.procs to join; -1: none */
	int root; /* directory to chroot(2) to; -1: none */
	int wd; /* directory to change to; -1: none */
	char **env; /* environment; NULL: the caller's own */
	bool set_uid, set_gid; /* set_gid drops the supplementary groups too */
	uid_t uid;
	gid_t gid;
	bool groups_may_stay; /* where dropping them is forbidden: they give an unprivileged caller nothing */
	bool keep_caps; /* make the permitted capabilities ambient: capabilities(7) */
	const char *what; /* the target in words: "process 4711" */
	const char *root_what, *wd_what; /* and these two directories */
	bool groups_dropped; /* of the acts: so they were before the user namespace was entered */
};

/* All that are to be entered, CLONE_NEW* flags. */
static inline uint64_t enter_namespaces(const struct launch_enter *e)
{
	uint64_t flags = e->of_target;
	size_t i;

	for (i = 0; i < e->nfiles; i++)
		flags |= e->files[i].flag;
	return flags;
}

#endif
