/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LAUNCH_HINTS_H
#define LAUNCH_HINTS_H

#include "launch/launch.h"

/*
 * What @e, of kind LAUNCH_FAILED, means here and what to do, where the words of its errno do not say
 * it; or NULL. Pure.
 */
const char *launch_hint(const struct launch_event *e);

#endif
