/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The raw stream as a file, for nsscope replay. */
#include "sink/sinks.h"
#include "source/recording.h"

static int record_open(struct sink *s)
{
	recording_add_header(&s->buf);
	return 0;
}

static int record_record(struct sink *s, const struct nss_rec *rec)
{
	recording_add(&s->buf, rec);
	return 0;
}

const struct sink_ops sink_record = {
	.name = "record",
	.no_text = true,
	.doc = "a recording, for nsscope replay",
	.open = record_open,
	.record = record_record,
	.needs_all = true,
};
