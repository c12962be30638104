/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a picture is well-formed XML, and nothing that could run or load anything; shares no code with what makes it. */
#ifndef TESTS_CHECK_XML_H
#define TESTS_CHECK_XML_H

#include <stdlib.h>

#include "check_bytes.h"

struct xml_check {
	const char *at, *end;
	size_t depth;
	struct {
		const char *name;
		size_t len;
	} open[16];
};

static inline bool xml_eat(struct xml_check *x, const char *s)
{
	size_t n = strlen(s);

	if ((size_t)(x->end - x->at) < n || memcmp(x->at, s, n))
		return false;
	x->at += n;
	return true;
}

static inline size_t xml_name(const struct xml_check *x)
{
	size_t n = 0;

	while (x->at + n < x->end &&
	       memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", x->at[n], 63))
		n++;
	return n;
}

/* Character data up to @stop: escaped, and of characters that XML 1.0 allows. */
static inline bool xml_data(struct xml_check *x, char stop)
{
	while (x->at < x->end && *x->at != stop) {
		const unsigned char *u = (const unsigned char *)x->at;
		size_t n = check_utf8(u, (size_t)(x->end - x->at));

		if (*x->at == '&') {
			if (!xml_eat(x, "&lt;") && !xml_eat(x, "&gt;") && !xml_eat(x, "&amp;") && !xml_eat(x, "&quot;"))
				return false;
			continue;
		}
		if (!n || *x->at == '<' || (check_is_unsafe(u, n) && *x->at != '\n'))
			return false;
		if (n == 3 && u[0] == 0xef && u[1] == 0xbf && u[2] >= 0xbe)
			return false;
		x->at += n;
	}
	return x->at < x->end;
}

static inline bool xml_tag(struct xml_check *x)
{
	static const char *const known[] = { "svg", "style", "rect", "text", "title", "g", "path", "line" };
	const char *name = x->at;
	size_t len = xml_name(x), known_at = 0;

	while (known_at < 8 && (strlen(known[known_at]) != len || memcmp(known[known_at], name, len)))
		known_at++;
	if (known_at == 8)
		return false;
	x->at += len;
	while (xml_eat(x, " ")) {
		size_t n = xml_name(x);

		if (!n || !memcmp(x->at, "on", 2) || !memcmp(x->at, "href", n < 4 ? n : 4))
			return false;
		x->at += n;
		if (!xml_eat(x, "=\"") || !xml_data(x, '"'))
			return false;
		x->at++;
	}
	if (xml_eat(x, "/>"))
		return true;
	if (!xml_eat(x, ">") || x->depth == 16)
		return false;
	x->open[x->depth].name = name;
	x->open[x->depth++].len = len;
	return true;
}

static inline bool check_svg(const char *s, size_t len)
{
	struct xml_check x = { .at = s, .end = s + len };

	if (!xml_eat(&x, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<") || !xml_tag(&x))
		return false;
	while (x.depth) {
		if (!xml_data(&x, '<'))
			return false;
		x.at++;
		if (!xml_eat(&x, "/")) {
			if (!xml_tag(&x))
				return false;
			continue;
		}
		x.depth--;
		if ((size_t)(x.end - x.at) < x.open[x.depth].len ||
		    memcmp(x.at, x.open[x.depth].name, x.open[x.depth].len))
			return false;
		x.at += x.open[x.depth].len;
		if (!xml_eat(&x, ">"))
			return false;
	}
	return xml_eat(&x, "\n") && x.at == x.end;
}

#endif
