/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an expression can name: the members of an event in JSON, by their paths, and short forms of them. */
#ifndef VIEW_FILTER_FIELD_H
#define VIEW_FILTER_FIELD_H

#include "event/event.h"
#include "event/values.h"

struct filter_head;

/* A name, found. Where several events have a field of that name, a short form means that of whichever event it is. */
struct filter_field {
	const struct filter_head *head; /* of all events; NULL: of the payload */
	bool is_event; /* it is the name of an event: an object, that is there or is not */
	uint64_t types; /* bit per enum nss_type: events that have it */
	enum value_type type;
	bool is_array;
	bool is_open; /* see value_is_open() */
	const struct value_part *part[NSS_EV_MAX];
	const struct event_field *field[NSS_EV_MAX];
};

/*
 * Finds the field of the @len bytes at @name. 0; -ENOENT; -EISDIR: an object, of which a member is to be named; -EINVAL:
 * events have different things of that name.
 */
int filter_field_find(const char *name, size_t len, struct filter_field *ret_field);

/* The element at *@at (0 for the first, moved on) of @f of @e; false behind the last, and where @e has no such field. */
bool filter_field_next(const struct filter_field *f, const struct event *e, size_t *at, struct value *ret_value);

/* Whether @e has @f, be it null or empty. */
static inline bool filter_field_is_there(const struct filter_field *f, const struct event *e)
{
	return f->types & (1ULL << e->rec->type);
}

/* Where filter_field_word stands; zeroes at first. */
struct filter_word_at {
	uint32_t type;
	size_t at;
};

/*
 * The next of the words that @f may be; NULL behind the last, and at once if it may be any. Some may come twice. @buf is
 * room for it.
 */
const char *filter_field_word(const struct filter_field *f, struct filter_word_at *at, char buf[NAME_MAX_LEN]);

/* The part of the filter that the kernel side can have instead, see filter_pushdown. */
enum filter_known { FILTER_OTHER, FILTER_TYPE, FILTER_COMM, FILTER_HOST_UID, FILTER_NS };

/* What @f is; *@ret_ns: of FILTER_NS, enum nss_ns. */
enum filter_known filter_field_known(const struct filter_field *f, uint32_t *ret_ns);

struct filter_name {
	char name[64];
	const struct event_desc *event; /* NULL: of all events */
	enum value_type type;
	bool is_array;
	const char *doc, *more; /* more: what of it, or NULL */
};

/* The @i-th of all names, without the short forms; false behind the last. */
bool filter_field_nth(size_t i, struct filter_name *ret_name);

#endif
