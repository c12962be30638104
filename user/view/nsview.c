/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/nsview.h"

#include <errno.h>
#include <stdlib.h>

#include "event/event.h"
#include "event/format.h"
#include "util/cleanup.h"
#include "view/columns.h"
#include "view/grid.h"

/* A tree that is deeper is not indented further. */
#define INDENT_MAX 16
/* Bytes of a command line, and where more is to be said, unless wide. */
#define COMMAND_MAX 160
#define COMMAND_SHORT 40

enum { CELL_NS, CELL_TYPE, CELL_PROCS, CELL_PID, CELL_INSIDE, CELL_OWNER, CELL_OWNER_UID, CELL_AGE, CELL_USER, CELL_LAST, CELLS };

static const struct grid_column columns[CELLS] = {
	[CELL_NS] = { "NS", 0, false, 0 },
	[CELL_TYPE] = { "TYPE", 0, false, 0 },
	[CELL_PROCS] = { "PROCS", 0, true, 0 },
	[CELL_PID] = { "PID", 0, true, 0 },
	[CELL_INSIDE] = { "INSIDE", 0, true, 0 },
	[CELL_OWNER] = { "OWNER", 0, true, 1 },
	[CELL_OWNER_UID] = { "OWNER_UID", 12, true, 3 },
	[CELL_AGE] = { "AGE", 0, true, 0 },
	[CELL_USER] = { "USER", 12, true, 2 },
	[CELL_LAST] = { "COMMAND; WHAT ELSE KEEPS IT", 0, false, 0 },
};

static bool is_asked(const struct ns *ns, const struct nsview *v)
{
	if (v->types && !(v->types >> ns->type & 1))
		return false;
	if (!v->process)
		return true;
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		if (v->process->ns[i] == ns->inum)
			return true;
	return false;
}

static void add_number(struct buf *b, uint64_t v, bool known)
{
	if (known)
		buf_addu(b, v);
	else
		buf_addc(b, '-');
}

static void add_age(struct buf *b, const struct ns *ns, const struct nsview *v)
{
	if (ns->age == NS_AGE_UNKNOWN)
		buf_addc(b, '?');
	else if (ns->age == NS_AGE_BOOT)
		buf_adds(b, "boot");
	else
		buf_adds(b, ns->age == NS_AGE_AT_LEAST ? ">=" : "~");
	if (ns->age == NS_AGE_AT_LEAST || ns->age == NS_AGE_ABOUT)
		text_span(b, ns->since_ns < v->now_ns ? v->now_ns - ns->since_ns : 0);
}

static void add_user(struct buf *b, bool known, uint32_t uid, const struct nsview *v)
{
	const char *name = known && v->user ? v->user(uid) : NULL;

	if (name)
		text_string(b, name, strlen(name));
	else
		add_number(b, uid, known);
}

static void add_keeper(struct buf *b, const struct ns_keeper *k, const struct nsview *v)
{
	switch (k->type) {
	case KEEPER_BIND:
		buf_adds(b, "bound to ");
		text_word(b, k->path, strlen(k->path));
		if (k->by != v->own_mnt)
			buf_addf(b, " in mnt %u", k->by);
		break;
	case KEEPER_FD:
		buf_addf(b, "fd %d of process %u", k->fd, k->by);
		break;
	case KEEPER_SOCKET:
		buf_addf(b, "socket %d of process %u", k->fd, k->by);
		break;
	case KEEPER_THREAD:
		buf_addf(b, "thread %d of process %u", k->fd, k->by);
		break;
	case KEEPER_FOR_CHILDREN:
		buf_addf(b, "for children of process %u", k->by);
		break;
	case KEEPER_CHILD:
		buf_addf(b, "parent of %u", k->by);
		break;
	case KEEPER_OWNED:
		buf_addf(b, "owner of %u", k->by);
		break;
	case KEEPER_MAX:
		break;
	}
}

/* The first of each sort and how many more, or all. */
static void add_keepers(struct buf *b, const struct ns *ns, const struct nsview *v)
{
	size_t told[KEEPER_MAX] = {};
	const char *before = ns->leader ? "; " : "";

	for (const struct ns_keeper *k = ns->keepers; k; k = k->next) {
		if (told[k->type]++ && !v->wide)
			continue;
		buf_adds(b, before);
		before = "; ";
		add_keeper(b, k, v);
		if (!v->wide && ns->count[k->type] > 1)
			buf_addf(b, " and %zu more", ns->count[k->type] - 1);
	}
	if (!ns->leader && !ns->keepers)
		buf_adds(b, "no process; what keeps it cannot be seen");
}

/* @max bytes of it: what keeps the namespace must stand in the line too. */
static void add_command(struct buf *b, const struct ns_process *p, size_t max)
{
	size_t len = p->command_len;

	if (len > max)
		for (len = max; len && ((unsigned char)p->command[len] & 0xc0) == 0x80;)
			len--;
	text_string(b, p->command, len);
	if (len < p->command_len)
		buf_adds(b, "...");
}

static void add_last(struct buf *b, const struct ns *ns, const struct nsview *v)
{
	const struct ns_process *p = ns->leader;

	if (p && p->command_len) {
		add_command(b, p, v->wide ? SIZE_MAX : ns->keepers ? COMMAND_SHORT : COMMAND_MAX);
	} else if (p) {
		buf_adds(b, p->kthread ? "[" : "(");
		text_string(b, p->comm, strlen(p->comm));
		buf_adds(b, p->kthread ? "]" : ")");
	}
	add_keepers(b, ns, v);
}

static void add_name(struct buf *b, const struct ns *ns, size_t depth)
{
	for (size_t i = 0; i < depth && i < INDENT_MAX; i++)
		buf_adds(b, i + 1 == depth || i + 1 == INDENT_MAX ? "\\_ " : "   ");
	buf_addu(b, ns->inum);
}

static void add_row(struct grid *g, const struct ns *ns, const struct nsview *v, size_t depth)
{
	const struct ns_process *p = ns->leader;

	add_name(grid_cell(g), ns, depth);
	buf_adds(grid_cell(g), ns_names[ns->type]);
	buf_addu(grid_cell(g), ns->nprocs);
	add_number(grid_cell(g), p ? p->pid : 0, p);
	if (p)
		pid_chain(grid_cell(g), p->pids, p->levels, v->wide);
	else
		buf_addc(grid_cell(g), '-');
	add_number(grid_cell(g), ns->owner, ns->owner);
	add_user(grid_cell(g), ns->has_uid && ns->owner, ns->owner_uid, v);
	add_age(grid_cell(g), ns, v);
	add_user(grid_cell(g), p, p ? p->uid : 0, v);
	add_last(grid_cell(g), ns, v);
}

/*
 * What one stands below in the tree: what it is nested in, if that has the same owner or is a user namespace; else its
 * owner.
 */
static const struct ns *above(const struct nstable *t, const struct ns *ns)
{
	const struct ns *parent = ns->parent ? nstable_find(t, ns->parent) : NULL;
	const struct ns *owner = ns->owner ? nstable_find(t, ns->owner) : NULL;

	if (parent && (ns->type == NSS_NS_USER || parent->owner == ns->owner))
		return parent;
	return owner != ns ? owner : NULL;
}

struct branch {
	const struct ns *ns;
	uint32_t above; /* inum, 0: a root */
	size_t depth;
};

static int by_above(const void *a, const void *b)
{
	const struct branch *x = a, *y = b;

	if (x->above != y->above)
		return x->above < y->above ? -1 : 1;
	if (x->ns->type != y->ns->type)
		return x->ns->type < y->ns->type ? -1 : 1;
	return x->ns->inum < y->ns->inum ? -1 : x->ns->inum > y->ns->inum;
}

/* The first of @all, sorted, that stands below @inum. */
static size_t first_below(const struct branch *all, size_t n, uint32_t inum)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (all[middle].above < inum)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Those asked for, in the order of the tree. There are no rings: a namespace is younger than what it stands below. */
static size_t order_tree(struct branch *all, size_t n, struct branch *ret_ordered, size_t *stack)
{
	size_t depth = 0, done = 0;

	stack[0] = first_below(all, n, 0);
	while (true) {
		size_t at = stack[depth];
		uint32_t up = depth ? all[stack[depth - 1] - 1].ns->inum : 0;

		if (at < n && all[at].above == up) {
			stack[depth]++;
			ret_ordered[done] = all[at];
			ret_ordered[done++].depth = depth;
			depth++;
			stack[depth] = first_below(all, n, all[at].ns->inum);
		} else if (depth) {
			depth--;
		} else {
			return done;
		}
	}
}

static int add_tree(struct grid *g, const struct nstable *t, const struct nsview *v)
{
	size_t total = HASH_COUNT(t->all), n = 0;
	_free_ struct branch *all = calloc(total + 1, sizeof(*all));
	_free_ struct branch *ordered = calloc(total + 1, sizeof(*ordered));
	_free_ size_t *stack = calloc(total + 2, sizeof(*stack));
	const struct ns *ns, *up;

	if (!all || !ordered || !stack)
		return -ENOMEM;
	for (ns = t->all; ns; ns = ns->hh.next) {
		if (!is_asked(ns, v))
			continue;
		/* Below the next one that is shown. */
		for (up = above(t, ns); up && !is_asked(up, v);)
			up = above(t, up);
		all[n++] = (struct branch){ .ns = ns, .above = up ? up->inum : 0 };
	}
	qsort(all, n, sizeof(*all), by_above);
	n = order_tree(all, n, ordered, stack);
	for (size_t i = 0; i < n; i++)
		add_row(g, ordered[i].ns, v, ordered[i].depth);
	return 0;
}

int nsview_text(struct buf *b, const struct nstable *t, const struct nsview *v)
{
	struct grid grid = { .columns = columns, .n = CELLS, .text.ascii = b->ascii };
	int err = v->tree ? add_tree(&grid, t, v) : 0;

	for (const struct ns *ns = v->tree ? NULL : t->all; ns; ns = ns->hh.next)
		if (is_asked(ns, v))
			add_row(&grid, ns, v, 0);
	if (!err)
		err = grid_write(b, &grid, v->width, v->wide);
	grid_free(&grid);
	return err;
}

/* "key":N, or "key":null, and a comma. */
static void json_number(struct buf *b, const char *key, uint64_t v, bool known)
{
	buf_addf(b, "\"%s\":", key);
	if (known)
		buf_addu(b, v);
	else
		buf_adds(b, "null");
	buf_addc(b, ',');
}

static void json_age(struct buf *b, const struct ns *ns, const struct nsview *v)
{
	if (ns->age == NS_AGE_UNKNOWN) {
		buf_adds(b, "\"age\":null,");
		return;
	}
	buf_addf(b, "\"age\":{\"ns\":%llu,\"is\":\"%s\"},",
		 (unsigned long long)(ns->since_ns < v->now_ns ? v->now_ns - ns->since_ns : 0), ns_age_names[ns->age]);
}

static void json_keeper(struct buf *b, const struct ns_keeper *k)
{
	switch (k->type) {
	case KEEPER_BIND:
		buf_addf(b, "{\"mnt_ns\":%u,", k->by);
		json_member(b, "path", k->path, strlen(k->path));
		buf_addc(b, '}');
		break;
	case KEEPER_FD:
	case KEEPER_SOCKET:
		buf_addf(b, "{\"pid\":%u,\"fd\":%d}", k->by, k->fd);
		break;
	case KEEPER_THREAD:
		buf_addf(b, "{\"pid\":%u,\"tid\":%d}", k->by, k->fd);
		break;
	default:
		buf_addu(b, k->by);
	}
}

static void json_keepers(struct buf *b, const struct ns *ns)
{
	buf_adds(b, "\"kept_by\":{\"processes\":");
	buf_addu(b, ns->nprocs);
	for (enum ns_keeper_type type = 0; type < KEEPER_MAX; type++) {
		const char *comma = "";

		buf_addf(b, ",\"%s\":[", ns_keeper_names[type]);
		for (const struct ns_keeper *k = ns->count[type] ? ns->keepers : NULL; k; k = k->next) {
			if (k->type != type)
				continue;
			buf_adds(b, comma);
			json_keeper(b, k);
			comma = ",";
		}
		buf_addc(b, ']');
	}
	buf_addc(b, '}');
}

static void json_leader(struct buf *b, const struct ns_process *p)
{
	const char *command = p && p->command_len ? p->command : p ? p->comm : NULL;

	json_number(b, "pid", p ? p->pid : 0, p);
	json_number(b, "inside_pid", p ? p->pids[p->levels - 1].pid : 0, p);
	buf_adds(b, "\"pids\":[");
	for (uint32_t i = 0; p && i < p->levels; i++)
		buf_addf(b, "%s{\"ns\":%u,\"pid\":%u}", i ? "," : "", p->pids[i].ns, p->pids[i].pid);
	buf_adds(b, "],");
	json_number(b, "uid", p ? p->uid : 0, p);
	if (command)
		json_member(b, "command", command, p->command_len ? p->command_len : strlen(command));
	else
		buf_adds(b, "\"command\":null");
	buf_addc(b, ',');
}

void nsview_json(struct buf *b, const struct nstable *t, const struct nsview *v)
{
	const char *comma = "";

	for (const struct ns *ns = t->all; ns; ns = ns->hh.next) {
		if (!is_asked(ns, v))
			continue;
		buf_adds(b, comma);
		comma = ",";
		buf_addf(b, "{\"type\":\"%s\",", ns_names[ns->type]);
		json_number(b, "inum", ns->inum, true);
		json_number(b, "id", ns->id, ns->id);
		json_number(b, "nprocs", ns->nprocs, true);
		json_leader(b, ns->leader);
		json_number(b, "parent", ns->parent, ns->parent);
		json_number(b, "owner", ns->owner, ns->owner);
		json_number(b, "owner_uid", ns->owner_uid, ns->has_uid && ns->owner);
		buf_adds(b, "\"creator\":");
		if (ns->type == NSS_NS_USER && ns->has_uid && ns->parent)
			buf_addf(b, "{\"uid\":%u},", ns->owner_uid);
		else
			buf_adds(b, "null,");
		json_age(b, ns, v);
		json_keepers(b, ns);
		buf_addc(b, '}');
	}
}
