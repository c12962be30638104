/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "test.h"
#include "util/spread.h"

static void percentiles_are_values(void **state)
{
	uint64_t values[1000];
	struct spread s;

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		values[i] = (i * 7919) % 1000 + 1; /* 1 to 1000 in some order */
	s = spread_of(values, 1000);
	assert_int_equal(s.n, 1000);
	assert_int_equal(s.p50, 500);
	assert_int_equal(s.p90, 900);
	assert_int_equal(s.p99, 990);
	assert_int_equal(s.max, 1000);
}

static void few_values(void **state)
{
	uint64_t three[] = { 30, 10, 20 }, one[] = { 5 };
	struct spread s = spread_of(three, 3);

	(void)state;
	assert_int_equal(s.p50, 20);
	assert_int_equal(s.p90, 30);
	assert_int_equal(s.max, 30);
	s = spread_of(one, 1);
	assert_int_equal(s.p50, 5);
	assert_int_equal(s.p99, 5);
	assert_int_equal(spread_of(NULL, 0).n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(percentiles_are_values), cmocka_unit_test(few_values) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
