/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ID maps of a new user namespace: user_namespaces(7). */
#ifndef LAUNCH_IDMAP_H
#define LAUNCH_IDMAP_H

/*
 * Maps root in the user namespace of the process to the caller's effective IDs, and gives up
 * setgroups(2) there, without which nobody but root may map groups. 0 or -errno.
 */
int idmap_root(int pidfd);

#endif
