/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands: each takes its settings and returns the exit status. */
#ifndef CMD_CMD_H
#define CMD_CMD_H

#include "cli/settings.h"

#define COMMAND(ID, name, operands, help) int cmd_##name(const struct settings *s);
#include "cli/commands.def"
#undef COMMAND

#endif
