/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dual view: a line for each event, as the host and as the inside number it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/kinds.h"
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

static void add_pids(struct sink *s, const struct event *e)
{
	struct text *t = s->priv;
	struct buf chain = {};

	t->cell.len = 0;
	buf_addu(&t->cell, event_host(e)->pid);
	pad_left(&s->buf, t->cell.data, t->cell.len, HOST_WIDTH);
	pid_chain(&chain, e->pids, e->rec->levels, s->style.wide);
	t->cell.len = 0;
	pad_left(&t->cell, chain.data, chain.len, INSIDE_WIDTH + 1);
	colored(s, e->rec->levels > 1 ? SGR_BOLD : SGR_DIM, t->cell.data, t->cell.len);
	buf_free(&chain);
}

static void add_detail(struct sink *s, const struct event *e, size_t overflow)
{
	struct text *t = s->priv;
	size_t width = s->style.wide ? 0 : terminal_width(s->fd);

	t->cell.len = 0;
	event_text(&t->cell, e);
	if (t->color && is_bad(e))
		buf_adds(&s->buf, SGR_RED);
	if (width)
		wrap_text(&s->buf, t->cell.data, t->cell.len,
			  width > DETAIL_AT + DETAIL_MIN + overflow ? width - DETAIL_AT - overflow : DETAIL_MIN,
			  DETAIL_AT + overflow, LINES_MAX);
	else
		buf_add(&s->buf, t->cell.data, t->cell.len);
	if (t->color && is_bad(e))
		buf_adds(&s->buf, SGR_END);
	buf_addc(&s->buf, '\n');
}

static void text_line(struct sink *s, const struct event *e, const struct model *m)
{
	char name[32];
	size_t len = strlen(e->desc->name);

	memset(name, ' ', sizeof(name));
	memcpy(name, e->desc->name, len);
	if (len < EVENT_WIDTH)
		len = EVENT_WIDTH;
	add_time(s, e, m);
	if (e->task)
		add_pids(s, e);
	else
		pad_left(&s->buf, "", 0, HOST_WIDTH + 1 + INSIDE_WIDTH);
	buf_adds(&s->buf, "  ");
	colored(s, color_of(e), name, len);
	buf_addc(&s->buf, ' ');
	add_detail(s, e, len - EVENT_WIDTH);
}

static void add_count(struct buf *b, uint64_t n, const char *one, const char *many)
{
	buf_addu(b, n);
	buf_addc(b, ' ');
	buf_adds(b, n == 1 ? one : many);
}

static void text_summary(struct sink *s, const struct model *m)
{
	struct text *t = s->priv;
	struct buf *b = &t->cell;
	uint64_t lost = model_lost(m), mounts = m->by_type[NSS_EV_MOUNT], failed = m->failed[NSS_EV_MOUNT];

	b->len = 0;
	add_count(b, m->events, "event", "events");
	buf_addf(b, ", %llu lost", (unsigned long long)lost);
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
	}
	if (m->args_of_caller) {
		buf_adds(b, "; arguments of ");
		add_count(b, m->args_of_caller, "call", "calls");
		buf_adds(b, " as the caller had them");
	}
	colored(s, lost ? SGR_RED : SGR_DIM, b->data, b->len);
	buf_addc(&s->buf, '\n');
}

static int text_event(struct sink *s, const struct event *e, const struct model *m)
{
	switch (e->rec->type) {
	case NSS_EV_START:
		text_header(s);
		break;
	case NSS_EV_END:
		text_summary(s, m);
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
	.doc = "the dual view, for people",
	.open = text_open,
	.event = text_event,
	.close = text_close,
};
