/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/filter_field.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event/kinds.h"
#include "util/cleanup.h"

/* The head: what all events have. */

struct filter_head {
	const char *name;
	const struct value_part *part;
	size_t offset; /* in struct nss_task, of what is there */
	const char *doc;
	enum filter_known known;
	uint32_t ns; /* FILTER_NS: enum nss_ns */
	bool of_lone; /* events of no process have it too */
};

static bool is_event(uint32_t type)
{
	return event_descs[type].class == CLASS_TASK || event_descs[type].class == CLASS_LONE;
}

static bool of_type(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, f->event->desc->name);
}

static const char *word_type(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	for (size_t type = 0; type < NSS_EV_MAX; type++)
		if (is_event((uint32_t)type) && !i--)
			return event_descs[type].name;
	return NULL;
}

static bool of_seq(const struct field_ref *f, size_t *at, struct value *ret)
{
	return f->event->seq && value_one(ret, at, VALUE_NUMBER, f->event->seq);
}

static bool of_mono_ns(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, f->event->rec->mono_ns);
}

static bool of_host_pid(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, event_host(f->event)->pid);
}

static bool of_host_tid(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, event_host(f->event)->tid);
}

static bool of_inside_pid(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, event_inside(f->event)->pid);
}

static bool of_inside_tid(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, event_inside(f->event)->tid);
}

#define LEVELS(member)                                                                                           \
	static bool of_pids_##member(const struct field_ref *f, size_t *at, struct value *ret)                   \
	{                                                                                                        \
		size_t first = 0;                                                                                \
		return *at < f->event->rec->levels &&                                                            \
		       value_one(ret, &first, VALUE_NUMBER, f->event->pids[(*at)++].member);                     \
	}
LEVELS(ns)
LEVELS(pid)
LEVELS(tid)
#undef LEVELS

static bool of_comm(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, f->event->task->comm);
}

static const struct value_part part_type = { "", VALUE_BYTES, false, word_type, of_type, NULL },
			       part_comm = { "", VALUE_BYTES, false, NULL, of_comm, NULL };
#define NUMBER_PART(name, is_array) part_##name = { "", VALUE_NUMBER, is_array, NULL, of_##name, NULL }
static const struct value_part NUMBER_PART(seq, false), NUMBER_PART(mono_ns, false), NUMBER_PART(host_pid, false),
	NUMBER_PART(host_tid, false), NUMBER_PART(inside_pid, false), NUMBER_PART(inside_tid, false),
	NUMBER_PART(pids_ns, true), NUMBER_PART(pids_pid, true), NUMBER_PART(pids_tid, true);

#define IN_TASK(member) offsetof(struct nss_task, member)

static const struct filter_head heads[] = {
	{ "type", &part_type, 0, "which event", FILTER_TYPE, 0, true },
	{ "seq", &part_seq, 0, "its number in the stream", FILTER_OTHER, 0, true },
	{ "mono_ns", &part_mono_ns, 0, "CLOCK_MONOTONIC, ns", FILTER_OTHER, 0, true },
	{ "comm", &part_comm, 0, "name of the process", FILTER_COMM, 0, false },
	{ "host.pid", &part_host_pid, 0, "PID, as the host numbers it", FILTER_OTHER, 0, false },
	{ "host.tid", &part_host_tid, 0, "thread, as the host numbers it", FILTER_OTHER, 0, false },
	{ "host.ppid", &value_u32.part[0], IN_TASK(ppid), "parent; 0: cannot be seen", FILTER_OTHER, 0, false },
	{ "host.uid", &value_u32.part[0], IN_TASK(uid), "effective user, on the host", FILTER_HOST_UID, 0, false },
	{ "host.gid", &value_u32.part[0], IN_TASK(gid), "effective group, on the host", FILTER_OTHER, 0, false },
	{ "inside.pid", &part_inside_pid, 0, "PID, in its own namespace", FILTER_OTHER, 0, false },
	{ "inside.tid", &part_inside_tid, 0, "thread, in its own namespace", FILTER_OTHER, 0, false },
	{ "inside.ppid", &value_u32.part[0], IN_TASK(inside_ppid), "parent; 0: cannot be seen", FILTER_OTHER, 0, false },
	{ "inside.uid", &value_u32.part[0], IN_TASK(inside_uid), "effective user, in its own namespace", FILTER_OTHER, 0, false },
	{ "inside.gid", &value_u32.part[0], IN_TASK(inside_gid), "effective group, in its own namespace", FILTER_OTHER, 0, false },
	{ "pids.ns", &part_pids_ns, 0, "PID namespaces of all levels", FILTER_OTHER, 0, false },
	{ "pids.pid", &part_pids_pid, 0, "PIDs at all levels", FILTER_OTHER, 0, false },
	{ "pids.tid", &part_pids_tid, 0, "thread at all levels", FILTER_OTHER, 0, false },
	{ "start_ns", &value_u64.part[0], IN_TASK(start_ns), "start of the process, CLOCK_BOOTTIME, ns", FILTER_OTHER, 0, false },
	{ "cgroup_id", &value_u64.part[0], IN_TASK(cgroup_id), "its cgroup (v2)", FILTER_OTHER, 0, false },
#define NAMESPACE(ID, name, flag, doc) \
	{ "ns." #name, &value_known.part[0], IN_TASK(ns[NSS_NS_##ID]), doc, FILTER_NS, NSS_NS_##ID, false },
#include "abi/namespaces.def"
#undef NAMESPACE
};

/* Names */

/* Whether the @len bytes at @name are what @part of @field is called, with @rest: an object that has it. */
static bool is_called(const struct value_part *part, const struct event_field *field, const char *name, size_t len,
		      bool *ret_object)
{
	char whole[64];
	int n = *part->name == '@' ? snprintf(whole, sizeof(whole), "%s%s", field->name, part->name + 1) :
				     snprintf(whole, sizeof(whole), "%s", part->name);

	if ((size_t)n < len || memcmp(whole, name, len))
		return false;
	*ret_object = *ret_object || whole[len] == '.';
	return !whole[len];
}

static bool is_name(const char *known, const char *name, size_t len)
{
	return strlen(known) == len && !memcmp(known, name, len);
}

/* The value called @name of events of @type, or NULL. */
static const struct value_part *part_of(uint32_t type, const char *name, size_t len, const struct event_field **ret_field,
					bool *ret_object)
{
	const struct event_desc *d = &event_descs[type];

	for (uint16_t i = 0; is_event(type) && i < d->nfields; i++) {
		const struct value_part *part = kinds[d->fields[i].kind].values->part;

		for (size_t p = 0; p < VALUE_PARTS_MAX && part[p].name; p++) {
			if (!is_called(&part[p], &d->fields[i], name, len, ret_object))
				continue;
			*ret_field = &d->fields[i];
			return &part[p];
		}
	}
	return NULL;
}

static bool has_mounts(const struct filter_field *f)
{
	for (uint32_t type = 0; type < NSS_EV_MAX; type++)
		if (f->part[type] && event_descs[type].group == GROUP_MOUNT)
			return true;
	return false;
}

/*
 * Adds what events of @type call @name. Where it is not the same sort of thing as in another event, it is that of the
 * mount calls (the target of a setns is a process). 0, or -EINVAL if that does not settle it.
 */
static int add_type(struct filter_field *f, uint32_t type, const char *name, size_t len, bool *ret_object)
{
	const struct event_field *field;
	const struct value_part *part = part_of(type, name, len, &field, ret_object);
	bool is_mount = event_descs[type].group == GROUP_MOUNT;

	if (!part)
		return 0;
	if (f->types && (part->type != f->type || part->is_array != f->is_array)) {
		if (has_mounts(f) == is_mount)
			return -EINVAL;
		if (!is_mount)
			return 0;
		*f = (struct filter_field){};
	}
	f->part[type] = part;
	f->field[type] = field;
	f->type = part->type;
	f->is_array = part->is_array;
	f->is_open = value_is_open(part);
	f->types |= 1ULL << type;
	return 0;
}

static uint64_t types_with(const struct filter_head *h)
{
	uint64_t types = 0;

	for (uint32_t type = 0; type < NSS_EV_MAX; type++)
		if (event_descs[type].class == CLASS_TASK || (h->of_lone && is_event(type)))
			types |= 1ULL << type;
	return types;
}

static bool find_head(const char *name, size_t len, struct filter_field *f, bool *ret_object)
{
	for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
		const struct filter_head *h = &heads[i];

		if (is_name(h->name, name, len)) {
			*f = (struct filter_field){
				.head = h, .types = types_with(h), .type = h->part->type, .is_array = h->part->is_array
			};
			return true;
		}
		*ret_object = *ret_object || (strlen(h->name) > len && !memcmp(h->name, name, len) && h->name[len] == '.');
	}
	return false;
}

/* What begins with the name of an event is of its payload. */
static int find_in_event(const char *name, size_t len, struct filter_field *f, bool *ret_object)
{
	const char *dot = memchr(name, '.', len);
	size_t first = dot ? (size_t)(dot - name) : len;

	for (uint32_t type = 0; type < NSS_EV_MAX; type++) {
		if (!is_event(type) || !is_name(event_descs[type].name, name, first))
			continue;
		if (dot)
			return add_type(f, type, dot + 1, len - first - 1, ret_object);
		f->is_event = true;
		f->types = 1ULL << type;
	}
	return 0;
}

int filter_field_find(const char *name, size_t len, struct filter_field *ret_field)
{
	struct filter_field f = {};
	bool is_object = false;
	int err;

	if (!len)
		return -ENOENT;
	if (find_head(name, len, &f, &is_object)) {
		*ret_field = f;
		return 0;
	}
	if (is_object)
		return -EISDIR;
	err = find_in_event(name, len, &f, &is_object);
	for (uint32_t type = 0; !err && !f.is_event && type < NSS_EV_MAX; type++)
		if (!f.part[type])
			err = add_type(&f, type, name, len, &is_object);
	if (err)
		return err;
	if (!f.types)
		return is_object ? -EISDIR : -ENOENT;
	*ret_field = f;
	return 0;
}

bool filter_field_next(const struct filter_field *f, const struct event *e, size_t *at, struct value *ret_value)
{
	uint16_t type = e->rec->type;
	struct field_ref ref = { .event = e };

	if (!(f->types & (1ULL << type)))
		return false;
	if (f->head) {
		/* Every event has a type, not every event a task. */
		ref.at = e->task ? (const char *)e->task + f->head->offset : NULL;
		return f->head->part->get(&ref, at, ret_value);
	}
	if (f->is_event)
		return value_one(ret_value, at, VALUE_BOOL, 1);
	ref.field = f->field[type];
	ref.at = (const char *)e->payload + ref.field->offset;
	return f->part[type]->get(&ref, at, ret_value);
}

/* The part of @f in events from *@type on that is not that of the event before; NULL: no more. */
static const struct value_part *next_part(const struct filter_field *f, uint32_t *type)
{
	for (; *type < NSS_EV_MAX; ++*type)
		if (f->part[*type] && (!*type || f->part[*type] != f->part[*type - 1]))
			return f->part[*type];
	return NULL;
}

const char *filter_field_word(const struct filter_field *f, struct filter_word_at *at, char buf[NAME_MAX_LEN])
{
	const struct value_part *part;

	if (f->head)
		return f->head->part->word ? f->head->part->word(at->at++, buf) : NULL;
	while ((part = next_part(f, &at->type))) {
		const char *word = part->word ? part->word(at->at, buf) : NULL;

		at->at++;
		if (word)
			return word;
		at->at = 0;
		at->type++;
	}
	return NULL;
}

enum filter_known filter_field_known(const struct filter_field *f, uint32_t *ret_ns)
{
	if (!f->head)
		return FILTER_OTHER;
	*ret_ns = f->head->ns;
	return f->head->known;
}

/* The @i-th name in the payload of events of @type; *@i is less by those that there are. */
static bool nth_of_type(uint32_t type, size_t *i, struct filter_name *ret)
{
	const struct event_desc *d = &event_descs[type];

	for (uint16_t n = 0; is_event(type) && n < d->nfields; n++) {
		const struct event_field *field = &d->fields[n];
		const struct value_part *part = kinds[field->kind].values->part;

		for (size_t p = 0; p < VALUE_PARTS_MAX && part[p].name; p++) {
			bool in_field = *part[p].name == '@';

			if ((*i)--)
				continue;
			*ret = (struct filter_name){ .event = d, .type = part[p].type, .is_array = part[p].is_array,
						     .doc = field->doc, .more = part[p].doc };
			snprintf(ret->name, sizeof(ret->name), "%s.%s%s", d->name, in_field ? field->name : "",
				 part[p].name + in_field);
			return true;
		}
	}
	return false;
}

bool filter_field_nth(size_t i, struct filter_name *ret_name)
{
	if (i < ARRAY_SIZE(heads)) {
		*ret_name = (struct filter_name){
			.type = heads[i].part->type, .is_array = heads[i].part->is_array, .doc = heads[i].doc
		};
		snprintf(ret_name->name, sizeof(ret_name->name), "%s", heads[i].name);
		return true;
	}
	i -= ARRAY_SIZE(heads);
	for (uint32_t type = 0; type < NSS_EV_MAX; type++)
		if (nth_of_type(type, &i, ret_name))
			return true;
	return false;
}
