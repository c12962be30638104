/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was found, and how it is shown: pure. */
#ifndef DOCTOR_REPORT_H
#define DOCTOR_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "util/buf.h"

enum state {
	STATE_OK,
	STATE_LIMITED, /* nsscope works without, but not as well, or not all of it */
	STATE_MISSING,
	STATE_UNKNOWN, /* could not be found out */
	STATES
};

extern const char *const state_names[STATES];

/* Pointers that are not said to be owned are to constants. */
struct finding {
	const char *subject;
	const char *check; /* several findings may be of one check */
	char *name; /* owned */
	enum state state;
	char *found; /* owned; may hold any bytes but null: paths, names */
	const char *why; /* why it matters */
	const char *mend; /* how to mend it; NULL where it is in order or nothing can be done */
};

/* Zero-initialised is empty. */
struct report {
	struct finding *findings;
	size_t n;
	bool failed; /* no memory: what was found is not all here */
};

/* Takes a copy of @f and of what it owns. */
void report_add(struct report *r, const struct finding *f);
void report_free(struct report *r);

/* NULL if there is none. */
const struct finding *report_find(const struct report *r, const char *check, const char *name);

struct report_style {
	bool color;
	size_t width; /* columns; 0: lines are not wrapped */
};

/* A table, by subject; a last line with what the commands can do. */
void report_text(const struct report *r, const struct report_style *style, struct buf *b);

/* One JSON object and a newline. */
void report_json(const struct report *r, const char *version, struct buf *b);

#endif
