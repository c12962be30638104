/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VIEW_SENTENCE_H
#define VIEW_SENTENCE_H

#include "event/event.h"
#include "util/buf.h"

/* Adds who did what, in one line that is harmless for a terminal: "mount (4711, 2 inside): mount t on /mnt type tmpfs". */
void event_sentence(struct buf *b, const struct event *e);

#endif
