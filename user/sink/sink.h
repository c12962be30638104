/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where events go. A sink is one file and one line in sink.c's registry. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "event/event.h"
#include "model/model.h"
#include "util/buf.h"

enum color_when { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct sink;

struct sink_ops {
	const char *name; /* after -o */
	const char *doc;
	/* Prepares sink->priv; may be NULL. 0 or -errno. */
	int (*open)(struct sink *s);
	/* Adds @e to sink->buf; @m has taken it in already. 0 or -errno. */
	int (*event)(struct sink *s, const struct event *e, const struct model *m);
	/* Gets every record as it came, before it is decoded; may be NULL. */
	int (*record)(struct sink *s, const struct nss_rec *rec);
	void (*close)(struct sink *s); /* may be NULL */
};

/* How a sink shows what it shows. */
struct sink_style {
	enum color_when color;
	bool wide; /* lines are neither wrapped nor cut */
	bool tree; /* table: show who made whom */
	bool levels; /* table: the PIDs of one process, a line each */
};

struct sink {
	const struct sink_ops *ops;
	int fd;
	bool own_fd;
	char *path; /* NULL: standard output or error */
	struct sink_style style;
	struct buf buf; /* what is not written yet */
	void *priv;
};

/* The sink called @name, or NULL. */
const struct sink_ops *sink_find(const char *name);
/* The name of the sink at place @i of the registry, NULL behind the last: the fuzzer feeds them all. */
const char *sink_name(size_t i);

/*
 * All sinks of a run, behind one decoder and one model: the end of the way of the data.
 */
struct output;

/* 0 or -ENOMEM. */
int output_new(struct output **ret_output);

/*
 * Adds the sink that @spec names: FORMAT, or FORMAT=FILE ("-" is standard output). Without FILE it writes to
 * @default_fd. 0; -EINVAL if there is no such format; or -errno of open(2).
 */
int output_add(struct output *o, const char *spec, const struct sink_style *style, int default_fd);

/*
 * Takes one record as abi.h describes it, from whichever source. 0; -EBADMSG if it is none; -errno if a sink could
 * not write (output_error says which).
 */
int output_feed(struct output *o, const void *record, size_t len);

/* Writes out what the sinks hold. 0 or -errno. */
int output_flush(struct output *o);

/* The file that the last error was about, or NULL. */
const char *output_failed_path(const struct output *o);

/* Flushes, closes the files and frees @o. 0 or -errno of what could not be written. */
int output_free(struct output *o);

#endif
