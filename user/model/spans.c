/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/spans.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

const struct phase_desc phase_descs[NSS_PHASE_MAX] = {
#define PHASE(ID, name, doc) [NSS_PHASE_##ID] = { #name, doc },
#include "abi/phases.def"
#undef PHASE
#define SYSCALL(EV, name, ...)                                                                   \
	[NSS_PHASE_CALL_##EV] = { #name, "the system call, from its entry to its return" }, \
	[NSS_PHASE_FAILED_##EV] = { #name "_failed", "such calls that failed" },
#include "abi/syscalls.def"
#undef SYSCALL
};

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* They are large, so what is sorted are pointers to them. */
typedef const struct nss_span_entry *entry_ptr;

static int by_phase(const void *a, const void *b)
{
	entry_ptr x = *(const entry_ptr *)a, y = *(const entry_ptr *)b;
	int c = compare(x->key.phase, y->key.phase);

	return c ? c : compare(x->key.made, y->key.made);
}

static int compare_groups(const struct nss_group *a, const struct nss_group *b)
{
	int c = compare(a->id, b->id);

	if (!c)
		c = compare(a->start_ns, b->start_ns);
	return c ? c : memcmp(a->name, b->name, sizeof(a->name));
}

static int by_group(const void *a, const void *b)
{
	entry_ptr x = *(const entry_ptr *)a, y = *(const entry_ptr *)b;
	int c = compare(x->key.flags, y->key.flags);

	if (!c)
		c = compare_groups(&x->key.group, &y->key.group);
	return c ? c : by_phase(a, b);
}

static void merge(struct nss_span *to, const struct nss_span *from)
{
	to->count += from->count;
	to->sum += from->sum;
	to->max = from->max > to->max ? from->max : to->max;
	for (size_t i = 0; i < NSS_BUCKETS; i++)
		to->buckets[i] += from->buckets[i];
}

static struct span_row *add_row(struct span_table *t, uint32_t phase, uint32_t made, bool part)
{
	struct span_row *row = &t->rows[t->nrows++];

	row->phase = phase;
	row->made = made;
	row->part = part;
	return row;
}

/* Adds what @entries, @n of one phase and sorted by by_phase, make together, and if some made namespaces the parts. */
static void add_phase(struct span_table *t, const entry_ptr *entries, size_t n)
{
	struct span_row *whole = add_row(t, entries[0]->key.phase, 0, false), *part = NULL;
	bool parts = entries[n - 1]->key.made;

	for (size_t i = 0; i < n; i++) {
		merge(&whole->span, &entries[i]->span);
		if (!parts)
			continue;
		if (!part || part->made != entries[i]->key.made)
			part = add_row(t, entries[0]->key.phase, entries[i]->key.made, true);
		merge(&part->span, &entries[i]->span);
	}
	if (!whole->span.count) /* a place for the rest that nothing came to */
		t->nrows--;
}

/* @entries of the group, sorted by by_phase. */
static void add_group(struct span_table *t, const entry_ptr *entries, size_t n, bool all)
{
	struct span_group *group = &t->groups[t->ngroups];
	size_t end;

	*group = (struct span_group){ .first = t->nrows };
	if (!all)
		group->group = entries[0]->key.group;
	group->rest = !all && entries[0]->key.flags & NSS_SPAN_REST;
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && entries[end]->key.phase == entries[i]->key.phase; end++)
			;
		add_phase(t, entries + i, end - i);
	}
	group->n = t->nrows - group->first;
	for (size_t i = group->first; i < t->nrows; i++)
		if (t->rows[i].phase == NSS_PHASE_FORK)
			group->forks = t->rows[i].span.count;
	if (group->n || all)
		t->ngroups++;
}

static bool same_group(const struct nss_span_entry *a, const struct nss_span_entry *b)
{
	return a->key.flags == b->key.flags && !memcmp(&a->key.group, &b->key.group, sizeof(a->key.group));
}

static int by_forks(const void *a, const void *b)
{
	const struct span_group *x = a, *y = b;
	int c = compare(y->forks, x->forks);

	return c ? c : compare_groups(&x->group, &y->group);
}

static int by_median(const void *a, const void *b)
{
	entry_ptr x = *(const entry_ptr *)a, y = *(const entry_ptr *)b;
	int c = compare(span_percentile(&x->span, 50), span_percentile(&y->span, 50));

	return c ? c : strncmp(x->key.group.name, y->key.group.name, sizeof(x->key.group.name));
}

/* Puts what is by comm into the list of lives, the others into @ret_others. How many these are. */
static size_t split_lives(entry_ptr entries, size_t n, struct span_table *t, entry_ptr *ret_others)
{
	size_t others = 0;

	for (size_t i = 0; i < n; i++) {
		if (!(entries[i].key.flags & NSS_SPAN_BY_COMM))
			ret_others[others++] = &entries[i];
		else if (entries[i].span.count) /* else a place for the rest that nothing came to */
			t->lives[t->nlives++] = &entries[i];
	}
	if (t->nlives)
		qsort(t->lives, t->nlives, sizeof(*t->lives), by_median);
	return others;
}

/* Of all together, and if @grouped of each group. Sorts @entries, @n. */
static void add_groups(struct span_table *t, entry_ptr *entries, size_t n, bool grouped)
{
	size_t end;

	if (n)
		qsort(entries, n, sizeof(*entries), by_phase);
	add_group(t, entries, n, true);
	if (!grouped || !n)
		return;
	qsort(entries, n, sizeof(*entries), by_group);
	for (size_t i = 0; i < n; i = end) {
		for (end = i + 1; end < n && same_group(entries[i], entries[end]); end++)
			;
		add_group(t, entries + i, end - i, false);
	}
	qsort(t->groups + 1, t->ngroups - 1, sizeof(*t->groups), by_forks);
}

int span_table_make(const struct nss_span_entry *entries, size_t n, bool grouped, struct span_table *ret)
{
	_free_ entry_ptr *others = calloc(n + 1, sizeof(*others));

	*ret = (struct span_table){};
	/* Each entry is of all and of its group, by itself and with its phase. */
	ret->groups = calloc(n + 1, sizeof(*ret->groups));
	ret->rows = calloc(4 * n + 1, sizeof(*ret->rows));
	ret->lives = calloc(n + 1, sizeof(*ret->lives));
	if (!others || !ret->groups || !ret->rows || !ret->lives)
		return -ENOMEM;
	add_groups(ret, others, split_lives(entries, n, ret, others), grouped);
	return 0;
}

void span_table_free(struct span_table *t)
{
	free(t->groups);
	free(t->rows);
	free(t->lives);
	*t = (struct span_table){};
}

static int most_first(const void *a, const void *b)
{
	const struct nss_spawner_entry *x = a, *y = b;
	int c = compare(y->forks, x->forks);

	if (!c)
		c = compare(x->who.pid, y->who.pid);
	return c ? c : compare(x->who.start_ns, y->who.start_ns);
}

void spawners_sort(struct nss_spawner_entry *spawners, size_t n)
{
	if (n)
		qsort(spawners, n, sizeof(*spawners), most_first);
}

void span_bucket(unsigned bucket, uint64_t *ret_low, uint64_t *ret_high)
{
	unsigned power = bucket / NSS_BUCKETS_PER_POWER, rest = bucket % NSS_BUCKETS_PER_POWER;
	unsigned shift = power ? power - 1 : 0;

	*ret_low = (uint64_t)(power ? NSS_BUCKETS_PER_POWER + rest : rest) << shift;
	*ret_high = *ret_low + (1ULL << shift);
}

static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < NSS_BUCKETS_PER_POWER)
		return (unsigned)ns;
	shift = 63 - (unsigned)__builtin_clzll(ns) - NSS_BUCKETS_LOG;
	if (shift >= NSS_BUCKETS_POWERS)
		return NSS_BUCKETS - 1;
	return (shift + 1) * NSS_BUCKETS_PER_POWER + (unsigned)(ns >> shift) % NSS_BUCKETS_PER_POWER;
}

void span_add(struct nss_span *span, uint64_t ns)
{
	span->count++;
	span->sum += ns;
	span->max = ns > span->max ? ns : span->max;
	span->buckets[bucket_of(ns)]++;
}

uint64_t span_percentile(const struct nss_span *span, unsigned percent)
{
	uint64_t n = 0, rank, below = 0, low, high;

	for (size_t i = 0; i < NSS_BUCKETS; i++)
		n += span->buckets[i];
	if (!n)
		return 0;
	rank = (n * percent + 99) / 100;
	if (rank == n)
		return span->max;
	for (unsigned i = 0; i < NSS_BUCKETS; i++) {
		uint64_t in = span->buckets[i], at;

		if (!in || below + in < rank) {
			below += in;
			continue;
		}
		/* As if those in a bucket were spread evenly: what has that rank is in the middle of its share. */
		span_bucket(i, &low, &high);
		at = low + (high - low) * (2 * (rank - below) - 1) / (2 * in);
		return at < span->max ? at : span->max;
	}
	return span->max;
}

void span_powers(const struct nss_span *span, uint64_t ret_counts[SPAN_POWERS])
{
	memset(ret_counts, 0, SPAN_POWERS * sizeof(*ret_counts));
	for (unsigned i = 0; i < NSS_BUCKETS; i++) {
		uint64_t low, high;

		span_bucket(i, &low, &high);
		ret_counts[low ? 63 - __builtin_clzll(low) : 0] += span->buckets[i];
	}
}
