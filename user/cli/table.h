/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables of commands and options, as data. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "cli/settings.h"

enum option_group { OPT_NAMESPACES, OPT_TARGET, OPT_ENTER, OPT_SANDBOX, OPT_IDS, OPT_WHICH, OPT_OUTPUT, OPT_GROUPS };

struct option_row {
	unsigned commands; /* enum command_id bits */
	enum option_group group;
	int brief; /* the letter, or 0 */
	const char *name;
	const char *argument; /* NULL: none; "[=X]": may have one */
	const char *(*set)(struct settings *s, const char *argument, uint64_t value);
	uint64_t value;
	const char *help;
};

struct command_row {
	enum command_id id;
	const char *name;
	const char *operands;
	const char *help;
};

extern const struct option_row option_rows[];
extern const size_t option_count;
extern const struct command_row command_rows[];
extern const size_t command_count;
extern const char *const option_group_names[OPT_GROUPS];

/* A whole decimal number up to @max. */

/* Setters that are not in table.c. */
const char *set_enter_ns(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_target(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_in(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_ref(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_run(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_socket(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_root(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_wd(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_wdns(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_uid(struct settings *s, const char *argument, uint64_t value);
const char *set_enter_gid(struct settings *s, const char *argument, uint64_t value);

#endif
