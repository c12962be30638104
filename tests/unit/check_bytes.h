/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What output must be, checked by code that shares nothing with what makes it. */
#ifndef TESTS_CHECK_BYTES_H
#define TESTS_CHECK_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Unicode 15, table 3-7, row by row. Length of the well-formed character at @s, or 0. */
static inline size_t check_utf8(const unsigned char *s, size_t len)
{
	static const struct {
		unsigned char first[2], second[2];
		size_t n;
	} rows[] = {
		{ { 0x00, 0x7f }, { 0, 0 }, 1 },       { { 0xc2, 0xdf }, { 0x80, 0xbf }, 2 },
		{ { 0xe0, 0xe0 }, { 0xa0, 0xbf }, 3 }, { { 0xe1, 0xec }, { 0x80, 0xbf }, 3 },
		{ { 0xed, 0xed }, { 0x80, 0x9f }, 3 }, { { 0xee, 0xef }, { 0x80, 0xbf }, 3 },
		{ { 0xf0, 0xf0 }, { 0x90, 0xbf }, 4 }, { { 0xf1, 0xf3 }, { 0x80, 0xbf }, 4 },
		{ { 0xf4, 0xf4 }, { 0x80, 0x8f }, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (s[0] < rows[i].first[0] || s[0] > rows[i].first[1])
			continue;
		if (len < rows[i].n || (rows[i].n > 1 && (s[1] < rows[i].second[0] || s[1] > rows[i].second[1])))
			return 0;
		for (size_t k = 2; k < rows[i].n; k++)
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
		return rows[i].n;
	}
	return 0;
}

/* UTF-8 encoded characters that can move the cursor or turn the reading direction. */
static inline bool check_is_unsafe(const unsigned char *s, size_t n)
{
	static const char *const marks[] = {
		"\xd8\x9c", "\xe2\x80\x8e", "\xe2\x80\x8f", "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaa", "\xe2\x80\xab",
		"\xe2\x80\xac", "\xe2\x80\xad", "\xe2\x80\xae", "\xe2\x81\xa6", "\xe2\x81\xa7", "\xe2\x81\xa8", "\xe2\x81\xa9",
	};

	if (n == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	if (s[0] == 0xc2 && s[1] < 0xa0)
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (strlen(marks[i]) == n && !memcmp(s, marks[i], n))
			return true;
	return false;
}

/* Whether all of @s may go to a terminal: UTF-8, and nothing unsafe but @newlines. */
static inline bool check_harmless(const char *s, size_t len, bool newlines)
{
	const unsigned char *u = (const unsigned char *)s;

	for (size_t i = 0, n; i < len; i += n) {
		n = check_utf8(u + i, len - i);
		if (!n || (check_is_unsafe(u + i, n) && !(newlines && u[i] == '\n')))
			return false;
	}
	return true;
}

struct json_check {
	const char *at, *end;
	int depth;
};

static inline bool json_eat(struct json_check *j, char c)
{
	if (j->at == j->end || *j->at != c)
		return false;
	j->at++;
	return true;
}

static inline bool json_check_string(struct json_check *j)
{
	if (!json_eat(j, '"'))
		return false;
	while (j->at < j->end && *j->at != '"') {
		size_t n = check_utf8((const unsigned char *)j->at, (size_t)(j->end - j->at));

		if (!n || (unsigned char)*j->at < 0x20)
			return false;
		if (*j->at == '\\') {
			if (j->end - j->at < 2 || !memchr("\"\\/bfnrtu", j->at[1], 9))
				return false;
			n = 2;
			if (j->at[1] == 'u') {
				n = 6;
				if (j->end - j->at < 6 || (memchr("dD", j->at[2], 2) && memchr("89abcdefABCDEF", j->at[3], 14)))
					return false; /* a surrogate */
				for (int i = 2; i < 6; i++)
					if (!memchr("0123456789abcdefABCDEF", j->at[i], 22))
						return false;
			}
		}
		j->at += n;
	}
	return json_eat(j, '"');
}

static inline bool json_check_number(struct json_check *j)
{
	const char *start;

	json_eat(j, '-');
	start = j->at;
	while (j->at < j->end && *j->at >= '0' && *j->at <= '9')
		j->at++;
	return j->at > start && (*start != '0' || j->at == start + 1);
}

static inline bool json_check_value(struct json_check *j);

static inline bool json_check_list(struct json_check *j, char open, char close)
{
	if (!json_eat(j, open) || ++j->depth > 64)
		return false;
	if (!json_eat(j, close)) {
		do {
			if (open == '{' && (!json_check_string(j) || !json_eat(j, ':')))
				return false;
			if (!json_check_value(j))
				return false;
		} while (json_eat(j, ','));
		if (!json_eat(j, close))
			return false;
	}
	j->depth--;
	return true;
}

static inline bool json_check_value(struct json_check *j)
{
	static const char *const words[] = { "true", "false", "null" };

	if (j->at == j->end)
		return false;
	if (*j->at == '{')
		return json_check_list(j, '{', '}');
	if (*j->at == '[')
		return json_check_list(j, '[', ']');
	if (*j->at == '"')
		return json_check_string(j);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(j->end - j->at) >= n && !memcmp(j->at, words[i], n)) {
			j->at += n;
			return true;
		}
	}
	return json_check_number(j);
}

/* Whether the @len bytes at @s are one JSON value without white space (RFC 8259; integers only). */
static inline bool check_json(const char *s, size_t len)
{
	struct json_check j = { s, s + len, 0 };

	return json_check_value(&j) && j.at == j.end;
}

/* Whether each line, with its newline, is a JSON value. */
static inline bool check_json_lines(const char *s, size_t len)
{
	while (len) {
		const char *newline = memchr(s, '\n', len);

		if (!newline || !check_json(s, (size_t)(newline - s)))
			return false;
		len -= (size_t)(newline - s) + 1;
		s = newline + 1;
	}
	return true;
}

/*
 * The next field of an entry of the journal (systemd.io/JOURNAL_NATIVE_PROTOCOL): its name and value, and where it ends.
 * False: there is none, or *@at is behind @end.
 */
static inline bool check_journal_field(const char **at, const char *end, const char **ret_name, size_t *ret_name_len,
				       const char **ret_value, size_t *ret_len)
{
	const char *name = *at, *newline = memchr(name, '\n', (size_t)(end - name));
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
	uint64_t len = 0;

	if (!newline || !n || n > 64 || *name == '_' || (name[n] != '=' && name[n] != '\n'))
		return false;
	*ret_name = name;
	*ret_name_len = n;
	if (name[n] == '=') {
		*ret_value = name + n + 1;
		*ret_len = (size_t)(newline - *ret_value);
		*at = newline + 1;
		return true;
	}
	if (end - newline < 9)
		return false;
	for (int i = 7; i >= 0; i--)
		len = len << 8 | (unsigned char)newline[1 + i];
	*ret_value = newline + 9;
	if (len >= (size_t)(end - *ret_value) || (*ret_value)[len] != '\n')
		return false;
	*ret_len = len;
	*at = *ret_value + len + 1;
	return true;
}

/* Whether it is an entry whose fields each stand there once, with a message and an object of JSON that are harmless. */
static inline bool check_journal_entry(const char *s, size_t len)
{
	const char *at = s, *end = s + len, *name, *value, *again;
	bool message = false, json = false;
	size_t n, size;

	while (at < end) {
		const char *before = at;

		if (!check_journal_field(&at, end, &name, &n, &value, &size))
			return false;
		for (again = s; again < before;) {
			const char *other, *ignored;
			size_t other_n, ignored_n;

			if (!check_journal_field(&again, end, &other, &other_n, &ignored, &ignored_n) ||
			    (n == other_n && !memcmp(name, other, n)))
				return false;
		}
		if (n == strlen("MESSAGE") && !memcmp(name, "MESSAGE", n))
			message = size && check_harmless(value, size, false);
		if (n == strlen("NSSCOPE_JSON") && !memcmp(name, "NSSCOPE_JSON", n))
			json = check_harmless(value, size, false) && check_json_lines(value, size + 1);
	}
	return message && json;
}

#endif
