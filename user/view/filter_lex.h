/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of an expression. */
#ifndef VIEW_FILTER_LEX_H
#define VIEW_FILTER_LEX_H

#include "event/values.h"
#include "util/buf.h"
#include "view/filter.h"

enum filter_token {
	TOKEN_END,
	TOKEN_WORD, /* its bytes are in text */
	TOKEN_QUOTED, /* the same */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_COMMA,
	TOKEN_AND,
	TOKEN_OR,
	TOKEN_NOT,
	TOKEN_EQUAL,
	TOKEN_NOT_EQUAL,
	TOKEN_LIKE,
	TOKEN_NOT_LIKE,
	TOKEN_LESS,
	TOKEN_AT_MOST,
	TOKEN_MORE,
	TOKEN_AT_LEAST,
};

struct filter_lex {
	const char *text;
	size_t at; /* behind the token */
	size_t start; /* of the token */
	enum filter_token token;
	struct buf bytes; /* of a word, without quotes and escapes; a NUL behind them */
	struct filter_error *error; /* what is wrong; nothing yet: its column is 0 */
};

/* Takes the next token. 0; -EINVAL and *lex->error; -ENOMEM. */
int filter_lex_next(struct filter_lex *lex);

/* Whether the token is the unquoted word @word. */
bool filter_lex_is(const struct filter_lex *lex, const char *word);

/* Says what is wrong at @at: @before, the @len bytes at @word made harmless (NULL: none), @after. Returns -EINVAL. */
int filter_lex_wrong(struct filter_lex *lex, size_t at, const char *before, const char *word, size_t len, const char *after);

/* Says of the token that it should be @what. Returns -EINVAL. */
int filter_lex_expected(struct filter_lex *lex, const char *what);

/* Reads the word as a number: decimal or with 0x, perhaps with a unit of time (to ns) or of size. */
bool filter_lex_number(const struct filter_lex *lex, value_number *ret);

#endif
