/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/buf.h"

/* An exec that does not come (lost, or killed halfway) leaves its pieces: as many may wait at once. */
#define PENDING_MAX 64

/* The arguments of an exec in pieces, of which the first is in the exec itself. */
struct pending {
	uint32_t tgid; /* 0: free */
	uint32_t nonce; /* which exec of that process */
	uint32_t bytes; /* without a gap, from offset NSS_ARGS_PIECE on */
	struct buf buf;
};

struct decoder {
	uint64_t seq;
	uint32_t next; /* pending that goes first when all are in use */
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

/* Values that index a table, or that a union of kinds relies on. */
static int check_values(const struct event *e)
{
	if (e->desc == &event_descs[NSS_EV_NS_CREATE]) {
		const struct nss_ns_create *create = e->payload;

		if (create->type >= NSS_NS_MAX || create->by > NSS_BY_UNSHARE)
			return -EBADMSG;
	}
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
	*e = (struct event){ .desc = &event_descs[rec->type], .rec = rec };
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
	if (!p) {
		p = &d->pending[d->next++ % PENDING_MAX];
		p->tgid = 0;
	}
	if (p->tgid != args->tgid || p->nonce != args->nonce) { /* the first piece of a new exec */
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

/* Puts the pieces of argv behind its first one, and marks argv cut if there is less than there was. */
static int join_args(struct decoder *d, struct event *e)
{
	const struct nss_exec *exec = e->payload;
	struct event_str *argv = &e->str[1];
	struct pending *p = exec->tgid ? find_pending(d, exec->tgid) : NULL;

	if (p && p->nonce == exec->nonce && argv->len == NSS_ARGS_PIECE &&
	    (uint64_t)NSS_ARGS_PIECE + p->bytes <= exec->argv_bytes) {
		d->joined.len = 0;
		buf_add(&d->joined, argv->data, argv->len);
		buf_add(&d->joined, p->buf.data, p->buf.len);
		if (d->joined.failed)
			return -ENOMEM;
		argv->data = d->joined.data;
		argv->len = (uint32_t)d->joined.len;
	}
	if (p) { /* joined, or those of an exec that was lost */
		p->tgid = 0;
		buf_free(&p->buf);
	}
	if (argv->len < exec->argv_bytes && !(argv->flags & NSS_STR_UNREADABLE))
		argv->flags |= NSS_STR_CUT;
	return 0;
}

int decoder_feed(struct decoder *d, const void *data, size_t len, struct event *ret_event)
{
	struct event e;
	int err = take_apart(data, len, &e);

	if (err)
		return err;
	if (e.desc->class == CLASS_PART)
		return keep_piece(d, &e);
	if (e.desc == &event_descs[NSS_EV_EXEC]) {
		err = join_args(d, &e);
		if (err)
			return err;
	}
	if (e.desc->group != GROUP_NONE)
		e.seq = ++d->seq;
	*ret_event = e;
	return 1;
}
