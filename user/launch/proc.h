/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What /proc says of a process that is known by a pidfd. The number of a process in /proc need not
 * be its PID here: the mount may belong to an outer PID namespace.
 */
#ifndef LAUNCH_PROC_H
#define LAUNCH_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Sets of signals have bit N-1 for signal N. */
struct proc_status {
	char state; /* as in /proc/PID/stat: 'R', 'S', 'T', ... */
	uint64_t pending; /* sent to the process, not to one of its threads */
	uint64_t blocked;
	uint64_t ignored;
	uint64_t caught;
};

static inline bool proc_set_has(uint64_t set, int sig)
{
	return set >> (sig - 1) & 1;
}

/* Descriptor of the /proc directory of the process, surely of no later one with its PID. -errno. */
int proc_open(int pidfd);

/* @proc: of proc_open; it serves when something else is mounted on /proc, too. 0 or -errno; -ESRCH: it has been reaped. */
int proc_read_status(int proc, struct proc_status *ret_status);

/*
 * Whether the process waits for @sig in sigtimedwait(2), which the kernel holds for blocked but
 * shows as not blocked (task_struct.real_blocked). Also true if the set cannot be read.
 */
bool proc_awaits(int proc, int sig);

/* When the process began: field 22 of /proc/PID/stat, in clock ticks since the boot. 0 or -errno. */
int proc_start_ticks(int pidfd, uint64_t *ret_ticks);

/* The path of its cgroup in the v2 hierarchy, as this process sees it. 0 or -errno; -ENODATA: in none. */
int proc_cgroup(int pidfd, char *path, size_t size);

/*
 * A pidfd, close-on-exec, of the command that @pid, which @pidfd is of, has launched, and its PID here: @pid is nsscope,
 * or an unshare(1) that has forked a child into a PID namespace. -errno; -ENOENT: it is neither, or its command is not
 * there.
 */
int proc_launched(int pidfd, pid_t pid, pid_t *ret_pid);

/* Whether PIDs in /proc are PIDs here. */
bool proc_is_ours(void);

/* PID of the parent; 0: it has none here, or it cannot be told. */
pid_t proc_parent(pid_t pid);

#endif
