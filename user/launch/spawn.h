/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LAUNCH_SPAWN_H
#define LAUNCH_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

/*
 * As fork(2), into new namespaces: 0 in the child, its PID in the parent, with *ret_pidfd, which is
 * close-on-exec; or -errno of clone(2).
 */
pid_t spawn_clone(uint64_t namespaces, int *ret_pidfd);

/*
 * The same without new namespaces, but as a child of this process's parent: it may be in another PID namespace, which
 * setns(2) has set for children.
 */
pid_t spawn_sibling(int *ret_pidfd);

#endif
