/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Several processes in one: how many, how long, how many at a time. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/timeline.h"

#define CLASS_BITS 4 /* classes for each doubling: 2^4 */
#define CLASS_FIRST 10 /* durations below 2^10 ns are in the first class */

static size_t class_of(uint64_t ns)
{
	size_t log, class;

	if (ns >> CLASS_FIRST == 0)
		return 0;
	log = 63 - (size_t)__builtin_clzll(ns);
	class = (log - CLASS_FIRST) << CLASS_BITS | (ns >> (log - CLASS_BITS) & ((1 << CLASS_BITS) - 1));
	return class < TIMELINE_CLASSES ? class : TIMELINE_CLASSES - 1;
}

/* The middle of a class, ns. */
static uint64_t class_middle(size_t class)
{
	uint64_t start = (1ULL << CLASS_BITS | (class & ((1 << CLASS_BITS) - 1))),
		 log = (class >> CLASS_BITS) + CLASS_FIRST;

	return (2 * start + 1) << (log - CLASS_BITS) >> 1;
}

uint64_t timeline_median(const struct timeline_group *g)
{
	uint64_t seen = 0, ns;
	size_t i = 0;

	for (; i < TIMELINE_CLASSES - 1 && seen + g->classes[i] < (g->known + 1) / 2; i++)
		seen += g->classes[i];
	ns = class_middle(i);
	return ns < g->min_ns ? g->min_ns : ns > g->max_ns ? g->max_ns : ns;
}

/* Doubles the parts of the time until there are as many as 2^@shift asks for. */
static void widen(struct timeline_group *g, uint32_t shift)
{
	for (; g->shift < shift; g->shift++) {
		for (size_t i = 0; i < TIMELINE_BINS / 2; i++)
			g->busy[i] = g->busy[2 * i] + g->busy[2 * i + 1];
		memset(g->busy + TIMELINE_BINS / 2, 0, sizeof(g->busy) / 2);
	}
}

/* One process that lived from @begin to @end, ns since the start of the stream. */
static void add_busy(struct timeline_group *g, uint64_t begin, uint64_t end)
{
	uint32_t shift = g->shift;

	while (shift < 55 && end >> shift >= TIMELINE_BINS)
		shift++;
	widen(g, shift);
	for (uint64_t i = begin >> shift; i <= end >> shift && i < TIMELINE_BINS; i++) {
		uint64_t from = i << shift > begin ? i << shift : begin,
			 to = i == end >> shift ? end : (i + 1) << shift;

		g->busy[i] += (float)(to - from);
	}
}

static uint64_t since(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void add_one(const struct timeline *t, struct timeline_group *g, const struct timeline_node *n)
{
	uint64_t ns = since(n->begin, n->ended);

	g->lowest = !g->lowest || n->pid < g->lowest ? n->pid : g->lowest;
	g->highest = n->pid > g->highest ? n->pid : g->highest;
	g->running += n->end == TIMELINE_LIVES;
	g->failed += n->end == TIMELINE_ENDED && n->status;
	if (n->end == TIMELINE_ENDED && !n->before) {
		g->min_ns = !g->known || ns < g->min_ns ? ns : g->min_ns;
		g->max_ns = ns > g->max_ns ? ns : g->max_ns;
		g->known++;
		g->classes[class_of(ns)]++;
	}
	add_busy(g, since(t->origin, n->begin), since(t->origin, n->ended));
}

static void add_group(struct timeline_group *g, struct timeline_group *other)
{
	widen(g, other->shift);
	widen(other, g->shift);
	for (size_t i = 0; i < TIMELINE_BINS; i++)
		g->busy[i] += other->busy[i];
	for (size_t i = 0; i < TIMELINE_CLASSES; i++)
		g->classes[i] += other->classes[i];
	if (other->known && (!g->known || other->min_ns < g->min_ns))
		g->min_ns = other->min_ns;
	if (other->known && (!g->known || other->max_ns > g->max_ns))
		g->max_ns = other->max_ns;
	g->known += other->known;
	g->failed += other->failed;
	g->running += other->running;
	g->lowest = other->lowest < g->lowest ? other->lowest : g->lowest;
	g->highest = other->highest > g->highest ? other->highest : g->highest;
	g->others = g->others || other->others;
	g->several_ns = g->several_ns || other->several_ns;
}

int timeline_make_group(struct timeline *t, struct timeline_node *n)
{
	if (n->group)
		return 0;
	n->group = calloc(1, sizeof(*n->group));
	if (!n->group)
		return -ENOMEM;
	add_one(t, n->group, n);
	timeline_forget_notes(t, n);
	return 0;
}

int timeline_merge(struct timeline *t, struct timeline_node *into, struct timeline_node *n)
{
	struct timeline_node *child, *next;

	if (timeline_make_group(t, into))
		return -ENOMEM;
	if (n->group)
		add_group(into->group, n->group);
	else
		add_one(t, into->group, n);
	into->group->several_ns = into->group->several_ns || !timeline_same_ns(into, n);
	into->group->others = into->group->others || strncmp(into->comm, n->comm, sizeof(n->comm));
	into->count += n->count;
	into->begin = n->begin < into->begin ? n->begin : into->begin;
	into->ended = n->ended > into->ended ? n->ended : into->ended;
	into->before = into->before || n->before;
	into->shown = into->shown || n->shown;
	timeline_forget_notes(t, n);
	into->more_execs += n->more_execs;
	into->more_marks += n->more_marks;
	for (child = n->children; child; child = next) {
		next = child->next;
		timeline_append(into, child);
	}
	timeline_node_free(t, n);
	return 0;
}
