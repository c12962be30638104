/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When the stream is over: all its processes and their phases, as a picture. */
#include <errno.h>
#include <stdlib.h>

#include "model/timeline.h"
#include "sink/sinks.h"
#include "view/timelineview.h"

static int svg_open(struct sink *s)
{
	struct timeline *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	timeline_init(t);
	s->priv = t;
	return 0;
}

static int svg_event(struct sink *s, const struct event *e, const struct model *m)
{
	struct timeline *t = s->priv;

	t->filtered = s->tally && s->tally->filters;
	return timeline_event(t, e, m, !e->hidden);
}

/* Also of a stream that has no end; the picture says so. */
static int svg_finish(struct sink *s, const struct model *m)
{
	struct timeline *t = s->priv;
	int err;

	if (!t->begun)
		return 0;
	err = timeline_finish(t, TIMELINE_ROWS);
	return err ? err : timelineview(&s->buf, t, m);
}

static void svg_close(struct sink *s)
{
	timeline_free(s->priv);
	free(s->priv);
}

const struct sink_ops sink_svg = {
	.name = "svg",
	.doc = "at the end: the processes and their phases as a picture",
	.open = svg_open,
	.event = svg_event,
	.finish = svg_finish,
	.close = svg_close,
	.needs_all = true,
	.whole = true,
};
