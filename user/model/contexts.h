/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The new mount API makes a mount by steps: fsopen, fsconfig ..., fsmount, move_mount; or open_tree, mount_setattr,
 * move_mount; or fspick, fsconfig .... The kernel side gives the calls that belong together one number. Here it is gathered what
 * the steps made, so that a view can tell it in one line where it takes effect, and what never took effect as well.
 */
#ifndef MODEL_CONTEXTS_H
#define MODEL_CONTEXTS_H

#include <uthash.h>

#include "event/steps.h"

/* What is known of one number. */
struct context {
	uint64_t number;
	struct steps steps;
	bool took_effect; /* it was attached, or the file system was changed: what follows is told by itself */
	bool told; /* as what never took effect */
	uint64_t held; /* steps that wait to be told */
	struct nss_pid *pids; /* of who made the last step */
	uint16_t levels;
	struct context *next_left; /* in contexts.left */
	UT_hash_handle hh;
};

struct contexts {
	struct context *by_number; /* the oldest first */
	struct context *left; /* with the last event: whose steps nobody will go on with, as far as is known; not told before */
	struct context *evicted; /* the same, and to be freed with the next event */
	uint64_t held; /* steps that were told, or are to be told, with what came of them */
};

/* Takes in @e; sets its steps and whether it is held. 0 or -ENOMEM. */
int contexts_update(struct contexts *c, struct event *e);
void contexts_free(struct contexts *c);

#endif
