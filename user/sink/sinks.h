/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINK_SINKS_H
#define SINK_SINKS_H

#include "sink/sink.h"

extern const struct sink_ops sink_text;
extern const struct sink_ops sink_json;
extern const struct sink_ops sink_record;
extern const struct sink_ops sink_table;
extern const struct sink_ops sink_svg;
extern const struct sink_ops sink_journal;

/* What several of them write. */

/* The line of -o json: one object and a newline. */
void json_line(struct buf *b, const struct sink *s, const struct event *e, const struct model *m);
/* An entry of the journal, by journald's native protocol. */
void journal_entry(struct buf *b, const struct sink *s, const struct event *e, const struct model *m);
/* The last line of -o text, without its newline. */
void text_summary(struct buf *b, const struct sink *s, const struct model *m);

#endif
