/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which the mounts of a namespace are shown. */
#ifndef VIEW_MOUNTORDER_H
#define VIEW_MOUNTORDER_H

#include "model/mountgraph.h"

struct mount_place {
	const struct mount *mount;
	size_t depth; /* in the tree; 0 in a table */
};

/*
 * The mounts of the namespace @inum: as mountinfo has them, or with @tree each behind what it is mounted on. Free
 * *ret_order. 0 or -ENOMEM.
 */
int mountorder(const struct mountgraph *g, uint32_t inum, bool tree, struct mount_place **ret_order, size_t *ret_n);

#endif
