/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a call does to mount trees, by its arguments. */
#ifndef NSS_CHANGE_H
#define NSS_CHANGE_H

#include "core/context.h"
#include "core/syscall.h"

#define NSS_MS_REMOUNT 32
#define NSS_MS_BIND 4096
#define NSS_MS_MOVE 8192
#define NSS_MS_MGC_MSK 0xffff0000
#define NSS_MS_MGC_VAL 0xc0ed0000
#define NSS_MS_PROPAGATION 0x1e0000 /* MS_UNBINDABLE, MS_PRIVATE, MS_SLAVE, MS_SHARED */
#define NSS_MOVE_MOUNT_F_EMPTY_PATH 4
#define NSS_MOVE_MOUNT_SET_GROUP 0x100
#define NSS_MOVE_MOUNT_BENEATH 0x200
#define NSS_PROPAGATION_OF_ATTR 16 /* offset in struct mount_attr */

/* Of mount(2): with the magic number of old programs the kernel leaves out what has bits of that. */
static __always_inline __u64 mount_flags(const struct call *call)
{
	__u64 flags = call->arg[3];

	return (flags & NSS_MS_MGC_MSK) == NSS_MS_MGC_VAL ? flags & ~(__u64)NSS_MS_MGC_MSK : flags;
}

/* Whether the path that the caller has at @path is empty: the call is of the file descriptor beside it. */
static __always_inline bool is_empty_path(__u64 path)
{
	char first = 0;

	return !path || (!bpf_probe_read_user(&first, sizeof(first), (void *)path) && !first);
}

/* Whether move_mount(2) is of the file alone: the flag only allows that. */
static __always_inline bool moves_file(const struct call *call)
{
	return call->arg[4] & NSS_MOVE_MOUNT_F_EMPTY_PATH && is_empty_path(call->arg[1]);
}

/* What the call does to the mount tree, if it works. */
static __always_inline enum change change_of(const struct call *call)
{
	__u64 flags = mount_flags(call);

	switch (call->event) {
	case NSS_EV_UMOUNT:
		return CHANGE_UMOUNT;
	case NSS_EV_MOVE_MOUNT:
		if (call->arg[4] & NSS_MOVE_MOUNT_SET_GROUP)
			return CHANGE_NONE;
		return moves_file(call) ? CHANGE_MOVE_FD : CHANGE_MOVE;
	case NSS_EV_MOUNT:
		if (flags & NSS_MS_REMOUNT)
			return CHANGE_NONE;
		if (flags & NSS_MS_BIND)
			return CHANGE_NEW;
		if (flags & NSS_MS_PROPAGATION)
			return CHANGE_NONE;
		return flags & NSS_MS_MOVE ? CHANGE_MOVE : CHANGE_NEW;
	}
	return CHANGE_NONE;
}

/* What a call may take from a mount namespace, so that what another has just got by propagation is not to be seen there. */
enum taking { TAKES_NOTHING, TAKES_MOUNT, TAKES_SHARING };

static __always_inline enum taking taking_of(const struct call *call)
{
	__u64 flags = mount_flags(call), propagation;

	switch (call->event) {
	case NSS_EV_UMOUNT:
	case NSS_EV_PIVOT_ROOT:
		return TAKES_MOUNT;
	case NSS_EV_MOVE_MOUNT:
		/* What is attached for the first time takes nothing, unless another goes on top of it. */
		if (call->arg[4] & NSS_MOVE_MOUNT_BENEATH || !moves_file(call))
			return TAKES_MOUNT;
		return made_mount_of_fd(call->arg[0]) ? TAKES_NOTHING : TAKES_MOUNT;
	case NSS_EV_MOUNT_SETATTR:
		if (bpf_probe_read_user(&propagation, sizeof(propagation), (void *)(call->arg[3] + NSS_PROPAGATION_OF_ATTR)))
			return TAKES_SHARING; /* as it may be */
		return propagation ? TAKES_SHARING : TAKES_NOTHING;
	case NSS_EV_MOUNT:
		if (flags & (NSS_MS_REMOUNT | NSS_MS_BIND))
			return TAKES_NOTHING;
		if (flags & NSS_MS_PROPAGATION)
			return TAKES_SHARING;
		return flags & NSS_MS_MOVE ? TAKES_MOUNT : TAKES_NOTHING;
	}
	return TAKES_NOTHING;
}

#endif
