/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unshare(1): from settings to an ordered list of steps; pure. */
#ifndef LAUNCH_UNSHARE_PLAN_H
#define LAUNCH_UNSHARE_PLAN_H

#include <stddef.h>

#include "launch/launch.h"

enum unshare_act {
#define STEP(id, name, where, shows, words) UNSHARE_##id,
#include "launch/unshare_steps.def"
#undef STEP
	UNSHARE_ACTS
};

struct unshare_step {
	enum unshare_act act;
	const char *arg; /* NULL: none */
	int64_t number; /* ID, offset, signal, flags, enum nss_ns, as the act wants it */
};

struct unshare_plan {
	uint64_t namespaces; /* CLONE_NEW* flags */
	bool outsider; /* some step is done outside */
	size_t n;
	struct unshare_step steps[UNSHARE_ACTS + NSS_NS_MAX]; /* each act at most once, but for BIND */
};

/*
 * The plan points to the strings of @s, whose in_place must be set, and to @shell, which runs if there is no argv.
 * Order and implications are those of unshare(1) of util-linux 2.43, but for the persistent namespaces: they are there
 * before the command; and for "--setgroups deny", which is before the maps, since it could not be after.
 *
 * 0, or -EINVAL with *ret_why: settings that contradict each other.
 */
int unshare_plan(const struct launch_settings *s, const char *shell, struct unshare_plan *ret_plan,
		 const char **ret_why);

/* Whether it is done outside. */
bool unshare_is_outside(enum unshare_act act);

/* The step in words, cut to @size bytes. */
void unshare_describe(const struct unshare_step *step, char *words, size_t size);

#endif
