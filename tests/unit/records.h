/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records made by hand, as abi.h describes them. */
#ifndef TESTS_RECORDS_H
#define TESTS_RECORDS_H

#include <stdlib.h>
#include <string.h>

#include "abi/abi.h"
#include "event/event.h"

struct record {
	uint64_t bytes[40960 / 8]; /* aligned as the decoder wants it */
	size_t len;
};

static inline struct nss_rec *record_head(struct record *r)
{
	return (struct nss_rec *)r->bytes;
}

static inline struct nss_task *record_task(struct record *r)
{
	return (struct nss_task *)(record_head(r) + 1);
}

static inline void *record_payload(struct record *r)
{
	size_t head = sizeof(struct nss_rec);

	if (event_descs[record_head(r)->type].class == CLASS_TASK)
		head += sizeof(struct nss_task);
	return (char *)r->bytes + head;
}

static inline void record_add(struct record *r, const void *data, size_t len)
{
	if (len > sizeof(r->bytes) - r->len)
		abort();
	memcpy((char *)r->bytes + r->len, data, len);
	r->len += len;
	record_head(r)->len = (uint32_t)r->len;
}

/*
 * A record of @type with a payload of zeroes; one of class TASK has @levels PIDs: the host's @pid, then 1 in each
 * namespace below.
 */
static inline void record_make(struct record *r, enum nss_type type, uint16_t levels, uint32_t pid)
{
	const struct event_desc *d = &event_descs[type];

	memset(r, 0, sizeof(*r));
	r->len = sizeof(struct nss_rec) + (d->class == CLASS_TASK ? sizeof(struct nss_task) : 0) + d->payload;
	*record_head(r) = (struct nss_rec){ .len = (uint32_t)r->len, .type = type, .levels = levels, .mono_ns = 5000000 };
	if (d->class == CLASS_TASK)
		memcpy(record_task(r)->comm, "sh", 2);
	for (uint32_t i = 0; i < levels; i++) {
		const struct nss_pid p = { .ns = 4026531836 + i, .pid = i ? 1 : pid, .tid = i ? 1 : pid };

		record_add(r, &p, sizeof(p));
	}
}

/* Adds the bytes of the string field @at of the payload; to be called in the order of the fields. */
static inline void record_str(struct record *r, struct nss_str *at, const void *data, size_t len, uint32_t flags)
{
	at->v = (uint32_t)len | flags;
	record_add(r, data, len);
}

static inline void record_mount(struct record *r, uint64_t flags, const char *source, const char *target,
				const char *fstype)
{
	struct nss_mount *m;

	record_make(r, NSS_EV_MOUNT, 2, 100);
	m = record_payload(r);
	m->flags = flags;
	m->latency_ns = 1000;
	record_str(r, &m->source, source ? source : "", source ? strlen(source) : 0, source ? 0 : NSS_STR_NULL);
	record_str(r, &m->target, target, strlen(target), 0);
	record_str(r, &m->fstype, fstype ? fstype : "", fstype ? strlen(fstype) : 0, fstype ? 0 : NSS_STR_NULL);
	record_str(r, &m->data, "", 0, NSS_STR_NULL);
}

/* An exec by @tgid with @len of @total bytes of arguments. */
static inline void record_exec(struct record *r, uint32_t tgid, const void *argv, size_t len, size_t total)
{
	struct nss_exec *x;

	record_make(r, NSS_EV_EXEC, 2, tgid);
	x = record_payload(r);
	x->tgid = tgid;
	x->argv_bytes = (uint32_t)total;
	record_str(r, &x->filename, "/bin/sh", 7, 0);
	record_str(r, &x->argv, argv, len, 0);
}

/* A piece of the arguments of @tgid's next exec. */
static inline void record_args(struct record *r, uint32_t tgid, size_t offset, const void *data, size_t len)
{
	struct nss_args *a;

	record_make(r, NSS_EV_ARGS, 0, 0);
	a = record_payload(r);
	a->tgid = tgid;
	a->offset = (uint32_t)offset;
	record_str(r, &a->data, data, len, 0);
}

static inline void record_start(struct record *r)
{
	struct nss_start *s;

	record_make(r, NSS_EV_START, 0, 0);
	s = record_payload(r);
	s->wall_offset_ns = 1700000000000000000;
	record_str(r, &s->version, "1", 1, 0);
	record_str(r, &s->boot_id, "b", 1, 0);
	record_str(r, &s->kernel, "6", 1, 0);
	record_str(r, &s->backend, "exec=x exit=y", 13, 0);
}

#endif
