/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One line of /proc/PID/mountinfo, proc_pid_mountinfo(5). */
#ifndef UTIL_MOUNTINFO_H
#define UTIL_MOUNTINFO_H

#include <stdbool.h>
#include <stdint.h>

struct mountinfo {
	uint64_t id, parent;
	uint32_t major, minor; /* of the file system's device */
	/* Bytes as they are, without the file's escapes. */
	const char *root; /* what of the file system is mounted */
	const char *target; /* as seen from the reader's root */
	const char *options; /* of the mount */
	const char *fstype;
	const char *source; /* may be empty */
	const char *super; /* options of the file system */
	/* Propagation: IDs of peer groups, 0: none. */
	uint32_t shared; /* its own */
	uint32_t master; /* the one that it receives from */
	uint32_t propagate_from; /* the next of its masters that the reader can see, where that is another */
	bool unbindable;
};

/* Takes @line apart, which is changed and which *ret_mount points into. 0, or -EINVAL if it is no such line. */
int mountinfo_parse(char *line, struct mountinfo *ret_mount);

#endif
