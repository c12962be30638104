/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each kind of field is written. */
#ifndef EVENT_KINDS_H
#define EVENT_KINDS_H

#include <string.h>

#include "event/event.h"
#include "util/buf.h"

/* A field of an event, as its writer gets it. */
struct field_ref {
	const struct event *event;
	const struct event_field *field;
	const void *at; /* its bytes in the payload */
};

/* The bytes need not be aligned. */
static inline uint32_t get_u32(const struct field_ref *f)
{
	uint32_t v;

	memcpy(&v, f->at, sizeof(v));
	return v;
}

static inline uint64_t get_u64(const struct field_ref *f)
{
	uint64_t v;

	memcpy(&v, f->at, sizeof(v));
	return v;
}

struct value_parts;

struct kind_ops {
	/* Adds the member or members of @f, each followed by a comma. */
	void (*json)(struct buf *b, const struct field_ref *f);
	/* Adds @f in words; adds nothing where there is nothing to say. */
	void (*text)(struct buf *b, const struct field_ref *f);
	const struct value_parts *values;
	const char *members; /* of the JSON Schema; @ is the field's name */
	const char *required; /* comma-separated */
};

extern const struct kind_ops kinds[KIND_MAX];

/* Why the target_host of @e, which must have one, is null; NULL: it is not. Does not look at the string. */
const char *target_host_reason(const struct event *e);

/* Adds all members of @e's payload, each followed by a comma. */
void event_json_members(struct buf *b, const struct event *e);
/* Adds what the event's template in events.def makes of it. */
void event_text(struct buf *b, const struct event *e);

#endif
