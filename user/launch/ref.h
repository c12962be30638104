/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name of one process of one boot, which no later process with its PID can have: BOOT_ID:PID:START:INODE. START is
 * field 22 of /proc/PID/stat, in clock ticks since the boot; INODE is that of its pidfd, which is never used twice in
 * one boot (pidfs, Linux 6.9), or 0.
 */
#ifndef LAUNCH_REF_H
#define LAUNCH_REF_H

#include <stdint.h>
#include <sys/types.h>

struct ref {
	char boot_id[37];
	pid_t pid;
	uint64_t start_ticks;
	uint64_t inode; /* 0: the kernel has no pidfs */
};

#define REF_MAX 128

/* Of the process @pid, which @pidfd is of. 0 or -errno; -ESRCH: it has been reaped. */
int ref_of(int pidfd, pid_t pid, struct ref *ret_ref);

void ref_write(const struct ref *r, char text[REF_MAX]);

/* 0, or -EINVAL: not a reference. */
int ref_parse(const char *text, struct ref *ret_ref);

/* A pidfd of the process that @r names, which is close-on-exec. -errno; -ESRCH: it is no more, or of another boot. */
int ref_open(const struct ref *r);

#endif
