/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fewer rows: which processes are put together, and in which order. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/timeline.h"
#include "util/cleanup.h"

/* A chain of processes each of which makes the next is cut at this depth. */
#define DEPTH_MAX 24

/* Only what is over may go: the rest is still told of. */
static bool is_over(const struct timeline_node *n)
{
	return n->parent && !n->live;
}

static bool is_others(const struct timeline_node *n)
{
	return n->group && n->group->others;
}

/* The children of @n as an array. NULL: no memory, or none. */
static struct timeline_node **take_children(const struct timeline_node *n, size_t *ret_n)
{
	struct timeline_node **all, *child;
	size_t i = 0;

	for (child = n->children; child; child = child->next)
		i++;
	*ret_n = i;
	all = i ? malloc(i * sizeof(struct timeline_node *)) : NULL;
	for (child = n->children, i = 0; all && child; child = child->next)
		all[i++] = child;
	return all;
}

/* Makes the @n that are not NULL the children of @parent. */
static void set_children(struct timeline_node *parent, struct timeline_node **all, size_t n)
{
	parent->children = parent->last = NULL;
	for (size_t i = 0; i < n; i++)
		if (all[i])
			timeline_append(parent, all[i]);
}

static int by_begin(const void *a, const void *b)
{
	const struct timeline_node *x = *(struct timeline_node *const *)a, *y = *(struct timeline_node *const *)b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* What can be put together stands together: of one command, as deep in namespaces, and over. */
static int same_kind(const struct timeline_node *x, const struct timeline_node *y)
{
	int order = (int)is_over(y) - (int)is_over(x);

	if (!order)
		order = (int)is_others(x) - (int)is_others(y);
	if (!order && !is_others(x))
		order = strncmp(x->comm, y->comm, sizeof(x->comm));
	if (!order && !is_others(x))
		order = (x->levels > y->levels) - (x->levels < y->levels);
	return order;
}

static int by_kind(const void *a, const void *b)
{
	const struct timeline_node *x = *(struct timeline_node *const *)a, *y = *(struct timeline_node *const *)b;
	int order = same_kind(x, y);

	return order ? order : by_begin(a, b);
}

/* Of @parent's children: the same command at least @least times becomes one node. 0 or -ENOMEM. */
static int merge_repeats(struct timeline *t, struct timeline_node *parent, uint64_t least)
{
	size_t n, kept = 0;
	_free_ struct timeline_node **all = take_children(parent, &n);
	int err = 0;

	if (!all)
		return n ? -ENOMEM : 0;
	qsort(all, n, sizeof(*all), by_kind);
	for (size_t i = 0, end; i < n; i = end) {
		uint64_t count = 0;

		for (end = i; end < n && !same_kind(all[i], all[end]); end++)
			count += all[end]->count;
		all[kept++] = all[i];
		for (size_t k = i + 1; k < end; k++) {
			if (!err && is_over(all[i]) && count >= least)
				err = timeline_merge(t, all[i], all[k]);
			if (err || !is_over(all[i]) || count < least)
				all[kept++] = all[k];
		}
	}
	qsort(all, kept, sizeof(*all), by_begin);
	set_children(parent, all, kept);
	return err;
}

/* Processes of which no event is shown, and that are over, go; their children are their parent's. 0 or -ENOMEM. */
static int drop_left_out(struct timeline *t, struct timeline_node *parent, uint64_t unused)
{
	struct timeline_node *n = parent->children, *next;
	size_t kept = 0;
	_free_ struct timeline_node **all = NULL;

	(void)unused;
	for (; n; n = n->next) /* the list grows at its end */
		if (is_over(n) && !n->shown)
			while (n->children) {
				next = n->children;
				n->children = next->next;
				timeline_append(parent, next);
			}
	all = take_children(parent, &kept);
	if (!all)
		return kept ? -ENOMEM : 0;
	for (size_t i = 0; i < kept; i++) {
		if (is_over(all[i]) && !all[i]->shown) {
			t->left_out += all[i]->count;
			timeline_node_free(t, all[i]);
			all[i] = NULL;
		}
	}
	set_children(parent, all, kept);
	return 0;
}

/* All that is over below @parent becomes one node, of what commands ever. 0 or -ENOMEM. */
static int merge_below(struct timeline *t, struct timeline_node *parent, uint64_t unused)
{
	struct timeline_node *n, *next, *others = NULL;
	struct timeline_node *children = parent->children;
	int err = 0;

	(void)unused;
	parent->children = parent->last = NULL;
	for (n = children; n; n = next) {
		if (is_over(n) && n->children) { /* behind it, as children of @parent */
			n->last->next = n->next;
			n->next = n->children;
			n->children = n->last = NULL;
		}
		next = n->next;
		if (!err && others && is_over(n)) {
			err = timeline_merge(t, others, n);
			if (!err)
				continue;
		}
		timeline_append(parent, n);
		if (!others && is_over(n))
			others = n;
	}
	return err;
}

/* Calls @fn of each node, before it goes on to its children; or, @deepest, only of those at DEPTH_MAX. */
static int walk(struct timeline *t, int (*fn)(struct timeline *, struct timeline_node *, uint64_t), uint64_t arg,
		bool deepest)
{
	struct timeline_node *n = &t->root;
	size_t depth = 0;

	for (; n; n = timeline_next(n, &depth))
		if (!deepest || depth == DEPTH_MAX) {
			int err = fn(t, n, arg);

			if (err)
				return err;
		}
	return 0;
}

/* Nothing is below it but, perhaps, a group of others. */
static bool is_leaf(const struct timeline_node *n)
{
	return is_over(n) && !is_others(n) &&
	       (!n->children || (!n->children->next && is_others(n->children) && !n->children->children));
}

static uint64_t weight(const struct timeline_node *n)
{
	return n->ended - n->begin;
}

static int by_weight(const void *a, const void *b)
{
	const struct timeline_node *x = *(struct timeline_node *const *)a, *y = *(struct timeline_node *const *)b;

	if (weight(x) != weight(y))
		return weight(x) < weight(y) ? -1 : 1;
	return by_begin(a, b);
}

/* What is chosen of @parent's children goes, with what is below it, into one node. 0 or -ENOMEM. */
static int merge_chosen(struct timeline *t, struct timeline_node *parent, uint64_t unused)
{
	struct timeline_node *n, *next, *others = NULL, *children = parent->children;
	int err = 0;

	(void)unused;
	for (n = children; n && !others; n = n->next)
		others = is_others(n) ? n : NULL;
	parent->children = parent->last = NULL;
	for (n = children; n; n = next) {
		next = n->next;
		if (err || !n->chosen) {
			timeline_append(parent, n);
			continue;
		}
		n->chosen = false;
		err = n->children ? timeline_merge(t, n, n->children) : timeline_make_group(t, n);
		if (!err)
			n->children = n->last = NULL;
		if (!err && others)
			err = timeline_merge(t, others, n);
		if (err || !others)
			timeline_append(parent, n);
		if (!err && !others)
			others = n;
		if (!err)
			others->group->others = true;
	}
	return err;
}

/* Of the processes that have no children, the shortest go into one node, others, of their parent's. 0 or -ENOMEM. */
static int prune(struct timeline *t, size_t target)
{
	_free_ struct timeline_node **leaves = malloc(t->nodes * sizeof(*leaves));
	size_t n = 0, depth = 0, goal = t->nodes - target + 1;
	struct timeline_node *at = &t->root;

	if (!leaves)
		return -ENOMEM;
	while ((at = timeline_next(at, &depth)))
		if (is_leaf(at))
			leaves[n++] = at;
	qsort(leaves, n, sizeof(*leaves), by_weight);
	for (size_t i = 0; i < n && i < goal; i++)
		leaves[i]->chosen = true;
	return walk(t, merge_chosen, 0, false);
}

int timeline_reduce(struct timeline *t, size_t target)
{
	int err = t->filtered ? walk(t, drop_left_out, 0, false) : 0;

	for (uint64_t least = 64; !err && least > 1 && t->nodes > target; least /= 2)
		err = walk(t, merge_repeats, least, false);
	if (!err && t->nodes > target)
		err = walk(t, merge_below, 0, true);
	for (size_t before = t->nodes + 1; !err && t->nodes > target && t->nodes < before;) {
		before = t->nodes;
		err = prune(t, target);
	}
	return err;
}
