/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/format.h"

#include <string.h>

#include "util/cleanup.h"

size_t utf8_char(const char *s, size_t len, uint32_t *ret_point)
{
	const unsigned char *u = (const unsigned char *)s;
	uint32_t point, min;
	size_t n;

	if (u[0] < 0x80) {
		*ret_point = u[0];
		return 1;
	}
	if (u[0] >= 0xc2 && u[0] <= 0xdf) {
		n = 2, point = u[0] & 0x1f, min = 0x80;
	} else if (u[0] >= 0xe0 && u[0] <= 0xef) {
		n = 3, point = u[0] & 0x0f, min = 0x800;
	} else if (u[0] >= 0xf0 && u[0] <= 0xf4) {
		n = 4, point = u[0] & 0x07, min = 0x10000;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (u[i] & 0x3f);
	}
	if (point < min || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*ret_point = point;
	return n;
}

bool utf8_valid(const char *s, size_t len)
{
	uint32_t point;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_char(s + i, len - i, &point);
		if (!n)
			return false;
	}
	return true;
}

bool point_is_unsafe(uint32_t p)
{
	return p < 0x20 || (p >= 0x7f && p <= 0x9f) || p == 0x061c || p == 0x200e || p == 0x200f ||
	       (p >= 0x2028 && p <= 0x202e) || (p >= 0x2066 && p <= 0x2069);
}

/* Bytes at the start of @s that are printable ASCII and not in @except: these go through as they are. */
static size_t plain_run(const char *s, size_t len, const char *except)
{
	size_t i = 0;

	while (i < len && s[i] >= 0x20 && s[i] < 0x7f && s[i] != except[0] && s[i] != except[1])
		i++;
	return i;
}

static void json_point(struct buf *b, const char *s, size_t n, uint32_t point)
{
	static const char brief[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; i < sizeof(brief) - 1; i += 2) {
		if (point == (unsigned char)brief[i]) {
			buf_addc(b, '\\');
			buf_addc(b, brief[i + 1]);
			return;
		}
	}
	if (point_is_unsafe(point)) /* all of them below U+10000 */
		buf_addf(b, "\\u%04x", point);
	else
		buf_add(b, s, n);
}

bool json_string(struct buf *b, const char *s, size_t len)
{
	bool valid = true;

	buf_addc(b, '"');
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t point;

		n = plain_run(s + i, len - i, "\"\\");
		if (n) {
			buf_add(b, s + i, n);
			continue;
		}
		n = utf8_char(s + i, len - i, &point);
		if (n) {
			json_point(b, s + i, n, point);
		} else {
			buf_adds(b, "\xef\xbf\xbd"); /* U+FFFD */
			n = 1;
			valid = false;
		}
	}
	buf_addc(b, '"');
	return valid;
}

void json_base64(struct buf *b, const char *s, size_t len)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *u = (const unsigned char *)s;

	buf_addc(b, '"');
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = (uint32_t)u[i] << 16 | (n > 1 ? (uint32_t)u[i + 1] << 8 : 0) | (n > 2 ? u[i + 2] : 0);

		buf_addc(b, digits[bits >> 18]);
		buf_addc(b, digits[bits >> 12 & 63]);
		buf_addc(b, n > 1 ? digits[bits >> 6 & 63] : '=');
		buf_addc(b, n > 2 ? digits[bits & 63] : '=');
	}
	buf_addc(b, '"');
}

void json_member(struct buf *b, const char *key, const char *s, size_t len)
{
	buf_addc(b, '"');
	buf_adds(b, key);
	buf_adds(b, "\":");
	if (!json_string(b, s, len)) {
		buf_addf(b, ",\"%s_raw\":", key);
		json_base64(b, s, len);
	}
}

/*
 * The date by the calendar that begins in March, so that a leap day comes last: 400 years have 146097 days, and 153 days are
 * any five months of it. gmtime_r(3) and strftime(3) take longer than all else of an event.
 */
static void add_second(struct buf *b, uint64_t s)
{
	uint64_t second = s % 86400, day = s / 86400 + 719468; /* from March 1 of year 0 */
	uint64_t era = day / 146097, of_era = day % 146097;
	uint64_t of_400 = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	uint64_t of_year = of_era - (365 * of_400 + of_400 / 4 - of_400 / 100);
	uint64_t from_march = (5 * of_year + 2) / 153, month = from_march < 10 ? from_march + 3 : from_march - 9;

	buf_add_digits(b, era * 400 + of_400 + (month <= 2), 4);
	buf_addc(b, '-');
	buf_add_digits(b, month, 2);
	buf_addc(b, '-');
	buf_add_digits(b, of_year - (153 * from_march + 2) / 5 + 1, 2);
	buf_addc(b, 'T');
	buf_add_digits(b, second / 3600, 2);
	buf_addc(b, ':');
	buf_add_digits(b, second / 60 % 60, 2);
	buf_addc(b, ':');
	buf_add_digits(b, second % 60, 2);
}

void json_time(struct buf *b, struct json_second *last, uint64_t ns)
{
	uint64_t s = ns / 1000000000;

	buf_addc(b, '"');
	if (last && *last->text && last->second == s) {
		buf_add(b, last->text, sizeof(last->text));
	} else {
		add_second(b, s);
		if (last && !b->failed) {
			last->second = s;
			memcpy(last->text, b->data + b->len - sizeof(last->text), sizeof(last->text));
		}
	}
	buf_addc(b, '.');
	buf_add_digits(b, ns % 1000000000, 9);
	buf_adds(b, "Z\"");
}

/* Adds @s with escapes; @except are two more characters that get a backslash. */
static void text_escaped(struct buf *b, const char *s, size_t len, const char *except)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t point;

		n = plain_run(s + i, len - i, except);
		if (n) {
			buf_add(b, s + i, n);
			continue;
		}
		n = utf8_char(s + i, len - i, &point);
		if (!n) {
			buf_addf(b, "\\x%02x", (unsigned char)s[i]);
			n = 1;
		} else if (point == '\n') {
			buf_adds(b, "\\n");
		} else if (point == '\t') {
			buf_adds(b, "\\t");
		} else if (point < 0x80 && !point_is_unsafe(point)) {
			buf_addc(b, '\\');
			buf_addc(b, s[i]);
		} else if (point_is_unsafe(point) || b->ascii) {
			buf_addf(b, point < 0x80 ? "\\x%02x" : point < 0x10000 ? "\\u%04x" : "\\U%08x", point);
		} else {
			buf_add(b, s + i, n);
		}
	}
}

void text_string(struct buf *b, const char *s, size_t len)
{
	text_escaped(b, s, len, "\\\\");
}

static bool is_shell_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("_@%+=:,./-", c));
}

static bool is_harmless(const char *s, size_t len, bool ascii)
{
	uint32_t point;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_char(s + i, len - i, &point);
		if (!n || point == '\'' || point_is_unsafe(point) || (ascii && point >= 0x80))
			return false;
	}
	return true;
}

void text_word(struct buf *b, const char *s, size_t len)
{
	size_t i = 0;

	while (i < len && is_shell_safe(s[i]))
		i++;
	if (len && i == len) {
		buf_add(b, s, len);
	} else if (is_harmless(s, len, b->ascii)) {
		buf_addc(b, '\'');
		buf_add(b, s, len);
		buf_addc(b, '\'');
	} else { /* bash's and POSIX 2024's quoting with escapes */
		buf_adds(b, "$'");
		text_escaped(b, s, len, "\\'");
		buf_addc(b, '\'');
	}
}

void text_span(struct buf *b, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = { { 3600000000000, "h" }, { 60000000000, "min" }, { 1000000000, "s" }, { 1000000, "ms" }, { 1000, "us" } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		/* What would be rounded up to 1000 of the unit below is 1.0 of this one. */
		uint64_t below = i + 1 < ARRAY_SIZE(units) ? units[i + 1].ns : 0;

		if (ns >= units[i].ns - below / 2) {
			double v = (double)ns / (double)units[i].ns;

			buf_addf(b, v < 9.95 ? "%.1f %s" : "%.0f %s", v, units[i].name);
			return;
		}
	}
	buf_addf(b, "%llu ns", (unsigned long long)ns);
}
