/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an expression is compiled to: tests, each of which says which one follows, forward only. */
#ifndef VIEW_FILTER_CODE_H
#define VIEW_FILTER_CODE_H

#include "view/filter.h"
#include "view/filter_field.h"

enum filter_op {
	FILTER_HAS, /* not null, not false, not empty */
	FILTER_IS, /* any of the literals */
	FILTER_IS_NOT,
	FILTER_LIKE,
	FILTER_NOT_LIKE,
	FILTER_LESS,
	FILTER_AT_MOST,
	FILTER_MORE,
	FILTER_AT_LEAST,
};

struct filter_literal {
	bool is_null;
	value_number number; /* also of a bool */
	char *bytes;
	size_t len;
};

#define FILTER_YES (-1)
#define FILTER_NO (-2)

struct filter_test {
	enum filter_op op;
	struct filter_field field;
	struct filter_literal *literals;
	size_t nliterals;
	int next[2]; /* where the test fails, where it holds: a test behind this one, or FILTER_YES, FILTER_NO */
};

struct filter {
	struct filter_test *tests; /* from the first on */
	size_t ntests;
};

#endif
