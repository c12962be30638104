/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of /proc/PID/mountinfo, as the kernel writes them and as it does not. */
#include "test.h"

#include <errno.h>
#include <string.h>

#include "util/mountinfo.h"

static struct mountinfo parse(const char *text, char *line)
{
	struct mountinfo m;

	strcpy(line, text);
	assert_int_equal(mountinfo_parse(line, &m), 0);
	return m;
}

static void test_manual_example(void **state)
{
	char line[256];
	struct mountinfo m = parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n", line);

	(void)state;
	assert_int_equal(m.id, 36);
	assert_int_equal(m.parent, 35);
	assert_int_equal(m.major, 98);
	assert_int_equal(m.minor, 0);
	assert_string_equal(m.root, "/mnt1");
	assert_string_equal(m.target, "/mnt2");
	assert_string_equal(m.options, "rw,noatime");
	assert_int_equal(m.master, 1);
	assert_int_equal(m.shared, 0);
	assert_false(m.unbindable);
	assert_string_equal(m.fstype, "ext3");
	assert_string_equal(m.source, "/dev/root");
	assert_string_equal(m.super, "rw,errors=continue");
}

static void test_all_optional_fields(void **state)
{
	char line[256];
	struct mountinfo m =
		parse("1 2 0:3 / / rw shared:7 later:9 master:8 propagate_from:5 unbindable - proc none rw", line);

	(void)state;
	assert_int_equal(m.shared, 7);
	assert_int_equal(m.master, 8);
	assert_int_equal(m.propagate_from, 5);
	assert_true(m.unbindable);
}

/* A target cannot look like the end of the optional fields: its blanks are escaped. */
static void test_escapes(void **state)
{
	char line[256];
	struct mountinfo m = parse("1 2 0:3 /\\040-\\040x /a\\012b\\011c\\134d\\043e\\400\\08 rw - tmpfs a\\040b rw", line);

	(void)state;
	assert_string_equal(m.root, "/ - x");
	assert_string_equal(m.target, "/a\nb\tc\\d#e\\400\\08");
	assert_string_equal(m.source, "a b");
}

/* mount(2) takes "" as the source. */
static void test_empty_source(void **state)
{
	char line[256];
	struct mountinfo m = parse("1 2 0:3 / /x rw - tmpfs  rw,size=1k", line);

	(void)state;
	assert_string_equal(m.source, "");
	assert_string_equal(m.super, "rw,size=1k");
}

static void test_not_a_line(void **state)
{
	static const char *const bad[] = { "", "1 2", "1 2 0:3 / /x rw", "1 2 0:3 / /x rw shared:1", "1 2 03 / /x rw - t s r",
					   "1 2 0:3x / /x rw - t s r", "1 2 0:3 / /x rw -" };
	struct mountinfo m;
	char line[64];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		strcpy(line, bad[i]);
		assert_int_equal(mountinfo_parse(line, &m), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual_example), cmocka_unit_test(test_all_optional_fields),
		cmocka_unit_test(test_escapes),	       cmocka_unit_test(test_empty_source),
		cmocka_unit_test(test_not_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
