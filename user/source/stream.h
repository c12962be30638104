/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The records that a source tells of the stream itself. */
#ifndef SOURCE_STREAM_H
#define SOURCE_STREAM_H

#include "source/recording.h"

/* Gives @fn a record of class META: @payload, and behind it @strings (may be NULL). 0 or -errno. */
int stream_tell(record_fn fn, void *arg, uint16_t type, const void *payload, const struct buf *strings);

/* The start record. @backend: "group=hook group=hook". 0 or -errno. */
int stream_start(record_fn fn, void *arg, const char *version, const char *backend);

#endif
