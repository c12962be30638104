/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/glob.h"

#include <stdint.h>

/* The set at @glob + @at, behind its [: whether it has @c, and where it ends, behind its ]. 0: it has no end. */
static size_t match_set(const char *glob, size_t len, size_t at, char c, bool *ret_match)
{
	bool negated = at < len && (glob[at] == '!' || glob[at] == '^'), match = false, first = true;

	for (at += negated; at < len; first = false) {
		unsigned char low, high;

		if (glob[at] == ']' && !first) {
			*ret_match = match != negated;
			return at + 1;
		}
		if (glob[at] == '\\' && at + 1 < len)
			at++;
		low = high = (unsigned char)glob[at++];
		if (at + 1 < len && glob[at] == '-' && glob[at + 1] != ']') {
			at++;
			if (glob[at] == '\\' && at + 1 < len)
				at++;
			high = (unsigned char)glob[at++];
		}
		match |= low <= (unsigned char)c && (unsigned char)c <= high;
	}
	return 0;
}

/* Whether what stands at @at, no *, matches @c; *@ret_next: what comes behind it. */
static bool match_one(const char *glob, size_t len, size_t at, char c, size_t *ret_next)
{
	bool match;
	size_t next;

	if (glob[at] == '[' && (next = match_set(glob, len, at + 1, c, &match))) {
		*ret_next = next;
		return match;
	}
	if (glob[at] == '?') {
		*ret_next = at + 1;
		return true;
	}
	at += glob[at] == '\\' && at + 1 < len;
	*ret_next = at + 1;
	return glob[at] == c;
}

/* Only the last * need be tried with more bytes: what stood before it has matched as early as it can. */
bool glob_match(const char *glob, size_t glob_len, const char *s, size_t len)
{
	size_t at = 0, i = 0, star = SIZE_MAX, star_i = 0, next;

	while (i < len) {
		if (at < glob_len && glob[at] == '*') {
			star = ++at;
			star_i = i;
		} else if (at < glob_len && match_one(glob, glob_len, at, s[i], &next)) {
			at = next;
			i++;
		} else if (star != SIZE_MAX) {
			at = star;
			i = ++star_i;
		} else {
			return false;
		}
	}
	while (at < glob_len && glob[at] == '*')
		at++;
	return at == glob_len;
}
