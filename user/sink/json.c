/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One JSON object a line, schema version 1. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/format.h"
#include "event/kinds.h"
#include "sink/schema.h"
#include "sink/sinks.h"
#include "util/cleanup.h"

/* What was written of a process last, since more is told of it soon: it may have another name then, but not other numbers. */
struct written {
	uint16_t levels;
	struct nss_pid pids[NSS_LEVELS_MAX];
	struct nss_task task; /* up to its ns */
	struct buf text; /* empty: nothing yet */
};

struct json {
	/* Processes have the same namespaces as those before them, mostly: what was written of them last. */
	uint32_t ns[NSS_NS_MAX];
	struct buf text; /* empty: nothing yet */
	struct written processes[32]; /* by the last bits of the PID */
	struct json_second second;
};

static int json_open(struct sink *s)
{
	s->priv = calloc(1, sizeof(struct json));
	return s->priv ? 0 : -ENOMEM;
}

static void json_end(struct sink *s)
{
	struct json *j = s->priv;

	buf_free(&j->text);
	for (size_t i = 0; i < ARRAY_SIZE(j->processes); i++)
		buf_free(&j->processes[i].text);
	free(j);
}

/* Inline: the length of @key is known then. */
static inline __attribute__((always_inline)) void add_number(struct buf *b, const char *key, uint64_t v)
{
	buf_adds(b, key);
	buf_addu(b, v);
}

static void add_side(struct buf *b, const char *key, const struct nss_pid *pid, uint32_t ppid, uint32_t uid, uint32_t gid)
{
	buf_adds(b, key);
	add_number(b, "{\"pid\":", pid->pid);
	add_number(b, ",\"tid\":", pid->tid);
	add_number(b, ",\"ppid\":", ppid);
	add_number(b, ",\"uid\":", uid);
	add_number(b, ",\"gid\":", gid);
	buf_adds(b, "},");
}

/* Adds what is kept as @text. */
static void add_kept(struct buf *b, const struct buf *text)
{
	b->failed = b->failed || text->failed;
	buf_add(b, text->data, text->len);
}

/* Whether there is none to add. */
static bool is_empty(const struct buf *text)
{
	return !text->len || text->failed;
}

static void empty(struct buf *text)
{
	text->len = 0;
	text->failed = false;
}

static void write_namespaces(struct buf *b, const uint32_t *ns)
{
	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		buf_adds(b, i ? ",\"" : "{\"");
		buf_adds(b, ns_names[i]);
		buf_adds(b, "\":");
		if (ns[i])
			buf_addu(b, ns[i]);
		else
			buf_adds(b, "null");
	}
	buf_adds(b, "},");
}

/* @j: NULL, nothing is kept. */
static void add_namespaces(struct buf *b, struct json *j, const uint32_t *ns)
{
	if (!j) {
		write_namespaces(b, ns);
		return;
	}
	if (is_empty(&j->text) || memcmp(j->ns, ns, sizeof(j->ns))) {
		memcpy(j->ns, ns, sizeof(j->ns));
		empty(&j->text);
		write_namespaces(&j->text, ns);
	}
	add_kept(b, &j->text);
}

static void write_process(struct buf *b, const struct event *e)
{
	const struct nss_task *t = e->task;

	add_side(b, "\"host\":", event_host(e), t->ppid, t->uid, t->gid);
	add_side(b, "\"inside\":", event_inside(e), t->inside_ppid, t->inside_uid, t->inside_gid);
	buf_adds(b, "\"pids\":[");
	for (uint16_t i = 0; i < e->rec->levels; i++) {
		add_number(b, i ? ",{\"ns\":" : "{\"ns\":", e->pids[i].ns);
		add_number(b, ",\"pid\":", e->pids[i].pid);
		add_number(b, ",\"tid\":", e->pids[i].tid);
		buf_addc(b, '}');
	}
	add_number(b, "],\"start_ns\":", t->start_ns);
	buf_addc(b, ',');
}

/* @j: NULL, nothing is kept. */
static void add_process(struct buf *b, struct json *j, const struct event *e)
{
	size_t size = e->rec->levels * sizeof(e->pids[0]);
	struct written *w;

	if (!j) {
		write_process(b, e);
		return;
	}
	w = &j->processes[event_host(e)->pid % ARRAY_SIZE(j->processes)];
	if (is_empty(&w->text) || w->levels != e->rec->levels || memcmp(w->pids, e->pids, size) ||
	    memcmp(&w->task, e->task, offsetof(struct nss_task, ns))) {
		w->levels = e->rec->levels;
		w->task = *e->task;
		memcpy(w->pids, e->pids, size);
		empty(&w->text);
		write_process(&w->text, e);
	}
	add_kept(b, &w->text);
}

static void add_task(struct buf *b, struct json *j, const struct event *e)
{
	const struct nss_task *t = e->task;

	add_process(b, j, e);
	json_member(b, "comm", t->comm, strlen(t->comm));
	add_number(b, ",\"cgroup_id\":", t->cgroup_id);
	buf_adds(b, ",\"ns\":");
	add_namespaces(b, j, t->ns);
}

/* The members of the payload, each with a comma behind; closes the object after the last. */
static void add_members(struct buf *b, const struct event *e)
{
	event_json_members(b, e);
	if (b->len && b->data[b->len - 1] == ',')
		b->len--;
	buf_addc(b, '}');
}

/* Of the end: what became of the events. */
static void add_tally(struct buf *b, const struct sink *s)
{
	const struct tally *t = s->tally;

	if (s->missing)
		add_number(b, "\"not_written\":", s->missing), buf_addc(b, ',');
	if (!t)
		return;
	if (t->filters || t->left_out)
		add_number(b, "\"left_out\":", t->left_out), buf_addc(b, ',');
	if (t->alerts)
		add_number(b, "\"alerts\":", t->alerted), buf_addc(b, ',');
}

static void add_line(struct buf *b, const struct sink *s, struct json *j, const struct event *e, const struct model *m)
{
	buf_adds(b, "{\"type\":\"");
	buf_adds(b, e->desc->name);
	buf_adds(b, "\",");
	if (e->seq)
		add_number(b, "\"seq\":", e->seq), buf_addc(b, ',');
	if (e->alert)
		buf_adds(b, "\"alert\":true,");
	if (e->rec->type == NSS_EV_START)
		buf_addf(b, "\"schema\":%d,", SCHEMA_VERSION);
	buf_adds(b, "\"time\":");
	json_time(b, j ? &j->second : NULL, e->rec->mono_ns + m->wall_offset_ns);
	add_number(b, ",\"mono_ns\":", e->rec->mono_ns);
	buf_addc(b, ',');
	if (e->desc->class != CLASS_META) {
		if (e->task)
			add_task(b, j, e);
		buf_addc(b, '"');
		buf_adds(b, e->desc->name);
		buf_adds(b, "\":{");
		add_members(b, e);
		buf_adds(b, "}\n");
	} else {
		if (e->rec->type == NSS_EV_END)
			add_tally(b, s);
		add_members(b, e);
		buf_addc(b, '\n');
	}
}

void json_line(struct buf *b, const struct sink *s, const struct event *e, const struct model *m)
{
	add_line(b, s, NULL, e, m);
}

static int json_event(struct sink *s, const struct event *e, const struct model *m)
{
	add_line(&s->buf, s, s->priv, e, m);
	return 0;
}

const struct sink_ops sink_json = {
	.name = "json",
	.no_text = true,
	.lines = true,
	.doc = "one JSON object a line (see --json-schema)",
	.open = json_open,
	.event = json_event,
	.close = json_end,
};
