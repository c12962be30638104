/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINK_SCHEMA_H
#define SINK_SCHEMA_H

#include "util/buf.h"

#define SCHEMA_VERSION 1

/* Adds the JSON Schema (draft 2020-12) of a line of -o json, made from the list of events. */
void schema_write(struct buf *b);

#endif
