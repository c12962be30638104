/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The steps of unshare_steps.def, done. */
#ifndef LAUNCH_UNSHARE_ACTS_H
#define LAUNCH_UNSHARE_ACTS_H

#include <signal.h>

#include "launch/idmap_write.h"
#include "launch/unshare_plan.h"

struct unshare_job {
	const struct launch_settings *settings;
	struct unshare_plan plan;
	struct idmaps maps;
	int self; /* pidfd of the process that unshares */
	pid_t pid; /* its PID, in the namespace it was started in */
	int outsider; /* socket; -1: none */
	int parent; /* pidfd of the parent of the command; -1: it has not forked */
	sigset_t mask; /* of the command */
	uint64_t bound; /* outside: bit N: persist[N] is */
	int exec_error; /* outside: of newuidmap(1): see idmap_write_outside */
};

/* 0 or -errno; of a step outside also what idmap_write_outside gives, with j->exec_error. */
int unshare_do(struct unshare_job *j, const struct unshare_step *step);

/* Undoes all that was bound. Outside. */
void unshare_unbind(struct unshare_job *j);

#endif
