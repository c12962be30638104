/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unshare(1): the calling process becomes the command, or the command's parent. */
#ifndef LAUNCH_UNSHARE_H
#define LAUNCH_UNSHARE_H

#include "launch/unshare_plan.h"

enum unshare_what {
	UNSHARE_FAILED, /* a step did; this process was to be the command */
	UNSHARE_ENDED, /* the command did; this is its parent */
};

struct unshare_end {
	enum unshare_what what;
	int status; /* ENDED: wait status */
	struct launch_event failure; /* FAILED: as launch.h has it */
};

/*
 * Carries out @s, whose in_place is set. Returns only if the command is not, or was not, this process: then all that is
 * left to do is to tell a failure and to end with unshare_status, or to end as the command did. It may return in a
 * child of the caller: that has the same to do.
 */
void unshare_run(const struct launch_settings *s, struct unshare_end *ret_end);

/* The exit status of unshare(1) for a failure. */
int unshare_status(const struct launch_event *failure);

/* Ends this process by the signal, without a core dump of its own; where that cannot be, with 128 + @sig. */
_Noreturn void unshare_die_of(int sig);

/* The shell that runs where no command is named: $SHELL, that of the user in passwd(5), or /bin/sh. */
const char *unshare_shell(const struct launch_settings *s);

#endif
