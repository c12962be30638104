/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/format.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check_bytes.h"
#include "test.h"

#define S(text) (text), sizeof(text) - 1

static size_t point_of(const char *s, size_t len, uint32_t *point)
{
	*point = 0xdead;
	return utf8_char(s, len, point);
}

static void assert_point(const char *s, uint32_t expected)
{
	uint32_t point;

	assert_int_equal(point_of(s, strlen(s), &point), strlen(s));
	assert_int_equal(point, expected);
	for (size_t cut = 1; cut < strlen(s); cut++)
		assert_int_equal(point_of(s, cut, &point), 0);
}

static void utf8_characters(void **state)
{
	uint32_t point;

	(void)state;
	assert_point("a", 'a');
	assert_point("\x7f", 0x7f);
	assert_point("\xc2\x80", 0x80);
	assert_point("\xdf\xbf", 0x7ff);
	assert_point("\xe0\xa0\x80", 0x800);
	assert_point("\xed\x9f\xbf", 0xd7ff);
	assert_point("\xee\x80\x80", 0xe000);
	assert_point("\xef\xbf\xbf", 0xffff);
	assert_point("\xf0\x90\x80\x80", 0x10000);
	assert_point("\xf4\x8f\xbf\xbf", 0x10ffff);
	assert_int_equal(point_of("\0", 1, &point), 1);
	assert_int_equal(point, 0);
}

static void utf8_refused(void **state)
{
	static const char *const bad[] = {
		"\x80",		    "\xbf",		"\xc0\x80",	    "\xc1\xbf",		"\xe0\x80\x80",
		"\xe0\x9f\xbf",	    "\xed\xa0\x80",	"\xed\xbf\xbf",	    "\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf",
		"\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80", "\xfe",		"\xff",
		"\xc2\x20",	    "\xe1\x80\x20",	"\xf1\x80\x80\x20", "\xc2\xc2",
	};
	uint32_t point;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(point_of(bad[i], strlen(bad[i]), &point), 0);
		assert_int_equal(point, 0xdead);
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
	}
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid(S("a\xc3\xa9\xf0\x9f\x90\xa7z")));
	assert_false(utf8_valid(S("a\xc3\xa9\xf0\x9f\x90")));
}

/* Against the table of the Unicode standard, all of three bytes and what can follow in a fourth. */
static void utf8_agrees_with_the_standard(void **state)
{
	static const char last[] = { 0x00, 0x7f, (char)0x80, (char)0xbf, (char)0xc0 };
	uint32_t point;

	(void)state;
	for (uint32_t v = 0; v < 1 << 24; v++) {
		char s[4] = { (char)(v >> 16), (char)(v >> 8), (char)v, last[v % sizeof(last)] };
		size_t n = utf8_char(s, 4, &point);

		if (n != check_utf8((unsigned char *)s, 4))
			fail_msg("%02x%06x: %zu", (unsigned char)s[3], v, n);
		if (n && point_is_unsafe(point) != check_is_unsafe((unsigned char *)s, n))
			fail_msg("U+%04x", point);
	}
}

static void json_strings(void **state)
{
	struct buf b = {};

	(void)state;
	json_string(&b, S(""));
	assert_buf(&b, "\"\"");
	json_string(&b, S("plain 'text' / ~"));
	assert_buf(&b, "\"plain 'text' / ~\"");
	json_string(&b, S("\"\\\b\f\n\r\t"));
	assert_buf(&b, "\"\\\"\\\\\\b\\f\\n\\r\\t\"");
	json_string(&b, S("\0\x1b\x1f\x7f\xc2\x85"));
	assert_buf(&b, "\"\\u0000\\u001b\\u001f\\u007f\\u0085\"");
	json_string(&b, S("\xe2\x80\xa8\xe2\x80\xae\xe2\x81\xa6\xd8\x9c"));
	assert_buf(&b, "\"\\u2028\\u202e\\u2066\\u061c\"");
	json_string(&b, S("\xc3\xa9\xf0\x9f\x90\xa7"));
	assert_buf(&b, "\"\xc3\xa9\xf0\x9f\x90\xa7\"");
	json_string(&b, S("a\xff\xed\xa0\x80z\xf0\x9f\x90"));
	assert_buf(&b, "\"a\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	buf_free(&b);
}

/* RFC 4648, section 10. */
static void base64(void **state)
{
	static const char *const vectors[][2] = {
		{ "", "\"\"" },		       { "f", "\"Zg==\"" },	    { "fo", "\"Zm8=\"" },
		{ "foo", "\"Zm9v\"" },	       { "foob", "\"Zm9vYg==\"" },  { "fooba", "\"Zm9vYmE=\"" },
		{ "foobar", "\"Zm9vYmFy\"" }, { "\xff\xfe\xfb", "\"//77\"" }, { "\xfb\xef\xbe", "\"++++\"" },
	};
	struct buf b = {};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		json_base64(&b, vectors[i][0], strlen(vectors[i][0]));
		assert_buf(&b, vectors[i][1]);
	}
	json_base64(&b, S("\0\0"));
	assert_buf(&b, "\"AAA=\"");
	buf_free(&b);
}

static void text_strings(void **state)
{
	struct buf b = {}, ascii = { .ascii = true };

	(void)state;
	text_string(&b, S("a 'b' \"c\"\\\n\t\x1b\x7f\xff"));
	assert_buf(&b, "a 'b' \"c\"\\\\\\n\\t\\x1b\\x7f\\xff");
	text_string(&b, S("\xc3\xa9\xc2\x85\xe2\x80\xae\xf0\x9f\x90\xa7"));
	assert_buf(&b, "\xc3\xa9\\u0085\\u202e\xf0\x9f\x90\xa7");
	text_string(&ascii, S("e\xc3\xa9\xf0\x9f\x90\xa7"));
	assert_buf(&ascii, "e\\u00e9\\U0001f427");
	buf_free(&b);
	buf_free(&ascii);
}

static void text_words(void **state)
{
	struct buf b = {}, ascii = { .ascii = true };

	(void)state;
	text_word(&b, S("/usr/bin/x-1.2_@%+=:,"));
	assert_buf(&b, "/usr/bin/x-1.2_@%+=:,");
	text_word(&b, S(""));
	assert_buf(&b, "''");
	text_word(&b, S("a b"));
	assert_buf(&b, "'a b'");
	text_word(&b, S("~"));
	assert_buf(&b, "'~'");
	text_word(&b, S("$(x) `y` \"z\" \\ ! # * ;"));
	assert_buf(&b, "'$(x) `y` \"z\" \\ ! # * ;'");
	text_word(&b, S("it's\\"));
	assert_buf(&b, "$'it\\'s\\\\'");
	text_word(&b, S("a\nb\0c"));
	assert_buf(&b, "$'a\\nb\\x00c'");
	text_word(&b, S("\xc3\xa9"));
	assert_buf(&b, "'\xc3\xa9'");
	text_word(&ascii, S("\xc3\xa9"));
	assert_buf(&ascii, "$'\\u00e9'");
	buf_free(&b);
	buf_free(&ascii);
}

static void spans(void **state)
{
	struct buf b = {};

	(void)state;
	text_span(&b, 0);
	assert_buf(&b, "0 ns");
	text_span(&b, 999);
	assert_buf(&b, "999 ns");
	text_span(&b, 1000);
	assert_buf(&b, "1.0 us");
	text_span(&b, 2900000);
	assert_buf(&b, "2.9 ms");
	text_span(&b, 42000000000);
	assert_buf(&b, "42 s");
	text_span(&b, 90000000000);
	assert_buf(&b, "1.5 min");
	text_span(&b, 7200000000000);
	assert_buf(&b, "2.0 h");
	buf_free(&b);
}

/* Just below a unit's end: the number that is shown stays below the next unit, and below ten has one digit more. */
static void spans_round_up_to_the_next_unit(void **state)
{
	struct buf b = {};

	(void)state;
	text_span(&b, 9999999);
	assert_buf(&b, "10 ms");
	text_span(&b, 999999999);
	assert_buf(&b, "1.0 s");
	text_span(&b, 59999000000);
	assert_buf(&b, "1.0 min");
	buf_free(&b);
}

/* Every pair of bytes, between two letters. */
static void nothing_unsafe_comes_out(void **state)
{
	struct buf b = {}, a = { .ascii = true };

	(void)state;
	for (uint32_t v = 0; v < 1 << 16; v++) {
		const char s[4] = { 'x', (char)(v >> 8), (char)v, 'y' };

		text_string(&b, s, 4);
		text_word(&b, s, 4);
		text_word(&b, s + 1, 2);
		json_string(&b, s, 4);
		if (!check_harmless(b.data, b.len, false))
			fail_msg("%04x: %.*s", v, (int)b.len, b.data);
		text_string(&a, s, 4);
		text_word(&a, s, 4);
		for (size_t i = 0; i < a.len; i++)
			if (a.data[i] < 0x20 || a.data[i] > 0x7e)
				fail_msg("%04x in ASCII: %.*s", v, (int)a.len, a.data);
		a.len = b.len = 0;
		json_string(&b, s, 4);
		if (!check_json(b.data, b.len))
			fail_msg("%04x: %.*s", v, (int)b.len, b.data);
		b.len = 0;
	}
	buf_free(&b);
	buf_free(&a);
}

/* Every character of Unicode, alone. */
static void no_unsafe_character_comes_out(void **state)
{
	struct buf b = {};

	(void)state;
	for (uint32_t p = 0x80; p < 0x110000; p++) {
		const char two[] = { (char)(0xc0 | p >> 6), (char)(0x80 | (p & 63)) };
		const char three[] = { (char)(0xe0 | p >> 12), (char)(0x80 | (p >> 6 & 63)), (char)(0x80 | (p & 63)) };
		const char four[] = { (char)(0xf0 | p >> 18), (char)(0x80 | (p >> 12 & 63)), (char)(0x80 | (p >> 6 & 63)),
				      (char)(0x80 | (p & 63)) };
		size_t n = p < 0x800 ? 2 : p < 0x10000 ? 3 : 4;

		text_word(&b, n == 2 ? two : n == 3 ? three : four, n);
		json_string(&b, n == 2 ? two : n == 3 ? three : four, n);
		if (!check_harmless(b.data, b.len, false))
			fail_msg("U+%04x: %.*s", p, (int)b.len, b.data);
		b.len = 0;
	}
	buf_free(&b);
}

/* What bash makes of the words, each followed by a NUL; NULL without bash. */
static char *bash_words(const struct buf *script, size_t *ret_len)
{
	char in[] = "/tmp/nsscope-words-XXXXXX", command[128];
	struct buf out = {};
	FILE *f;
	int fd;

	if (access("/bin/bash", X_OK))
		return NULL;
	fd = mkstemp(in);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, script->data, script->len), script->len);
	close(fd);
	snprintf(command, sizeof(command), "LC_ALL=C.UTF-8 /bin/bash --norc --noprofile %s", in);
	f = popen(command, "r");
	assert_non_null(f);
	do {
		out.len += fread(buf_room(&out, 1 << 16), 1, 1 << 16, f);
	} while (!feof(f) && !ferror(f));
	assert_int_equal(pclose(f), 0);
	unlink(in);
	*ret_len = out.len;
	return out.data;
}

/* All pairs of bytes but NUL (no argument holds one): bash reads each word as what it was. */
static void bash_reads_words_back(void **state)
{
	struct buf script = {}, expected = {};
	size_t len = 0;
	char *got;

	(void)state;
	for (uint32_t v = 0; v < 1 << 16; v++) {
		const char s[5] = { 'a', (char)(v >> 8), (char)v, '7', 0 };

		if (!s[1] || !s[2])
			continue;
		buf_add(&expected, s, 5);
		buf_addf(&script, "%s", v % 256 == 1 ? "\nprintf '%s\\0'" : "");
		buf_addc(&script, ' ');
		text_word(&script, s, 4);
	}
	buf_addc(&script, '\n');
	got = bash_words(&script, &len);
	assert_non_null(got);
	assert_int_equal(len, expected.len);
	for (size_t i = 0; i < len; i++)
		if (got[i] != expected.data[i])
			fail_msg("byte %zu, word %zu", i, i / 5);
	free(got);
	buf_free(&script);
	buf_free(&expected);
}

static void assert_time(struct buf *b, struct json_second *last, uint64_t ns, const char *expected, size_t n)
{
	b->len = 0;
	json_time(b, last, ns);
	if (b->len != n || memcmp(b->data, expected, n))
		fail_msg("%.*s instead of %s", (int)b->len, b->data, expected);
}

/*
 * As the C library writes it: each day from 1970 to the last that the number can say, at a time that moves on; anew, and from
 * what was written of the same second.
 */
static void times(void **state)
{
	struct json_second last = {};
	struct buf b = {};

	(void)state;
	for (uint64_t day = 0; day < UINT64_MAX / 1000000000 / 86400; day++) {
		time_t s = (time_t)(day * 86400 + day * 7919 % 86400);
		char expected[64];
		struct tm tm;
		size_t n;

		gmtime_r(&s, &tm);
		n = strftime(expected, sizeof(expected), "\"%Y-%m-%dT%H:%M:%S", &tm);
		n += (size_t)sprintf(expected + n, ".%09uZ\"", (unsigned)(day * 104729 % 1000000000));
		assert_time(&b, NULL, (uint64_t)s * 1000000000 + day * 104729 % 1000000000, expected, n);
		json_time(&b, &last, (uint64_t)s * 1000000000);
		assert_time(&b, &last, (uint64_t)s * 1000000000 + day * 104729 % 1000000000, expected, n);
	}
	buf_free(&b);
}

static void numbers(void **state)
{
	struct buf b = {};
	uint64_t v = 0;

	(void)state;
	for (int i = 0; i < 100000; i++, v = v * 6364136223846793005 + 1442695040888963407) {
		uint64_t u = v >> i % 64;
		char expected[64];
		int n = sprintf(expected, "%llu %lld %03u", (unsigned long long)u, (long long)-u, (unsigned)(u % 1000));

		b.len = 0;
		buf_addu(&b, u);
		buf_addc(&b, ' ');
		buf_addi(&b, (int64_t)-u);
		buf_addc(&b, ' ');
		buf_add_digits(&b, u, 3);
		if (b.len != (size_t)n || memcmp(b.data, expected, (size_t)n))
			fail_msg("%.*s instead of %s", (int)b.len, b.data, expected);
	}
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_characters),
		cmocka_unit_test(utf8_refused),
		cmocka_unit_test(utf8_agrees_with_the_standard),
		cmocka_unit_test(json_strings),
		cmocka_unit_test(base64),
		cmocka_unit_test(times),
		cmocka_unit_test(numbers),
		cmocka_unit_test(text_strings),
		cmocka_unit_test(text_words),
		cmocka_unit_test(spans),
		cmocka_unit_test(spans_round_up_to_the_next_unit),
		cmocka_unit_test(nothing_unsafe_comes_out),
		cmocka_unit_test(no_unsafe_character_comes_out),
		cmocka_unit_test(bash_reads_words_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
