/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of all descendants of a child subreaper. */
#ifndef LAUNCH_REAP_H
#define LAUNCH_REAP_H

/*
 * Kills all children and, as they become children, all descendants, and reaps them; returns when
 * none is left, or only those that may not be killed (EPERM). SIGCHLD must not be ignored.
 */
void reap_kill_all(void);

#endif
