/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far an operation on a mount reached: the verdict on isolation. */
#ifndef EVENT_REACH_H
#define EVENT_REACH_H

#include "event/event.h"

enum reach_verdict {
	REACH_INSIDE, /* only the mount namespace that it was made in */
	REACH_HOST, /* nsscope's own too, and perhaps others */
	REACH_OTHERS, /* others, not nsscope's own */
	REACH_NONE, /* the call failed */
	REACH_UNKNOWN,
	REACH_MAX,
};

extern const char *const reach_verdict_names[REACH_MAX];

struct reach {
	enum reach_verdict verdict;
	bool cut; /* the walk ended early: total is less than there are */
	uint32_t total; /* other mount namespaces */
	const uint32_t *ns; /* their inums, total of them, in ascending order; valid as long as the event */
};

/* The reach of @e; false if it is not an event that has one. */
bool event_reach(const struct event *e, struct reach *ret_reach);

#endif
