/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/hints.h"

#include <errno.h>

#include "launch/plan.h"
#include "util/cleanup.h"

#define NO_TARGET                                                                                                     \
	"it is not in the new root, and nsscope makes nothing on the host's file systems: make it, or use --overlay " \
	"or --tmpfs"
#define IS_ROOT "that is the root itself: use --root or --overlay"
#define NO_CGROUP                                                                                                      \
	"no cgroup v2 with these controllers is delegated to nsscope: the system has to mount cgroup v2, not v1, and " \
	"give it them (root, or systemd-run --user --scope -p Delegate=yes)"
#define MAP_IT "the user namespace does not map it"

#define ANY (-1)

/* THE list: act, errno, hint; the first row that fits is told. */
static const struct {
	int act; /* enum plan_act, or ANY */
	int error;
	const char *hint;
} hints[] = {
	{ PLAN_CGROUP, ENOTSUP, NO_CGROUP },
	{ PLAN_CGROUP, EACCES, NO_CGROUP },
	{ PLAN_CGROUP, EPERM, NO_CGROUP },
	{ PLAN_CGROUP, EROFS, NO_CGROUP },
	{ PLAN_CGROUP_ENTER, EACCES, "nsscope is in a cgroup that it may not move processes out of" },
	{ PLAN_HOSTNAME, EPERM, "it needs a new user namespace: -U -r" },
	{ PLAN_PROC, ENOENT, NO_TARGET },
	{ PLAN_PROC, EPERM,
	  "a user namespace may mount proc only with a new PID namespace (-p) and where the host's is whole" },
	{ PLAN_SYS, ENOENT, NO_TARGET },
	{ PLAN_DEV, ENOENT, NO_TARGET },
	{ PLAN_BIND, ENOENT, NO_TARGET },
	{ PLAN_BIND_RO, ENOENT, NO_TARGET },
	{ PLAN_TMPFS, ENOENT, NO_TARGET },
	{ PLAN_SYS, EBUSY, IS_ROOT },
	{ PLAN_DEV, EBUSY, IS_ROOT },
	{ PLAN_BIND, EBUSY, IS_ROOT },
	{ PLAN_BIND_RO, EBUSY, IS_ROOT },
	{ PLAN_TMPFS, EBUSY, IS_ROOT },
	{ PLAN_BIND, ENOTDIR, "source and destination are not both directories, or not both files" },
	{ PLAN_BIND_RO, ENOTDIR, "source and destination are not both directories, or not both files" },
	{ PLAN_BIND, ELOOP, "its symbolic links go round, or lead through those of /proc" },
	{ PLAN_SOURCE, EINVAL, "it is not mounted in this mount namespace, or is unbindable" },
	{ PLAN_SOURCE, EPERM, "it needs root, or a new user namespace: -U -r" },
	{ PLAN_PRIVATE, EPERM, "it needs root, or a new user namespace: -U -r" },
	{ PLAN_PIVOT_ROOT, EINVAL,
	  "the root is not a mount point (a chroot), or is the initramfs: pivot_root(2) refuses these" },
	{ PLAN_OVERLAY, EPERM, "overlayfs in a user namespace needs Linux 5.11" },
	{ PLAN_OVERLAY, ENODEV, "the kernel has no overlayfs" },
	{ PLAN_OVERLAY, EINVAL,
	  "overlayfs does not take this: an overlay over overlays, layers on a network file system, or, in a user "
	  "namespace, a directory below which something is mounted" },
	{ PLAN_OVERLAY, ELOOP,
	  "the directory of the layers holds what is to be covered, or is used by another overlay" },
	{ PLAN_OVERLAY, EBUSY, "the layers are used by another overlay" },
	{ PLAN_RETURN, ENOENT, "the new root does not have it: use --wd" },
	{ PLAN_DROP_GROUPS, EPERM, "it needs root, and in a user namespace an allowed setgroups(2)" },
	{ PLAN_SET_GID, EINVAL, MAP_IT },
	{ PLAN_SET_UID, EINVAL, MAP_IT },
	{ PLAN_SET_GID, EPERM, "it needs root, or a user namespace" },
	{ PLAN_SET_UID, EPERM, "it needs root, or a user namespace" },
	{ PLAN_DROP_CAPS, EPERM, "that takes CAP_SETPCAP, which nsscope does not have: run it as root, or with -U -r" },
	{ PLAN_ADD_CAPS, EPERM, "nsscope can give on only what it has itself" },
	{ PLAN_RLIMIT, EPERM, "only CAP_SYS_RESOURCE may raise a hard limit" },
	{ PLAN_READ_FILTER, EINVAL,
	  "not a compiled filter: whole struct sock_filter, 1 to 4096 of them (as for bwrap --seccomp)" },
	{ PLAN_FILTER, EINVAL, "the kernel does not take this program, or has no seccomp filters" },
	{ PLAN_MOUNT_PROC, EPERM,
	  "proc can be mounted only with a new PID namespace (-p), and not in a container that hides parts of its own /proc" },
	{ PLAN_PRIVATE, EINVAL, "/ is not a mount point here; bind it on itself first" },
	{ PLAN_ENTER, EPERM,
	  "it needs CAP_SYS_ADMIN in the user namespace that owns it: be root, or enter that user namespace too (-U)" },
	{ PLAN_ENTER, EINVAL,
	  "nsscope is in this user namespace already, or the PID namespace is not below nsscope's own" },
	{ PLAN_ENTER, ESRCH, "it has ended" },
	{ PLAN_ENTER_FORK, ENOMEM, "its init has ended; nothing can be started in it any more" },
	{ PLAN_ENTER_UID, EINVAL, "the user namespace does not map this ID; see its uid_map" },
	{ PLAN_ENTER_GID, EINVAL, "the user namespace does not map this ID; see its gid_map" },
	{ PLAN_ENTER_GID, EPERM, "not allowed in this user namespace; --preserve-credentials changes no IDs" },
	{ PLAN_ENTER_UID, EPERM, "not allowed in this user namespace; --preserve-credentials changes no IDs" },
	{ PLAN_EXEC, ENOENT, "no such file, also not in PATH, or what it needs to run is missing: its interpreter" },
	{ PLAN_EXEC, EACCES, "no permission to execute it, a directory, or on a mount with noexec" },
	{ PLAN_EXEC, ENOEXEC, "neither a program for this machine nor a script that begins with #!" },
	{ PLAN_EXEC, E2BIG, "arguments and environment are too long together" },
	{ ANY, ENOSPC, "if no disk is full, a limit of namespaces or mounts is: see /proc/sys/user and /proc/sys/fs/mount-max" },
	{ ANY, ENOMEM, "memory is short, or the limit of the cgroup is reached" },
	{ ANY, EAGAIN, "a limit of processes is reached: ulimit -u, pids.max of the cgroup, /proc/sys/kernel/pid_max" },
};

const char *launch_hint(const struct launch_event *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++)
		if ((hints[i].act == e->act || hints[i].act == ANY) && hints[i].error == e->error)
			return hints[i].hint;
	return NULL;
}
