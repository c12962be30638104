/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/names.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "abi/abi.h"
#include "util/cleanup.h"

#define F(flag, brief) { flag, #flag, brief }

static const struct flag_name clone_flags[] = {
	F(CLONE_NEWTIME, "time"),
	F(CLONE_VM, "vm"),
	F(CLONE_FS, "fs"),
	F(CLONE_FILES, "files"),
	F(CLONE_SIGHAND, "sighand"),
	F(CLONE_PIDFD, "pidfd"),
	F(CLONE_PTRACE, "ptrace"),
	F(CLONE_VFORK, "vfork"),
	F(CLONE_PARENT, "parent"),
	F(CLONE_THREAD, "thread"),
	F(CLONE_NEWNS, "mnt"),
	F(CLONE_SYSVSEM, "sysvsem"),
	F(CLONE_SETTLS, "settls"),
	F(CLONE_PARENT_SETTID, "parent_settid"),
	F(CLONE_CHILD_CLEARTID, "child_cleartid"),
	F(CLONE_DETACHED, "detached"),
	F(CLONE_UNTRACED, "untraced"),
	F(CLONE_CHILD_SETTID, "child_settid"),
	F(CLONE_NEWCGROUP, "cgroup"),
	F(CLONE_NEWUTS, "uts"),
	F(CLONE_NEWIPC, "ipc"),
	F(CLONE_NEWUSER, "user"),
	F(CLONE_NEWPID, "pid"),
	F(CLONE_NEWNET, "net"),
	F(CLONE_IO, "io"),
	F(CLONE_CLEAR_SIGHAND, "clear_sighand"),
	F(CLONE_INTO_CGROUP, "into_cgroup"),
};

/* Of the headers only <linux/mount.h> has them all as macros; the names in words are mount(8)'s. */
static const struct flag_name mount_flags[] = {
	F(MS_RDONLY, "ro"),
	F(MS_NOSUID, "nosuid"),
	F(MS_NODEV, "nodev"),
	F(MS_NOEXEC, "noexec"),
	F(MS_SYNCHRONOUS, "sync"),
	F(MS_REMOUNT, NULL),
	F(MS_MANDLOCK, "mand"),
	F(MS_DIRSYNC, "dirsync"),
	F(MS_NOSYMFOLLOW, "nosymfollow"),
	F(MS_NOATIME, "noatime"),
	F(MS_NODIRATIME, "nodiratime"),
	F(MS_BIND, NULL),
	F(MS_MOVE, NULL),
	F(MS_REC, "recursive"),
	F(MS_SILENT, "silent"),
	F(MS_POSIXACL, "acl"),
	F(MS_UNBINDABLE, NULL),
	F(MS_PRIVATE, NULL),
	F(MS_SLAVE, NULL),
	F(MS_SHARED, NULL),
	F(MS_RELATIME, "relatime"),
	F(MS_I_VERSION, "iversion"),
	F(MS_STRICTATIME, "strictatime"),
	F(MS_LAZYTIME, "lazytime"),
};

/* linux/fs.h keeps them from user space, and sys/mount.h cannot stand beside linux/mount.h in glibc 2.36. */
static const struct flag_name umount_flags[] = {
	{ 1, "MNT_FORCE", "force" },
	{ 2, "MNT_DETACH", "lazy" },
	{ 4, "MNT_EXPIRE", "expire" },
	{ 8, "UMOUNT_NOFOLLOW", "nofollow" },
};

static const struct flag_name move_mount_flags[] = {
	F(MOVE_MOUNT_F_SYMLINKS, "follow symlinks in from"),
	F(MOVE_MOUNT_F_AUTOMOUNTS, "follow automounts in from"),
	F(MOVE_MOUNT_F_EMPTY_PATH, NULL),
	F(MOVE_MOUNT_T_SYMLINKS, "follow symlinks in to"),
	F(MOVE_MOUNT_T_AUTOMOUNTS, "follow automounts in to"),
	F(MOVE_MOUNT_T_EMPTY_PATH, NULL),
	F(MOVE_MOUNT_SET_GROUP, "set peer group"),
	{ 0x200, "MOVE_MOUNT_BENEATH", "beneath" }, /* Linux 6.5 */
};

static const struct flag_name fsopen_flags[] = { F(FSOPEN_CLOEXEC, NULL) };

static const struct flag_name fsmount_flags[] = {
	F(FSMOUNT_CLOEXEC, NULL),
	{ 2, "FSMOUNT_NAMESPACE", "namespace" }, /* after Linux 7.0 */
};

static const struct flag_name fspick_flags[] = {
	F(FSPICK_CLOEXEC, NULL),
	F(FSPICK_SYMLINK_NOFOLLOW, "nofollow"),
	F(FSPICK_NO_AUTOMOUNT, "no automount"),
	F(FSPICK_EMPTY_PATH, NULL),
};

/* AT_ flags are of linux/fcntl.h, which not every linux/mount.h brings along. */
#define AT_FLAGS                                       \
	{ 0x100, "AT_SYMLINK_NOFOLLOW", "nofollow" },  \
	{ 0x800, "AT_NO_AUTOMOUNT", "no automount" },  \
	{ 0x1000, "AT_EMPTY_PATH", NULL },             \
	{ 0x8000, "AT_RECURSIVE", "recursive" }

static const struct flag_name open_tree_flags[] = {
	{ 1, "OPEN_TREE_CLONE", "copy" },
	{ 2, "OPEN_TREE_NAMESPACE", "namespace" }, /* Linux 7.0 */
	{ 02000000, "OPEN_TREE_CLOEXEC", NULL },
	AT_FLAGS,
};

static const struct flag_name setattr_flags[] = { AT_FLAGS };

static const struct flag_name mount_attr_flags[] = {
	F(MOUNT_ATTR_RDONLY, "ro"),
	F(MOUNT_ATTR_NOSUID, "nosuid"),
	F(MOUNT_ATTR_NODEV, "nodev"),
	F(MOUNT_ATTR_NOEXEC, "noexec"),
	F(MOUNT_ATTR__ATIME, "atime"),
	F(MOUNT_ATTR_NOATIME, "noatime"),
	F(MOUNT_ATTR_STRICTATIME, "strictatime"),
	F(MOUNT_ATTR_NODIRATIME, "nodiratime"),
	F(MOUNT_ATTR_IDMAP, "idmap"),
	{ 0x200000, "MOUNT_ATTR_NOSYMFOLLOW", "nosymfollow" }, /* Linux 5.14 */
};

/* What becomes of a mount when they are cleared. */
static const struct flag_name cleared_attr_flags[] = {
	F(MOUNT_ATTR_RDONLY, "rw"),
	F(MOUNT_ATTR_NOSUID, "suid"),
	F(MOUNT_ATTR_NODEV, "dev"),
	F(MOUNT_ATTR_NOEXEC, "exec"),
	F(MOUNT_ATTR__ATIME, "relatime"),
	F(MOUNT_ATTR_NODIRATIME, "diratime"),
	{ 0x200000, "MOUNT_ATTR_NOSYMFOLLOW", "symfollow" },
};

static const struct flag_name propagation_flags[] = {
	F(MS_UNBINDABLE, "unbindable"),
	F(MS_PRIVATE, "private"),
	F(MS_SLAVE, "slave"),
	F(MS_SHARED, "shared"),
};

const struct flag_table clone_flag_table = { clone_flags, ARRAY_SIZE(clone_flags) };
const struct flag_table mount_flag_table = { mount_flags, ARRAY_SIZE(mount_flags) };
const struct flag_table umount_flag_table = { umount_flags, ARRAY_SIZE(umount_flags) };
const struct flag_table move_mount_flag_table = { move_mount_flags, ARRAY_SIZE(move_mount_flags) };
const struct flag_table fsopen_flag_table = { fsopen_flags, ARRAY_SIZE(fsopen_flags) };
const struct flag_table fsmount_flag_table = { fsmount_flags, ARRAY_SIZE(fsmount_flags) };
const struct flag_table fspick_flag_table = { fspick_flags, ARRAY_SIZE(fspick_flags) };
const struct flag_table open_tree_flag_table = { open_tree_flags, ARRAY_SIZE(open_tree_flags) };
const struct flag_table setattr_flag_table = { setattr_flags, ARRAY_SIZE(setattr_flags) };
const struct flag_table mount_attr_flag_table = { mount_attr_flags, ARRAY_SIZE(mount_attr_flags) };
const struct flag_table cleared_attr_flag_table = { cleared_attr_flags, ARRAY_SIZE(cleared_attr_flags) };
const struct flag_table propagation_flag_table = { propagation_flags, ARRAY_SIZE(propagation_flags) };

uint64_t mount_flags_clean(uint64_t flags)
{
	return (flags & MS_MGC_MSK) == MS_MGC_VAL ? flags & ~(uint64_t)MS_MGC_MSK : flags;
}

enum mount_op mount_op(uint64_t flags)
{
	flags = mount_flags_clean(flags);
	if (flags & MS_REMOUNT)
		return MOUNT_OP_REMOUNT;
	if (flags & MS_BIND)
		return MOUNT_OP_BIND;
	if (flags & (MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))
		return MOUNT_OP_PROPAGATION;
	if (flags & MS_MOVE)
		return MOUNT_OP_MOVE;
	return MOUNT_OP_NEW;
}

const char *const mount_op_names[] = {
	[MOUNT_OP_NEW] = "new",	  [MOUNT_OP_BIND] = "bind",		  [MOUNT_OP_REMOUNT] = "remount",
	[MOUNT_OP_MOVE] = "move", [MOUNT_OP_PROPAGATION] = "propagation",
};

static const struct {
	const char *name, *brief;
} fsconfig_cmds[FSCONFIG_CMDS] = {
	[FSCONFIG_CMD_SET_FLAG] = { "FSCONFIG_SET_FLAG", "set" },
	[FSCONFIG_CMD_SET_STRING] = { "FSCONFIG_SET_STRING", "set" },
	[FSCONFIG_CMD_SET_BINARY] = { "FSCONFIG_SET_BINARY", "set" },
	[FSCONFIG_CMD_SET_PATH] = { "FSCONFIG_SET_PATH", "set path" },
	[FSCONFIG_CMD_SET_PATH_EMPTY] = { "FSCONFIG_SET_PATH_EMPTY", "set path" },
	[FSCONFIG_CMD_SET_FD] = { "FSCONFIG_SET_FD", "set" },
	[FSCONFIG_CMD_MAKE] = { "FSCONFIG_CMD_CREATE", "create" },
	[FSCONFIG_CMD_REMAKE] = { "FSCONFIG_CMD_RECONFIGURE", "reconfigure" },
	[FSCONFIG_CMD_MAKE_EXCL] = { "FSCONFIG_CMD_CREATE_EXCL", "create, not share" },
};

const char *fsconfig_cmd_name(uint32_t cmd, char buf[NAME_MAX_LEN])
{
	if (cmd < FSCONFIG_CMDS)
		return fsconfig_cmds[cmd].name;
	snprintf(buf, NAME_MAX_LEN, "0x%x", cmd);
	return buf;
}

const char *fsconfig_cmd_brief(uint32_t cmd, char buf[NAME_MAX_LEN])
{
	if (cmd < FSCONFIG_CMDS)
		return fsconfig_cmds[cmd].brief;
	snprintf(buf, NAME_MAX_LEN, "command 0x%x", cmd);
	return buf;
}

const char *const ns_by_names[NSS_BY_MAX + 1] = {
	[NSS_BY_CLONE] = "clone",
	[NSS_BY_UNSHARE] = "unshare",
	[NSS_BY_OPEN_TREE] = "open_tree",
	[NSS_BY_FSMOUNT] = "fsmount",
};

const char *error_name(int error, char buf[NAME_MAX_LEN])
{
	const char *name = strerrorname_np(error);

	if (name)
		snprintf(buf, NAME_MAX_LEN, "%s", name);
	else
		snprintf(buf, NAME_MAX_LEN, "%d", error);
	return buf;
}

const char *signal_name(int sig, char buf[NAME_MAX_LEN])
{
	const char *name = sigabbrev_np(sig);

	if (name)
		snprintf(buf, NAME_MAX_LEN, "SIG%s", name);
	else if (sig >= SIGRTMIN && sig <= SIGRTMAX)
		snprintf(buf, NAME_MAX_LEN, "SIGRTMIN+%d", sig - SIGRTMIN);
	else
		snprintf(buf, NAME_MAX_LEN, "%d", sig);
	return buf;
}
