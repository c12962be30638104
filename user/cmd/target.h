/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process whose namespaces enter enters: found once, and held by a pidfd from then on. */
#ifndef CMD_TARGET_H
#define CMD_TARGET_H

#include "cli/settings.h"

struct target {
	int pidfd; /* -1: there is none, only files */
	pid_t pid; /* here */
	char what[48]; /* in words: "process 4711" */
};

/* False: complained. */
bool target_find(const struct enter_settings *e, struct target *ret_target);

#endif
