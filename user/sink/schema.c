/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/schema.h"

#include <string.h>

#include "event/format.h"
#include "event/kinds.h"

#define SCHEMA_ALERT "\"alert\":{\"const\":true,\"description\":\"--alert holds of it\"},"

/* Adds @text with the field's name for each @. */
static void add_named(struct buf *b, const char *text, const char *name)
{
	for (; *text; text++) {
		if (*text == '@')
			buf_adds(b, name);
		else
			buf_addc(b, *text);
	}
}

static void add_required(struct buf *b, const char *list, const char *name)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		buf_adds(b, ",\"");
		for (size_t i = 0; i < n; i++) {
			if (list[i] == '@')
				buf_adds(b, name);
			else
				buf_addc(b, list[i]);
		}
		buf_addc(b, '"');
		list += list[n] ? n + 1 : n;
	}
}

/* "required":[first, all of the payload] and the payload's properties, each behind a comma. */
static void add_required_members(struct buf *b, const struct event_desc *d)
{
	for (uint16_t i = 0; i < d->nfields; i++)
		add_required(b, kinds[d->fields[i].kind].required, d->fields[i].name);
}

static void add_properties(struct buf *b, const struct event_desc *d)
{
	for (uint16_t i = 0; i < d->nfields; i++) {
		const struct event_field *f = &d->fields[i];

		if (!*kinds[f->kind].members)
			continue;
		buf_addc(b, ',');
		add_named(b, kinds[f->kind].members, f->name);
	}
}

static void add_definitions(struct buf *b)
{
	static const char side[] =
		"\"side\":{\"type\":\"object\",\"additionalProperties\":false,"
		"\"required\":[\"pid\",\"tid\",\"ppid\",\"uid\",\"gid\"],\"properties\":{"
		"\"pid\":{\"$ref\":\"#/$defs/uint\"},\"tid\":{\"$ref\":\"#/$defs/uint\"},"
		"\"ppid\":{\"$ref\":\"#/$defs/uint\",\"description\":\"0: the parent cannot be seen from this side\"},"
		"\"uid\":{\"$ref\":\"#/$defs/uint\"},\"gid\":{\"$ref\":\"#/$defs/uint\"}}}";

	buf_adds(b, "\"$defs\":{\"uint\":{\"type\":\"integer\",\"minimum\":0},");
	buf_adds(b, "\"base64\":{\"type\":\"string\",\"pattern\":\"^[A-Za-z0-9+/]*={0,2}$\"},");
	buf_adds(b, "\"time\":{\"type\":\"string\",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\\\\.[0-9]{9}Z$\"},");
	buf_adds(b, side);
	buf_adds(b, ",\"pids\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":33,\"items\":{\"type\":\"object\","
		    "\"additionalProperties\":false,\"required\":[\"ns\",\"pid\",\"tid\"],\"properties\":{"
		    "\"ns\":{\"$ref\":\"#/$defs/uint\"},\"pid\":{\"$ref\":\"#/$defs/uint\"},"
		    "\"tid\":{\"$ref\":\"#/$defs/uint\"}}}},");
	buf_adds(b, "\"ns\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[");
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", ns_names[i]);
	buf_adds(b, "],\"properties\":{");
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		buf_addf(b, "%s\"%s\":{\"type\":[\"integer\",\"null\"]}", i ? "," : "", ns_names[i]);
	buf_adds(b, "}},\"lost\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"total\"],"
		    "\"properties\":{\"total\":{\"$ref\":\"#/$defs/uint\"}");
	for (size_t i = 0; i < NSS_EV_MAX; i++)
		buf_addf(b, ",\"%s\":{\"$ref\":\"#/$defs/uint\"}", event_descs[i].name);
	buf_adds(b, "}}}");
}

/* "name":{the payload}, and the end of the event. */
static void add_payload(struct buf *b, const struct event_desc *d)
{
	size_t before;

	buf_addf(b, "\"%s\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[", d->name);
	before = b->len;

	add_required_members(b, d);
	if (b->len > before) /* without the comma in front of the first */
		memmove(b->data + before, b->data + before + 1, b->len - before - 1), b->len--;
	buf_adds(b, "],\"properties\":{");
	before = b->len;
	add_properties(b, d);
	if (b->len > before)
		memmove(b->data + before, b->data + before + 1, b->len - before - 1), b->len--;
	buf_adds(b, "}}}");
}

static void add_task_event(struct buf *b, const struct event_desc *d)
{
	const char *seq = d->group == GROUP_NONE ? "" : "\"seq\",";

	buf_addf(b, "\"required\":[\"type\",%s\"time\",\"mono_ns\",\"host\",\"inside\",\"pids\",\"start_ns\",\"comm\","
		    "\"cgroup_id\",\"ns\",\"%s\"],\"properties\":{\"type\":{\"const\":\"%s\"},", seq, d->name, d->name);
	if (*seq)
		buf_adds(b, "\"seq\":{\"type\":\"integer\",\"minimum\":1}," SCHEMA_ALERT);
	buf_adds(b, "\"time\":{\"$ref\":\"#/$defs/time\"},\"mono_ns\":{\"$ref\":\"#/$defs/uint\"},"
		    "\"host\":{\"$ref\":\"#/$defs/side\"},\"inside\":{\"$ref\":\"#/$defs/side\"},"
		    "\"pids\":{\"$ref\":\"#/$defs/pids\"},\"start_ns\":{\"$ref\":\"#/$defs/uint\"},"
		    "\"comm\":{\"type\":\"string\"},\"comm_raw\":{\"$ref\":\"#/$defs/base64\"},"
		    "\"cgroup_id\":{\"$ref\":\"#/$defs/uint\"},\"ns\":{\"$ref\":\"#/$defs/ns\"},");
	add_payload(b, d);
}

/* An event of no process. */
static void add_lone_event(struct buf *b, const struct event_desc *d)
{
	buf_addf(b, "\"required\":[\"type\",\"seq\",\"time\",\"mono_ns\",\"%s\"],\"properties\":{\"type\":{\"const\":\"%s\"},"
		    "\"seq\":{\"type\":\"integer\",\"minimum\":1}," SCHEMA_ALERT "\"time\":{\"$ref\":\"#/$defs/time\"},"
		    "\"mono_ns\":{\"$ref\":\"#/$defs/uint\"},", d->name, d->name);
	add_payload(b, d);
}

static void add_meta_event(struct buf *b, const struct event_desc *d)
{
	const char *schema = d == &event_descs[NSS_EV_START] ? "\"schema\"," : "";

	buf_addf(b, "\"required\":[\"type\",%s\"time\",\"mono_ns\"", schema);
	add_required_members(b, d);
	buf_addf(b, "],\"properties\":{\"type\":{\"const\":\"%s\"},\"time\":{\"$ref\":\"#/$defs/time\"},"
		    "\"mono_ns\":{\"$ref\":\"#/$defs/uint\"}", d->name);
	if (*schema)
		buf_addf(b, ",\"schema\":{\"const\":%d}", SCHEMA_VERSION);
	if (d == &event_descs[NSS_EV_END])
		buf_adds(b, ",\"left_out\":{\"type\":\"integer\",\"minimum\":0,\"description\":\"of the events, those that "
			    "--filter and --exit-on left out\"},\"not_written\":{\"type\":\"integer\",\"minimum\":1,"
			    "\"description\":\"of the events shown, those that could not be written to this file\"},\"alerts\":{\"type\":\"integer\",\"minimum\":0,"
			    "\"description\":\"events that --alert holds of\"}");
	add_properties(b, d);
	buf_addc(b, '}');
}

void schema_write(struct buf *b)
{
	bool first = true;

	buf_adds(b, "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"title\":\"nsscope event\",");
	add_definitions(b);
	buf_adds(b, ",\"oneOf\":[");
	for (size_t i = 0; i < NSS_EV_MAX; i++) {
		const struct event_desc *d = &event_descs[i];

		if (d->class == CLASS_PART)
			continue;
		buf_adds(b, first ? "" : ",");
		buf_addf(b, "{\"type\":\"object\",\"additionalProperties\":false,\"description\":");
		json_string(b, d->doc, strlen(d->doc));
		buf_addc(b, ',');
		if (d->class == CLASS_TASK)
			add_task_event(b, d);
		else if (d->class == CLASS_LONE)
			add_lone_event(b, d);
		else
			add_meta_event(b, d);
		buf_addc(b, '}');
		first = false;
	}
	schema_add_listings(b);
	buf_adds(b, "]}\n");
}
