/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/statview.h"

#include <string.h>

#include "event/event.h"
#include "event/format.h"
#include "util/cleanup.h"
#include "view/columns.h"
#include "view/grid.h"

/* Groups, and lines of a list, in text; JSON has all. */
#define TOP 10
#define BAR_MAX 50
#define BAR_LABEL 22

const char *const stat_by_names[STAT_BY_NAMES] = {
	[NSS_BY_ALL] = "all",	    [NSS_BY_COMM] = "comm",	[NSS_BY_NS] = "ns",
	[NSS_BY_CGROUP] = "cgroup", [NSS_BY_PARENT] = "parent", [NSS_BY_IMAGE] = "image",
};

const struct stat_count_desc stat_count_descs[NSS_COUNTS] = {
#define STAT_COUNT(ID, name, doc) [NSS_COUNT_##ID] = { #name, doc },
#include "abi/stat_counts.def"
#undef STAT_COUNT
};

static double per_second(uint64_t n, uint64_t ns)
{
	return ns ? (double)n * 1e9 / (double)ns : 0;
}

/* The group's name, raw: it is hostile. */
static void add_raw_name(struct buf *b, const struct span_group *g, const struct statview *v)
{
	if (v->by == NSS_BY_CGROUP && !g->rest && v->cgroup)
		v->cgroup(b, g->group.id);
	if (!b->len) /* of a cgroup that is gone, what it was called in the one above */
		buf_add(b, g->group.name, strnlen(g->group.name, sizeof(g->group.name)));
}

/* "#2" for the second of those that had this number one after the other, as in a timeline. */
static void add_use(struct buf *b, const struct span_group *g, const struct statview *v)
{
	unsigned use = 1;

	for (size_t i = 1; i < v->table->ngroups; i++)
		use += v->table->groups[i].group.id == g->group.id && v->table->groups[i].group.start_ns < g->group.start_ns &&
		       !v->table->groups[i].rest;
	if (use > 1)
		buf_addf(b, "#%u", use);
}

static void add_group(struct buf *b, const struct span_group *g, const struct statview *v)
{
	struct buf raw = {};

	if (g == v->table->groups) {
		buf_adds(b, "(all)");
		return;
	}
	if (g->rest) {
		buf_adds(b, "(the rest)");
		return;
	}
	add_raw_name(&raw, g, v);
	if (v->by == NSS_BY_NS || v->by == NSS_BY_PARENT) {
		buf_addf(b, "%s%llu", v->by == NSS_BY_NS ? "pid:" : "", (unsigned long long)g->group.id);
		add_use(b, g, v);
		buf_adds(b, v->by == NSS_BY_NS ? "" : " ");
	} else if (!raw.len) {
		buf_addf(b, v->by == NSS_BY_CGROUP ? "cgroup %llu" : "(unknown)", (unsigned long long)g->group.id);
	}
	text_string(b, raw.data, raw.len);
	buf_free(&raw);
}

/* "clone", and of its parts "clone +mnt +pid", or "clone +none". */
static void add_phase(struct buf *b, const struct span_row *row)
{
	buf_adds(b, phase_descs[row->phase].name);
	if (row->part && !row->made)
		buf_adds(b, " +none");
	for (uint32_t i = 0; i < NSS_NS_MAX; i++)
		if (row->made >> i & 1)
			buf_addf(b, " +%s", ns_names[i]);
}

static void add_counts(struct buf *b, const struct statview *v)
{
	text_span(b, v->elapsed_ns);
	buf_addf(b, ", system calls by %s", v->backend);
	if (!v->final) {
		buf_adds(b, "; per second: of the last ");
		text_span(b, v->recent_ns);
	}
	buf_addf(b, "\n\n%10s%12s\n", "COUNT", "PER SECOND");
	for (size_t i = 0; i < NSS_COUNTS; i++)
		if (v->counts[i] || i == NSS_COUNT_FORKS || i == NSS_COUNT_EXECS || i == NSS_COUNT_EXITS)
			buf_addf(b, "%10llu%12.1f  %s\n", (unsigned long long)v->counts[i],
				 per_second(v->recent[i], v->recent_ns), stat_count_descs[i].doc);
}

static void add_row(struct grid *g, const struct statview *v, const struct span_group *group, const struct span_row *row)
{
	static const unsigned percents[] = { 50, 90, 99 };

	buf_addu(grid_cell(g), row->span.count);
	text_span(grid_cell(g), row->span.sum);
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++)
		text_span(grid_cell(g), span_percentile(&row->span, percents[i]));
	text_span(grid_cell(g), row->span.max);
	add_phase(grid_cell(g), row);
	if (v->by)
		add_group(grid_cell(g), group, v);
}

static size_t shown_groups(const struct statview *v)
{
	size_t n = v->table->ngroups;

	return n > TOP + 1 ? TOP + 1 : n;
}

/* Names what it is that text leaves out. */
static void add_left_out(struct buf *b, size_t n, size_t shown, const char *what)
{
	if (n > shown)
		buf_addf(b, "and %zu more %s: -o json has all\n", n - shown, what);
}

/* Numbers first, as strace -c does: names are of any length. */
static int add_table(struct buf *b, const struct statview *v, size_t width)
{
	static const struct grid_column columns[] = {
		{ "COUNT", 0, true, 0 }, { "SUM", 0, true, 2 },	  { "P50", 0, true, 0 },    { "P90", 0, true, 1 },
		{ "P99", 0, true, 0 },	 { "MAX", 0, true, 0 },	  { "PHASE", 0, false, 0 }, { "GROUP", 0, false, 0 },
	};
	struct grid g = { .columns = columns, .n = ARRAY_SIZE(columns) - !v->by };
	size_t groups = shown_groups(v);
	int err;

	for (size_t i = 0; i < groups; i++) {
		const struct span_group *group = &v->table->groups[i];

		for (size_t j = group->first; j < group->first + group->n; j++)
			add_row(&g, v, group, &v->table->rows[j]);
	}
	if (!g.used)
		return 0;
	buf_addc(b, '\n');
	err = grid_write(b, &g, width, false);
	grid_free(&g);
	add_left_out(b, v->table->ngroups, groups, "groups");
	return err;
}

static void add_bar(struct buf *b, unsigned power, uint64_t n, uint64_t most, size_t bar)
{
	struct buf label = {};
	size_t length = (size_t)(n * bar / most);

	text_span(&label, power ? 1ULL << power : 0);
	buf_adds(&label, " to ");
	text_span(&label, 2ULL << power);
	pad_left(b, label.data, label.len, BAR_LABEL);
	buf_free(&label);
	buf_adds(b, " |");
	if (n && !length)
		length = 1;
	for (size_t i = 0; i < bar; i++)
		buf_addc(b, i < length ? '#' : ' ');
	buf_addf(b, "| %llu\n", (unsigned long long)n);
}

static void add_bars(struct buf *b, const struct statview *v, const struct span_group *group, const struct span_row *row,
		     size_t width)
{
	uint64_t counts[SPAN_POWERS], most = 0;
	size_t bar = width > BAR_LABEL + 24 && width < BAR_LABEL + 14 + BAR_MAX ? width - BAR_LABEL - 14 : BAR_MAX;
	unsigned first = SPAN_POWERS, last = 0;

	span_powers(&row->span, counts);
	for (unsigned i = 0; i < SPAN_POWERS; i++) {
		if (!counts[i])
			continue;
		first = first < i ? first : i;
		last = i;
		most = counts[i] > most ? counts[i] : most;
	}
	buf_addc(b, '\n');
	add_phase(b, row);
	buf_addf(b, ": %s", phase_descs[row->phase].doc);
	if (v->by) {
		buf_adds(b, "; ");
		add_group(b, group, v);
	}
	buf_addc(b, '\n');
	for (unsigned i = first; i <= last; i++)
		add_bar(b, i, counts[i], most, bar);
}

static void add_spawners(struct buf *b, const struct statview *v)
{
	size_t shown = v->nspawners > TOP ? TOP : v->nspawners;

	if (!shown)
		return;
	buf_addf(b, "\nMOST SPAWNING\n%10s%10s  NAME\n", "MADE", "PID");
	for (size_t i = 0; i < shown; i++) {
		const struct nss_spawner *who = &v->spawners[i].who;

		buf_addf(b, "%10llu", (unsigned long long)v->spawners[i].forks);
		if (who->pid)
			buf_addf(b, "%10u  ", who->pid);
		else
			buf_addf(b, "%10s  ", "outside");
		text_string(b, who->comm, strnlen(who->comm, sizeof(who->comm)));
		buf_addc(b, '\n');
	}
	add_left_out(b, v->nspawners, shown, "of them");
}

static void add_lives(struct buf *b, const struct statview *v)
{
	size_t n = v->table->nlives, shown = n > TOP ? TOP : n;

	if (!shown)
		return;
	buf_addf(b, "\nSHORTEST-LIVED\n%10s%10s%10s  NAME\n", "COUNT", "P50", "MAX");
	for (size_t i = 0; i < shown; i++) {
		const struct nss_span_entry *e = v->table->lives[i];
		struct buf median = {}, max = {};

		text_span(&median, span_percentile(&e->span, 50));
		text_span(&max, e->span.max);
		buf_addf(b, "%10llu%10.*s%10.*s  ", (unsigned long long)e->span.count, (int)median.len, median.data,
			 (int)max.len, max.data);
		buf_free(&median);
		buf_free(&max);
		if (e->key.flags & NSS_SPAN_REST)
			buf_adds(b, "(the rest)");
		else
			text_string(b, e->key.group.name, strnlen(e->key.group.name, sizeof(e->key.group.name)));
		buf_addc(b, '\n');
	}
	add_left_out(b, n, shown, "names");
}

int statview_text(struct buf *b, const struct statview *v, size_t width)
{
	int err;

	add_counts(b, v);
	err = add_table(b, v, width);
	for (size_t i = 0; v->hist && i < shown_groups(v); i++) {
		const struct span_group *group = &v->table->groups[i];

		for (size_t j = group->first; j < group->first + group->n; j++)
			add_bars(b, v, group, &v->table->rows[j], width);
	}
	add_spawners(b, v);
	add_lives(b, v);
	return err;
}

static void json_histogram(struct buf *b, const struct nss_span *span)
{
	uint64_t counts[SPAN_POWERS];
	bool more = false;

	span_powers(span, counts);
	buf_addc(b, '[');
	for (unsigned i = 0; i < SPAN_POWERS; i++) {
		if (!counts[i])
			continue;
		buf_addf(b, "%s{\"from_ns\":%llu,\"to_ns\":%llu,\"count\":%llu}", more ? "," : "", i ? 1ULL << i : 0ULL,
			 2ULL << i, (unsigned long long)counts[i]);
		more = true;
	}
	buf_addc(b, ']');
}

static void json_span(struct buf *b, const struct nss_span *span)
{
	buf_addf(b, "\"count\":%llu,\"sum_ns\":%llu,\"p50_ns\":%llu,\"p90_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu,\"histogram\":",
		 (unsigned long long)span->count, (unsigned long long)span->sum,
		 (unsigned long long)span_percentile(span, 50), (unsigned long long)span_percentile(span, 90),
		 (unsigned long long)span_percentile(span, 99), (unsigned long long)span->max);
	json_histogram(b, span);
}

static void json_made(struct buf *b, uint32_t made)
{
	bool more = false;

	buf_addc(b, '[');
	for (uint32_t i = 0; i < NSS_NS_MAX; i++) {
		if (!(made >> i & 1))
			continue;
		buf_addf(b, "%s\"%s\"", more ? "," : "", ns_names[i]);
		more = true;
	}
	buf_addc(b, ']');
}

static void json_group(struct buf *b, const struct statview *v, const struct span_group *g)
{
	struct buf name = {};
	bool one = g != v->table->groups && !g->rest;

	buf_addf(b, "{\"is\":\"%s\",", one ? "one" : g->rest ? "rest" : "all");
	if (one && (v->by == NSS_BY_NS || v->by == NSS_BY_CGROUP || v->by == NSS_BY_PARENT))
		buf_addf(b, "\"id\":%llu,", (unsigned long long)g->group.id);
	if (one && (v->by == NSS_BY_NS || v->by == NSS_BY_PARENT))
		buf_addf(b, "\"start_ns\":%llu,", (unsigned long long)g->group.start_ns);
	if (one)
		add_raw_name(&name, g, v);
	if (name.len) {
		json_member(b, "name", name.data, name.len);
		buf_addc(b, ',');
	}
	buf_free(&name);
	buf_adds(b, "\"phases\":[");
	for (size_t i = g->first; i < g->first + g->n; i++) {
		const struct span_row *row = &v->table->rows[i];

		buf_addf(b, "%s{\"phase\":\"%s\",", i > g->first ? "," : "", phase_descs[row->phase].name);
		if (row->part) {
			buf_adds(b, "\"made\":");
			json_made(b, row->made);
			buf_addc(b, ',');
		}
		json_span(b, &row->span);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}");
}

static void json_counts(struct buf *b, const struct statview *v)
{
	buf_adds(b, "\"counts\":{");
	for (size_t i = 0; i < NSS_COUNTS; i++)
		buf_addf(b, "%s\"%s\":%llu", i ? "," : "", stat_count_descs[i].name, (unsigned long long)v->counts[i]);
	buf_adds(b, "},\"per_second\":{");
	for (size_t i = 0; i < NSS_COUNTS; i++)
		buf_addf(b, "%s\"%s\":%.3f", i ? "," : "", stat_count_descs[i].name, per_second(v->recent[i], v->recent_ns));
	buf_addc(b, '}');
}

static void json_tops(struct buf *b, const struct statview *v)
{
	buf_adds(b, "\"most_spawning\":[");
	for (size_t i = 0; i < v->nspawners; i++) {
		const struct nss_spawner_entry *s = &v->spawners[i];

		buf_addf(b, "%s{\"made\":%llu,\"pid\":", i ? "," : "", (unsigned long long)s->forks);
		if (s->who.pid)
			buf_addf(b, "%u,", s->who.pid);
		else
			buf_adds(b, "null,");
		buf_addf(b, "\"start_ns\":%llu,", (unsigned long long)s->who.start_ns);
		json_member(b, "comm", s->who.comm, strnlen(s->who.comm, sizeof(s->who.comm)));
		buf_addc(b, '}');
	}
	buf_adds(b, "],\"shortest_lived\":[");
	for (size_t i = 0; i < v->table->nlives; i++) {
		const struct nss_span_entry *e = v->table->lives[i];

		buf_addf(b, "%s{\"is\":\"%s\",", i ? "," : "", e->key.flags & NSS_SPAN_REST ? "rest" : "one");
		if (!(e->key.flags & NSS_SPAN_REST)) {
			json_member(b, "comm", e->key.group.name, strnlen(e->key.group.name, sizeof(e->key.group.name)));
			buf_addc(b, ',');
		}
		json_span(b, &e->span);
		buf_addc(b, '}');
	}
	buf_addc(b, ']');
}

void statview_json(struct buf *b, const struct statview *v)
{
	buf_adds(b, "\"time\":");
	json_time(b, NULL, v->time_ns);
	buf_addf(b, ",\"final\":%s,\"elapsed_ns\":%llu,\"backend\":\"%s\",\"by\":\"%s\",", v->final ? "true" : "false",
		 (unsigned long long)v->elapsed_ns, v->backend, stat_by_names[v->by]);
	json_counts(b, v);
	buf_adds(b, ",\"groups\":[");
	for (size_t i = 0; i < v->table->ngroups; i++) {
		if (i)
			buf_addc(b, ',');
		json_group(b, v, &v->table->groups[i]);
	}
	buf_adds(b, "],");
	json_tops(b, v);
}
