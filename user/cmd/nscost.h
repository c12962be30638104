/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMD_NSCOST_H
#define CMD_NSCOST_H

#include "cli/settings.h"

/* stat --namespaces: measures, and prints a table or one JSON object. The exit status. */
int stat_namespaces(const struct settings *s);

#endif
