/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "event/decode.h"
#include "util/cleanup.h"

#define SINKS_MAX 16
/* A sink's buffer is written out when it holds this much, bytes. */
#define FLUSH_AT 65536

struct output {
	struct decoder *decoder;
	struct model model;
	struct sink *failed;
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

int output_add(struct output *o, const char *spec, const struct sink_style *style, int default_fd)
{
	const char *equals = strchr(spec, '=');
	_free_ char *name = equals ? strndup(spec, (size_t)(equals - spec)) : strdup(spec);
	_free_ char *path = equals && strcmp(equals + 1, "-") ? strdup(equals + 1) : NULL;
	struct sink *s = &o->sinks[o->nsinks];
	int err;

	if (o->nsinks == SINKS_MAX)
		return -E2BIG;
	*s = (struct sink){ .ops = name ? sink_find(name) : NULL, .style = *style };
	if (!s->ops)
		return -EINVAL;
	if (path) {
		s->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (s->fd < 0)
			return -errno;
		s->own_fd = true;
	} else {
		s->fd = equals ? STDOUT_FILENO : default_fd;
	}
	s->path = TAKE_PTR(path);
	s->buf.ascii = strcmp(nl_langinfo(CODESET), "UTF-8");
	err = s->ops->open ? s->ops->open(s) : 0;
	if (err) {
		if (s->own_fd)
			close(s->fd);
		free(s->path);
		return err;
	}
	o->nsinks++;
	return 0;
}

static int flush_sink(struct output *o, struct sink *s)
{
	int err = buf_flush(&s->buf, s->fd);

	if (err)
		o->failed = s;
	return err;
}

static int tell_sinks(struct output *o, const struct nss_rec *rec, const struct event *e)
{
	int first = 0;

	for (size_t i = 0; i < o->nsinks; i++) {
		struct sink *s = &o->sinks[i];
		int err = 0;

		if (s->ops->record)
			err = s->ops->record(s, rec);
		if (!err && e && s->ops->event)
			err = s->ops->event(s, e, &o->model);
		if (err)
			o->failed = s;
		else if (s->buf.len >= FLUSH_AT || s->buf.failed)
			err = flush_sink(o, s);
		first = first ? first : err;
	}
	return first;
}

int output_feed(struct output *o, const void *record, size_t len)
{
	struct event e;
	int n = decoder_feed(o->decoder, record, len, &e);
	int err = n > 0 ? model_update(&o->model, &e) : n;

	return err ? err : tell_sinks(o, record, n ? &e : NULL);
}

int output_flush(struct output *o)
{
	int first = 0;

	for (size_t i = 0; i < o->nsinks; i++) {
		int err = o->sinks[i].buf.len ? flush_sink(o, &o->sinks[i]) : 0;

		first = first ? first : err;
	}
	return first;
}

const char *output_failed_path(const struct output *o)
{
	return o->failed ? o->failed->path : NULL;
}

int output_free(struct output *o)
{
	int first = output_flush(o);

	for (size_t i = 0; i < o->nsinks; i++) {
		struct sink *s = &o->sinks[i];

		if (s->ops->close)
			s->ops->close(s);
		if (s->own_fd && close(s->fd) && !first)
			first = -errno;
		buf_free(&s->buf);
		free(s->path);
	}
	model_free(&o->model);
	decoder_free(o->decoder);
	free(o);
	return first;
}
