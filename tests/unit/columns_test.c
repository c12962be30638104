/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/columns.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static void chain(struct buf *b, uint32_t levels, bool wide)
{
	struct nss_pid pids[NSS_LEVELS_MAX] = {};

	for (uint32_t i = 0; i < NSS_LEVELS_MAX; i++)
		pids[i].pid = i ? 10 + levels - i : 4711;
	pid_chain(b, pids, levels, wide);
}

static void chains(void **state)
{
	struct buf b = {};

	(void)state;
	chain(&b, 1, false);
	assert_buf(&b, "=");
	chain(&b, 2, false);
	assert_buf(&b, "11");
	chain(&b, 3, false);
	assert_buf(&b, "12>11");
	chain(&b, 4, false);
	assert_buf(&b, "13>12>11");
	chain(&b, 5, false);
	assert_buf(&b, "14>(2)>11");
	chain(&b, NSS_LEVELS_MAX, false);
	assert_buf(&b, "42>(30)>11");
	chain(&b, 1, true);
	assert_buf(&b, "=");
	chain(&b, 6, true);
	assert_buf(&b, "15>14>13>12>11");
	buf_free(&b);
}

static void columns(void **state)
{
	(void)state;
	assert_int_equal(text_columns("", 0), 0);
	assert_int_equal(text_columns("abc", 3), 3);
	assert_int_equal(text_columns("\xc3\xa9\xf0\x9f\x90\xa7z", 7), 3);
}

static void padding(void **state)
{
	struct buf b = {};

	(void)state;
	pad_left(&b, "ab", 2, 5);
	assert_buf(&b, "   ab");
	pad_left(&b, "\xc3\xa9", 2, 3);
	assert_buf(&b, "  \xc3\xa9");
	pad_left(&b, "abcdef", 6, 5);
	assert_buf(&b, "abcdef");
	pad_left(&b, "", 0, 2);
	assert_buf(&b, "  ");
	buf_free(&b);
}

static void wrapped(struct buf *b, const char *s, size_t width, size_t indent, size_t max_lines)
{
	wrap_text(b, s, strlen(s), width, indent, max_lines);
}

/* A space just behind the last column is where to break. */
static void full_lines(void **state)
{
	struct buf b = {};

	(void)state;
	wrapped(&b, "one two three", 7, 0, 4);
	assert_buf(&b, "one two\nthree");
	wrapped(&b, "one two  three", 7, 0, 4);
	assert_buf(&b, "one two\nthree");
	wrapped(&b, "one two three four", 9, 2, 4);
	assert_buf(&b, "one two\n  three\n  four");
	buf_free(&b);
}

static void wrapping(void **state)
{
	struct buf b = {};

	(void)state;
	wrapped(&b, "", 10, 2, 4);
	assert_buf(&b, "");
	wrapped(&b, "exact size", 10, 2, 4);
	assert_buf(&b, "exact size");
	wrapped(&b, "one two three four", 9, 2, 4);
	assert_buf(&b, "one two\n  three\n  four");
	wrapped(&b, "abcdefghijkl", 5, 1, 4);
	assert_buf(&b, "abcde\n fghij\n kl");
	wrapped(&b, "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9", 3, 0, 4);
	assert_buf(&b, "\xc3\xa9\xc3\xa9\xc3\xa9\n\xc3\xa9");
	wrapped(&b, "one two three four", 5, 2, 2);
	assert_buf(&b, "one\n  two ... +10 bytes");
	wrapped(&b, "one two", 5, 2, 1);
	assert_buf(&b, "one ... +3 bytes");
	wrapped(&b, " x", 1, 0, 4);
	buf_addc(&b, '\0');
	assert_non_null(strchr(b.data, 'x'));
	buf_free(&b);
}

/* Nothing but spaces at the breaks is lost, and no line is longer than the width. */
static void wrapping_loses_nothing(void **state)
{
	static const char text[] = "a bb ccc dddd eeeeeeeeeeeeeeeeee \xc3\xa9\xc3\xa9 '  g'";
	struct buf b = {};

	(void)state;
	for (size_t width = 1; width < sizeof(text) + 2; width++) {
		size_t column = 0, in = 0;

		wrapped(&b, text, width, 0, 1000);
		for (size_t i = 0; i < b.len; i++) {
			if (b.data[i] == '\n') {
				column = 0;
				while (text[in] == ' ')
					in++;
				continue;
			}
			column += ((unsigned char)b.data[i] & 0xc0) != 0x80;
			assert_true(column <= width);
			assert_int_equal(b.data[i], text[in]);
			in++;
		}
		assert_int_equal(in, sizeof(text) - 1);
		b.len = 0;
	}
	buf_free(&b);
}

static void a_file_is_no_terminal(void **state)
{
	int fd = memfd_create("columns", MFD_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	setenv("COLUMNS", "50", 1);
	assert_int_equal(terminal_width(fd), 0);
	assert_int_equal(terminal_width(-1), 0);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chains),
		cmocka_unit_test(columns),
		cmocka_unit_test(padding),
		cmocka_unit_test(wrapping),
		cmocka_unit_test(full_lines),
		cmocka_unit_test(wrapping_loses_nothing),
		cmocka_unit_test(a_file_is_no_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
