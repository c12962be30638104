/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of a process in another PID namespace, with its descendants. */
#ifndef LAUNCH_TREE_H
#define LAUNCH_TREE_H

#include <sys/types.h>

/*
 * Kills the child @pid and all its descendants, those that they make meanwhile too. For a command that has entered a
 * PID namespace: its orphans go to that namespace's init, not to the subreaper, so they have to be found before they
 * are orphans. What had been left to that init before is its own. Needs /proc; without, only the child is killed.
 */
void tree_kill(pid_t pid);

#endif
