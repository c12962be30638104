/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sink/sink.h"

#include <string.h>

#include "sink/sinks.h"
#include "util/cleanup.h"

/* The registry. */
static const struct sink_ops *const sinks[] = {
	&sink_text,
	&sink_json,
	&sink_record,
	&sink_table,
	&sink_svg,
	&sink_journal,
};

const struct sink_ops *sink_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(sinks); i++)
		if (!strcmp(sinks[i]->name, name))
			return sinks[i];
	return NULL;
}

const char *sink_name(size_t i)
{
	return i < ARRAY_SIZE(sinks) ? sinks[i]->name : NULL;
}
