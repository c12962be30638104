/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINK_SINKS_H
#define SINK_SINKS_H

#include "sink/sink.h"

extern const struct sink_ops sink_text;
extern const struct sink_ops sink_json;
extern const struct sink_ops sink_record;
extern const struct sink_ops sink_table;

#endif
