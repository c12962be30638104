/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verdict: what each command can do, out of what the checks before have tried. */
#include "doctor/exam.h"
#include "observe/backends.h"

static const char mend[] = "mend what is missing above";

/* @reason is the first of what stands in its way; NULL: nothing does. */
static void tell_command(struct exam *x, const char *name, const char *reason)
{
	if (reason)
		tell_of(x, name, NULL, STATE_MISSING, mend, "%s", reason);
	else
		tell_of(x, name, NULL, STATE_OK, NULL, "works");
}

/* The iterator needs /proc as well, to know which PID namespace is nsscope's. */
static void tell_ps(struct exam *x)
{
	if (backend_try(BACKEND_PROC))
		tell_of(x, "ps", NULL, STATE_MISSING, "mount proc on /proc",
			"cannot tell its own PID namespace without /proc");
	else if (backend_try(BACKEND_ITER))
		tell_of(x, "ps", NULL, STATE_LIMITED, mend, "works, from /proc");
	else
		tell_of(x, "ps", NULL, STATE_OK, NULL, "works");
}

void check_commands(struct exam *x)
{
	const char *observing = x->observing ? x->observing_text : NULL;
	const char *launching = x->launching ? x->launching_text : NULL;

	tell_command(x, "run", observing ? observing : launching);
	tell_command(x, "watch", observing);
	tell_ps(x);
	tell_command(x, "replay", NULL);
}
