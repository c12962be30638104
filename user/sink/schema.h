/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINK_SCHEMA_H
#define SINK_SCHEMA_H

#include "util/buf.h"

#define SCHEMA_VERSION 1

/* Adds the JSON Schema (draft 2020-12) of a line of -o json, made from the list of events, and of the listings. */
void schema_write(struct buf *b);

/* Adds what ns, mounts and stat --json print, each behind a comma. */
void schema_add_listings(struct buf *b);

#endif
