/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/idmap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIN(a, b) ((a) < (b) ? (a) : (b))

bool idmap_needs(const struct idmap_request *r, enum idmap_source source)
{
	size_t i;

	for (i = 0; i < r->n; i++) {
		if (r->items[i].source == source)
			return true;
	}
	return false;
}

void idmap_ask_one(struct idmap_request *r, uint32_t inner)
{
	r->one = true;
	r->one_inner = inner;
}

int idmap_ask(struct idmap_request *r, enum idmap_source source, struct idmap_range range)
{
	if (r->n == IDMAP_RANGES_MAX)
		return -E2BIG;
	r->items[r->n++] = (struct idmap_item){ source, range };
	return 0;
}

/* A decimal number at *@text, which moves behind it. 0, -EINVAL: none; -ERANGE: no ID can be so large. */
static int take_number(const char **text, uint32_t *ret)
{
	uint64_t v = 0;
	const char *p = *text;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		v = v * 10 + (uint64_t)(*p - '0');
		if (v > UINT32_MAX)
			return -ERANGE;
	}
	*text = p;
	*ret = (uint32_t)v;
	return 0;
}

/* The kernel's rule: the first ID and the one behind the last are no wrap. */
static bool fits(uint32_t first, uint32_t count)
{
	return (uint64_t)first + count <= UINT32_MAX;
}

int idmap_parse_range(const char *text, struct idmap_range *ret_range)
{
	uint32_t v[3];
	struct idmap_range r;
	char sep = 0;
	size_t i;
	int ret;

	for (i = 0; i < 3; i++) {
		ret = take_number(&text, &v[i]);
		if (ret < 0)
			return ret;
		if (i == 0)
			sep = *text;
		if (*text != (i < 2 ? sep : 0) || (sep != ':' && sep != ','))
			return -EINVAL;
		text += i < 2;
	}
	if (sep == ':')
		r = (struct idmap_range){ .inner = v[0], .outer = v[1], .count = v[2] };
	else
		r = (struct idmap_range){ .outer = v[0], .inner = v[1], .count = v[2] };
	if (!r.count)
		return -EINVAL;
	if (!fits(r.inner, r.count) || !fits(r.outer, r.count))
		return -ERANGE;
	*ret_range = r;
	return 0;
}

/* Whether the first field of the line is the user; *@line moves behind its colon. */
static bool is_users_line(const char **line, size_t len, const char *name, uint32_t uid)
{
	const char *colon = memchr(*line, ':', len), *p = *line;
	uint32_t number;
	bool is;

	if (!colon)
		return false;
	is = name && strlen(name) == (size_t)(colon - p) && !memcmp(p, name, (size_t)(colon - p));
	is = is || (!take_number(&p, &number) && p == colon && number == uid);
	*line = colon + 1;
	return is;
}

int idmap_parse_subids(const char *text, const char *name, uint32_t uid, struct idmap_range *ret_range)
{
	struct idmap_range r = {};

	for (; *text; text += strcspn(text, "\n"), text += *text == '\n') {
		const char *p = text;

		if (!is_users_line(&p, strcspn(text, "\n"), name, uid))
			continue;
		if (take_number(&p, &r.outer) || *p++ != ':' || take_number(&p, &r.count) || (*p && *p != '\n') ||
		    !r.count || !fits(r.outer, r.count))
			return -EINVAL;
		*ret_range = r;
		return 0;
	}
	return -ENOENT;
}

int idmap_parse_kernel(const char *text, struct idmap *ret_map)
{
	struct idmap m = {};
	struct idmap_range r;
	int n;

	while (sscanf(text, " %" SCNu32 " %" SCNu32 " %" SCNu32 "%n", &r.inner, &r.outer, &r.count, &n) == 3) {
		if (idmap_add(&m, r) < 0)
			return -EINVAL;
		text += n;
	}
	if (text[strspn(text, " \n")])
		return -EINVAL;
	*ret_map = m;
	return 0;
}

int idmap_add(struct idmap *m, struct idmap_range range)
{
	if (m->n == IDMAP_RANGES_MAX)
		return -E2BIG;
	m->ranges[m->n++] = range;
	return 0;
}

static bool within(uint32_t first, uint32_t count, uint32_t id)
{
	return id >= first && id - first < count;
}

/*
 * Adds the pairs of @r that are left without @inner and @outer. The pair at k is of what stood at k, or one later on a
 * side that lost an ID before: so three runs at most.
 */
static int add_punched(struct idmap *to, struct idmap_range r, uint32_t inner, uint32_t outer)
{
	bool in = within(r.inner, r.count, inner), out = within(r.outer, r.count, outer);
	uint32_t left = r.count - (in || out);
	uint32_t in_at = in ? inner - r.inner : left, out_at = out ? outer - r.outer : left;
	uint32_t cuts[] = { MIN(in_at, out_at), in_at < out_at ? out_at : in_at, left };
	uint32_t at = 0;
	size_t i;

	for (i = 0; i < 3; i++) {
		uint32_t end = MIN(cuts[i], left);
		int ret;

		if (end <= at)
			continue;
		ret = idmap_add(to, (struct idmap_range){ r.inner + at + (in && at >= in_at),
							  r.outer + at + (out && at >= out_at), end - at });
		if (ret < 0)
			return ret;
		at = end;
	}
	return 0;
}

int idmap_punch(struct idmap *m, uint32_t inner, uint32_t outer)
{
	struct idmap punched = {};
	size_t i;
	int ret;

	for (i = 0; i < m->n; i++) {
		ret = add_punched(&punched, m->ranges[i], inner, outer);
		if (ret < 0)
			return ret;
	}
	*m = punched;
	return 0;
}

static bool overlap(uint32_t a, uint32_t a_count, uint32_t b, uint32_t b_count)
{
	return a < (uint64_t)b + b_count && b < (uint64_t)a + a_count;
}

int idmap_check(const struct idmap *m, struct idmap_error *ret_error)
{
	const struct idmap_range *a, *b;

	for (a = m->ranges; a < m->ranges + m->n; a++) {
		for (b = m->ranges; b < a; b++) {
			bool inner = overlap(a->inner, a->count, b->inner, b->count);

			if (!inner && !overlap(a->outer, a->count, b->outer, b->count))
				continue;
			snprintf(ret_error->text, sizeof(ret_error->text), "%u:%u:%u and %u:%u:%u overlap %s", b->inner,
				 b->outer, b->count, a->inner, a->outer, a->count, inner ? "inside" : "outside");
			return -EINVAL;
		}
	}
	return 0;
}

/*
 * @one_inner: of the single mapping, or IDMAP_NO_ID. Where the range of subordinate IDs begins at 0 inside it makes way
 * without losing an ID: it ends one later.
 */
static int add_item(struct idmap *m, const struct idmap_item *item, const struct idmap_ground *g, uint32_t one_inner)
{
	struct idmap_range r = g->subids;
	size_t i;
	int ret = 0;

	switch (item->source) {
	case IDMAP_RANGE:
		return idmap_add(m, item->range);
	case IDMAP_SUBIDS:
		r.inner = r.outer;
		return idmap_add(m, r);
	case IDMAP_AUTO:
		r.inner = 0;
		if (one_inner >= r.count || within(r.outer, r.count, g->effective))
			return idmap_add(m, r);
		if (one_inner)
			ret = idmap_add(m, (struct idmap_range){ 0, r.outer, one_inner });
		r.inner = one_inner + 1;
		r.outer += one_inner;
		r.count -= one_inner;
		return ret < 0 ? ret : idmap_add(m, r);
	case IDMAP_ALL:
		for (i = 0; !ret && i < g->parent->n; i++) {
			r = g->parent->ranges[i];
			r.outer = r.inner;
			ret = idmap_add(m, r);
		}
		return ret;
	}
	return -EINVAL;
}

int idmap_make(const struct idmap_request *r, const struct idmap_ground *g, struct idmap *ret_map,
	       struct idmap_error *ret_error)
{
	uint32_t one_inner = r->one ? r->one_inner : IDMAP_NO_ID;
	struct idmap ranges = {}, m = {};
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < r->n; i++) {
		enum idmap_source source = r->items[i].source;

		if (((source == IDMAP_AUTO || source == IDMAP_SUBIDS) && !g->has_subids) ||
		    (source == IDMAP_ALL && !g->parent)) {
			snprintf(ret_error->text, sizeof(ret_error->text), "the IDs to map are not known");
			return -ENOENT;
		}
		ret = add_item(&ranges, &r->items[i], g, one_inner);
	}
	if (!ret && r->one) {
		ret = idmap_punch(&ranges, r->one_inner, g->effective);
		if (!ret)
			ret = idmap_add(&m, (struct idmap_range){ r->one_inner, g->effective, 1 });
	}
	for (i = 0; !ret && i < ranges.n; i++)
		ret = idmap_add(&m, ranges.ranges[i]);
	if (ret) {
		snprintf(ret_error->text, sizeof(ret_error->text), "more than the kernel's %d ranges",
			 IDMAP_RANGES_MAX);
		return ret;
	}
	ret = idmap_check(&m, ret_error);
	if (!ret)
		*ret_map = m;
	return ret;
}

int idmap_format(const struct idmap *m, char text[IDMAP_TEXT_MAX])
{
	size_t len = 0, i;

	text[0] = '\0';
	for (i = 0; i < m->n; i++) {
		const struct idmap_range *r = &m->ranges[i];
		int n = snprintf(text + len, IDMAP_TEXT_MAX - len, "%u %u %u\n", r->inner, r->outer, r->count);

		if ((size_t)n >= IDMAP_TEXT_MAX - len)
			return -E2BIG;
		len += (size_t)n;
	}
	return (int)len;
}

bool idmap_hole(const struct idmap *m, uint32_t from, uint32_t *ret_first, uint32_t *ret_last)
{
	uint32_t first = from, last = UINT32_MAX - 1;
	size_t i = 0;

	/* Ranges are in no order: whenever one holds the candidate, it moves behind it, and all are looked at again. */
	while (i < m->n) {
		const struct idmap_range *r = &m->ranges[i++];

		if (!within(r->inner, r->count, first))
			continue;
		first = r->inner + r->count;
		i = 0;
	}
	if (first > last)
		return false;
	for (i = 0; i < m->n; i++) {
		if (m->ranges[i].inner > first && m->ranges[i].inner <= last)
			last = m->ranges[i].inner - 1;
	}
	*ret_first = first;
	*ret_last = last;
	return true;
}
