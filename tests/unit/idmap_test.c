/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/idmap.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 64 /* IDs of the property tests are below it */

static const char *text_of(const struct idmap *m)
{
	static char text[IDMAP_TEXT_MAX];

	assert_true(idmap_format(m, text) >= 0);
	return text;
}

static void ranges_are_parsed(void **state)
{
	static const struct {
		const char *text;
		int ret;
		struct idmap_range range;
	} cases[] = {
		{ "1:2:3", 0, { 1, 2, 3 } },
		{ "2,1,3", 0, { 1, 2, 3 } },
		{ "0:0:4294967295", 0, { 0, 0, 4294967295 } },
		{ "4294967294:1:1", 0, { 4294967294, 1, 1 } },
		{ "4294967295:1:1", -ERANGE, {} },
		{ "1:4294967294:2", -ERANGE, {} },
		{ "1:1:4294967295", -ERANGE, {} },
		{ "1:1:4294967296", -ERANGE, {} },
		{ "1:1:99999999999999999999999", -ERANGE, {} },
		{ "1:1:0", -EINVAL, {} },
		{ "1:2,3", -EINVAL, {} },
		{ "1,2:3", -EINVAL, {} },
		{ "1:2", -EINVAL, {} },
		{ "1:2:", -EINVAL, {} },
		{ "1:2:3:", -EINVAL, {} },
		{ "1:2:3 ", -EINVAL, {} },
		{ " 1:2:3", -EINVAL, {} },
		{ "-1:2:3", -EINVAL, {} },
		{ "+1:2:3", -EINVAL, {} },
		{ "1:0x2:3", -EINVAL, {} },
		{ "1;2;3", -EINVAL, {} },
		{ "::", -EINVAL, {} },
		{ "", -EINVAL, {} },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct idmap_range r = {};

		assert_int_equal(idmap_parse_range(cases[i].text, &r), cases[i].ret);
		assert_memory_equal(&r, &cases[i].range, sizeof(r));
	}
}

static void subids_are_the_first_of_the_user(void **state)
{
	static const struct {
		const char *text;
		const char *name;
		int ret;
		uint32_t outer, count;
	} cases[] = {
		{ "a:1:2\nme:100:20\nme:5:6\n", "me", 0, 100, 20 },
		{ "a:1:2\nme:100:20", "me", 0, 100, 20 },
		{ "1000:7:8\nme:100:20\n", "me", 0, 7, 8 },
		{ "1000:7:8\n", NULL, 0, 7, 8 },
		{ "1000x:7:8\nmee:1:2\nm:1:2\n", "me", -ENOENT, 0, 0 },
		{ "me\n\nme", "me", -ENOENT, 0, 0 },
		{ "", "me", -ENOENT, 0, 0 },
		{ "me:\n", "me", -EINVAL, 0, 0 },
		{ "me:1\n", "me", -EINVAL, 0, 0 },
		{ "me:1:\n", "me", -EINVAL, 0, 0 },
		{ "me:1:2:3\n", "me", -EINVAL, 0, 0 },
		{ "me:1:0\n", "me", -EINVAL, 0, 0 },
		{ "me:1:4294967295\n", "me", -EINVAL, 0, 0 },
	};
	struct idmap_range r;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		r = (struct idmap_range){};
		assert_int_equal(idmap_parse_subids(cases[i].text, cases[i].name, 1000, &r), cases[i].ret);
		assert_int_equal(r.outer, cases[i].outer);
		assert_int_equal(r.count, cases[i].count);
	}
	/* A name is no number: strtoul(3) would read it as root's. */
	assert_int_equal(idmap_parse_subids("other:1:2\n", "root", 0, &r), -ENOENT);
}

static void the_kernels_text_is_read(void **state)
{
	struct idmap m;

	(void)state;
	assert_int_equal(idmap_parse_kernel("         0          0 4294967295\n", &m), 0);
	assert_string_equal(text_of(&m), "0 0 4294967295\n");
	assert_int_equal(idmap_parse_kernel("", &m), 0);
	assert_int_equal(m.n, 0);
	assert_int_equal(idmap_parse_kernel("1 2 3\n4 5 6\n", &m), 0);
	assert_string_equal(text_of(&m), "1 2 3\n4 5 6\n");
	assert_int_equal(idmap_parse_kernel("1 2\n", &m), -EINVAL);
	assert_int_equal(idmap_parse_kernel("x", &m), -EINVAL);
}

/* outer[i]: what i inside is outside, or -1. */
static void expand(const struct idmap *m, int outer[SMALL])
{
	size_t i;
	uint32_t k;

	for (i = 0; i < SMALL; i++)
		outer[i] = -1;
	for (i = 0; i < m->n; i++) {
		for (k = 0; k < m->ranges[i].count; k++) {
			assert_true(m->ranges[i].inner + k < SMALL);
			assert_int_equal(outer[m->ranges[i].inner + k], -1);
			outer[m->ranges[i].inner + k] = (int)(m->ranges[i].outer + k);
		}
	}
}

/* By its definition: both sides without the ID, paired in order. */
static void punch_slowly(struct idmap_range r, uint32_t inner, uint32_t outer, int expected[SMALL])
{
	uint32_t in = r.inner, out = r.outer;
	size_t i;

	for (i = 0; i < SMALL; i++)
		expected[i] = -1;
	for (;; in++, out++) {
		in += in == inner;
		out += out == outer;
		if (in >= r.inner + r.count || out >= r.outer + r.count)
			return;
		expected[in] = (int)out;
	}
}

static void holes_are_punched_by_definition(void **state)
{
	int seen[SMALL], expected[SMALL];
	struct idmap_range r;
	uint32_t inner, outer;

	(void)state;
	for (r.inner = 2; r.inner < 4; r.inner++) {
		for (r.count = 1; r.count < 7; r.count++) {
			r.outer = 20;
			for (inner = 0; inner < 12; inner++) {
				for (outer = 18; outer < 30; outer++) {
					struct idmap m = { 1, { r } };

					assert_int_equal(idmap_punch(&m, inner, outer), 0);
					assert_true(m.n <= 3);
					expand(&m, seen);
					punch_slowly(r, inner, outer, expected);
					assert_memory_equal(seen, expected, sizeof(seen));
				}
			}
		}
	}
}

/* --map-users=10:1:5 --map-user=15 takes nothing away: 15 is behind the end. */
static void what_does_not_overlap_is_left(void **state)
{
	struct idmap m = { 1, { { 10, 1, 5 } } };

	(void)state;
	assert_int_equal(idmap_punch(&m, 15, 6), 0);
	assert_string_equal(text_of(&m), "10 1 5\n");
	assert_int_equal(idmap_punch(&m, 9, 0), 0);
	assert_string_equal(text_of(&m), "10 1 5\n");
	assert_int_equal(idmap_punch(&m, 14, 77), 0);
	assert_string_equal(text_of(&m), "10 1 4\n");
}

static void overlaps_are_found(void **state)
{
	struct idmap_error e;
	unsigned int round;

	(void)state;
	srand(1);
	for (round = 0; round < 20000; round++) {
		struct idmap m = { .n = 1 + (size_t)rand() % 4 };
		int inner[SMALL] = {}, outer[SMALL] = {}, bad = 0;
		size_t i;
		uint32_t k;

		for (i = 0; i < m.n; i++) {
			m.ranges[i] = (struct idmap_range){ (uint32_t)rand() % 50, (uint32_t)rand() % 50, 1 + (uint32_t)rand() % 14 };
			for (k = 0; k < m.ranges[i].count; k++)
				bad |= inner[m.ranges[i].inner + k]++ | outer[m.ranges[i].outer + k]++;
		}
		assert_int_equal(idmap_check(&m, &e), bad ? -EINVAL : 0);
	}
}

static void holes_are_what_is_not_mapped(void **state)
{
	unsigned int round;

	(void)state;
	srand(2);
	for (round = 0; round < 5000; round++) {
		struct idmap m = { .n = (size_t)rand() % 5 };
		int mapped[SMALL] = {}, told[SMALL] = {};
		uint32_t first, last, k;
		uint64_t from;
		size_t i;

		for (i = 0; i < m.n; i++) {
			m.ranges[i] = (struct idmap_range){ (uint32_t)rand() % 50, 0, 1 + (uint32_t)rand() % 10 };
			for (k = 0; k < m.ranges[i].count; k++)
				mapped[m.ranges[i].inner + k] = 1;
		}
		for (from = 0; from < IDMAP_NO_ID && idmap_hole(&m, (uint32_t)from, &first, &last); from = (uint64_t)last + 1) {
			assert_true(first >= from && first <= last);
			for (k = first; k <= last && k < SMALL; k++)
				told[k]++;
		}
		assert_int_equal(from, IDMAP_NO_ID);
		for (k = 0; k < SMALL; k++)
			assert_int_equal(told[k], !mapped[k]);
	}
}

static void no_hole_in_all(void **state)
{
	const struct idmap all = { 1, { { 0, 0, 4294967295 } } };
	const struct idmap most = { 1, { { 1, 1, 4294967294 } } };
	uint32_t first, last;

	(void)state;
	assert_false(idmap_hole(&all, 0, &first, &last));
	assert_true(idmap_hole(&most, 0, &first, &last));
	assert_int_equal(first, 0);
	assert_int_equal(last, 0);
}

static const char *made(const struct idmap_request *r, const struct idmap_ground *g)
{
	static struct idmap m;
	struct idmap_error e;

	assert_int_equal(idmap_make(r, g, &m, &e), 0);
	return text_of(&m);
}

static void requests_become_maps(void **state)
{
	const struct idmap parent = { 2, { { 0, 100, 10 }, { 20, 300, 10 } } };
	const struct idmap_ground g = {
		.effective = 1000,
		.has_subids = true,
		.subids = { 0, 100000, 65536 },
		.parent = &parent,
	};
	struct idmap_request r = {};

	(void)state;
	assert_false(idmap_wanted(&r));
	assert_string_equal(made(&r, &g), "");
	idmap_ask_one(&r, 3);
	idmap_ask_one(&r, 0);
	assert_true(idmap_is_single(&r));
	assert_string_equal(made(&r, &g), "0 1000 1\n");
	assert_int_equal(idmap_ask(&r, IDMAP_AUTO, (struct idmap_range){}), 0);
	assert_false(idmap_is_single(&r));
	assert_true(idmap_needs(&r, IDMAP_AUTO) && !idmap_needs(&r, IDMAP_ALL));
	/* One later, and none is lost. */
	assert_string_equal(made(&r, &g), "0 1000 1\n1 100000 65536\n");
	idmap_ask_one(&r, 1000);
	assert_string_equal(made(&r, &g), "1000 1000 1\n0 100000 1000\n1001 101000 64536\n");
	r.one = false;
	assert_string_equal(made(&r, &g), "0 100000 65536\n");
	r.items[0].source = IDMAP_SUBIDS;
	assert_string_equal(made(&r, &g), "100000 100000 65536\n");
	r.items[0].source = IDMAP_ALL;
	assert_string_equal(made(&r, &g), "0 0 10\n20 20 10\n");
}

static void requests_that_cannot_be(void **state)
{
	const struct idmap_ground bare = { .effective = 1000 };
	struct idmap_request r = { .n = 1, .items = { { IDMAP_AUTO, {} } } };
	struct idmap m = { .n = 42 };
	struct idmap_error e;

	(void)state;
	assert_int_equal(idmap_make(&r, &bare, &m, &e), -ENOENT);
	r.items[0].source = IDMAP_ALL;
	assert_int_equal(idmap_make(&r, &bare, &m, &e), -ENOENT);
	r = (struct idmap_request){ .n = 2, .items = { { IDMAP_RANGE, { 0, 5, 10 } }, { IDMAP_RANGE, { 9, 50, 1 } } } };
	assert_int_equal(idmap_make(&r, &bare, &m, &e), -EINVAL);
	assert_string_equal(e.text, "0:5:10 and 9:50:1 overlap inside");
	assert_int_equal(m.n, 42);
	for (r.n = 0; r.n < IDMAP_RANGES_MAX;)
		assert_int_equal(idmap_ask(&r, IDMAP_RANGE, (struct idmap_range){ 2 * (uint32_t)r.n, 2 * (uint32_t)r.n, 1 }), 0);
	assert_int_equal(idmap_ask(&r, IDMAP_RANGE, (struct idmap_range){}), -E2BIG);
	assert_int_equal(idmap_make(&r, &bare, &m, &e), 0);
	idmap_ask_one(&r, 100000);
	assert_int_equal(idmap_make(&r, &bare, &m, &e), -E2BIG);
}

static void text_is_less_than_a_page(void **state)
{
	struct idmap m = {};
	char text[IDMAP_TEXT_MAX];
	int len, before = 0;

	(void)state;
	while ((len = idmap_format(&m, text)) >= 0) {
		assert_int_equal(len, strlen(text));
		before = len;
		assert_int_equal(idmap_add(&m, (struct idmap_range){ 1000000000, 1000000000, 1000000000 }), 0);
	}
	assert_int_equal(len, -E2BIG);
	assert_true(before < IDMAP_TEXT_MAX && before + 33 >= IDMAP_TEXT_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_parsed),
		cmocka_unit_test(subids_are_the_first_of_the_user),
		cmocka_unit_test(the_kernels_text_is_read),
		cmocka_unit_test(holes_are_punched_by_definition),
		cmocka_unit_test(what_does_not_overlap_is_left),
		cmocka_unit_test(overlaps_are_found),
		cmocka_unit_test(holes_are_what_is_not_mapped),
		cmocka_unit_test(no_hole_in_all),
		cmocka_unit_test(requests_become_maps),
		cmocka_unit_test(requests_that_cannot_be),
		cmocka_unit_test(text_is_less_than_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
