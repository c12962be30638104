/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/grid.h"

#include "test.h"

static const struct grid_column columns[] = {
	{ "NAME", 6, false, 0 },
	{ "N", 0, true, 0 },
	{ "LESS", 0, false, 1 },
	{ "LEAST", 0, false, 2 },
	{ "LAST", 0, false, 0 },
};

static void check_grid(size_t width, bool wide, const char *want)
{
	struct grid g = { .columns = columns, .n = 5 };
	struct buf b = {};

	buf_adds(grid_cell(&g), "a name that is long");
	buf_adds(grid_cell(&g), "1");
	buf_adds(grid_cell(&g), "x");
	buf_adds(grid_cell(&g), "y");
	buf_adds(grid_cell(&g), "some words that are too many for one line of a terminal");
	buf_adds(grid_cell(&g), "\xc3\xa4");
	buf_adds(grid_cell(&g), "1234");
	grid_cell(&g);
	grid_cell(&g);
	grid_cell(&g);
	assert_int_equal(grid_write(&b, &g, width, wide), 0);
	buf_addc(&b, '\0');
	assert_string_equal(b.data, want);
	buf_free(&b);
	grid_free(&g);
}

/* No terminal, or wide: nothing is cut, left out or wrapped. */
static void test_all_of_it(void **state)
{
	static const char want[] =
		"NAME                   N LESS LEAST LAST\n"
		"a name that is long    1 x    y     some words that are too many for one line of a terminal\n"
		"\xc3\xa4                   1234            \n";

	(void)state;
	check_grid(0, false, want);
	check_grid(40, true, want);
}

static void test_fitted(void **state)
{
	(void)state;
	check_grid(60, false,
		   "NAME      N LESS LEAST LAST\n"
		   "a n...    1 x    y     some words that are too many for one\n"
		   "                       line of a terminal\n"
		   "\xc3\xa4      1234            \n");
	/* The columns that matter least go first. */
	check_grid(42, false,
		   "NAME      N LESS LAST\n"
		   "a n...    1 x    some words that are too\n"
		   "                 many for one line of a\n"
		   "                 terminal\n"
		   "\xc3\xa4      1234      \n");
	check_grid(36, false,
		   "NAME      N LAST\n"
		   "a n...    1 some words that are too\n"
		   "            many for one line of a\n"
		   "            terminal\n"
		   "\xc3\xa4      1234 \n");
}

static void test_long_head(void **state)
{
	static const struct grid_column one[] = { { "A", 0, false, 0 }, { "A LONG HEAD OF THE LAST COLUMN OF ALL", 0, false, 0 } };
	struct grid g = { .columns = one, .n = 2 };
	struct buf b = {};

	(void)state;
	assert_int_equal(grid_write(&b, &g, 30, false), 0);
	buf_addc(&b, '\0');
	assert_string_equal(b.data, "A A LONG HEAD OF THE LAST C...\n");
	buf_free(&b);
	grid_free(&g);
}

static void test_empty(void **state)
{
	struct grid g = { .columns = columns, .n = 5 };
	struct buf b = {};

	(void)state;
	assert_int_equal(grid_write(&b, &g, 80, false), 0);
	assert_int_equal(b.len, strlen("NAME N LESS LEAST LAST\n"));
	buf_free(&b);
	grid_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_of_it),
		cmocka_unit_test(test_fitted),
		cmocka_unit_test(test_long_head),
		cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
