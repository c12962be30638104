/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands that show a state, not events, have in common. */
#ifndef CMD_LISTING_H
#define CMD_LISTING_H

#include "cli/settings.h"
#include "inspect/namespaces.h"

struct listing {
	/* @width: of the terminal; 0: any. 0 or -errno. */
	int (*text)(struct buf *b, const void *arg, size_t width);
	int (*json)(struct buf *b, const void *arg);
	const void *arg;
};

/* Writes it to each output that @s names, or to standard output. 0, or STATUS_FAILED: complained. */
int listing_write(const struct settings *s, const struct listing *listing);

/* Complains in one line of what could not be looked at, if anything. */
void listing_complain(const struct inspect_gaps *gaps);

/* Adds the members "missing" and "host", a comma between them. */
void listing_json_common(struct buf *b, const struct inspect_gaps *gaps);

#endif
