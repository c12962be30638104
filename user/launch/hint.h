/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a step failed, where the errno alone misleads, and what to do. */
#ifndef LAUNCH_HINT_H
#define LAUNCH_HINT_H

#include "launch/plan.h"
#include "launch/unshare_plan.h"

/* The hint, cut to @size bytes; empty if there is none. Reads files of /proc/sys. */
void hint_unshare(const struct unshare_plan *p, const struct unshare_step *step, int error, char *hint, size_t size);

/* The same, for a step of run. */
void hint_plan(const struct plan *p, const struct plan_step *step, int error, char *hint, size_t size);

/* The same, for clone(2) with CLONE_NEW* @flags. */
void hint_namespaces(uint64_t flags, int error, char *hint, size_t size);

#endif
