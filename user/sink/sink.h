/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where events go. A sink is one file and one line in sink.c's registry. */
#ifndef SINK_SINK_H
#define SINK_SINK_H

#include "event/event.h"
#include "model/model.h"
#include "sink/rotate.h"
#include "util/buf.h"
#include "view/filter.h"

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
	/* When the stream is over, also one without an end record: adds the rest to sink->buf; may be NULL. 0 or -errno. */
	int (*finish)(struct sink *s, const struct model *m);
	void (*close)(struct sink *s); /* may be NULL */
	bool needs_all; /* what it tells is of more than the events that are shown: it gets the hidden ones too */
	bool whole; /* its file is there when all of it is written, or not at all */
	bool lines; /* it writes whole lines, each of which can be read without the others: it can be rotated */
	bool no_file; /* it has a place of its own to write to */
	bool no_text; /* what it writes does not depend on the locale */
};

/* How a sink shows what it shows. */
struct sink_style {
	enum color_when color;
	bool wide; /* lines are neither wrapped nor cut */
	bool tree; /* table: show who made whom */
	bool levels; /* table: the PIDs of one process, a line each */
};

/* What expressions made of the events. */
struct tally {
	bool filters, alerts; /* whether there is such an expression */
	uint64_t left_out; /* events not shown */
	uint64_t alerted;
};

struct sink {
	const struct sink_ops *ops;
	const struct tally *tally; /* NULL: there is no expression */
	int fd;
	bool own_fd;
	char *path; /* NULL: standard output or error */
	struct whole *whole; /* NULL: the file is written where it is */
	struct sink_style style;
	struct buf buf; /* what is not written yet */
	void *priv;
	const char *why; /* open failed, in words; or NULL */
	int err; /* the last error of writing, -errno */
	int rotate_err;
	bool told, rotate_told, missing_told; /* these have been complained about */
	bool waits; /* a regular file: on a full disk there may be room again later */
	bool watched; /* see writer_is_watched */
	bool dead; /* nothing more is written */
	bool closed;
	uint64_t missing; /* events, or lines, that are not written */
	uint64_t joined; /* events that are told with a later one, not by themselves */
	struct rotate *rotate; /* NULL: it is not rotated */
	uint64_t rotate_size; /* of a file, bytes */
	uint64_t rotate_at; /* of this one */
	uint64_t size; /* of the file, without buf */
	uint64_t head; /* what it begins with, and would not be rotated for */
	uint64_t torn; /* at its end, of a line that is not whole */
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

/* Of files that are added from now on. */
void output_set_rotation(struct output *o, const struct rotation *rotation);

/* The file of @spec, which is FORMAT or FORMAT=FILE; NULL: none ("-" is standard output). It is a part of @spec. */
const char *output_file(const char *spec);

/*
 * Adds the sink that @spec names: FORMAT, or FORMAT=FILE ("-" is standard output). Without FILE it writes to
 * @default_fd. 0; -EINVAL if there is no such format; or -errno, of open(2) for example.
 */
int output_add(struct output *o, const char *spec, const struct sink_style *style, int default_fd);

/* Why output_add failed, in words; NULL: the errno says it. */
const char *output_why(const struct output *o);

/* Expressions over events; each may be NULL. What alert or exit_on holds of is shown, whatever show says. */
struct output_filters {
	const struct filter *show, *alert, *exit_on;
};

/* To be called before the first record. @filters' expressions stay the caller's. */
void output_set_filters(struct output *o, const struct output_filters *filters);

/*
 * NULL until exit_on holds of an event; then that event in words, harmless for a terminal. From then on nothing is shown
 * but the end.
 */
const char *output_matched(const struct output *o);

/* For a stream that is left before its end: tells the sinks an end record. As output_feed. */
int output_end(struct output *o);

/* Whether what the outputs tell hangs on events that filters do not show. */
bool output_needs_all(const struct output *o);

/*
 * Takes one record as abi.h describes it, from whichever source. 0; -EBADMSG if it is none; -ENOMEM; or, if there is
 * nothing more to do, -errno of the first sink: none can write, and no exit_on waits for its event.
 */
int output_feed(struct output *o, const void *record, size_t len);

/* Writes out what the sinks hold. 0, or as output_feed if there is nothing more to do. */
int output_flush(struct output *o);

/* What went wrong with the files since it was asked last, a line in words at a time; NULL: no more. */
const char *output_complaint(struct output *o);

/* Whether events may be seen as they come: something else than files gets them. */
bool output_is_watched(const struct output *o);

/* Whether no sink can write. */
bool output_is_dead(const struct output *o);

/* Events that were lost before they came here, so that exit_on could not be held against them; 0 without exit_on. */
uint64_t output_unguarded(const struct output *o);

/* Flushes and closes the files. 0 or -errno of what could not be written, now or before. */
int output_close(struct output *o);

/* The same, and frees @o. */
int output_free(struct output *o);

#endif
