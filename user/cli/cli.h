/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line: read by, and described from, the table of options. */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdio.h>

#include "cli/settings.h"

enum cli_result {
	CLI_GO, /* *ret_settings is to be carried out */
	CLI_DONE, /* --help and the like have been answered */
	CLI_ERROR, /* told on stderr */
};

/*
 * Reads the command line. The strings of *ret_settings are @argv's; of CLI_DONE and CLI_ERROR it has only the command, 0
 * where none was named.
 */
enum cli_result cli_parse(int argc, char **argv, struct settings *ret_settings);

/* The man page, nsscope(1), in the man(7) language. */
void cli_man(FILE *out);

#endif
