/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

/* An exec that does not come (lost, or killed halfway) leaves its pieces: as many may wait at once. */
#define PENDING_MAX 64

/* What is too long for one record, in pieces, of which the first is in the event itself. */
struct pending {
	uint32_t tgid; /* of an exec, or the tid of another call; 0: free */
	uint32_t nonce; /* which event of it */
	uint32_t bytes; /* without a gap, from offset NSS_ARGS_PIECE on */
	struct buf buf;
};

struct decoder {
	uint64_t seq;
	uint32_t host_mnt_ns;
	uint32_t next; /* pending that goes first when all are in use */
	uint32_t npending; /* in use: mostly none */
	struct pending pending[PENDING_MAX];
	struct buf joined;
};

int decoder_new(struct decoder **ret_decoder)
{
	struct decoder *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	*ret_decoder = d;
	return 0;
}

void decoder_free(struct decoder *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < PENDING_MAX; i++)
		buf_free(&d->pending[i].buf);
	buf_free(&d->joined);
	free(d);
}

/* Finds the bytes of each string field behind the head: they must fill the rest of the record exactly. */
static int find_strings(struct event *e, const char *at, const char *end)
{
	struct event_str *str = e->str;

	for (uint16_t i = 0; i < e->desc->nfields; i++) {
		const struct event_field *f = &e->desc->fields[i];
		struct nss_str wire;

		if (!f->is_str)
			continue;
		memcpy(&wire, (const char *)e->payload + f->offset, sizeof(wire));
		*str = (struct event_str){ at, wire.v & NSS_STR_LEN, wire.v & ~NSS_STR_LEN };
		if (str->len > (size_t)(end - at))
			return -EBADMSG;
		if ((str->flags & (NSS_STR_NULL | NSS_STR_UNREADABLE)) && str->len)
			return -EBADMSG;
		at += str->len;
		str++;
	}
	return at == end ? 0 : -EBADMSG;
}

static uint32_t place_of(const struct event *e)
{
	const struct event_field *place = e->desc->group == GROUP_MOUNT ? event_field(e->desc, "place", 5) : NULL;
	uint32_t v = 0;

	if (place)
		memcpy(&v, (const char *)e->payload + place->offset, sizeof(v));
	return v;
}

/* Values that index a table, or that a union of kinds relies on. */
static int check_values(const struct event *e)
{
	if (e->desc == &event_descs[NSS_EV_NS_CREATE]) {
		const struct nss_ns_create *create = e->payload;

		if (create->type >= NSS_NS_MAX || create->by >= NSS_BY_MAX)
			return -EBADMSG;
	}
	if (e->desc == &event_descs[NSS_EV_NS_DESTROY] && ((const struct nss_ns_destroy *)e->payload)->type >= NSS_NS_MAX)
		return -EBADMSG;
	if (place_of(e) >= NSS_PLACE_MAX)
		return -EBADMSG;
	if (e->task && !memchr(e->task->comm, 0, sizeof(e->task->comm)))
		return -EBADMSG;
	return 0;
}

static int take_apart(const void *data, size_t len, struct event *e)
{
	const struct nss_rec *rec = data;
	const char *at = data, *end = at + len;
	size_t need = sizeof(*rec);

	if (len < need || rec->len != len || rec->type >= NSS_EV_MAX)
		return -EBADMSG;
	memset(e, 0, offsetof(struct event, str)); /* which the strings that it has are put to */
	e->desc = &event_descs[rec->type];
	e->rec = rec;
	e->processes = NSS_UNKNOWN;
	at += sizeof(*rec);
	if (e->desc->class == CLASS_TASK) {
		need += sizeof(struct nss_task);
		e->task = (const void *)at;
		at += sizeof(struct nss_task);
	}
	need += e->desc->payload;
	e->payload = at;
	at += e->desc->payload;
	if (e->task ? !rec->levels || rec->levels > NSS_LEVELS_MAX : rec->levels)
		return -EBADMSG;
	need += rec->levels * sizeof(struct nss_pid);
	if (len < need)
		return -EBADMSG;
	e->pids = (const void *)at;
	at += rec->levels * sizeof(struct nss_pid);
	if (find_strings(e, at, end))
		return -EBADMSG;
	return check_values(e);
}

static struct pending *find_pending(struct decoder *d, uint32_t tgid)
{
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (d->pending[i].tgid == tgid)
			return &d->pending[i];
	return NULL;
}

static int keep_piece(struct decoder *d, const struct event *e)
{
	const struct nss_args *args = e->payload;
	const struct event_str *str = &e->str[0];
	struct pending *p;

	if (!args->tgid || args->offset % NSS_ARGS_PIECE || !args->offset || args->offset > NSS_ARGS_MAX ||
	    str->len > NSS_ARGS_PIECE)
		return -EBADMSG;
	p = find_pending(d, args->tgid);
	if (!p)
		p = find_pending(d, 0);
	if (!p)
		p = &d->pending[d->next++ % PENDING_MAX];
	if (p->tgid != args->tgid || p->nonce != args->nonce) { /* the first piece of a new exec */
		d->npending += !p->tgid;
		p->tgid = args->tgid;
		p->nonce = args->nonce;
		p->bytes = 0;
		p->buf.len = 0;
	}
	if (args->offset != p->bytes + NSS_ARGS_PIECE)
		return 0; /* after a gap: what came before it is all that can be shown */
	buf_add(&p->buf, str->data, str->len);
	if (p->buf.failed)
		return -ENOMEM;
	p->bytes += str->len;
	return 0;
}

/* Puts the pieces of @str, @bytes long in all, behind its first one, and marks it cut if there is less than there was. */
static int join_pieces(struct decoder *d, uint32_t tgid, uint32_t nonce, uint32_t bytes, struct event_str *str)
{
	struct pending *p = tgid && d->npending ? find_pending(d, tgid) : NULL;

	if (p && p->nonce == nonce && str->len == NSS_ARGS_PIECE && (uint64_t)NSS_ARGS_PIECE + p->bytes <= bytes) {
		d->joined.len = 0;
		buf_add(&d->joined, str->data, str->len);
		buf_add(&d->joined, p->buf.data, p->buf.len);
		if (d->joined.failed)
			return -ENOMEM;
		str->data = d->joined.data;
		str->len = (uint32_t)d->joined.len;
	}
	if (p) { /* joined, or those of an event that was lost */
		d->npending--;
		p->tgid = 0;
		buf_free(&p->buf);
	}
	if (str->len < bytes && !(str->flags & NSS_STR_UNREADABLE))
		str->flags |= NSS_STR_CUT;
	return 0;
}

static int join_args(struct decoder *d, struct event *e)
{
	const struct nss_exec *exec = e->payload;

	return join_pieces(d, exec->tgid, exec->nonce, exec->argv_bytes, &e->str[1]);
}

static int by_inum(const void *a, const void *b)
{
	uint32_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* Puts the inums in order, each once. */
static int sort_receivers(struct decoder *d, struct event_str *str)
{
	uint32_t count = str->len / sizeof(uint32_t), *ns, kept = 0;

	if (str->data != d->joined.data) {
		d->joined.len = 0;
		buf_add(&d->joined, str->data, str->len);
		if (d->joined.failed)
			return -ENOMEM;
	}
	ns = (uint32_t *)(void *)d->joined.data; /* from the heap, so it is aligned */
	qsort(ns, count, sizeof(*ns), by_inum);
	for (uint32_t i = 0; i < count; i++)
		if (!kept || ns[kept - 1] != ns[i])
			ns[kept++] = ns[i];
	str->data = d->joined.data;
	str->len = kept * (uint32_t)sizeof(*ns);
	return 0;
}

static int join_receivers(struct decoder *d, struct event *e, const struct event_field *reach)
{
	const struct event_field *receivers = event_field(e->desc, "receivers", 9);
	struct event_str *str = (struct event_str *)event_str(e, receivers);
	struct nss_reach wire;
	int err;

	memcpy(&wire, (const char *)e->payload + reach->offset, sizeof(wire));
	err = join_pieces(d, wire.tid, wire.nonce, wire.bytes, str);
	if (err || !str->len)
		return err;
	return str->len % sizeof(uint32_t) ? -EBADMSG : sort_receivers(d, str);
}

static int join(struct decoder *d, struct event *e)
{
	const struct event_field *reach;

	if (e->desc == &event_descs[NSS_EV_EXEC])
		return join_args(d, e);
	reach = e->desc->group == GROUP_MOUNT ? event_field(e->desc, "reach", 5) : NULL;
	return reach ? join_receivers(d, e, reach) : 0;
}

int decoder_feed(struct decoder *d, const void *data, size_t len, struct event *ret_event)
{
	struct event e;
	int err = take_apart(data, len, &e);

	if (err)
		return err;
	if (e.desc->class == CLASS_PART)
		return keep_piece(d, &e);
	err = join(d, &e);
	if (err)
		return err;
	if (e.desc == &event_descs[NSS_EV_START])
		d->host_mnt_ns = ((const struct nss_start *)e.payload)->host.mnt_ns;
	e.host_mnt_ns = d->host_mnt_ns;
	if (e.desc->group != GROUP_NONE)
		e.seq = ++d->seq;
	*ret_event = e;
	return 1;
}
