/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Executes the steps of a plan. */
#ifndef LAUNCH_STEPS_H
#define LAUNCH_STEPS_H

#include "launch/idmap_write.h"
#include "launch/plan.h"

#include <signal.h>

#define STEPS_DETAIL sizeof(((struct launch_event *)NULL)->stage)
struct acts_state;

struct steps_context {
	const struct launch_settings *settings;
	struct idmaps maps;
	sigset_t mask; /* that the command starts with */
	bool ignore_sigchld; /* as it was for nsscope */
	int pidfd; /* of the command; for the steps outside */
	pid_t pid; /* the same */
	uint64_t bound; /* bit N: namespace N is bound to its file */
	int keep; /* pipe to the supervisor: a byte lets the persistent namespaces stay, a second one takes that back */
	int helper, exec_error; /* see idmap_write_outside */
	struct acts_state *state; /* what steps leave to later ones */
	const struct plan_step *step; /* the one that is being done */
	int sock, gate; /* as in struct supervisor */
	struct launch_enter *enter; /* of this process alone */
	int join; /* to the supervisor: struct wire, while namespaces are entered */
	char *detail; /* STEPS_DETAIL bytes: an act may say in them which part of its step failed */
	int proc; /* directory of nsscope's /proc, -1: none; the command finds itself there whatever its root becomes */
};

/*
 * Runs those of one side, in order, up to the first that fails. 0, which for the inside cannot be,
 * since the last is exec; or -errno, or the status of a helper; then *failed is the LAUNCH_FAILED event of the step.
 */
int steps_run(const struct plan *p, enum plan_where where, struct steps_context *c,
	      struct launch_event *failed);

/* Undoes, from outside, what a step outside left that should not outlive a command that did not run. */
void steps_undo(struct steps_context *c);

/* To be called in what was to be the command, when steps_run has failed: takes back what PLAN_KEEP said. */
void steps_forget(const struct steps_context *c);

#endif
