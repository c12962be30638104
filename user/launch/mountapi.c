/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/mountapi.h"

#include "util/cleanup.h"

int mountapi_new(const char *type, const char *const *options, unsigned attr)
{
	_close_ int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int mount;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "source", type, 0) < 0)
		return -errno;
	for (; options && options[0]; options += 2) {
		unsigned command = options[1] ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;

		if (syscall(SYS_fsconfig, fs, command, options[0], options[1], 0) < 0)
			return -errno;
	}
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attr);
	return mount < 0 ? -errno : mount;
}

int mountapi_read_only(int mount)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };

	return syscall(SYS_mount_setattr, mount, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0 ? -errno :
													      0;
}

int mountapi_open_in(int root, const char *path, unsigned resolve)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | resolve,
	};
	int tries = 100, fd;

	/* EAGAIN: somebody renamed or mounted meanwhile, and the kernel cannot tell whether a .. left the root. */
	do
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && tries--);
	return fd < 0 ? -errno : fd;
}
