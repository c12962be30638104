/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One JSON object a line, schema version 1. */
#include <string.h>
#include <time.h>

#include "event/format.h"
#include "event/kinds.h"
#include "sink/schema.h"
#include "sink/sinks.h"

static void add_number(struct buf *b, const char *key, uint64_t v)
{
	buf_adds(b, key);
	buf_addu(b, v);
}

/* RFC 3339 in UTC with nanoseconds. */
static void add_time(struct buf *b, uint64_t ns)
{
	time_t s = (time_t)(ns / 1000000000);
	struct tm tm;
	char text[64];

	gmtime_r(&s, &tm);
	buf_add(b, text, strftime(text, sizeof(text), "\"time\":\"%Y-%m-%dT%H:%M:%S", &tm));
	buf_addf(b, ".%09uZ\"", (unsigned)(ns % 1000000000));
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

static void add_comm(struct buf *b, const char *comm)
{
	size_t len = strlen(comm);

	buf_adds(b, ",\"comm\":");
	json_string(b, comm, len);
	if (!utf8_valid(comm, len)) {
		buf_adds(b, ",\"comm_raw\":");
		json_base64(b, comm, len);
	}
}

static void add_task(struct buf *b, const struct event *e)
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
	add_comm(b, t->comm);
	add_number(b, ",\"cgroup_id\":", t->cgroup_id);
	buf_adds(b, ",\"ns\":");
	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		buf_adds(b, i ? ",\"" : "{\"");
		buf_adds(b, ns_names[i]);
		buf_adds(b, "\":");
		if (t->ns[i])
			buf_addu(b, t->ns[i]);
		else
			buf_adds(b, "null");
	}
	buf_adds(b, "},");
}

/* The members of the payload, each with a comma behind; closes the object after the last. */
static void add_members(struct buf *b, const struct event *e)
{
	event_json_members(b, e);
	if (b->len && b->data[b->len - 1] == ',')
		b->len--;
	buf_addc(b, '}');
}

static int json_event(struct sink *s, const struct event *e, const struct model *m)
{
	struct buf *b = &s->buf;

	buf_adds(b, "{\"type\":\"");
	buf_adds(b, e->desc->name);
	buf_adds(b, "\",");
	if (e->seq)
		add_number(b, "\"seq\":", e->seq), buf_addc(b, ',');
	if (e->rec->type == NSS_EV_START)
		buf_addf(b, "\"schema\":%d,", SCHEMA_VERSION);
	add_time(b, e->rec->mono_ns + m->wall_offset_ns);
	add_number(b, ",\"mono_ns\":", e->rec->mono_ns);
	buf_addc(b, ',');
	if (e->task) {
		add_task(b, e);
		buf_addc(b, '"');
		buf_adds(b, e->desc->name);
		buf_adds(b, "\":{");
		add_members(b, e);
		buf_adds(b, "}\n");
	} else {
		add_members(b, e);
		buf_addc(b, '\n');
	}
	return 0;
}

const struct sink_ops sink_json = {
	.name = "json",
	.doc = "one JSON object a line (see --json-schema)",
	.event = json_event,
};
