/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The durations that nsscope stat's kernel side has added up, by group and phase. */
#ifndef MODEL_SPANS_H
#define MODEL_SPANS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/stat.h"

/* The phases' names, such as "fork_exec", and what they are. */
struct phase_desc {
	const char *name;
	const char *doc;
};

extern const struct phase_desc phase_descs[NSS_PHASE_MAX];

struct span_row {
	uint32_t phase; /* enum nss_phase */
	uint32_t made; /* of a part: bit per enum nss_ns */
	bool part; /* of the row of NSS_PHASE_CLONE before it: those calls that made exactly these namespaces */
	struct nss_span span;
};

struct span_group {
	struct nss_group group;
	bool rest; /* of what there was no room for in the kernel side */
	uint64_t forks; /* processes of it that were made */
	size_t first, n; /* its rows */
};

struct span_table {
	struct span_group *groups; /* the first is all together, then by ->forks, largest first */
	size_t ngroups;
	struct span_row *rows; /* by phase */
	size_t nrows;
	const struct nss_span_entry **lives; /* by comm; shortest median first */
	size_t nlives;
};

/*
 * Makes the table of @entries, which must outlive it. @grouped: each group by itself too. 0 or -ENOMEM; to be freed in either
 * case.
 */
int span_table_make(const struct nss_span_entry *entries, size_t n, bool grouped, struct span_table *ret_table);
void span_table_free(struct span_table *t);

/* Sorts: who has made most first. */
void spawners_sort(struct nss_spawner_entry *spawners, size_t n);

/* Adds a duration, ns, as the kernel side does. */
void span_add(struct nss_span *span, uint64_t ns);

/* The durations, in ns, that @bucket holds: from *ret_low to below *ret_high. The last bucket holds all above too. */
void span_bucket(unsigned bucket, uint64_t *ret_low, uint64_t *ret_high);

/*
 * The duration, in ns, that @percent of all are not above: as far from the truth as the bucket is wide, 1/16 of it at most, and
 * never above the largest. 0 if there is none.
 */
uint64_t span_percentile(const struct nss_span *span, unsigned percent);

/* Powers of two: how many durations were from 2^i to below 2^(i+1) ns, those of 0 ns in the first. */
#define SPAN_POWERS (NSS_BUCKETS_POWERS + NSS_BUCKETS_LOG)
void span_powers(const struct nss_span *span, uint64_t ret_counts[SPAN_POWERS]);

#endif
