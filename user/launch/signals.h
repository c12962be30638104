/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel would do with a signal: signal(7). */
#ifndef LAUNCH_SIGNALS_H
#define LAUNCH_SIGNALS_H

#include <stdbool.h>

enum signals_action {
	SIGNALS_END, /* with or without a core dump */
	SIGNALS_STOP,
	SIGNALS_PASS, /* nothing, or SIGCONT, which also reaches a PID 1 */
};

enum signals_action signals_default(int sig);

/*
 * Whether this process group is orphaned: none of its processes has a parent of another group in
 * the same session, who could continue it. In such a group the kernel lets no SIGTSTP, SIGTTIN or
 * SIGTTOU stop a process. Told from our own ancestors.
 */
bool signals_group_is_orphaned(void);

#endif
