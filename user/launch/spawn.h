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

#endif
