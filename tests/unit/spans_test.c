/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"

#include <string.h>

#include "model/begun.h"
#include "model/spans.h"

/* The bucket of a duration, by going through all. */
static unsigned bucket_of(uint64_t ns)
{
	uint64_t low, high;

	for (unsigned i = 0; i < NSS_BUCKETS; i++) {
		span_bucket(i, &low, &high);
		if (ns >= low && ns < high)
			return i;
	}
	return NSS_BUCKETS - 1;
}

static struct nss_span_entry entry(uint32_t phase, const char *name, uint32_t made, uint32_t flags, uint64_t ns)
{
	struct nss_span_entry e = { .key = { .phase = phase, .made = made, .flags = flags } };

	memcpy(e.key.group.name, name, strlen(name));
	span_add(&e.span, ns);
	return e;
}

static void buckets_have_no_gap(void **state)
{
	uint64_t low, high, next = 0;

	(void)state;
	for (unsigned i = 0; i < NSS_BUCKETS; i++) {
		span_bucket(i, &low, &high);
		assert_int_equal(low, next);
		assert_true(high > low && (high - low - 1) * NSS_BUCKETS_PER_POWER <= low);
		next = high;
	}
	assert_true(next >= 1ULL << 43);
}

static void durations_go_to_their_buckets(void **state)
{
	(void)state;
	for (unsigned power = 0; power < 64; power++)
		for (int more = -1; more <= 1; more++) {
			uint64_t ns = (1ULL << power) + (uint64_t)more;
			struct nss_span span = {};

			span_add(&span, ns);
			assert_int_equal(span.buckets[bucket_of(ns)], 1);
			assert_true(span.count == 1 && span.sum == ns && span.max == ns);
			assert_int_equal(span_percentile(&span, 50), ns); /* exact: there is but one */
		}
}

static struct nss_life life(const char *name, uint32_t made, uint64_t begun, uint64_t forked, uint64_t cloned)
{
	struct nss_life l = { .made = made, .begun = begun, .forked = forked, .cloned = cloned, .run_queue = 1 };

	memcpy(l.group.name, name, strlen(name));
	return l;
}

/* Of each group, and by what their calls made; what is not known is left out. */
static void beginnings_are_told(void **state)
{
	struct nss_life lives[] = { life("b", 0, 10, 15, 30), life("a", 1, 10, 12, 50), life("b", 2, 0, 20, 0), life("b", 0, 30, 33, 40) };
	struct nss_span_entry *entries = NULL;
	struct span_table t;
	size_t n = 0;

	(void)state;
	assert_int_equal(begun_tell(lives, 4, &entries, &n), 0);
	assert_int_equal(n, 6);
	assert_int_equal(span_table_make(entries, n, true, &t), 0);
	assert_int_equal(t.ngroups, 3);
	assert_int_equal(t.groups[0].forks, 3);
	assert_string_equal(t.groups[1].group.name, "b");
	assert_int_equal(t.groups[1].forks, 2);
	for (size_t i = t.groups[1].first; i < t.groups[1].first + t.groups[1].n; i++) {
		const struct span_row *row = &t.rows[i];

		assert_int_equal(row->span.count, row->phase == NSS_PHASE_RUN_QUEUE ? 3 : 2);
		assert_int_equal(row->span.sum, row->phase == NSS_PHASE_RUN_QUEUE ? 0 : row->phase == NSS_PHASE_FORK ? 8 : 70);
	}
	span_table_free(&t);
	assert_int_equal(begun_tell(NULL, 0, &entries, &n), 0);
	assert_int_equal(n, 6);
	free(entries);
}

/* As far from the truth as a bucket is wide. */
static void percentiles_are_near(void **state)
{
	static const unsigned percents[] = { 1, 50, 90, 99, 100 };
	static struct nss_span span;

	(void)state;
	assert_int_equal(span_percentile(&span, 50), 0);
	for (uint64_t i = 0; i < 1000; i++)
		span_add(&span, ((i * 7919) % 1000 + 1) * 1000); /* 1 to 1000 us in some order */
	for (size_t i = 0; i < sizeof(percents) / sizeof(*percents); i++) {
		uint64_t truth = percents[i] * 10000, got = span_percentile(&span, percents[i]);

		assert_in_range(got, truth - truth / 16, truth + truth / 16);
		assert_true(got <= span.max);
	}
	memset(&span, 0, sizeof(span));
	span_add(&span, 1000000007);
	assert_in_range(span_percentile(&span, 50), 1000000007 - 1000000007 / 16, 1000000007);
}

static void small_and_huge_durations(void **state)
{
	static struct nss_span span;
	uint64_t powers[SPAN_POWERS];

	(void)state;
	span_add(&span, 0);
	span_add(&span, 1);
	span_add(&span, 3);
	assert_int_equal(span_percentile(&span, 1), 0);
	assert_int_equal(span_percentile(&span, 50), 1);
	assert_int_equal(span_percentile(&span, 99), 3);
	span_add(&span, UINT64_MAX);
	span_powers(&span, powers);
	assert_int_equal(powers[0], 2); /* 0 and 1 */
	assert_int_equal(powers[1], 1);
	assert_int_equal(powers[SPAN_POWERS - 1], 1);
}

static void groups_add_up(void **state)
{
	struct nss_span_entry entries[] = {
		entry(NSS_PHASE_FORK, "b", 0, 0, 10),
		entry(NSS_PHASE_FORK, "a", 0, 0, 20),
		entry(NSS_PHASE_LIFE, "a", 0, 0, 100),
		entry(NSS_PHASE_LIFE, "a", 0, NSS_SPAN_BY_COMM, 100),
		entry(NSS_PHASE_FORK, "", 0, NSS_SPAN_REST, 30),
	};
	struct span_table t;

	(void)state;
	span_add(&entries[1].span, 21);
	memset(&entries[4].span, 0, sizeof(entries[4].span)); /* a place that nothing came to */
	assert_int_equal(span_table_make(entries, 5, true, &t), 0);
	assert_int_equal(t.ngroups, 3);
	assert_int_equal(t.groups[0].n, 2);
	assert_int_equal(t.rows[t.groups[0].first].span.count, 3);
	assert_int_equal(t.rows[t.groups[0].first].span.sum, 51);
	assert_int_equal(t.rows[t.groups[0].first].span.max, 21);
	assert_int_equal(t.rows[t.groups[0].first + 1].span.count, 1); /* the life by name is not one more */
	assert_string_equal(t.groups[1].group.name, "a"); /* has made more */
	assert_int_equal(t.groups[1].forks, 2);
	assert_string_equal(t.groups[2].group.name, "b");
	assert_int_equal(t.nlives, 1);
	span_table_free(&t);
}

static void clone_has_parts(void **state)
{
	struct nss_span_entry entries[] = {
		entry(NSS_PHASE_CLONE, "a", 1U << NSS_NS_PID, 0, 10),
		entry(NSS_PHASE_CLONE, "b", 0, 0, 1),
		entry(NSS_PHASE_CLONE, "b", 1U << NSS_NS_PID, 0, 30),
		entry(NSS_PHASE_EXEC, "b", 0, 0, 1),
	};
	struct span_table t;

	(void)state;
	assert_int_equal(span_table_make(entries, 4, false, &t), 0);
	assert_int_equal(t.ngroups, 1);
	assert_int_equal(t.nrows, 4);
	assert_false(t.rows[0].part);
	assert_int_equal(t.rows[0].span.count, 3);
	assert_true(t.rows[1].part && t.rows[2].part);
	assert_int_equal(t.rows[1].made, 0);
	assert_int_equal(t.rows[2].made, 1U << NSS_NS_PID);
	assert_int_equal(t.rows[2].span.sum, 40);
	assert_int_equal(t.rows[3].phase, NSS_PHASE_EXEC);
	span_table_free(&t);
}

/* Whose names say nothing else but to be the rest stay apart from one whose name is empty. */
static void the_rest_is_no_name(void **state)
{
	struct nss_span_entry entries[] = {
		entry(NSS_PHASE_LIFE, "", 0, NSS_SPAN_BY_COMM, 10),
		entry(NSS_PHASE_LIFE, "", 0, NSS_SPAN_BY_COMM | NSS_SPAN_REST, 5),
		entry(NSS_PHASE_FORK, "", 0, 0, 10),
		entry(NSS_PHASE_FORK, "", 0, NSS_SPAN_REST, 10),
	};
	struct span_table t;

	(void)state;
	assert_int_equal(span_table_make(entries, 4, true, &t), 0);
	assert_int_equal(t.ngroups, 3);
	assert_true(t.groups[1].rest != t.groups[2].rest);
	assert_int_equal(t.nlives, 2);
	assert_true(t.lives[0]->key.flags & NSS_SPAN_REST); /* the shorter */
	span_table_free(&t);
}

static void nothing_at_all(void **state)
{
	struct span_table t;

	(void)state;
	assert_int_equal(span_table_make(NULL, 0, true, &t), 0);
	assert_int_equal(t.ngroups, 1);
	assert_int_equal(t.groups[0].n, 0);
	span_table_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets_have_no_gap), cmocka_unit_test(durations_go_to_their_buckets),
		cmocka_unit_test(beginnings_are_told), cmocka_unit_test(percentiles_are_near),
		cmocka_unit_test(small_and_huge_durations), cmocka_unit_test(groups_add_up),
		cmocka_unit_test(clone_has_parts), cmocka_unit_test(the_rest_is_no_name), cmocka_unit_test(nothing_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
