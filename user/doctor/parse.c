/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/parse.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/cleanup.h"

static const struct span none = { NULL, 0 };

bool span_is(struct span a, const char *text)
{
	return a.s && strlen(text) == a.len && !memcmp(a.s, text, a.len);
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line ? line + 1 : line;
}

/* What stands behind @key at the start of a line, up to its end. */
static struct span line_value(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (; *text; text = next_line(text))
		if (!strncmp(text, key, len))
			return (struct span){ text + len, strcspn(text + len, "\n") };
	return none;
}

bool parse_release(const char *text, unsigned *ret_major, unsigned *ret_minor)
{
	char end;
	int n = sscanf(text, "%4u.%4u%c", ret_major, ret_minor, &end);

	return n == 2 || (n == 3 && (end < '0' || end > '9'));
}

struct span parse_config(const char *config, const char *name)
{
	char key[64];

	if (snprintf(key, sizeof(key), "CONFIG_%s=", name) >= (int)sizeof(key))
		return none;
	return line_value(config, key);
}

struct span parse_status(const char *status, const char *name)
{
	char key[32];
	struct span value;

	if (snprintf(key, sizeof(key), "%s:", name) >= (int)sizeof(key))
		return none;
	value = line_value(status, key);
	while (value.len && (*value.s == ' ' || *value.s == '\t'))
		value.s++, value.len--;
	return value;
}

struct span parse_chosen(const char *text)
{
	const char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	return close ? (struct span){ open + 1, (size_t)(close - open - 1) } : none;
}

bool parse_number(const char *text, long long *ret)
{
	char *end;
	long long v;

	if (*text != '-' && (*text < '0' || *text > '9'))
		return false;
	errno = 0;
	v = strtoll(text, &end, 10);
	if (end == text || errno || (*end && strcmp(end, "\n")))
		return false;
	*ret = v;
	return true;
}

/* Cuts the part up to one of @dividers off the front of @from; s is NULL behind the last. */
static struct span take_part(struct span *from, const char *dividers)
{
	struct span part = { from->s, 0 };

	if (!from->s)
		return none;
	while (part.len < from->len && !strchr(dividers, from->s[part.len]))
		part.len++;
	if (part.len == from->len)
		*from = none;
	else
		*from = (struct span){ from->s + part.len + 1, from->len - part.len - 1 };
	return part;
}

bool parse_has_word(struct span list, const char *dividers, const char *word)
{
	struct span part;

	while ((part = take_part(&list, dividers)).s)
		if (span_is(part, word))
			return true;
	return false;
}

struct span parse_option(struct span options, const char *name)
{
	size_t len = strlen(name);
	struct span part;

	while ((part = take_part(&options, ",")).s) {
		if (part.len < len || memcmp(part.s, name, len))
			continue;
		if (part.len == len)
			return (struct span){ part.s + len, 0 };
		if (part.s[len] == '=')
			return (struct span){ part.s + len + 1, part.len - len - 1 };
	}
	return none;
}

/* "22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw": any number of fields stand before the dash. */
static bool parse_mount_line(struct span line, struct mount_line *ret)
{
	struct span part;

	for (int i = 0; i < 3; i++)
		take_part(&line, " ");
	ret->root = take_part(&line, " ");
	ret->point = take_part(&line, " ");
	ret->options = take_part(&line, " ");
	do
		part = take_part(&line, " ");
	while (part.s && !span_is(part, "-"));
	ret->fstype = take_part(&line, " ");
	take_part(&line, " "); /* what is mounted */
	ret->super = take_part(&line, " ");
	return ret->super.s;
}

bool parse_mount(const char **at, struct mount_line *ret_line)
{
	while (**at) {
		const char *line = *at;
		struct mount_line m;

		*at = next_line(line);
		if (!parse_mount_line((struct span){ line, strcspn(line, "\n") }, &m))
			continue;
		*ret_line = m;
		return true;
	}
	return false;
}

static bool is_octal(const char *s)
{
	return s[0] >= '0' && s[0] <= '3' && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7';
}

void parse_unescape(struct buf *b, struct span escaped)
{
	for (size_t i = 0; i < escaped.len; i++) {
		const char *s = escaped.s + i;

		if (*s == '\\' && escaped.len - i > 3 && is_octal(s + 1)) {
			buf_addc(b, (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0')));
			i += 3;
		} else {
			buf_addc(b, *s);
		}
	}
}

bool parse_mount_at(const char *mountinfo, const char *point, struct mount_line *ret_line)
{
	struct mount_line m;
	bool found = false;

	while (parse_mount(&mountinfo, &m)) {
		if (span_is(m.point, point)) {
			*ret_line = m;
			found = true;
		}
	}
	return found;
}

size_t parse_proc_covers(const char *mountinfo, struct buf *points)
{
	static const char below[] = "/proc/";
	struct mount_line m;
	size_t n = 0;

	while (parse_mount(&mountinfo, &m)) {
		if (m.point.len < sizeof(below) || memcmp(m.point.s, below, sizeof(below) - 1) ||
		    span_is(m.point, "/proc/sys/fs/binfmt_misc") || span_is(m.point, "/proc/fs/nfsd"))
			continue;
		buf_adds(points, n++ ? ", " : "");
		parse_unescape(points, m.point);
	}
	return n;
}

enum cgroup_layout parse_cgroup_layout(const char *mountinfo, struct mount_line *ret_v2)
{
	struct mount_line m;
	bool v1 = false, v2 = false;

	while (parse_mount(&mountinfo, &m)) {
		if (span_is(m.fstype, "cgroup")) {
			v1 = true;
		} else if (span_is(m.fstype, "cgroup2") && !v2) {
			v2 = true;
			*ret_v2 = m;
		}
	}
	return v2 ? v1 ? CGROUP_HYBRID : CGROUP_V2 : v1 ? CGROUP_V1 : CGROUP_NONE;
}

struct span parse_cgroup_path(const char *cgroup)
{
	return line_value(cgroup, "0::");
}

bool parse_cgroup_dir(struct buf *b, const struct mount_line *v2, struct span path)
{
	size_t root = span_is(v2->root, "/") ? 0 : v2->root.len;

	bool above = path.len >= 3 && !memcmp(path.s, "/..", 3) && (path.len == 3 || path.s[3] == '/');

	if (!path.len || above || path.len < root || memcmp(path.s, v2->root.s, root) ||
	    (path.len > root && path.s[root] != '/'))
		return false;
	parse_unescape(b, v2->point);
	buf_add(b, path.s + root, path.len - root);
	buf_addc(b, '\0');
	return true;
}

uint64_t parse_subids(const char *text, const char *name, unsigned id)
{
	uint64_t sum = 0;
	char figures[16];

	snprintf(figures, sizeof(figures), "%u", id);
	for (; *text; text = next_line(text)) {
		struct span line = { text, strcspn(text, "\n") };
		struct span who = take_part(&line, ":"), first = take_part(&line, ":");
		char count[16] = "";
		long long n;

		if (!first.len || !line.len || line.len >= sizeof(count))
			continue;
		memcpy(count, line.s, line.len);
		if (((name && span_is(who, name)) || span_is(who, figures)) && parse_number(count, &n) && n > 0)
			sum += (uint64_t)n;
	}
	return sum;
}
