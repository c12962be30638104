/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From settings to an ordered list of steps: pure, so that it is tested without rights. */
#ifndef LAUNCH_PLAN_H
#define LAUNCH_PLAN_H

#include "launch/launch.h"

#include <sched.h>
#include <stddef.h>

/* The namespaces that are made where none is named. */
#define PLAN_DEFAULT_NAMESPACES                                                                    \
	(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP)

/* Each act once, and those that repeat. */
#define PLAN_STEPS_MAX (PLAN_ACTS + 2 * SANDBOX_MOUNTS_MAX + SANDBOX_ENV_MAX + SANDBOX_RLIMITS_MAX)

enum plan_act {
#define STEP(id, name, where, words) PLAN_##id,
#include "launch/steps.def"
#undef STEP
	PLAN_ACTS
};

enum plan_where {
	PLAN_ENTERING,
	PLAN_OUTSIDE,
	PLAN_INSIDE,
};

struct plan_step {
	enum plan_act act;
	const char *arg; /* NULL: none */
	uint64_t caps; /* of steps about capabilities: bit N is capability N */
};

struct plan {
	uint64_t namespaces; /* CLONE_NEW* flags */
	bool persists; /* some namespace is made persistent */
	size_t n;
	struct plan_step steps[PLAN_STEPS_MAX];
};

/*
 * The plan points to the strings of @settings and to @shell, which is what runs if there is no
 * argv. 0, or -EINVAL: a bit that is no namespace's, or an empty argv.
 */
int plan_make(const struct launch_settings *settings, const char *shell, struct plan *ret_plan);

enum plan_where plan_where(enum plan_act act);
/* Whether there is a step of this side. */
bool plan_has(const struct plan *p, enum plan_where where);
/* Whether the process that enters is not the command, but makes it. */
bool plan_forks(const struct plan *p);
bool plan_is_exec(enum plan_act act);

/* The step in words, cut to @size bytes: "mount proc on /proc". */
void plan_describe(const struct plan_step *step, char *words, size_t size);

#endif
