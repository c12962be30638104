/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writers of fields have in common, and all of them for the table of kinds.c. */
#ifndef EVENT_WRITERS_H
#define EVENT_WRITERS_H

#include "event/kinds.h"
#include "event/names.h"

/* "nameSUFFIX": */
void json_key(struct buf *b, const struct event_field *field, const char *suffix);
/* The member, with @value as a string, NULL as null. */
void json_name(struct buf *b, const struct field_ref *f, const char *value);
/* Replaces the comma behind the last member or element by @close. */
void json_close(struct buf *b, char close);
void json_number(struct buf *b, const struct field_ref *f, uint64_t v);
/* Set flags by their names in an array, those without one as one hexadecimal string. */
void json_flag_names(struct buf *b, const struct field_ref *f, const struct flag_table *t, uint64_t flags);
void text_flag_names(struct buf *b, const struct flag_table *t, uint64_t flags);
void text_str(struct buf *b, const struct field_ref *f);

static inline const struct event_str *get_str(const struct field_ref *f)
{
	return event_str(f->event, f->field);
}

/* The field called @name of the same event, which must have it. */
struct field_ref field_beside(const struct field_ref *f, const char *name);
/* Whether the call of the event failed. */
bool event_failed(const struct event *e);

/* Those of the table of kinds. */
#define KIND(ID, jsonfn, textfn, ...)                             \
	void jsonfn(struct buf *b, const struct field_ref *f);    \
	void textfn(struct buf *b, const struct field_ref *f);
#include "event/kinds.def"
#undef KIND

#endif
