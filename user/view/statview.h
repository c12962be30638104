/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope stat's report: what is counted, and how long each phase of a process's life took. */
#ifndef VIEW_STATVIEW_H
#define VIEW_STATVIEW_H

#include "model/spans.h"
#include "util/buf.h"

struct statview {
	const struct span_table *table;
	const struct nss_spawner_entry *spawners; /* most first */
	size_t nspawners;
	const uint64_t *counts; /* [NSS_COUNTS] since the beginning */
	const uint64_t *recent; /* [NSS_COUNTS] in @recent_ns, for the rates */
	uint64_t elapsed_ns, recent_ns;
	uint64_t time_ns; /* now, CLOCK_REALTIME */
	enum nss_by by;
	const char *backend; /* that gives the system calls */
	bool hist; /* bars too */
	bool final; /* no other follows */
	/* Adds the path of the cgroup @id, or nothing: it is gone, or cgroup2 not mounted. */
	void (*cgroup)(struct buf *b, uint64_t id);
};

/* The names of what durations can be grouped by, in the order of enum nss_by. */
extern const char *const stat_by_names[];
#define STAT_BY_NAMES (NSS_BY_IMAGE + 1)

/* What is counted. */
extern const struct stat_count_desc {
	const char *name, *doc;
} stat_count_descs[NSS_COUNTS];

/* For a terminal of @width columns; 0: any. 0 or -ENOMEM. */
int statview_text(struct buf *b, const struct statview *v, size_t width);

/* The members of the JSON object from "time" on, without its braces. */
void statview_json(struct buf *b, const struct statview *v);

#endif
