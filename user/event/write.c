/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole payload, from its fields. */
#include <string.h>

#include "event/kinds.h"

static struct field_ref field_ref(const struct event *e, const struct event_field *f)
{
	return (struct field_ref){ e, f, (const char *)e->payload + f->offset };
}

void event_json_members(struct buf *b, const struct event *e)
{
	for (uint16_t i = 0; i < e->desc->nfields; i++) {
		struct field_ref ref = field_ref(e, &e->desc->fields[i]);

		kinds[ref.field->kind].json(b, &ref);
	}
}

/* Expands @text up to @end; true if any field in it said something. */
static bool expand(struct buf *b, const struct event *e, const char *text, const char *end)
{
	bool said = false;

	while (text < end) {
		const char *stop;
		size_t before = b->len;

		if (*text == '{') {
			const struct event_field *field;

			stop = memchr(text, '}', (size_t)(end - text));
			field = event_field(e->desc, text + 1, (size_t)(stop - text - 1));
			if (field) {
				struct field_ref ref = field_ref(e, field);

				kinds[field->kind].text(b, &ref);
			}
			said = said || b->len > before;
		} else if (*text == '[') {
			stop = memchr(text, ']', (size_t)(end - text));
			if (expand(b, e, text + 1, stop))
				said = true;
			else
				b->len = before;
		} else {
			buf_addc(b, *text);
			stop = text;
		}
		text = stop + 1;
	}
	return said;
}

void event_text(struct buf *b, const struct event *e)
{
	expand(b, e, e->desc->text, e->desc->text + strlen(e->desc->text));
}
