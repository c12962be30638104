/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process between nsscope and the command: see launch.h. */
#ifndef LAUNCH_SUPERVISOR_H
#define LAUNCH_SUPERVISOR_H

#include "launch/acts.h"
#include "launch/steps.h"
#include "launch/terminal.h"

/* All descriptors are close-on-exec. */
struct supervisor {
	const struct launch_settings *settings;
	struct plan plan; /* unless the command does all in place */
	struct steps_context context;
	struct acts_state state;
	struct terminal terminal;
	unsigned time_limit; /* seconds; 0: none */
	/* context.sock: to nsscope, struct wire. context.gate: the command's end: a byte lets it go, exec closes it */
	int nsscope; /* pidfd */
};

/* To be entered with all signals blocked, right after the fork. */
_Noreturn void supervisor_run(struct supervisor *s);

#endif
