/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/mountorder.h"

#include <errno.h>
#include <stdlib.h>

#include "util/cleanup.h"

static int by_parent(const void *a, const void *b)
{
	const struct mount *x = ((const struct mount_place *)a)->mount, *y = ((const struct mount_place *)b)->mount;

	if (x->info.parent != y->info.parent)
		return x->info.parent < y->info.parent ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* The first of @all, sorted by parent, that is mounted on @id, or on the next higher one. */
static size_t first_on(const struct mount_place *all, size_t n, uint64_t id)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (all[middle].mount->info.parent < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Adds the mount and all below it to @order; @next: where to go on at each depth. No recursion: it may be deep. */
static size_t add_branch(const struct mount_place *all, size_t n, const struct mount *root, struct mount_place *order,
			 size_t done, size_t *next, uint64_t *ids)
{
	size_t depth = 0;

	order[done++] = (struct mount_place){ .mount = root };
	ids[0] = root->info.id;
	next[0] = first_on(all, n, ids[0]);
	while (true) {
		size_t at = next[depth];

		if (at < n && all[at].mount->info.parent == ids[depth] && all[at].mount != root) {
			next[depth]++;
			depth++;
			order[done++] = (struct mount_place){ .mount = all[at].mount, .depth = depth };
			ids[depth] = all[at].mount->info.id;
			next[depth] = first_on(all, n, ids[depth]);
		} else if (at < n && all[at].mount->info.parent == ids[depth]) {
			next[depth]++; /* the root of the namespace may be its own parent */
		} else if (depth) {
			depth--;
		} else {
			return done;
		}
	}
}

static int compare_ids(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int make_tree(struct mount_place *all, size_t n, struct mount_place *order)
{
	_free_ size_t *next = calloc(n + 1, sizeof(*next));
	_free_ uint64_t *ids = calloc(n + 1, sizeof(*ids)), *known = calloc(n + 1, sizeof(*known));
	size_t done = 0;

	if (!next || !ids || !known)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		known[i] = all[i].mount->info.id;
	qsort(known, n, sizeof(*known), compare_ids);
	qsort(all, n, sizeof(*all), by_parent);
	for (size_t i = 0; i < n; i++) {
		const struct mountinfo *m = &all[i].mount->info;

		if (m->parent == m->id || !bsearch(&m->parent, known, n, sizeof(*known), compare_ids))
			done = add_branch(all, n, all[i].mount, order, done, next, ids);
	}
	return 0;
}

int mountorder(const struct mountgraph *g, uint32_t inum, bool tree, struct mount_place **ret_order, size_t *ret_n)
{
	_free_ struct mount_place *all = calloc(g->n + 1, sizeof(*all));
	_free_ struct mount_place *order = calloc(g->n + 1, sizeof(*order));
	size_t n = 0;
	int err;

	if (!all || !order)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++)
		if (g->mounts[i]->ns == inum)
			all[n++].mount = g->mounts[i];
	err = tree ? make_tree(all, n, order) : 0;
	if (err)
		return err;
	*ret_order = tree ? TAKE_PTR(order) : TAKE_PTR(all);
	*ret_n = n;
	return 0;
}
