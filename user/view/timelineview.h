/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A timeline as a picture: an SVG that needs nothing but itself. */
#ifndef VIEW_TIMELINEVIEW_H
#define VIEW_TIMELINEVIEW_H

#include "model/timeline.h"
#include "util/buf.h"

/* Rows that a picture has, about: more processes are put together. */
#define TIMELINE_ROWS 120

/* Adds the picture of @t, which timeline_finish has finished; @m is what the stream told. 0 or -ENOMEM. */
int timelineview(struct buf *b, const struct timeline *t, const struct model *m);

#endif
