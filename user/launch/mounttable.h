/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is mounted below a directory: proc_pid_mountinfo(5). */
#ifndef LAUNCH_MOUNTTABLE_H
#define LAUNCH_MOUNTTABLE_H

#include <stddef.h>
#include <stdint.h>

struct mounttable_row {
	uint64_t id;
	char *path; /* as seen from this process's root */
	char *type; /* of the filesystem */
	unsigned long flags; /* MS_*: those that a remount would take away */
};

struct mounttable {
	size_t n;
	struct mounttable_row *rows; /* the mount itself first, then each behind its parent */
};

/*
 * The mount that @fd is on and all below it, a tree cloned as a whole. 0 or -errno; -ENOENT: it is not
 * in our tree. Free it in any case.
 */
int mounttable_read(int fd, struct mounttable *ret_table);

/* Makes the mount that @mount is of, which is in our tree, and all below it read-only. 0 or -errno. */
int mounttable_read_only(int mount);

void mounttable_free(struct mounttable *t);

#endif
