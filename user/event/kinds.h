/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each kind of field is written. */
#ifndef EVENT_KINDS_H
#define EVENT_KINDS_H

#include "event/event.h"
#include "util/buf.h"

/* A field of an event, as its writer gets it. */
struct field_ref {
	const struct event *event;
	const struct event_field *field;
	const void *at; /* its bytes in the payload */
};

struct kind_ops {
	/* Adds the member or members of @f, each followed by a comma. */
	void (*json)(struct buf *b, const struct field_ref *f);
	/* Adds @f in words; adds nothing where there is nothing to say. */
	void (*text)(struct buf *b, const struct field_ref *f);
	const char *members; /* of the JSON Schema; @ is the field's name */
	const char *required; /* comma-separated */
};

extern const struct kind_ops kinds[KIND_MAX];

/* Adds all members of @e's payload, each followed by a comma. */
void event_json_members(struct buf *b, const struct event *e);
/* Adds what the event's template in events.def makes of it. */
void event_text(struct buf *b, const struct event *e);

#endif
