/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dual view: a line for each event, as the host and as the inside number it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/kinds.h"
#include "event/steps.h"
#include "sink/sinks.h"
#include "view/columns.h"

#define TIME_WIDTH 9
#define HOST_WIDTH 8
#define INSIDE_WIDTH 7
#define EVENT_WIDTH 9
/* Where the detail starts: the columns, and two spaces on both sides of the event's name. */
#define DETAIL_AT (TIME_WIDTH + HOST_WIDTH + 1 + INSIDE_WIDTH + 2 + EVENT_WIDTH + 1)
#define DETAIL_MIN 24
#define LINES_MAX 4

struct text {
	bool color;
	struct buf cell;
};

#define SGR_DIM "\033[2m"
#define SGR_BOLD "\033[1m"
#define SGR_RED "\033[31m"
#define SGR_GREEN "\033[32m"
#define SGR_YELLOW "\033[33m"
#define SGR_MAGENTA "\033[35m"
#define SGR_CYAN "\033[36m"
#define SGR_ALERT "\033[1;7;31m"
#define SGR_END "\033[0m"

static int text_open(struct sink *s)
{
	struct text *t = calloc(1, sizeof(*t));
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (!t)
		return -ENOMEM;
	if (s->style.color == COLOR_AUTO) /* no-color.org: present and not empty */
		t->color = isatty(s->fd) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
	else
		t->color = s->style.color == COLOR_ALWAYS;
	t->cell.ascii = s->buf.ascii;
	s->priv = t;
	return 0;
}

static void text_close(struct sink *s)
{
	struct text *t = s->priv;

	buf_free(&t->cell);
	free(t);
}

static void colored(struct sink *s, const char *sgr, const char *text, size_t len)
{
	const struct text *t = s->priv;

	if (t->color && *sgr)
		buf_adds(&s->buf, sgr);
	buf_add(&s->buf, text, len);
	if (t->color && *sgr)
		buf_adds(&s->buf, SGR_END);
}

/* Whether @e tells of something that failed. */
static bool is_bad(const struct event *e)
{
	const struct event_field *f = event_field(e->desc, "error", 5);
	int32_t error = 0;

	if (e->rec->type == NSS_EV_EXIT)
		return ((const struct nss_exit *)e->payload)->status;
	if (f)
		memcpy(&error, (const char *)e->payload + f->offset, sizeof(error));
	return error < 0;
}

static const char *color_of(const struct event *e)
{
	if (is_bad(e))
		return SGR_RED;
	if (e->rec->type == NSS_EV_EXEC)
		return SGR_GREEN;
	switch (e->desc->group) {
	case GROUP_PROCESS:
		return e->rec->type == NSS_EV_EXIT ? SGR_DIM : SGR_CYAN;
	case GROUP_NS:
		return SGR_MAGENTA;
	case GROUP_MOUNT:
		return SGR_YELLOW;
	case GROUP_NONE:
		break;
	}
	return SGR_RED;
}

static void text_header(struct sink *s)
{
	struct text *t = s->priv;

	t->cell.len = 0;
	pad_left(&t->cell, "TIME", 4, TIME_WIDTH);
	pad_left(&t->cell, "HOST", 4, HOST_WIDTH);
	pad_left(&t->cell, "INSIDE", 6, INSIDE_WIDTH + 1);
	buf_adds(&t->cell, "  EVENT");
	colored(s, SGR_BOLD, t->cell.data, t->cell.len);
	buf_addc(&s->buf, '\n');
}

static void add_time(struct sink *s, const struct event *e, const struct model *m)
{
	struct text *t = s->priv;
	uint64_t us = (e->rec->mono_ns - m->mono_start) / 1000;

	t->cell.len = 0;
	buf_addf(&t->cell, "%5llu.%03u", (unsigned long long)(us / 1000000), (unsigned)(us / 1000 % 1000));
	colored(s, SGR_DIM, t->cell.data, t->cell.len);
}

static void add_pids(struct sink *s, const struct nss_pid *pids, uint16_t levels)
{
	struct text *t = s->priv;
	struct buf chain = {};

	t->cell.len = 0;
	buf_addu(&t->cell, pids[0].pid);
	pad_left(&s->buf, t->cell.data, t->cell.len, HOST_WIDTH);
	pid_chain(&chain, pids, levels, s->style.wide);
	t->cell.len = 0;
	pad_left(&t->cell, chain.data, chain.len, INSIDE_WIDTH + 1);
	colored(s, levels > 1 ? SGR_BOLD : SGR_DIM, t->cell.data, t->cell.len);
	buf_free(&chain);
}

/* The cell, fitted to the terminal, as the rest of the line. */
static void add_detail(struct sink *s, bool is_bad, size_t overflow)
{
	struct text *t = s->priv;
	size_t width = s->style.wide ? 0 : terminal_width(s->fd);

	if (t->color && is_bad)
		buf_adds(&s->buf, SGR_RED);
	if (width)
		wrap_text(&s->buf, t->cell.data, t->cell.len,
			  width > DETAIL_AT + DETAIL_MIN + overflow ? width - DETAIL_AT - overflow : DETAIL_MIN,
			  DETAIL_AT + overflow, LINES_MAX);
	else
		buf_add(&s->buf, t->cell.data, t->cell.len);
	if (t->color && is_bad)
		buf_adds(&s->buf, SGR_END);
	buf_addc(&s->buf, '\n');
}

/* The name of an event, as wide as the column at least. What it is wider. */
static size_t add_name(struct sink *s, const char *name, const char *sgr)
{
	char padded[32];
	size_t len = strlen(name);

	memset(padded, ' ', sizeof(padded));
	memcpy(padded, name, len);
	if (len < EVENT_WIDTH)
		len = EVENT_WIDTH;
	colored(s, sgr, padded, len);
	buf_addc(&s->buf, ' ');
	return len - EVENT_WIDTH;
}

static void text_line(struct sink *s, const struct event *e, const struct model *m)
{
	struct text *t = s->priv;
	size_t overflow;

	add_time(s, e, m);
	if (e->task)
		add_pids(s, e->pids, e->rec->levels);
	else
		pad_left(&s->buf, "", 0, HOST_WIDTH + 1 + INSIDE_WIDTH);
	buf_addc(&s->buf, ' ');
	/* Where nothing stands that the sandbox could have written. */
	colored(s, e->alert ? SGR_ALERT : "", e->alert ? "!" : " ", 1);
	overflow = add_name(s, e->desc->name, e->alert ? SGR_ALERT : color_of(e));
	t->cell.len = 0;
	event_text(&t->cell, e);
	add_detail(s, is_bad(e), overflow);
}

/* Steps of the new mount API that came to nothing, up to @e. */
static void text_left(struct sink *s, const struct event *e, const struct model *m)
{
	struct text *t = s->priv;

	for (const struct context *x = m->contexts.left; x; x = x->next_left) {
		size_t overflow;

		add_time(s, e, m);
		add_pids(s, x->pids, x->levels);
		buf_adds(&s->buf, "  ");
		overflow = add_name(s, event_descs[x->steps.by].name, SGR_DIM);
		t->cell.len = 0;
		steps_text(&t->cell, &x->steps);
		buf_adds(&t->cell, x->steps.by == NSS_EV_FSPICK ? ": not changed" : ": not attached");
		add_detail(s, false, overflow);
	}
}

/* Whether steps are told with what comes of them. Not where some events are picked: each may be what is looked for. */
static bool is_joining(const struct sink *s)
{
	return !s->tally || !s->tally->filters;
}

static void add_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_addu(b, n);
	buf_addc(b, ' ');
	buf_adds(b, n == 1 ? one : many);
}

static void add_reached(struct buf *b, const struct model *m)
{
	uint64_t host = m->reached[REACH_HOST], others = m->reached[REACH_OTHERS], unknown = m->reached[REACH_UNKNOWN];

	if (host)
		buf_addf(b, ", %llu reached the host", (unsigned long long)host);
	if (others)
		buf_addf(b, ", %llu reached other namespaces", (unsigned long long)others);
	if (unknown)
		buf_addf(b, ", of %llu it is not known how far they reached", (unsigned long long)unknown);
	if (!host && !others && !unknown && m->reached[REACH_INSIDE])
		buf_adds(b, ", all stayed inside");
}

/* Of those calls that have a reach. */
static uint64_t count_mount_calls(const uint64_t by_type[NSS_EV_MAX])
{
	return by_type[NSS_EV_MOUNT] + by_type[NSS_EV_UMOUNT] + by_type[NSS_EV_MOVE_MOUNT] + by_type[NSS_EV_MOUNT_SETATTR];
}

void text_summary(struct buf *b, const struct sink *s, const struct model *m)
{
	uint64_t lost = model_lost(m), mounts = count_mount_calls(m->by_type), failed = count_mount_calls(m->failed);

	add_count(b, m->events, "event", "events");
	if (s->tally && (s->tally->filters || s->tally->left_out))
		buf_addf(b, ", %llu shown", (unsigned long long)(m->events - s->tally->left_out));
	if (s->joined)
		buf_addf(b, ", %llu told with a later one", (unsigned long long)s->joined);
	buf_addf(b, ", %llu lost", (unsigned long long)lost);
	if (s->missing)
		buf_addf(b, ", %llu not written", (unsigned long long)s->missing);
	if (s->tally && s->tally->alerts) {
		buf_adds(b, "; ");
		add_count(b, s->tally->alerted, "alert", "alerts");
	}
	if (m->snapshot)
		buf_addf(b, "; %llu processes ran before", (unsigned long long)m->snapshot);
	if (m->by_type[NSS_EV_FORK]) {
		buf_adds(b, "; ");
		add_count(b, m->by_type[NSS_EV_FORK], "process", "processes");
	}
	if (m->by_type[NSS_EV_NS_CREATE]) {
		buf_adds(b, "; ");
		add_count(b, m->by_type[NSS_EV_NS_CREATE], "namespace made", "namespaces made");
	}
	if (mounts) {
		buf_adds(b, "; ");
		add_count(b, mounts, "mount call", "mount calls");
		if (failed)
			buf_addf(b, ", %llu failed", (unsigned long long)failed);
		add_reached(b, m);
	}
	if (m->args_of_caller) {
		buf_adds(b, "; arguments of ");
		add_count(b, m->args_of_caller, "call", "calls");
		buf_adds(b, " as the caller had them");
	}
}

static void text_end(struct sink *s, const struct model *m)
{
	struct text *t = s->priv;
	bool is_bad_end = model_lost(m) || s->missing || (s->tally && s->tally->alerted);

	t->cell.len = 0;
	text_summary(&t->cell, s, m);
	colored(s, is_bad_end ? SGR_RED : SGR_DIM, t->cell.data, t->cell.len);
	buf_addc(&s->buf, '\n');
}

static int text_event(struct sink *s, const struct event *e, const struct model *m)
{
	if (is_joining(s))
		text_left(s, e, m);
	if (e->held && is_joining(s) && !e->alert) {
		s->joined++;
		return 0;
	}
	switch (e->rec->type) {
	case NSS_EV_START:
		text_header(s);
		break;
	case NSS_EV_END:
		text_end(s, m);
		break;
	case NSS_EV_PROCESS: /* thousands of them: counted in the summary, shown by ps */
		break;
	default:
		text_line(s, e, m);
	}
	return 0;
}

const struct sink_ops sink_text = {
	.name = "text",
	.lines = true,
	.doc = "the dual view, for people",
	.open = text_open,
	.event = text_event,
	.close = text_close,
};
