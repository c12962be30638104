/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/spec.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* Copies up to the next colon, or the end, without the backslashes; *text is left behind it. */
static int take_part(const char **text, char *to, size_t size)
{
	const char *from = *text;
	size_t len = 0;

	for (; *from && *from != ':'; from++) {
		if (*from == '\\' && (from[1] == ':' || from[1] == '\\'))
			from++;
		if (len + 1 >= size)
			return -ENAMETOOLONG;
		to[len++] = *from;
	}
	to[len] = '\0';
	*text = from;
	return len ? 0 : -EINVAL;
}

int spec_bind(const char *text, struct spec_bind *ret)
{
	int err = take_part(&text, ret->source, sizeof(ret->source));

	if (err || *text++ != ':')
		return err ? err : -EINVAL;
	err = take_part(&text, ret->target, sizeof(ret->target));
	if (err)
		return err;
	return *text || *ret->target != '/' ? -EINVAL : 0;
}

int spec_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v > max)
		return -EINVAL;
	*ret = v;
	return 0;
}

/* N with a suffix, @len bytes of @text. */
static int scaled(const char *text, size_t len, uint64_t *ret)
{
	static const char suffixes[] = "KMGT";
	size_t digits = strspn(text, "0123456789");
	const char *suffix = digits < len ? strchr(suffixes, text[digits]) : NULL;
	unsigned shift = suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0;
	char number[24];
	uint64_t v;

	if (digits > len)
		digits = len;
	if (digits >= sizeof(number) || digits + (suffix != NULL) != len)
		return -EINVAL;
	snprintf(number, sizeof(number), "%.*s", (int)digits, text);
	if (spec_number(number, UINT64_MAX >> shift, &v))
		return -EINVAL;
	*ret = v << shift;
	return 0;
}

/* tmpfs would take 0 for no limit, and what does not fit into 64 bits for what is left of it. */
int spec_tmpfs(const char *text, struct spec_tmpfs *ret)
{
	int err = take_part(&text, ret->target, sizeof(ret->target));
	size_t digits;
	uint64_t v;
	bool share;

	ret->size[0] = '\0';
	if (err || *ret->target != '/')
		return err ? err : -EINVAL;
	if (!*text)
		return 0;
	text++;
	digits = strspn(text, "0123456789");
	if (!digits || digits > 19 || !strchr("KMGkmg%", text[digits]) || (text[digits] && text[digits + 1]))
		return -EINVAL;
	snprintf(ret->size, sizeof(ret->size), "%.*s%c", (int)digits, text, toupper(text[digits]));
	share = text[digits] == '%';
	if (scaled(ret->size, share ? digits : strlen(ret->size), &v) || !v || v > (share ? 100 : INT64_MAX))
		return -EINVAL;
	return 0;
}

int spec_size(const char *text, uint64_t *ret)
{
	uint64_t v;

	if (scaled(text, strlen(text), &v) || !v || v > INT64_MAX)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int limit_value(const char *text, size_t len, rlim_t *ret)
{
	static const char unlimited[] = "unlimited";
	uint64_t v;

	if (len == strlen(unlimited) && !memcmp(text, unlimited, len)) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (scaled(text, len, &v))
		return -EINVAL;
	*ret = v;
	return 0;
}

static const struct {
	const char *name;
	int resource;
} rlimits[] = {
	{ "as", RLIMIT_AS },           { "core", RLIMIT_CORE },         { "cpu", RLIMIT_CPU },
	{ "data", RLIMIT_DATA },       { "fsize", RLIMIT_FSIZE },       { "locks", RLIMIT_LOCKS },
	{ "memlock", RLIMIT_MEMLOCK }, { "msgqueue", RLIMIT_MSGQUEUE }, { "nice", RLIMIT_NICE },
	{ "nofile", RLIMIT_NOFILE },   { "nproc", RLIMIT_NPROC },       { "rss", RLIMIT_RSS },
	{ "rtprio", RLIMIT_RTPRIO },   { "rttime", RLIMIT_RTTIME },     { "sigpending", RLIMIT_SIGPENDING },
	{ "stack", RLIMIT_STACK },
};

int spec_rlimit(const char *text, int *ret_resource, struct rlimit *ret_limit)
{
	size_t len = strcspn(text, "="), soft = text[len] ? strcspn(text + len + 1, ":") : 0, i;
	const char *value = text + len + 1;
	struct rlimit limit;

	for (i = 0; i < ARRAY_SIZE(rlimits); i++)
		if (strlen(rlimits[i].name) == len && !memcmp(rlimits[i].name, text, len))
			break;
	if (i == ARRAY_SIZE(rlimits) || !text[len] || limit_value(value, soft, &limit.rlim_cur))
		return -EINVAL;
	limit.rlim_max = limit.rlim_cur;
	if (value[soft] && limit_value(value + soft + 1, strlen(value + soft + 1), &limit.rlim_max))
		return -EINVAL;
	if (limit.rlim_cur > limit.rlim_max)
		return -EINVAL;
	*ret_resource = rlimits[i].resource;
	*ret_limit = limit;
	return 0;
}

int spec_env(const char *text)
{
	return *text != '=' && strchr(text, '=') ? 0 : -EINVAL;
}

static const char *const caps[] = {
#define CAP(name) #name,
#include "launch/caps.def"
#undef CAP
};

int spec_cap(const char *text, uint64_t *ret_set)
{
	if (!strcasecmp(text, "all")) {
		*ret_set = ~0ULL;
		return 0;
	}
	if (!strncasecmp(text, "cap_", 4))
		text += 4;
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		if (!strcasecmp(text, caps[i])) {
			*ret_set = 1ULL << i;
			return 0;
		}
	}
	return -EINVAL;
}

void spec_cap_words(uint64_t set, char *words, size_t size)
{
	const uint64_t known = (1ULL << ARRAY_SIZE(caps)) - 1;
	bool most = __builtin_popcountll(set & known) > (int)ARRAY_SIZE(caps) / 2;
	size_t len = 0;

	snprintf(words, size, "%s", !most ? "" : (set & known) == known ? "all" : "all but ");
	if (most)
		set = ~set;
	set &= known;
	for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
		if (!(set >> i & 1))
			continue;
		len = strlen(words);
		snprintf(words + len, size - len, "cap_%s%s", caps[i], set >> i >> 1 ? "," : "");
	}
}
