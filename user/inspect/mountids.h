/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 64-bit ids of mounts: listmount(2), statmount(2). */
#ifndef INSPECT_MOUNTIDS_H
#define INSPECT_MOUNTIDS_H

#include "model/mountgraph.h"

/*
 * Sets unique_id of the mounts of the namespace @inum in @g, whose own 64-bit id is @ns_id (0: it is nsscope's own, or
 * not known), as far as the kernel tells: Linux 6.8 for nsscope's own, 6.11 for others. 0 or -ENOMEM.
 */
int mountids_read(struct mountgraph *g, uint32_t inum, uint64_t ns_id);

#endif
