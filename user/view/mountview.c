/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/mountview.h"

#include <errno.h>
#include <stdlib.h>

#include "event/format.h"
#include "event/reach.h"
#include "util/cleanup.h"
#include "view/columns.h"
#include "view/grid.h"
#include "view/mountorder.h"

#define INDENT_MAX 16
/* Namespaces in one list of the text, unless wide. */
#define NAMED_MAX 3

enum { CELL_ID, CELL_TARGET, CELL_SOURCE, CELL_FSTYPE, CELL_OPTIONS, CELL_PROPAGATION, CELL_LAST, CELLS };

static const struct grid_column columns[CELLS] = {
	[CELL_ID] = { "ID", 0, false, 0 },
	[CELL_TARGET] = { "TARGET", 32, false, 0 },
	[CELL_SOURCE] = { "SOURCE", 20, false, 2 },
	[CELL_FSTYPE] = { "FSTYPE", 10, false, 1 },
	[CELL_OPTIONS] = { "OPTIONS", 12, false, 3 },
	[CELL_PROPAGATION] = { "PROPAGATION", 0, false, 0 },
	[CELL_LAST] = { "SHARED WITH; WHAT A MOUNT UNDER HERE REACHES", 0, false, 0 },
};

/* Namespaces that are to be explained. */
struct named {
	uint32_t *inums;
	size_t n, room;
	bool failed;
};

static void name(struct named *named, uint32_t inum)
{
	if (!named || named->failed)
		return;
	if (named->n == named->room) {
		size_t room = named->room ? 2 * named->room : 64;
		uint32_t *inums = reallocarray(named->inums, room, sizeof(*inums));

		named->failed = !inums;
		if (!inums)
			return;
		named->inums = inums;
		named->room = room;
	}
	named->inums[named->n++] = inum;
}

static int by_inum(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void settle_names(struct named *named)
{
	size_t used = 0;

	if (named->n)
		qsort(named->inums, named->n, sizeof(*named->inums), by_inum);
	for (size_t i = 0; i < named->n; i++)
		if (!used || named->inums[used - 1] != named->inums[i])
			named->inums[used++] = named->inums[i];
	named->n = used;
}

static void add_ns(struct buf *b, const struct mountview *v, uint32_t ns, struct named *named)
{
	if (ns == v->host)
		buf_adds(b, "host");
	else
		buf_addu(b, ns);
	name(named, ns);
}

/* The namespaces beside its own, or its own too if it has more than @own mounts in the list. */
static bool is_other(const struct mountview *v, const struct mount_ns_count *c, size_t own)
{
	return c->ns != v->ns || c->mounts > own;
}

/* "peers host, 4026532177 and 3 more; " if there are any. */
static void add_counts(struct buf *b, const struct mountview *v, const char *what, const struct mount_counts *counts,
		       size_t own, struct named *named)
{
	size_t told = 0, more = 0;

	for (size_t i = 0; i < counts->n; i++) {
		if (!is_other(v, &counts->at[i], own))
			continue;
		if (told == NAMED_MAX && !v->wide) {
			more++;
			continue;
		}
		buf_adds(b, told++ ? ", " : what);
		if (counts->at[i].ns == v->ns)
			buf_adds(b, "itself");
		else
			add_ns(b, v, counts->at[i].ns, named);
	}
	if (more)
		buf_addf(b, " and %zu more", more);
	if (told)
		buf_adds(b, "; ");
}

static enum reach_verdict verdict_of(const struct mountview *v, const struct mount *m, const struct mount_receivers *r)
{
	enum reach_verdict verdict = REACH_INSIDE;

	for (size_t i = 0; i < r->n && verdict != REACH_HOST; i++)
		if (r->at[i].ns != m->ns)
			verdict = r->at[i].ns == v->host ? REACH_HOST : REACH_OTHERS;
	return verdict != REACH_HOST && m->info.shared && !v->complete ? REACH_UNKNOWN : verdict;
}

static void add_reach(struct buf *b, const struct mountview *v, const struct mount *m, const struct mount_receivers *r,
		      struct named *named)
{
	enum reach_verdict verdict = verdict_of(v, m, r);
	size_t told = 0, more = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct mount_receiver *to = &r->at[i];

		if (to->ns == m->ns)
			continue;
		if (told >= NAMED_MAX && !v->wide) {
			more += !i || r->at[i - 1].ns != to->ns;
			continue;
		}
		buf_adds(b, told++ ? ", " : "reaches ");
		add_ns(b, v, to->ns, named);
		if (to->below) {
			buf_adds(b, " (only below .");
			text_string(b, to->below, strlen(to->below));
			buf_addc(b, ')');
		}
	}
	if (more)
		buf_addf(b, " and %zu more", more);
	if (!told)
		buf_adds(b, "stays inside");
	if (verdict == REACH_UNKNOWN)
		buf_adds(b, told ? ", perhaps more" : ", as far as can be seen");
}

static void add_propagation(struct buf *b, const struct mountinfo *m)
{
	if (m->shared)
		buf_addf(b, "shared:%u", m->shared);
	if (m->master)
		buf_addf(b, "%smaster:%u", m->shared ? "," : "", m->master);
	if (m->propagate_from)
		buf_addf(b, ",propagate_from:%u", m->propagate_from);
	if (m->unbindable)
		buf_adds(b, "unbindable");
	else if (!m->shared && !m->master)
		buf_adds(b, "private");
}

static void add_target(struct buf *b, const struct mount *m, size_t depth)
{
	for (size_t i = 0; i < depth && i < INDENT_MAX; i++)
		buf_adds(b, i + 1 == depth || i + 1 == INDENT_MAX ? "\\_ " : "   ");
	text_string(b, m->info.target, strlen(m->info.target));
}

static void add_source(struct buf *b, const struct mountinfo *m)
{
	text_string(b, m->source, strlen(m->source));
	if (strcmp(m->root, "/")) {
		buf_addc(b, '[');
		text_string(b, m->root, strlen(m->root));
		buf_addc(b, ']');
	}
}

static int add_last(struct buf *b, const struct mountview *v, const struct mount *m, struct named *named)
{
	const struct mount_group *group = mountgraph_group(v->graph, m->info.shared);
	const struct mount_group *master = mountgraph_group(v->graph, m->info.master);
	const struct mount_receivers *receivers;
	int err = mountgraph_reach(v->graph, m, &receivers);

	if (err)
		return err;
	if (m->covered)
		buf_adds(b, "covered; ");
	if (group) {
		add_counts(b, v, "peers ", &group->members, 1, named);
		add_counts(b, v, "slaves ", &group->slaves, 0, named);
	}
	if (master && master->members.n)
		add_counts(b, v, "slave of ", &master->members, 0, named);
	else if (m->info.master)
		buf_adds(b, "slave of a group that is in no namespace; ");
	add_reach(b, v, m, receivers, named);
	return 0;
}

static int add_row(struct grid *g, const struct mountview *v, const struct mount_place *place, struct named *named)
{
	const struct mount *m = place->mount;

	buf_addu(grid_cell(g), m->info.id);
	add_target(grid_cell(g), m, place->depth);
	add_source(grid_cell(g), &m->info);
	text_string(grid_cell(g), m->info.fstype, strlen(m->info.fstype));
	text_string(grid_cell(g), m->info.options, strlen(m->info.options));
	add_propagation(grid_cell(g), &m->info);
	return add_last(grid_cell(g), v, m, named);
}

/* Who is in the namespaces that the rows name. */
static void add_names(struct buf *b, const struct mountview *v, struct named *named)
{
	settle_names(named);
	for (size_t i = 0; i < named->n; i++) {
		const struct ns *ns = nstable_find(v->namespaces, named->inums[i]);
		const struct ns_process *p = ns ? ns->leader : NULL;

		buf_adds(b, i ? "" : "\nMount namespaces:\n");
		buf_addf(b, "%10u%s: ", named->inums[i], named->inums[i] == v->host ? " (host)" : "");
		if (p) {
			buf_addf(b, "process %u", p->pid);
			if (p->levels > 1) {
				buf_adds(b, ", inside ");
				pid_chain(b, p->pids, p->levels, v->wide);
			}
			buf_addc(b, ' ');
			text_string(b, p->command_len ? p->command : p->comm, p->command_len ? p->command_len : strlen(p->comm));
			buf_addc(b, '\n');
		} else {
			buf_adds(b, "no process; see nsscope ns\n");
		}
	}
}

int mountview_text(struct buf *b, const struct mountview *v)
{
	struct grid grid = { .columns = columns, .n = CELLS, .text.ascii = b->ascii };
	_free_ struct mount_place *order = NULL;
	struct named named = {};
	size_t n;
	int err = mountorder(v->graph, v->ns, v->tree, &order, &n);

	for (size_t i = 0; !err && i < n; i++)
		err = add_row(&grid, v, &order[i], &named);
	if (!err)
		err = named.failed ? -ENOMEM : grid_write(b, &grid, v->width, v->wide);
	if (!err)
		add_names(b, v, &named);
	grid_free(&grid);
	free(named.inums);
	return err;
}

static void json_number(struct buf *b, const char *key, uint64_t v)
{
	buf_addf(b, "\"%s\":", key);
	if (v)
		buf_addu(b, v);
	else
		buf_adds(b, "null");
	buf_addc(b, ',');
}

static void json_string_member(struct buf *b, const char *key, const char *s)
{
	json_member(b, key, s, strlen(s));
	buf_addc(b, ',');
}

static void json_counts(struct buf *b, const char *key, const struct mount_counts *counts, const struct mountview *v,
			size_t own, struct named *named)
{
	const char *comma = "";

	buf_addf(b, "\"%s\":[", key);
	for (size_t i = 0; counts && i < counts->n; i++) {
		if (!is_other(v, &counts->at[i], own))
			continue;
		buf_addf(b, "%s{\"ns\":%u,\"mounts\":%zu}", comma, counts->at[i].ns,
			 counts->at[i].mounts - (counts->at[i].ns == v->ns ? own : 0));
		comma = ",";
		name(named, counts->at[i].ns);
	}
	buf_adds(b, "],");
}

static void json_reach(struct buf *b, const struct mountview *v, const struct mount *m, const struct mount_receivers *r,
		       struct named *named)
{
	size_t len = strcmp(m->info.target, "/") ? strlen(m->info.target) : 0, total = 0;
	struct buf path = {};
	const char *comma = "";

	buf_addf(b, "\"reach\":{\"verdict\":\"%s\",\"ns\":[", reach_verdict_names[verdict_of(v, m, r)]);
	for (size_t i = 0; i < r->n; i++) {
		if (r->at[i].ns == m->ns || (i && r->at[i - 1].ns == r->at[i].ns))
			continue;
		buf_addf(b, "%s%u", total++ ? "," : "", r->at[i].ns);
		name(named, r->at[i].ns);
	}
	buf_addf(b, "],\"total\":%zu,\"only_below\":[", total);
	for (size_t i = 0; i < r->n; i++) {
		if (r->at[i].ns == m->ns || !r->at[i].below)
			continue;
		path.len = 0;
		buf_add(&path, m->info.target, len);
		buf_adds(&path, r->at[i].below);
		buf_addf(b, "%s{\"ns\":%u,", comma, r->at[i].ns);
		json_member(b, "path", path.data, path.len);
		buf_addc(b, '}');
		comma = ",";
	}
	buf_adds(b, "]}");
	b->failed = b->failed || path.failed;
	buf_free(&path);
}

static int json_mount(struct buf *b, const struct mountview *v, const struct mount *m, struct named *named)
{
	const struct mount_group *group = mountgraph_group(v->graph, m->info.shared);
	const struct mount_group *master = mountgraph_group(v->graph, m->info.master);
	const struct mount_receivers *receivers;
	int err = mountgraph_reach(v->graph, m, &receivers);

	if (err)
		return err;
	buf_addc(b, '{');
	json_number(b, "id", m->info.id);
	json_number(b, "unique_id", m->unique_id);
	json_number(b, "parent", m->info.parent);
	buf_addf(b, "\"device\":\"%u:%u\",", m->info.major, m->info.minor);
	json_string_member(b, "target", m->info.target);
	json_string_member(b, "root", m->info.root);
	json_string_member(b, "source", m->info.source);
	json_string_member(b, "fstype", m->info.fstype);
	json_string_member(b, "options", m->info.options);
	json_string_member(b, "super_options", m->info.super);
	json_number(b, "shared", m->info.shared);
	json_number(b, "master", m->info.master);
	json_number(b, "propagate_from", m->info.propagate_from);
	buf_addf(b, "\"unbindable\":%s,", m->info.unbindable ? "true" : "false");
	buf_addf(b, "\"covered\":%s,", m->covered ? "true" : "false");
	json_counts(b, "peers", group ? &group->members : NULL, v, 1, named);
	json_counts(b, "slaves", group ? &group->slaves : NULL, v, 0, named);
	json_counts(b, "masters", master ? &master->members : NULL, v, 0, named);
	json_reach(b, v, m, receivers, named);
	buf_addc(b, '}');
	return 0;
}

static void json_names(struct buf *b, const struct mountview *v, struct named *named)
{
	settle_names(named);
	buf_adds(b, "\"namespaces\":[");
	for (size_t i = 0; i < named->n; i++) {
		const struct ns *ns = nstable_find(v->namespaces, named->inums[i]);
		const struct ns_process *p = ns ? ns->leader : NULL;

		buf_addf(b, "%s{\"inum\":%u,", i ? "," : "", named->inums[i]);
		json_number(b, "id", ns ? ns->id : 0);
		json_number(b, "owner", ns ? ns->owner : 0);
		json_number(b, "pid", p ? p->pid : 0);
		json_number(b, "inside_pid", p ? p->pids[p->levels - 1].pid : 0);
		buf_addf(b, "\"nprocs\":%llu}", ns ? (unsigned long long)ns->nprocs : 0);
	}
	buf_adds(b, "]");
}

int mountview_json(struct buf *b, const struct mountview *v)
{
	_free_ struct mount_place *order = NULL;
	struct named named = {};
	size_t n;
	int err = mountorder(v->graph, v->ns, false, &order, &n);

	if (err)
		return err;
	name(&named, v->ns);
	buf_adds(b, "\"mounts\":[");
	for (size_t i = 0; i < n && !err; i++) {
		buf_adds(b, i ? "," : "");
		err = json_mount(b, v, order[i].mount, &named);
	}
	buf_adds(b, "],");
	json_names(b, v, &named);
	free(named.inums);
	return err ? err : named.failed ? -ENOMEM : 0;
}
