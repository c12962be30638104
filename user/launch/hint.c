/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/hint.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "launch/persist.h"
#include "util/cleanup.h"

/* The first character of a sysctl; 0: there is none. */
static char sysctl_char(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char c;

	return fd >= 0 && read(fd, &c, 1) == 1 ? c : 0;
}

/* What distributions put in the way of user namespaces; NULL: nothing. */
static const char *what_restricts(void)
{
	if (sysctl_char("/proc/sys/kernel/unprivileged_userns_clone") == '0')
		return "this system keeps user namespaces to root: sysctl kernel.unprivileged_userns_clone=1 lifts that";
	if (sysctl_char("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == '1')
		return "AppArmor restricts unprivileged user namespaces here (Ubuntu): it takes a profile with \"userns\", or "
		       "sysctl kernel.apparmor_restrict_unprivileged_userns=0";
	return NULL;
}

void hint_namespaces(uint64_t flags, int error, char *hint, size_t size)
{
	const char *restricts = what_restricts();
	char names[96];

	*hint = '\0';
	persist_names(flags, names, sizeof(names));
	if (error == EPERM && !(flags & CLONE_NEWUSER))
		snprintf(hint, size,
			 "new namespaces need root, or -U (with -r) where the system allows user namespaces");
	else if (error == EPERM)
		snprintf(hint, size, "%s",
			 restricts ? restricts :
				     "new user namespaces are refused here: in a chroot, by a seccomp "
				     "filter (containers), or because this user is not mapped in the present one");
	else if (error == ENOSPC || error == EUSERS)
		snprintf(hint, size,
			 "a limit of namespaces is reached, not of the disk: see /proc/sys/user/max_*_namespaces "
			 "(%s), and 32 levels for user and PID namespaces",
			 names);
	else if (error == EINVAL)
		snprintf(hint, size, "the kernel does not have one of these namespaces: %s", names);
}

static const char *hint_proc(uint64_t namespaces, int error)
{
	if (error != EPERM)
		return error == ENOENT ? "the directory must be there, in the new root" : "";
	if (!(namespaces & CLONE_NEWUSER))
		return "mounting needs root, or -U (with -r)";
	if (!(namespaces & CLONE_NEWPID))
		return "a proc of the present PID namespace cannot be mounted from a new user namespace: add -p -f";
	return "/proc is masked here (a container): the kernel refuses one that would show more than the present one, see "
	       "mount_namespaces(7)";
}

/* @pid, @mnt: it is a namespace of that type. */
static const char *hint_bind(bool pid, bool mnt, int error)
{
	if (error == ENOENT && pid)
		return "the file must be there; and a PID namespace can be bound only when it has a process: add --fork";
	if (error == ENOENT)
		return "the file must be there: touch it first";
	if (error == EINVAL && mnt)
		return "its file must be on a mount that is not shared (mount --make-private); Linux 6.18 also refuses some of "
		       "those made within another new mount namespace, by chance: try again";
	return error == EPERM || error == EACCES ? "binding a namespace to a file takes root" : "";
}

static const char *hint_map(int error)
{
	const char *restricts = what_restricts();

	if (error == E2BIG)
		return "more than the 4 KiB that the kernel takes";
	if (error != EPERM && error != EACCES)
		return "";
	return restricts ? restricts : "this process may not map these IDs: see user_namespaces(7)";
}

static const char *hint_other(enum unshare_act act, int error)
{
	switch (act) {
	case UNSHARE_PROPAGATION:
		return error == EINVAL ?
			       "/ is no mount point (a chroot): mount --bind it onto itself, or --propagation unchanged" :
			       "";
	case UNSHARE_OWNER_GROUPS:
	case UNSHARE_OWNER_GID:
	case UNSHARE_OWNER_UID:
		return error == EPERM ? "to make a namespace for another owner takes root" : "";
	case UNSHARE_DROP_GROUPS:
		return error == EPERM ?
			       "-G takes CAP_SETGID, and a user namespace with a map of groups that does not deny setgroups(2)" :
			       "";
	case UNSHARE_SET_GID:
	case UNSHARE_SET_UID:
		return error == EINVAL ?
			       "the ID is not mapped in the user namespace: see --map-users and --map-groups" :
			       "";
	case UNSHARE_MOUNT_BINFMT:
	case UNSHARE_BINFMT_FIXED:
		return error == EPERM ? "in a user namespace binfmt_misc can be mounted since Linux 6.7" : "";
	case UNSHARE_CHROOT:
		return error == EPERM ? "chroot needs root, or -U (with -r)" : "";
	case UNSHARE_BOOTTIME:
	case UNSHARE_MONOTONIC:
		return error == ERANGE ? "the clock would leave the range 0..146 years" : "";
	case UNSHARE_DEATH_SIGNAL:
	case UNSHARE_DEATH_SIGNAL_2:
		return error == ESRCH ? "it has ended already" : "";
	default:
		return "";
	}
}

void hint_unshare(const struct unshare_plan *p, const struct unshare_step *step, int error, char *hint, size_t size)
{
	const char *text;

	switch (step->act) {
	case UNSHARE_UNSHARE:
		hint_namespaces((uint64_t)step->number, error, hint, size);
		return;
	case UNSHARE_MOUNT_PROC:
		text = hint_proc(p->namespaces, error);
		break;
	case UNSHARE_BIND:
		text = hint_bind(step->number == NSS_NS_PID_FOR_CHILDREN, step->number == NSS_NS_MNT, error);
		break;
	case UNSHARE_USERS:
	case UNSHARE_GROUPS:
	case UNSHARE_OUTSIDE_USERS:
	case UNSHARE_OUTSIDE_GROUPS:
		text = hint_map(error);
		break;
	default:
		text = hint_other(step->act, error);
	}
	snprintf(hint, size, "%s", text);
}

void hint_plan(const struct plan *p, const struct plan_step *step, int error, char *hint, size_t size)
{
	const char *text = "";

	switch (step->act) {
	case PLAN_USERS:
	case PLAN_GROUPS:
		text = hint_map(error);
		break;
	case PLAN_PERSIST:
		text = hint_bind(false, p->namespaces & CLONE_NEWNS, error);
		break;
	case PLAN_PRIVATE:
		text = hint_other(UNSHARE_PROPAGATION, error);
		break;
	case PLAN_CHROOT:
		text = hint_other(UNSHARE_CHROOT, error);
		break;
	case PLAN_MOUNT_PROC:
		text = hint_proc(p->namespaces, error);
		break;
	default:
		break;
	}
	snprintf(hint, size, "%s", text);
}
