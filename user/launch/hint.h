/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a step failed, where the errno alone misleads, and what to do: hints.def. */
#ifndef LAUNCH_HINT_H
#define LAUNCH_HINT_H

#include "launch/plan.h"
#include "launch/unshare_plan.h"

/* The hint for a step of run, cut to @size bytes; empty if there is none. @bound: of PLAN_PERSIST, or NSS_NS_MAX. */
void hint_plan(const struct plan *p, const struct plan_step *step, enum nss_ns bound, int error, char *hint, size_t size);

/* The same, for a step of unshare. */
void hint_unshare(const struct unshare_plan *p, const struct unshare_step *step, int error, char *hint, size_t size);

/* The same, for clone(2) with CLONE_NEW* @flags. */
void hint_namespaces(uint64_t flags, int error, char *hint, size_t size);

/* The same, for what is no step. */
void hint_other(int error, char *hint, size_t size);

#endif
