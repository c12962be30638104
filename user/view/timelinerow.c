/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One row of the picture: a process, or a group of them. */
#include "view/timelinerow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "event/format.h"
#include "event/names.h"
#include "view/columns.h"

#define BAR_LEAST 15 /* that can still be seen */
#define DEPTH_SHOWN 12 /* further ones are not indented further */

int64_t timeline_x(const struct timeline_page *p, uint64_t mono_ns)
{
	uint64_t at = mono_ns > p->t->origin ? mono_ns - p->t->origin : 0;

	return CHART_AT + (int64_t)((double)(at < p->span ? at : p->span) / (double)p->span * (CHART_END - CHART_AT));
}

static void add_data(struct buf *b, const char *name, uint64_t v)
{
	buf_adds(b, " data-");
	buf_adds(b, name);
	buf_adds(b, "=\"");
	buf_addu(b, v);
	buf_addc(b, '"');
}

/* As the text view has it: seconds since the start. */
static void add_moment(struct buf *b, const struct timeline_page *p, uint64_t mono_ns)
{
	uint64_t us = (mono_ns > p->t->origin ? mono_ns - p->t->origin : 0) / 1000;

	buf_addf(b, "%llu.%06u s", (unsigned long long)(us / 1000000), (unsigned)(us % 1000000));
}

/* With a comma between thousands. */
static void add_count(struct buf *b, uint64_t v)
{
	if (v >= 1000) {
		add_count(b, v / 1000);
		buf_addf(b, ",%03u", (unsigned)(v % 1000));
	} else {
		buf_addu(b, v);
	}
}

/* Puts what is in p->words into the picture, and empties it. */
static void flush_words(struct timeline_page *p)
{
	svg_text(p->b, p->words.data, p->words.len);
	p->words.len = 0;
}

static void add_status(struct buf *b, uint32_t status)
{
	char name[NAME_MAX_LEN];

	if (WIFSIGNALED(status))
		buf_adds(b, signal_name(WTERMSIG(status), name));
	else
		buf_addf(b, "exit %u", WEXITSTATUS(status));
}

static bool has_failed(const struct timeline_node *n)
{
	return n->end == TIMELINE_ENDED && n->status;
}

/* The colour of a PID namespace, by its place in the legend. */
static size_t color_of(const struct timeline_page *p, const struct timeline_node *n)
{
	if (n->group && n->group->several_ns)
		return COLOR_SEVERAL;
	for (size_t i = 0; i < p->ncolors; i++)
		if (p->colors[i].ns == timeline_ns(n) && p->colors[i].use == n->ns_use)
			return i;
	return COLOR_MORE;
}

static void add_name(struct buf *words, const struct timeline_node *n)
{
	if (n->group && n->group->others) {
		add_count(words, n->count);
		buf_adds(words, n->count == 1 ? " other" : " others");
	} else if (n->nexecs && !n->group) {
		buf_adds(words, n->execs[n->nexecs - 1].text);
	} else {
		text_string(words, n->comm, strnlen(n->comm, sizeof(n->comm)));
	}
	if (n->group && !n->group->others) {
		buf_adds(words, " \xc3\x97");
		add_count(words, n->count);
	}
}

/* The durations of a group. */
static void add_durations(struct buf *words, const struct timeline_group *g)
{
	if (!g->known)
		return;
	text_span(words, timeline_median(g));
	buf_adds(words, " (");
	text_span(words, g->min_ns);
	buf_adds(words, " to ");
	text_span(words, g->max_ns);
	buf_addc(words, ')');
}

static void tell_group(struct timeline_page *p, const struct timeline_node *n)
{
	const struct timeline_group *g = n->group;
	struct buf *w = &p->words;

	buf_addf(w, "\n%llu processes, host PIDs %u to %u", (unsigned long long)n->count, g->lowest, g->highest);
	if (g->known) {
		buf_adds(w, "\nfrom fork to exit, median (min to max): ");
		add_durations(w, g);
	}
	buf_addf(w, "\n%llu ended by a signal or with a status that is not 0, %llu ran at the end",
		 (unsigned long long)g->failed, (unsigned long long)g->running);
	if (n->more_execs)
		buf_addf(w, "\n%llu execs", (unsigned long long)n->more_execs);
	if (n->more_marks)
		buf_addf(w, "\n%llu mount, unshare and setns calls", (unsigned long long)n->more_marks);
}

static void tell_process(struct timeline_page *p, const struct timeline_node *n)
{
	struct buf *w = &p->words;

	buf_adds(w, n->before ? "\nran before" : "\nfork at ");
	if (!n->before)
		add_moment(w, p, n->begin);
	if (!n->before && n->parent && n->parent->parent)
		buf_addf(w, " by %u", n->parent->pid);
	if (n->end == TIMELINE_LIVES) {
		buf_adds(w, "\nruns at the end");
	} else if (n->end == TIMELINE_END_UNKNOWN) {
		buf_adds(w, "\nits end was not told");
	} else {
		buf_addc(w, '\n');
		add_status(w, n->status);
		buf_adds(w, " at ");
		add_moment(w, p, n->ended);
	}
	if (n->more_execs)
		buf_addf(w, "\n%llu execs more than are drawn", (unsigned long long)n->more_execs);
	if (n->more_marks)
		buf_addf(w, "\n%llu calls more than are drawn", (unsigned long long)n->more_marks);
}

static void add_pids(struct timeline_page *p, const struct timeline_node *n, int64_t y)
{
	svg_label(p->b, "n", HOST_AT, y);
	buf_addu(p->b, n->group ? n->group->lowest : n->pid);
	buf_adds(p->b, n->group && n->count > 1 ? "\xe2\x80\xa6</text>" : "</text>");
	svg_label(p->b, n->levels > 1 ? "n in" : "n", p->inside_at, y);
	if (n->group && n->count > 1 && n->levels > 1)
		buf_adds(&p->words, "\xe2\x80\xa6");
	else
		pid_chain(&p->words, n->pids, n->levels, false);
	flush_words(p);
	buf_adds(p->b, "</text>");
}

/* The group's element, with what programs read of it, its title, and what is left of the chart. */
static void add_head(struct timeline_page *p, const struct timeline_node *n, int64_t y, size_t depth)
{
	struct buf *b = p->b;
	int64_t x = p->inside_at + COMMAND_BEHIND + (int64_t)(depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN) * INDENT;

	buf_addf(b, "<g class=\"p c%zu\"", color_of(p, n));
	add_data(b, "pid", n->pid);
	add_data(b, "ns", timeline_ns(n));
	add_data(b, "ns-use", n->ns_use);
	add_data(b, "count", n->count);
	add_data(b, "start", n->begin);
	add_data(b, "end", n->ended);
	if (!n->group && n->end == TIMELINE_ENDED)
		add_data(b, "status", n->status);
	buf_adds(b, "><title>");
	add_name(&p->words, n);
	buf_addf(&p->words, "\nHOST %u, INSIDE ", n->pid);
	pid_chain(&p->words, n->pids, n->levels, true);
	if (n->group)
		tell_group(p, n);
	else
		tell_process(p, n);
	flush_words(p);
	buf_adds(b, "</title>");
	svg_rect(b, "hit", 100, y, PAGE_WIDTH - 200, ROW_HEIGHT);
	buf_adds(b, "/>");
	add_pids(p, n, y + 140);
	svg_label(b, n->group ? "many" : n->nexecs ? "cmd" : "cmd copy", x, y + 140);
	add_name(&p->words, n);
	buf_addc(&p->words, 0);
	svg_text_cut(b, p->words.data ? p->words.data : "", (size_t)(COMMAND_END - x) / LETTER);
	p->words.len = 0;
	buf_adds(b, "</text>");
}

static void add_bar(struct timeline_page *p, const char *phase, uint64_t from, uint64_t to, int64_t y,
		    const char *words)
{
	int64_t x = timeline_x(p, from), width = timeline_x(p, to) - x;

	svg_rect(p->b, phase, x, y + (ROW_HEIGHT - BAR_HEIGHT) / 2, width > BAR_LEAST ? width : BAR_LEAST, BAR_HEIGHT);
	buf_addf(p->b, " data-phase=\"%s\"", phase);
	add_data(p->b, "start", from);
	add_data(p->b, "end", to);
	buf_adds(p->b, "><title>");
	buf_adds(&p->words, words);
	buf_addc(&p->words, '\n');
	add_moment(&p->words, p, from);
	buf_adds(&p->words, " to ");
	add_moment(&p->words, p, to);
	buf_adds(&p->words, ": ");
	text_span(&p->words, to > from ? to - from : 0);
	flush_words(p);
	buf_adds(p->b, "</title></rect>");
}

/* An end of a bar that is not the end of the process: a point to where it goes on. */
static void add_open_end(struct timeline_page *p, int64_t x, int64_t y, int64_t towards)
{
	int64_t middle = y + ROW_HEIGHT / 2, half = BAR_HEIGHT / 2;

	buf_addf(p->b, "<path class=\"run\" d=\"M%lld %lldL%lld %lldL%lld %lldz\" transform=\"scale(.1)\"/>",
		 (long long)x, (long long)(middle - half), (long long)(x + towards), (long long)middle, (long long)x,
		 (long long)(middle + half));
}

static void add_bars(struct timeline_page *p, const struct timeline_node *n, int64_t y)
{
	uint64_t first = n->nexecs ? n->execs[0].mono_ns : n->ended;

	if (n->before)
		add_bar(p, "run", n->begin, first, y, "what it ran before is not known");
	else
		add_bar(p, "fork", n->begin, first, y,
			n->nexecs ? "from fork to exec" : "a copy of its parent: no exec");
	for (size_t i = 0; i < n->nexecs; i++)
		add_bar(p, "run", n->execs[i].mono_ns, i + 1 < n->nexecs ? n->execs[i + 1].mono_ns : n->ended, y,
			n->execs[i].text);
	for (size_t i = 1; i < n->nexecs; i++) {
		svg_rect(p->b, "cut", timeline_x(p, n->execs[i].mono_ns) - 5, y + (ROW_HEIGHT - BAR_HEIGHT) / 2, 10,
			 BAR_HEIGHT);
		buf_adds(p->b, "/>");
	}
	if (n->before)
		add_open_end(p, timeline_x(p, n->begin), y, -50);
	if (n->end != TIMELINE_ENDED)
		add_open_end(p, timeline_x(p, n->ended), y, 60);
	if (has_failed(n)) {
		svg_rect(p->b, "bad", timeline_x(p, n->ended) - 10, y + 20, 25, ROW_HEIGHT - 40);
		buf_adds(p->b, "/>");
	}
}

static void add_marks(struct timeline_page *p, const struct timeline_node *n, int64_t y)
{
	for (size_t i = 0; i < n->nmarks; i++) {
		const struct timeline_note *m = &n->marks[i];
		int64_t x = timeline_x(p, m->mono_ns), top = y + 50, bottom = y + ROW_HEIGHT - 50,
			middle = y + ROW_HEIGHT / 2;

		buf_addf(p->b,
			 "<path class=\"%s%s\" d=\"M%lld %lldL%lld %lldL%lld %lldL%lld %lldz\" transform=\"scale(.1)\"",
			 m->group == GROUP_MOUNT ? "mnt" : "nsm", m->failed ? " no" : "", (long long)x, (long long)top,
			 (long long)(x + 45), (long long)middle, (long long)x, (long long)bottom, (long long)(x - 45),
			 (long long)middle);
		add_data(p->b, "at", m->mono_ns);
		buf_adds(p->b, "><title>");
		add_moment(&p->words, p, m->mono_ns);
		buf_adds(&p->words, ": ");
		buf_adds(&p->words, m->text);
		flush_words(p);
		buf_adds(p->b, "</title></path>");
	}
}

/* How many of a group ran, over the time: steps above the foot of the row. */
static void add_density(struct timeline_page *p, const struct timeline_node *n, int64_t y)
{
	const struct timeline_group *g = n->group;
	int64_t foot = y + (ROW_HEIGHT + BAR_HEIGHT) / 2, x = timeline_x(p, n->begin), end = timeline_x(p, n->ended);
	long long height = 0, now;
	float peak = 0;

	end = end > x + BAR_LEAST ? end : x + BAR_LEAST;
	svg_rect(p->b, "fork", x, foot - 15, end - x, 15);
	buf_adds(p->b, "/>");
	for (size_t i = 0; i < TIMELINE_BINS; i++)
		peak = g->busy[i] > peak ? g->busy[i] : peak;
	/* @more_execs: all that they did. */
	buf_addf(p->b, "<path class=\"%s\" transform=\"scale(.1)\" d=\"M%lld %lld", n->more_execs ? "run" : "fork", (long long)x,
		 (long long)foot);
	for (size_t i = 0; i < TIMELINE_BINS; i++) {
		uint64_t from = (uint64_t)i << g->shift;
		int64_t at = timeline_x(p, p->t->origin + from);

		now = peak > 0 ? (long long)(g->busy[i] / peak * BAR_HEIGHT) : 0;
		now = now < 10 && g->busy[i] > 0 ? 10 : now;
		if (now == height || from > p->span)
			continue;
		at = at < x ? x : at > end ? end : at;
		buf_addf(p->b, "H%lldV%lld", (long long)at, (long long)foot - now);
		height = now;
	}
	buf_addf(p->b, "H%lldV%lldz\"/>", (long long)end, (long long)foot);
	if (g->failed) {
		svg_rect(p->b, "bad", end - 10, y + 20, 25, ROW_HEIGHT - 40);
		buf_adds(p->b, "/>");
	}
}

/* What stands behind the bar, or where there is no room in front of it, or in it. */
static void add_tail(struct timeline_page *p, const struct timeline_node *n, int64_t y)
{
	int64_t end = timeline_x(p, n->ended), begin = timeline_x(p, n->begin), width;
	bool bad = n->group ? n->group->failed : has_failed(n);
	struct buf *w = &p->words;

	if (n->group) {
		add_durations(w, n->group);
		if (n->group->failed)
			buf_addf(w, "%s%llu failed", w->len ? ", " : "", (unsigned long long)n->group->failed);
		if (n->group->running)
			buf_addf(w, "%s%llu run", w->len ? ", " : "", (unsigned long long)n->group->running);
	} else {
		if (n->end == TIMELINE_ENDED && !n->before)
			text_span(w, n->ended - n->begin);
		if (has_failed(n)) {
			buf_adds(w, w->len ? ", " : "");
			add_status(w, n->status);
		}
	}
	width = (int64_t)svg_columns(w->data, w->len) * LETTER;
	if (end + 90 + width < PAGE_WIDTH - MARGIN / 2)
		svg_label(p->b, bad ? "t red" : "t", end + 80, y + 140);
	else if (begin - 80 - width > CHART_AT)
		svg_label(p->b, bad ? "t e red" : "t e", begin - 60, y + 140);
	else
		svg_label(p->b, bad ? "t e over red" : "t e over", end - 50, y + 140);
	flush_words(p);
	buf_adds(p->b, "</text>");
}

void timeline_row(struct timeline_page *p, const struct timeline_node *n, size_t row, size_t depth)
{
	int64_t y = p->top + (int64_t)row * ROW_HEIGHT;

	add_head(p, n, y, depth);
	if (n->group)
		add_density(p, n, y);
	else
		add_bars(p, n, y);
	add_marks(p, n, y);
	add_tail(p, n, y);
	buf_adds(p->b, "</g>\n");
}
