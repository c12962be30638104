/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Expressions over events: --filter, --alert, --exit-on.
 *
 *	expression	test | not expression | expression and expression | expression or expression | ( expression )
 *	test		field == value | field in (value, ...) | field ~ glob | field < number | has(field) | field ...
 *
 * A field that the event does not have makes each test of it false, != and !~ too; null is a value. Of an array, a test
 * holds if it holds of any element, and != and !~ if == and ~ hold of none. Bytes are compared as they are.
 */
#ifndef VIEW_FILTER_H
#define VIEW_FILTER_H

#include "event/event.h"

struct filter;

struct filter_error {
	size_t column; /* in the expression, from 1, in characters */
	char text[240]; /* one line, harmless for a terminal */
};

/* 0; -EINVAL and *@ret_error; -ENOMEM. */
int filter_parse(const char *text, struct filter **ret_filter, struct filter_error *ret_error);
void filter_free(struct filter *f);

/* Whether @f holds of @e, which must not be of the stream itself (class META). */
bool filter_match(const struct filter *f, const struct event *e);

/*
 * Narrows @conf to what can match any of the @n filters, so that the kernel side need not tell the rest: the types, by
 * whole groups, since what one call is told as may hang on the calls before it; and conditions on the process that all
 * filters share and @conf does not yet have. Not where ns_destroy may match: the model knows the processes of a namespace
 * from all the other events.
 */
void filter_pushdown(const struct filter *const *filters, size_t n, struct nss_config *conf);

#endif
