/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/decode.h"
#include "sink/writer.h"
#include "util/cleanup.h"
#include "util/utf8locale.h"
#include "view/sentence.h"

#define SINKS_MAX 16
/*
 * A sink's buffer is written out when it holds this much, bytes, and after each look at the ring buffer. In pieces of 64 KiB,
 * which end with a line and so not where a page does, the kernel takes half as long again to put them into its page cache.
 */
#define FLUSH_AT (256U << 10)
/* The event of --exit-on is told up to here, bytes: in one line. */
#define MATCHED_MAX 400

struct output {
	struct decoder *decoder;
	struct model model;
	struct output_filters filters;
	struct tally tally;
	struct buf matched; /* the event of exit_on, in words; a NUL behind them */
	uint64_t mono_ns; /* of the last record */
	struct rotation rotation;
	const char *why; /* the last output_add failed */
	struct nss_rec *start; /* a copy: each file begins with it */
	struct buf complaint; /* a NUL behind it */
	size_t nsinks;
	struct sink sinks[SINKS_MAX];
};

int output_new(struct output **ret_output)
{
	struct output *o = calloc(1, sizeof(*o));
	int err = o ? decoder_new(&o->decoder) : -ENOMEM;

	if (err) {
		free(o);
		return err;
	}
	*ret_output = o;
	return 0;
}

const char *output_file(const char *spec)
{
	const char *equals = strchr(spec, '=');

	return equals && strcmp(equals + 1, "-") ? equals + 1 : NULL;
}

int output_add(struct output *o, const char *spec, const struct sink_style *style, int default_fd)
{
	const char *equals = strchr(spec, '='), *file = output_file(spec);
	_free_ char *name = equals ? strndup(spec, (size_t)(equals - spec)) : strdup(spec);
	_free_ char *path = file ? strdup(file) : NULL;
	struct sink *s = &o->sinks[o->nsinks];
	int err;

	if (o->nsinks == SINKS_MAX)
		return -E2BIG;
	if (!name || (file && !path))
		return -ENOMEM;
	*s = (struct sink){ .ops = sink_find(name), .tally = &o->tally, .style = *style };
	if (!s->ops)
		return -EINVAL;
	if (path && s->ops->no_file) {
		o->why = "it takes no FILE";
		return -EINVAL;
	}
	err = writer_open(s, path, equals ? STDOUT_FILENO : default_fd, &o->rotation, &o->why);
	if (err)
		return err;
	s->path = TAKE_PTR(path);
	s->buf.ascii = !s->ops->no_text && !locale_is_utf8();
	err = s->ops->open ? s->ops->open(s) : 0;
	if (err) {
		o->why = s->why;
		writer_close(s);
		free(s->path);
		return err;
	}
	s->watched = writer_is_watched(s);
	o->nsinks++;
	return 0;
}

const char *output_why(const struct output *o)
{
	return o->why;
}

void output_set_rotation(struct output *o, const struct rotation *rotation)
{
	o->rotation = *rotation;
}

/* The start record once more, for a file that goes on where another ended. */
static int begin_file(void *arg, struct sink *s)
{
	struct output *o = arg;
	struct event e;

	if (!o->start)
		return 0;
	return decoder_feed(o->decoder, o->start, o->start->len, &e) == 1 ? s->ops->event(s, &e, &o->model) : -EBADMSG;
}

static int keep_start(struct output *o, const struct nss_rec *rec)
{
	struct nss_rec *copy = aligned_alloc(8, (rec->len + 7) & ~(size_t)7);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, rec, rec->len);
	free(o->start);
	o->start = copy;
	return 0;
}

static void tell_sink(struct output *o, struct sink *s, const struct nss_rec *rec, const struct event *e)
{
	size_t before = s->buf.len;
	int err = 0;

	if (e && e->hidden && !s->ops->needs_all)
		e = NULL;
	if (!e && !s->ops->record)
		return;
	/* The end says what is missing. */
	if (rec->type == NSS_EV_END ? s->dead : !writer_has_room(s))
		return;
	if (s->ops->record)
		err = s->ops->record(s, rec);
	if (!err && e && s->ops->event)
		err = s->ops->event(s, e, &o->model);
	if (err) {
		s->err = err;
		s->missing++;
	}
	if (writer_is_over(s, before) && !s->buf.failed)
		writer_rotate(s, before, rec->type == NSS_EV_START ? NULL : begin_file, o);
	if (rec->type == NSS_EV_START)
		s->head = s->size + s->buf.len;
	if (s->buf.len >= FLUSH_AT || s->buf.failed)
		writer_flush(s);
}

static void tell_sinks(struct output *o, const struct nss_rec *rec, const struct event *e)
{
	for (size_t i = 0; i < o->nsinks; i++)
		tell_sink(o, &o->sinks[i], rec, e);
}

/* What a caller is to stop for. */
static int is_over(const struct output *o)
{
	return output_is_dead(o) && !o->filters.exit_on ? o->sinks[0].err : 0;
}

void output_set_filters(struct output *o, const struct output_filters *filters)
{
	o->filters = *filters;
	o->tally.filters = filters->show;
	o->tally.alerts = filters->alert;
}

static int note_match(struct output *o, const struct event *e)
{
	struct buf *b = &o->matched;

	buf_addf(b, "event %llu, ", (unsigned long long)e->seq);
	event_sentence(b, e);
	if (b->len > MATCHED_MAX) {
		for (b->len = MATCHED_MAX; (b->data[b->len] & 0xc0) == 0x80; b->len--)
			;
		buf_adds(b, "...");
	}
	buf_addc(b, 0);
	return b->failed ? -ENOMEM : 0;
}

/* What the expressions make of @e. What ran before is shown if it is to be, but nothing that happened. */
static int judge(struct output *o, struct event *e, bool *ret_show)
{
	const struct output_filters *f = &o->filters;
	bool over = o->matched.len, ends;

	if (e->desc->class == CLASS_META)
		return 0;
	ends = !over && e->seq && f->exit_on && filter_match(f->exit_on, e);
	e->alert = !over && e->seq && f->alert && filter_match(f->alert, e);
	*ret_show = !over && (ends || e->alert || !f->show || filter_match(f->show, e));
	o->tally.alerted += e->alert;
	o->tally.left_out += e->seq && !*ret_show;
	return ends ? note_match(o, e) : 0;
}

int output_feed(struct output *o, const void *record, size_t len)
{
	struct event e;
	bool show = true;
	int n = decoder_feed(o->decoder, record, len, &e);
	int err = n > 0 ? model_update(&o->model, &e) : n;

	if (!err && n)
		err = judge(o, &e, &show);
	if (err)
		return err;
	o->mono_ns = ((const struct nss_rec *)record)->mono_ns;
	if (((const struct nss_rec *)record)->type == NSS_EV_START)
		err = keep_start(o, record);
	e.hidden = !show;
	tell_sinks(o, record, n ? &e : NULL);
	return err ? err : is_over(o);
}

const char *output_matched(const struct output *o)
{
	return o->matched.data;
}

bool output_needs_all(const struct output *o)
{
	for (size_t i = 0; i < o->nsinks; i++)
		if (o->sinks[i].ops->needs_all)
			return true;
	return false;
}

int output_end(struct output *o)
{
	struct {
		struct nss_rec rec;
		struct nss_end end;
	} __attribute__((packed, aligned(8))) r = {
		.rec = { .len = sizeof(r), .type = NSS_EV_END, .mono_ns = o->mono_ns },
		.end = { .events = o->model.events, .lost = o->model.lost },
	};

	return output_feed(o, &r, sizeof(r));
}

int output_flush(struct output *o)
{
	for (size_t i = 0; i < o->nsinks; i++)
		writer_flush(&o->sinks[i]);
	return is_over(o);
}

bool output_is_watched(const struct output *o)
{
	for (size_t i = 0; i < o->nsinks; i++)
		if (o->sinks[i].watched)
			return true;
	return false;
}

bool output_is_dead(const struct output *o)
{
	for (size_t i = 0; i < o->nsinks; i++)
		if (!o->sinks[i].dead)
			return false;
	return o->nsinks;
}

uint64_t output_unguarded(const struct output *o)
{
	return o->filters.exit_on ? model_lost(&o->model) : 0;
}

static bool complain_of(struct buf *b, struct sink *s)
{
	const char *name = s->path ? s->path : s->ops->no_file ? s->ops->name : "the output";

	if (s->rotate_err && !s->rotate_told) {
		s->rotate_told = true;
		buf_addf(b, "cannot rotate %s: %s; it grows beyond --rotate-size", name, strerror(-s->rotate_err));
	} else if (s->err && !s->told) {
		s->told = true;
		buf_addf(b, "cannot write to %s: %s; %s", name, strerror(-s->err),
			 s->ops->whole ? "it is not there" :
			 s->dead ? "events after this are not shown" : "events are lost if that lasts");
	} else if (s->closed && s->missing && !s->dead && !s->missing_told) {
		s->missing_told = true;
		buf_addf(b, "not in %s: %llu records", name, (unsigned long long)s->missing);
	}
	return b->len;
}

const char *output_complaint(struct output *o)
{
	o->complaint.len = 0;
	for (size_t i = 0; i < o->nsinks; i++) {
		if (!complain_of(&o->complaint, &o->sinks[i]))
			continue;
		buf_addc(&o->complaint, 0);
		return o->complaint.failed ? "out of memory" : o->complaint.data;
	}
	return NULL;
}

/* What a sink that tells all at the end has to tell. */
static void finish_sink(struct output *o, struct sink *s)
{
	int err = s->ops->finish ? s->ops->finish(s, &o->model) : 0;

	if (!err)
		return;
	s->err = err;
	s->dead = true;
	s->buf.len = 0;
}

int output_close(struct output *o)
{
	int first = 0;

	for (size_t i = 0; i < o->nsinks; i++) {
		struct sink *s = &o->sinks[i];

		if (!s->closed)
			finish_sink(o, s);
		if (!s->closed)
			writer_close(s);
		if (!s->closed && s->ops->close)
			s->ops->close(s);
		s->closed = true;
		if (!first && (s->dead || s->missing))
			first = s->err;
	}
	return first;
}

int output_free(struct output *o)
{
	int err = output_close(o);

	for (size_t i = 0; i < o->nsinks; i++) {
		buf_free(&o->sinks[i].buf);
		free(o->sinks[i].path);
	}
	free(o->start);
	buf_free(&o->complaint);
	buf_free(&o->matched);
	model_free(&o->model);
	decoder_free(o->decoder);
	free(o);
	return err;
}
