/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/filter_lex.h"

#include <errno.h>
#include <string.h>

#include "event/format.h"
#include "util/cleanup.h"
#include "view/columns.h"

/* A word of the expression is shown up to here, bytes. */
#define WORD_SHOWN 40

int filter_lex_wrong(struct filter_lex *lex, size_t at, const char *before, const char *word, size_t len, const char *after)
{
	struct filter_error *e = lex->error;
	struct buf b = {};

	buf_adds(&b, before);
	if (word) {
		buf_adds(&b, " '");
		text_string(&b, word, len > WORD_SHOWN ? WORD_SHOWN : len);
		buf_adds(&b, len > WORD_SHOWN ? "...'" : "'");
	}
	buf_adds(&b, after);
	e->column = text_columns(lex->text, at) + 1;
	e->text[0] = 0;
	if (!b.failed) {
		size_t n = b.len < sizeof(e->text) ? b.len : sizeof(e->text) - 1;

		memcpy(e->text, b.data, n);
		e->text[n] = 0;
	}
	buf_free(&b);
	return -EINVAL;
}

int filter_lex_expected(struct filter_lex *lex, const char *what)
{
	if (lex->token == TOKEN_END)
		return filter_lex_wrong(lex, lex->start, "it ends where there should be ", NULL, 0, what);
	return filter_lex_wrong(lex, lex->start, what, NULL, 0, " should stand here");
}

static bool ends_word(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f || strchr("()<>=!~&|,\"'", c);
}

static int hex(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int escape(struct filter_lex *lex)
{
	static const char names[] = "ntr\\\"'", bytes[] = "\n\t\r\\\"'";
	const char *s = lex->text + lex->at + 1, *name = *s ? strchr(names, *s) : NULL;

	if (*s == 'x' && hex(s[1]) >= 0 && hex(s[2]) >= 0) {
		buf_addc(&lex->bytes, (char)(hex(s[1]) << 4 | hex(s[2])));
		lex->at += 4;
		return 0;
	}
	if (!name)
		return filter_lex_wrong(lex, lex->at, "in quotes, a \\ goes before one of \\ \" ' n t r, or is \\xHH", NULL, 0, "");
	buf_addc(&lex->bytes, bytes[name - names]);
	lex->at += 2;
	return 0;
}

static int quoted(struct filter_lex *lex)
{
	char quote = lex->text[lex->at++], c;

	lex->token = TOKEN_QUOTED;
	while ((c = lex->text[lex->at]) != quote) {
		int err = 0;

		if (!c)
			return filter_lex_wrong(lex, lex->start, "this quote has no end", NULL, 0, "");
		if (c == '\\')
			err = escape(lex);
		else
			buf_addc(&lex->bytes, lex->text[lex->at++]);
		if (err)
			return err;
	}
	lex->at++;
	return 0;
}

static int sign(struct filter_lex *lex)
{
	static const struct {
		char text[3];
		enum filter_token token;
	} signs[] = {
		{ "&&", TOKEN_AND }, { "||", TOKEN_OR }, { "==", TOKEN_EQUAL }, { "=~", TOKEN_LIKE },
		{ "!=", TOKEN_NOT_EQUAL }, { "!~", TOKEN_NOT_LIKE }, { "<=", TOKEN_AT_MOST }, { ">=", TOKEN_AT_LEAST },
		{ "=", TOKEN_EQUAL }, { "~", TOKEN_LIKE }, { "!", TOKEN_NOT }, { "<", TOKEN_LESS }, { ">", TOKEN_MORE },
		{ "(", TOKEN_OPEN }, { ")", TOKEN_CLOSE }, { ",", TOKEN_COMMA },
	};

	for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
		size_t len = strlen(signs[i].text);

		if (strncmp(lex->text + lex->at, signs[i].text, len))
			continue;
		lex->token = signs[i].token;
		lex->at += len;
		return 0;
	}
	return filter_lex_wrong(lex, lex->at, "this is no part of an expression:", lex->text + lex->at, 1, "");
}

int filter_lex_next(struct filter_lex *lex)
{
	int err = 0;
	char c;

	while ((c = lex->text[lex->at]) == ' ' || c == '\t' || c == '\n' || c == '\r')
		lex->at++;
	lex->start = lex->at;
	lex->bytes.len = 0;
	if (!c) {
		lex->token = TOKEN_END;
	} else if (c == '"' || c == '\'') {
		err = quoted(lex);
	} else if (ends_word(c)) {
		err = sign(lex);
	} else {
		lex->token = TOKEN_WORD;
		while (!ends_word(lex->text[lex->at]))
			buf_addc(&lex->bytes, lex->text[lex->at++]);
		if (filter_lex_is(lex, "and"))
			lex->token = TOKEN_AND;
		else if (filter_lex_is(lex, "or"))
			lex->token = TOKEN_OR;
		else if (filter_lex_is(lex, "not"))
			lex->token = TOKEN_NOT;
	}
	buf_addc(&lex->bytes, 0);
	lex->bytes.len -= !lex->bytes.failed;
	return err ? err : lex->bytes.failed ? -ENOMEM : 0;
}

bool filter_lex_is(const struct filter_lex *lex, const char *word)
{
	return lex->token == TOKEN_WORD && lex->bytes.len == strlen(word) && !memcmp(lex->bytes.data, word, lex->bytes.len);
}

static bool unit(const char *s, value_number *ret)
{
	static const struct {
		const char *name;
		uint64_t is;
	} units[] = {
		{ "", 1 }, { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 }, { "m", 60000000000 },
		{ "h", 3600000000000 }, { "K", 1 << 10 }, { "M", 1 << 20 }, { "G", 1 << 30 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (!strcmp(s, units[i].name)) {
			*ret = units[i].is;
			return true;
		}
	}
	return false;
}

bool filter_lex_number(const struct filter_lex *lex, value_number *ret)
{
	const char *s = lex->bytes.data;
	bool negative = *s == '-';
	int base = 10;
	value_number n = 0, times;

	s += negative;
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	}
	if (strlen(lex->bytes.data) != lex->bytes.len || hex(*s) < 0 || hex(*s) >= base)
		return false;
	for (; hex(*s) >= 0 && hex(*s) < base; s++) {
		n = n * base + hex(*s);
		if (n > UINT64_MAX)
			return false;
	}
	if (!unit(s, &times))
		return false;
	*ret = negative ? -n * times : n * times;
	return true;
}
