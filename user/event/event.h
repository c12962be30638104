/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events as the user side knows them: descriptors made from events.def, and a record taken apart and checked. */
#ifndef EVENT_EVENT_H
#define EVENT_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

enum event_class { CLASS_TASK, CLASS_META, CLASS_LONE, CLASS_PART };
enum event_group { GROUP_NONE, GROUP_PROCESS, GROUP_NS, GROUP_MOUNT };

enum event_kind {
#define KIND(ID, json, text, values, members, required) KIND_##ID,
#include "event/kinds.def"
#undef KIND
	KIND_MAX,
};

/* One member of a payload. */
struct event_field {
	const char *name;
	const char *key; /* "name": with the quotes, as JSON has it */
	uint16_t key_len; /* bytes */
	enum event_kind kind;
	uint16_t offset; /* in the payload, bytes */
	bool is_view; /* a second reading of another field's bytes */
	bool is_str; /* struct nss_str: the bytes stand at the record's end */
	const char *doc;
};

struct event_desc {
	const char *name;
	enum event_class class;
	enum event_group group;
	uint16_t payload; /* size, bytes */
	uint16_t nfields;
	const struct event_field *fields;
	const char *text; /* template of the text view, see events.def */
	const char *doc;
};

extern const struct event_desc event_descs[NSS_EV_MAX];
extern const char *const ns_names[NSS_NS_MAX]; /* as in /proc/PID/ns */
extern const uint64_t ns_flags[NSS_NS_MAX]; /* CLONE_NEW*, 0 for the _for_children ones */

#define EVENT_STR_MAX 8

struct event_str {
	const char *data; /* not terminated */
	uint32_t len; /* bytes */
	uint32_t flags; /* NSS_STR_NULL, _CUT, _UNREADABLE */
};

struct steps;

/* A record, checked. It points into the record: valid until the next one is decoded. */
struct event {
	const struct event_desc *desc;
	const struct nss_rec *rec;
	const struct nss_task *task; /* class TASK, else NULL */
	const struct nss_pid *pids; /* rec->levels of them, at least 1 with a task */
	const void *payload;
	uint64_t seq; /* number in the stream, from 1; 0 for what is not an event */
	uint64_t processes; /* of ns_destroy: that were in it, filled in by the model; NSS_UNKNOWN: not known */
	uint32_t host_mnt_ns; /* nsscope's own mount namespace, as the start record told it */
	const struct steps *steps; /* of the context of this call, filled in by the model: what it was given so far; or NULL */
	bool held; /* a step that is told with what comes of it: set by the model */
	bool alert; /* --alert holds of it: set by the output */
	bool hidden; /* --filter leaves it out: the same */
	struct event_str str[EVENT_STR_MAX]; /* by the order of the string fields; the others are not set */
};

static inline const struct nss_pid *event_host(const struct event *e)
{
	return &e->pids[0];
}

static inline const struct nss_pid *event_inside(const struct event *e)
{
	return &e->pids[e->rec->levels - 1];
}

/* The string of @field, which must have is_str. */
const struct event_str *event_str(const struct event *e, const struct event_field *field);

/* The field called @name of @desc (@len bytes of it), or NULL. */
const struct event_field *event_field(const struct event_desc *desc, const char *name, size_t len);

#endif
