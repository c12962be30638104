/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of checks. */
#ifndef DOCTOR_CHECKS_H
#define DOCTOR_CHECKS_H

/* The check whose findings are what each command can do: the verdict. */
#define CHECK_COMMANDS "command"

struct exam;

#define SUBJECT(name)
#define CHECK(id, name, why) void check_##id(struct exam *x);
#include "doctor/checks.def"
#undef CHECK
#undef SUBJECT

#endif
