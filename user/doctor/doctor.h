/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looks at what this kernel and these rights allow, by reading and by trying; nothing stays behind. */
#ifndef DOCTOR_DOCTOR_H
#define DOCTOR_DOCTOR_H

#include "doctor/report.h"

struct observe_settings;

/*
 * Carries out all checks. @observe is what run would observe. SIGCHLD must not be ignored: children are waited for.
 * @ret_report is to be freed, also where it says failed.
 */
void doctor_examine(const struct observe_settings *observe, struct report *ret_report);

/* Whether nsscope run works, as the report says. */
bool doctor_run_works(const struct report *r);

#endif
