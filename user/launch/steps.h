/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes the steps of a plan. */
#ifndef LAUNCH_STEPS_H
#define LAUNCH_STEPS_H

#include "launch/plan.h"

#include <signal.h>

struct steps_context {
	char **argv;
	sigset_t mask; /* that the command starts with */
	bool ignore_sigchld; /* as it was for nsscope */
	int pidfd; /* of the command; for the steps outside */
};

/*
 * Runs those of one side, in order, up to the first that fails. 0, which for the inside cannot be,
 * since the last is exec; or -errno, and then *failed is the LAUNCH_FAILED event of the step.
 */
int steps_run(const struct plan *p, enum plan_where where, const struct steps_context *c,
	      struct launch_event *failed);

#endif
