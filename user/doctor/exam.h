/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the checks work with. */
#ifndef DOCTOR_EXAM_H
#define DOCTOR_EXAM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/utsname.h>

#include "doctor/checks.h"
#include "doctor/parse.h"
#include "doctor/report.h"

struct observe_settings;

/* Facts that several checks need. */
struct ground {
	struct utsname uts;
	unsigned major, minor; /* of the release; 0.0 if it cannot be understood */
	uint64_t caps; /* effective, a bit each */
	bool initial_user; /* nsscope is in the initial user namespace */
	bool user_known; /* and that is known */
	struct buf mountinfo; /* text of /proc/self/mountinfo; empty: cannot be read */
	struct buf status; /* of /proc/self/status */
};

struct exam {
	struct report *report;
	const struct observe_settings *observe;
	struct ground ground;
	const char *subject; /* of the check that is at work */
	const char *check;
	const char *why;
	/* Results that the verdict needs: 0 or -errno, and the reason. */
	int observing, launching;
	char observing_text[512], launching_text[512];
};

/* Tells a finding of the check that is at work, under the check's name. @mend may be NULL. */
void tell(struct exam *x, enum state state, const char *mend, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* The same for one of several, with its own @name; @why is the check's if NULL. */
void tell_of(struct exam *x, const char *name, const char *why, enum state state, const char *mend, const char *fmt,
	     ...) __attribute__((format(printf, 6, 7)));

/* Whether @cap (CAP_*) is effective in the initial user namespace, or not known not to be. */
bool ground_capable(const struct ground *g, unsigned cap);
bool ground_is_before(const struct ground *g, unsigned major, unsigned minor);

/*
 * Adds the whole file (gzip is taken as well), with a null byte behind that does not count. 0, or -errno and nothing is
 * added.
 */
int read_text(const char *path, struct buf *b);
/* The same, @path being below the directory @dir, as openat(2) takes it. */
int read_text_at(int dir, const char *path, struct buf *b);

/* A file with one number. 0 or -errno (-EBADMSG: it is none). */
int read_number(const char *path, long long *ret);

#endif
