/* SPDX-License-Identifier: GPL-2.0-or-later */
/* At the end of the stream: the processes that then run, as a table or a tree. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/format.h"
#include "sink/sinks.h"
#include "view/columns.h"

/* A tree that is deeper is not indented further. */
#define INDENT_MAX 40

static void add_column(struct buf *b, uint64_t v, size_t width)
{
	struct buf digits = {};

	buf_addu(&digits, v);
	pad_left(b, digits.data, digits.len, width);
	buf_addc(b, ' ');
	buf_free(&digits);
}

static void add_row(struct sink *s, const struct process *p, size_t depth)
{
	struct buf *b = &s->buf, cell = {};

	add_column(b, p->pid, 8);
	add_column(b, p->task.ppid, 8);
	pid_chain(&cell, p->pids, p->levels, s->style.wide);
	pad_left(b, cell.data, cell.len, 8);
	buf_addc(b, ' ');
	add_column(b, p->task.ns[NSS_NS_PID], 10);
	cell.len = 0;
	buf_addu(&cell, p->task.uid);
	if (p->task.inside_uid != p->task.uid) {
		buf_addc(&cell, '>');
		buf_addu(&cell, p->task.inside_uid);
	}
	pad_left(b, cell.data, cell.len, 7);
	buf_adds(b, "  ");
	for (size_t i = 0; i < depth && i < INDENT_MAX; i++)
		buf_adds(b, i + 1 == depth ? "\\_ " : "   ");
	buf_adds(b, p->kthread ? "[" : "");
	text_string(b, p->task.comm, strlen(p->task.comm));
	buf_adds(b, p->kthread ? "]\n" : "\n");
	buf_free(&cell);
}

static int by_pid(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

static int by_parent(const void *a, const void *b)
{
	const struct process *x = *(struct process *const *)a, *y = *(struct process *const *)b;

	if (x->task.ppid != y->task.ppid)
		return x->task.ppid < y->task.ppid ? -1 : 1;
	return by_pid(a, b);
}

/* The first of @all, sorted by parent, whose parent is not below @ppid. */
static size_t first_child(struct process **all, size_t n, uint32_t ppid)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (all[middle]->task.ppid < ppid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* A process, then its children: @next[depth] is the next one at that depth. No recursion: the depth is the sandbox's. */
static void add_branch(struct sink *s, struct process **all, size_t n, size_t root, size_t *next, bool *shown)
{
	uint32_t *parents = (uint32_t *)(next + n + 1);
	size_t depth = 0;

	if (shown[root])
		return;
	shown[root] = true;
	add_row(s, all[root], 0);
	next[0] = first_child(all, n, all[root]->pid);
	parents[0] = all[root]->pid;
	while (true) {
		size_t at = next[depth];

		if (at < n && all[at]->task.ppid == parents[depth]) {
			next[depth]++;
			if (shown[at])
				continue;
			shown[at] = true;
			add_row(s, all[at], depth + 1);
			if (depth + 1 >= n)
				continue;
			depth++;
			parents[depth] = all[at]->pid;
			next[depth] = first_child(all, n, all[at]->pid);
		} else if (depth) {
			depth--;
		} else {
			return;
		}
	}
}

static int add_tree(struct sink *s, const struct model *m, struct process **all, size_t n)
{
	size_t *next = calloc(n + 1, sizeof(*next) + sizeof(uint32_t) + sizeof(bool));
	bool *shown = (bool *)((uint32_t *)(next + n + 1) + n + 1);

	if (!next)
		return -ENOMEM;
	qsort(all, n, sizeof(struct process *), by_parent);
	for (size_t i = 0; i < n; i++)
		if (!all[i]->task.ppid || !model_find(m, all[i]->task.ppid))
			add_branch(s, all, n, i, next, shown);
	for (size_t i = 0; i < n; i++) /* a ring of parents: a number was used again */
		add_branch(s, all, n, i, next, shown);
	free(next);
	return 0;
}

/* One process: its number at each level. */
static void add_levels(struct sink *s, const struct process *p)
{
	buf_adds(&s->buf, "     PID_NS      PID\n");
	for (uint32_t i = 0; i < p->levels; i++) {
		add_column(&s->buf, p->pids[i].ns, 11);
		add_column(&s->buf, p->pids[i].pid, 8);
		if (i)
			s->buf.data[s->buf.len - 1] = '\n';
		else
			buf_adds(&s->buf, " host\n");
	}
}

static int add_table(struct sink *s, const struct model *m)
{
	size_t n = m->processes.count, i = 0;
	struct process **all = calloc(n + 1, sizeof(*all)), *p;
	uint32_t pid = 0;
	int err = 0;

	if (!all)
		return -ENOMEM;
	while ((p = pidtable_next(&m->processes, &pid)))
		all[i++] = p;
	if (s->style.levels) {
		for (i = 0; i < n; i++)
			add_levels(s, all[i]);
	} else {
		buf_adds(&s->buf, "    HOST     PPID   INSIDE     PID_NS     UID  COMMAND\n");
		if (s->style.tree)
			err = add_tree(s, m, all, n);
		for (i = 0; i < n && !s->style.tree; i++)
			add_row(s, all[i], 0);
	}
	free(all);
	return err;
}

static int table_event(struct sink *s, const struct event *e, const struct model *m)
{
	return e->rec->type == NSS_EV_END ? add_table(s, m) : 0;
}

const struct sink_ops sink_table = {
	.name = "table",
	.doc = "the processes that run at the end, with their PIDs at all levels",
	.event = table_event,
	.needs_all = true,
};
