/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a cgroup (v2) is in the file system. */
#ifndef INSPECT_CGROUP_H
#define INSPECT_CGROUP_H

#include <stdint.h>

#include "util/buf.h"

/* Adds the directory of the cgroup that has this @id, which is its inode number; nothing if it is gone, or may not be found. */
void cgroup_add_path(struct buf *b, uint64_t id);

#endif
