/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/filter.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/glob.h"
#include "view/filter_code.h"

void filter_free(struct filter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->ntests; i++) {
		for (size_t n = 0; n < f->tests[i].nliterals; n++)
			free(f->tests[i].literals[n].bytes);
		free(f->tests[i].literals);
	}
	free(f->tests);
	free(f);
}

static bool equals(const struct value *v, const struct filter_literal *l)
{
	if (v->type == VALUE_NULL || l->is_null)
		return v->type == VALUE_NULL && l->is_null;
	if (v->type == VALUE_BYTES)
		return v->len == l->len && !memcmp(v->bytes, l->bytes, l->len);
	return v->number == l->number;
}

/* Whether @t, without its not, holds of one element. */
static bool holds(const struct filter_test *t, const struct value *v)
{
	const struct filter_literal *l = t->literals;

	switch (t->op) {
	case FILTER_HAS:
		return v->type != VALUE_NULL && (v->type != VALUE_BOOL || v->number);
	case FILTER_IS:
	case FILTER_IS_NOT:
		for (size_t i = 0; i < t->nliterals; i++)
			if (equals(v, &l[i]))
				return true;
		return false;
	case FILTER_LIKE:
	case FILTER_NOT_LIKE:
		return v->type == VALUE_BYTES && glob_match(l->bytes, l->len, v->bytes, v->len);
	case FILTER_LESS:
		return v->type == VALUE_NUMBER && v->number < l->number;
	case FILTER_AT_MOST:
		return v->type == VALUE_NUMBER && v->number <= l->number;
	case FILTER_MORE:
		return v->type == VALUE_NUMBER && v->number > l->number;
	case FILTER_AT_LEAST:
		return v->type == VALUE_NUMBER && v->number >= l->number;
	}
	return false;
}

static bool test(const struct filter_test *t, const struct event *e)
{
	bool negated = t->op == FILTER_IS_NOT || t->op == FILTER_NOT_LIKE, there = t->field.is_array;
	struct value v;
	size_t at = 0;

	if (!filter_field_is_there(&t->field, e))
		return false;
	while (filter_field_next(&t->field, e, &at, &v)) {
		if (holds(t, &v))
			return !negated;
		there = true;
	}
	return negated && there;
}

bool filter_match(const struct filter *f, const struct event *e)
{
	int at = 0;

	while (at >= 0)
		at = f->tests[at].next[test(&f->tests[at], e)];
	return at == FILTER_YES;
}

/* What the kernel side can have */

/* Whether @t of an event of @type, of which only that is known, may turn out to be @result. */
static bool may_be(const struct filter_test *t, uint32_t type, bool result)
{
	const char *name = event_descs[type].name;
	uint32_t ns;

	if (!(t->field.types & (1ULL << type)))
		return !result;
	if (t->field.is_event)
		return result;
	if (filter_field_known(&t->field, &ns) == FILTER_TYPE) {
		const struct value v = { .type = VALUE_BYTES, .bytes = name, .len = strlen(name) };

		return result == (holds(t, &v) != (t->op == FILTER_IS_NOT || t->op == FILTER_NOT_LIKE));
	}
	return true;
}

/* Whether @f may match an event of @type; @without: a test that fails. Jumps lead forward: one pass finds all ways. */
static bool may_match(const struct filter *f, uint32_t type, const struct filter_test *without)
{
	_free_ bool *reached = calloc(f->ntests, 1);

	if (!reached)
		return true;
	reached[0] = true;
	for (size_t i = 0; i < f->ntests; i++) {
		for (int result = 0; reached[i] && result < 2; result++) {
			int next = f->tests[i].next[result];

			if (!may_be(&f->tests[i], type, result) || (result && &f->tests[i] == without))
				continue;
			if (next == FILTER_YES)
				return true;
			if (next >= 0)
				reached[next] = true;
		}
	}
	return false;
}

static uint64_t types_of(const struct filter *f, const struct filter_test *without)
{
	uint64_t types = 0;

	for (uint32_t type = 0; type < NSS_EV_MAX; type++)
		if (event_descs[type].group != GROUP_NONE && may_match(f, type, without))
			types |= 1ULL << type;
	return types;
}

static uint64_t whole_groups(uint64_t types)
{
	uint64_t whole = 0;

	for (uint32_t type = 0; type < NSS_EV_MAX; type++)
		for (uint32_t other = 0; other < NSS_EV_MAX; other++)
			if (types & (1ULL << other) && event_descs[type].group == event_descs[other].group)
				whole |= 1ULL << type;
	return whole;
}

/* The condition that @t is, as a configuration of nothing else; false: none that the kernel side has. */
static bool condition(const struct filter_test *t, struct nss_config *ret)
{
	const struct filter_literal *l = t->literals;
	uint32_t ns;

	if (t->op != FILTER_IS || t->nliterals != 1 || l->is_null)
		return false;
	*ret = (struct nss_config){};
	switch (filter_field_known(&t->field, &ns)) {
	case FILTER_COMM:
		if (l->len >= sizeof(ret->comm) || memchr(l->bytes, 0, l->len))
			return false;
		ret->only = NSS_ONLY_COMM;
		memcpy(ret->comm, l->bytes, l->len);
		return true;
	case FILTER_HOST_UID:
		if (l->number < 0 || l->number > UINT32_MAX)
			return false;
		ret->only = NSS_ONLY_UID;
		ret->uid = (uint32_t)l->number;
		return true;
	case FILTER_NS:
		if (l->number <= 0 || l->number > UINT32_MAX)
			return false;
		ret->only = NSS_ONLY_NS;
		ret->ns_type = ns;
		ret->ns_inum = (uint32_t)l->number;
		return true;
	case FILTER_TYPE:
	case FILTER_OTHER:
		break;
	}
	return false;
}

/* Whether @f matches only where @wanted holds: without the test for it there is no way to a match. */
static bool requires(const struct filter *f, const struct nss_config *wanted)
{
	struct nss_config c;

	for (size_t i = 0; i < f->ntests; i++)
		if (condition(&f->tests[i], &c) && !memcmp(&c, wanted, sizeof(c)) && !types_of(f, &f->tests[i]))
			return true;
	return false;
}

static void add_condition(struct nss_config *conf, const struct nss_config *c)
{
	const uint64_t changing = 1ULL << NSS_EV_UNSHARE | 1ULL << NSS_EV_SETNS;

	if (conf->only & c->only)
		return;
	/* Such a call begins in one namespace and ends in another: the kernel side would see only its end. */
	if (c->only == NSS_ONLY_NS && conf->types & changing)
		return;
	conf->only |= c->only;
	if (c->only == NSS_ONLY_COMM)
		memcpy(conf->comm, c->comm, sizeof(conf->comm));
	if (c->only == NSS_ONLY_UID)
		conf->uid = c->uid;
	if (c->only == NSS_ONLY_NS) {
		conf->ns_type = c->ns_type;
		conf->ns_inum = c->ns_inum;
	}
}

void filter_pushdown(const struct filter *const *filters, size_t n, struct nss_config *conf)
{
	uint64_t types = 0;

	if (!n)
		return;
	for (size_t i = 0; i < n; i++)
		types |= types_of(filters[i], NULL);
	if (types & conf->types & 1ULL << NSS_EV_NS_DESTROY)
		return;
	conf->types &= whole_groups(types);
	for (size_t i = 0; i < filters[0]->ntests; i++) {
		struct nss_config c;
		size_t having = 0;

		if (!condition(&filters[0]->tests[i], &c))
			continue;
		while (having < n && requires(filters[having], &c))
			having++;
		if (having == n)
			add_condition(conf, &c);
	}
}
