/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/mountinfo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

/* The kernel writes blanks, newlines, backslashes and # as \ooo. */
static char *unescape(char *text)
{
	char *from = text, *to = text;

	while (*from) {
		if (*from == '\\' && is_octal(from + 1)) {
			*to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to++ = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* The next field, which may be empty, and *@at behind its blank; NULL where there is none. */
static char *next_field(char **at)
{
	char *field = *at, *end;

	if (!field)
		return NULL;
	end = strchr(field, ' ');
	*at = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return field;
}

/* The optional fields, up to the one that is "-". Unknown ones are to be passed over. */
static bool take_optional(char **at, struct mountinfo *m)
{
	char *field;

	while ((field = next_field(at))) {
		if (!strcmp(field, "-"))
			return true;
		if (sscanf(field, "shared:%u", &m->shared) == 1 || sscanf(field, "master:%u", &m->master) == 1 ||
		    sscanf(field, "propagate_from:%u", &m->propagate_from) == 1)
			continue;
		m->unbindable = m->unbindable || !strcmp(field, "unbindable");
	}
	return false;
}

/* "36 35 98:0 /root /mount/point options optional... - type source superoptions" */
int mountinfo_parse(char *line, struct mountinfo *ret_mount)
{
	struct mountinfo m = {};
	char *field[6], *at = line, *type, *source;
	int end = 0;

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < 6; i++) {
		field[i] = next_field(&at);
		if (!field[i])
			return -EINVAL;
	}
	m.id = strtoull(field[0], NULL, 10);
	m.parent = strtoull(field[1], NULL, 10);
	if (sscanf(field[2], "%u:%u%n", &m.major, &m.minor, &end) != 2 || field[2][end] || !take_optional(&at, &m))
		return -EINVAL;
	type = next_field(&at);
	source = next_field(&at);
	if (!type || !source)
		return -EINVAL;
	m.root = unescape(field[3]);
	m.target = unescape(field[4]);
	m.options = field[5];
	m.fstype = unescape(type);
	m.source = unescape(source);
	m.super = at ? unescape(at) : "";
	*ret_mount = m;
	return 0;
}
