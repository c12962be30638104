/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flags, errors and signals by the names of their man pages. */
#ifndef EVENT_NAMES_H
#define EVENT_NAMES_H

#include <stddef.h>
#include <stdint.h>

struct flag_name {
	uint64_t value;
	const char *name; /* the man page's */
	const char *brief; /* for the text view */
};

struct flag_table {
	const struct flag_name *names;
	size_t count;
};

extern const struct flag_table clone_flag_table; /* clone(2), without CSIGNAL */
extern const struct flag_table mount_flag_table; /* mount(2), without MS_MGC_VAL */
extern const struct flag_table umount_flag_table; /* umount(2) */
extern const struct flag_table move_mount_flag_table; /* move_mount(2) */
extern const struct flag_table fsopen_flag_table, fsmount_flag_table, fspick_flag_table, open_tree_flag_table;
extern const struct flag_table setattr_flag_table; /* mount_setattr(2): AT_ flags */
extern const struct flag_table mount_attr_flag_table; /* attributes of a mount, as fsmount(2) and mount_setattr(2) take them */
extern const struct flag_table cleared_attr_flag_table; /* the same, cleared: the words say what is then */
extern const struct flag_table propagation_flag_table; /* of struct mount_attr */

/* mount(2)'s flags without the magic number that old programs put into the upper half. */
uint64_t mount_flags_clean(uint64_t flags);

/* What mount(2) does with @flags, in the order in which path_mount() of fs/namespace.c decides. */
enum mount_op { MOUNT_OP_NEW, MOUNT_OP_BIND, MOUNT_OP_REMOUNT, MOUNT_OP_MOVE, MOUNT_OP_PROPAGATION };
enum mount_op mount_op(uint64_t flags);
extern const char *const mount_op_names[];

/* enum fsconfig_command of linux/mount.h, which has not all of them everywhere. */
enum {
	FSCONFIG_CMD_SET_FLAG,
	FSCONFIG_CMD_SET_STRING,
	FSCONFIG_CMD_SET_BINARY,
	FSCONFIG_CMD_SET_PATH,
	FSCONFIG_CMD_SET_PATH_EMPTY,
	FSCONFIG_CMD_SET_FD,
	FSCONFIG_CMD_MAKE,
	FSCONFIG_CMD_REMAKE,
	FSCONFIG_CMD_MAKE_EXCL, /* Linux 6.6 */
	FSCONFIG_CMDS,
};

extern const char *const ns_by_names[]; /* by enum nss_ns_by; NULL behind the last */

#define NAME_MAX_LEN 32

/* fsconfig(2)'s name of @cmd, or "0x4d"; and what it does, in words. @buf is room for it. */
const char *fsconfig_cmd_name(uint32_t cmd, char buf[NAME_MAX_LEN]);
const char *fsconfig_cmd_brief(uint32_t cmd, char buf[NAME_MAX_LEN]);

/* Writes "ENOENT", or the number where it has no name; @error is positive. Returns @buf. */
const char *error_name(int error, char buf[NAME_MAX_LEN]);
/* Writes "SIGTERM", "SIGRTMIN+3" or the number. Returns @buf. */
const char *signal_name(int sig, char buf[NAME_MAX_LEN]);

#endif
