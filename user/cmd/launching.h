/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands that launch share. */
#ifndef CMD_LAUNCHING_H
#define CMD_LAUNCHING_H

#include "cli/settings.h"

/* Another than the observer of events, of the caller's. */
struct onlooker {
	int (*begin)(void *arg); /* before the command is there; not 0: the exit status, complained */
	void (*cloner)(void *arg, pid_t pid); /* as observe_cloner() */
	void (*ended)(void *arg); /* the command has */
	void (*tick)(void *arg); /* @timer is readable */
	int timer; /* or -1 */
	void *arg;
};

/*
 * Launches what @launch says, observed unless @s says no, with the info and the hold that @s asks for, up to its end;
 * @onlooker may be NULL. Returns the exit status; what failed has been complained about. unshare may end by a signal here.
 */
int run_launched(const struct settings *s, const struct launch_settings *launch, const struct onlooker *onlooker);

/* Tells, on standard output, what run_launched would do, and does nothing; returns the exit status. */
int dry_run(const struct settings *s);

/* Tells in one line what failed; returns the exit status of unshare(1). */
int unshare_complain(const struct launch_event *failure);

/* The exit status of a failure that is not the command's. */
static inline int launching_failed(const struct settings *s)
{
	return s->launch.in_place ? STATUS_UNSHARE_FAILED : STATUS_FAILED;
}

#endif
