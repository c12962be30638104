/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks from within mount namespaces, each time by a thread of its own: the process stays where it is. */
#ifndef INSPECT_MNTNS_H
#define INSPECT_MNTNS_H

#include <stdint.h>

/*
 * The mountinfo of the mount namespace that @ns is open on, as seen from its root. @proc: directory descriptor of /proc.
 * Descriptor or -errno; -EPERM without CAP_SYS_ADMIN and CAP_SYS_CHROOT.
 */
int mntns_mountinfo(int ns, int proc);

/*
 * The namespace file @inum that is bound to @path in the mount namespace that @ns is open on. Nothing else is opened,
 * whatever lies there, and no file system that does not answer is waited for. Descriptor or -errno.
 */
int mntns_open(int ns, int proc, const char *path, uint32_t inum);

#endif
