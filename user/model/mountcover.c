/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mountcover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* What is known of a mount, beside that something is on its root. */
enum way { WAY_UNKNOWN, WAY_FREE, WAY_BLOCKED };

struct cover {
	struct mountgraph *g;
	struct mount **by_id; /* IDs are those of the whole machine */
	enum way *way; /* by index */
};

static int by_id(const void *a, const void *b)
{
	const struct mount *x = *(struct mount *const *)a, *y = *(struct mount *const *)b;

	return x->info.id < y->info.id ? -1 : x->info.id > y->info.id;
}

/* Names in front of those below them: / is lower than all that names are made of. */
static int compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int by_place(const void *a, const void *b)
{
	const struct mount *x = *(struct mount *const *)a, *y = *(struct mount *const *)b;

	if (x->info.parent != y->info.parent)
		return x->info.parent < y->info.parent ? -1 : 1;
	return compare_paths(x->info.target, y->info.target);
}

static bool is_below(const char *path, const char *top)
{
	size_t len = strcmp(top, "/") ? strlen(top) : 0;

	return !strncmp(path, top, len) && path[len] == '/' && path[len + 1];
}

static struct mount *parent_of(const struct cover *c, const struct mount *m)
{
	struct mount key = { .info.id = m->info.parent }, *wanted = &key;
	struct mount **found = bsearch(&wanted, c->by_id, c->g->n, sizeof(struct mount *), by_id);

	return found && *found != m ? *found : NULL;
}

/* A mount is out of reach if another on the same parent is on the way to it. */
static int find_blocked(struct cover *c)
{
	_free_ struct mount **sorted = calloc(c->g->n + 1, sizeof(struct mount *));
	const struct mount *top = NULL;

	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, c->by_id, c->g->n * sizeof(struct mount *));
	qsort(sorted, c->g->n, sizeof(struct mount *), by_place);
	for (size_t i = 0; i < c->g->n; i++) {
		const struct mount *m = sorted[i];

		if (top && top->info.parent == m->info.parent && is_below(m->info.target, top->info.target))
			c->way[m->index] = WAY_BLOCKED;
		else
			top = m;
	}
	return 0;
}

/* From each up to the first that is decided, and down again. */
static void decide(struct cover *c)
{
	for (size_t i = 0; i < c->g->n; i++) {
		struct mount *up = c->g->mounts[i];
		enum way way;

		while (up && c->way[up->index] == WAY_UNKNOWN)
			up = parent_of(c, up);
		way = up ? c->way[up->index] : WAY_FREE;
		for (up = c->g->mounts[i]; up && c->way[up->index] == WAY_UNKNOWN; up = parent_of(c, up))
			c->way[up->index] = way;
	}
}

int mountcover_find(struct mountgraph *g)
{
	_free_ struct mount **sorted = calloc(g->n + 1, sizeof(struct mount *));
	_free_ enum way *way = calloc(g->n + 1, sizeof(*way));
	struct cover c = { .g = g, .by_id = sorted, .way = way };
	int err;

	if (!sorted || !way)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++)
		sorted[i] = g->mounts[i];
	qsort(sorted, g->n, sizeof(struct mount *), by_id);
	err = find_blocked(&c);
	if (err)
		return err;
	decide(&c);
	for (size_t i = 0; i < g->n; i++) {
		struct mount *m = g->mounts[i], *parent = parent_of(&c, m);

		m->covered = m->covered || way[i] == WAY_BLOCKED;
		if (parent && !strcmp(parent->info.target, m->info.target))
			parent->covered = true;
	}
	return 0;
}
