/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which mounts no path leads to. */
#ifndef MODEL_MOUNTCOVER_H
#define MODEL_MOUNTCOVER_H

#include "model/mountgraph.h"

/* Sets ->covered of all mounts. 0 or -ENOMEM. */
int mountcover_find(struct mountgraph *g);

#endif
