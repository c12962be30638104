/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope ns: the namespaces of the machine. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/listing.h"
#include "event/event.h"
#include "observe/host.h"
#include "sink/schema.h"
#include "source/stream.h"
#include "util/clock.h"
#include "view/nsview.h"

struct namespaces {
	struct nstable table;
	struct inspect_gaps gaps;
	struct nsview view;
};

/* The name of the last one asked for is kept: most are the same. */
static const char *user_name(uint32_t uid)
{
	static struct passwd *last;

	if (!last || last->pw_uid != uid)
		last = getpwuid(uid);
	return last ? last->pw_name : NULL;
}

static int add_text(struct buf *b, const void *arg, size_t width)
{
	const struct namespaces *n = arg;
	struct nsview view = n->view;

	view.width = width;
	return nsview_text(b, &n->table, &view);
}

static int add_json(struct buf *b, const void *arg)
{
	const struct namespaces *n = arg;

	buf_addf(b, "{\"type\":\"namespaces\",\"schema\":%d,", SCHEMA_VERSION);
	listing_json_common(b, &n->gaps);
	buf_adds(b, ",\"namespaces\":[");
	nsview_json(b, &n->table, &n->view);
	buf_adds(b, "]}\n");
	return 0;
}

static const struct ns_process *find_process(const struct nstable *t, uint32_t pid)
{
	for (size_t i = 0; i < t->nprocesses; i++)
		if (t->processes[i]->pid == pid)
			return t->processes[i];
	return NULL;
}

static int show(const struct settings *s, struct namespaces *n)
{
	struct listing listing = { .text = add_text, .json = add_json, .arg = n };

	n->view.process = s->pid ? find_process(&n->table, s->pid) : NULL;
	if (s->pid && !n->view.process) {
		complain("no process %u", s->pid);
		return STATUS_FAILED;
	}
	return listing_write(s, &listing);
}

/* Finds the namespaces and shows them; each file that is found goes to @file. */
static int list(const struct settings *s, int (*file)(void *arg, int fd), void *arg)
{
	struct inspect_settings inspect = { .sockets = true, .file = file, .arg = arg };
	struct namespaces n = {
		.view = {
			.types = s->ns_types,
			.tree = s->style.tree,
			.wide = s->style.wide,
			.own_mnt = ns_inum_read("self", "mnt"),
			.user = user_name,
		},
	};
	int status = STATUS_FAILED, err = inspect_namespaces(&inspect, &n.table, &n.gaps);

	if (!err)
		err = nstable_finish(&n.table);
	n.view.now_ns = clock_ns(CLOCK_BOOTTIME);
	if (err)
		complain("cannot find the namespaces: %s", strerror(-err));
	else
		status = show(s, &n);
	if (!status)
		listing_complain(&n.gaps);
	nstable_free(&n.table);
	return status;
}

static int note(void *arg, int fd)
{
	return observe_note_namespace(arg, fd);
}

/* Only events of the types that the table shows. NULL: all of them. */
static const struct filter *filter_types(const struct settings *s)
{
	struct filter_error error;
	struct filter *filter = NULL;
	struct buf b = {};
	const char *comma = "";

	buf_adds(&b, "ns_create.type in (");
	for (int again = 0; again < 2; again++, comma = "") {
		buf_adds(&b, again ? ") or ns_destroy.type in (" : "");
		for (uint32_t i = 0; i < NSS_NS_MAX; i++) {
			if (!(s->ns_types >> i & 1))
				continue;
			buf_addf(&b, "%s%s", comma, ns_names[i]);
			comma = ",";
		}
	}
	buf_add(&b, ")", 2);
	if (s->ns_types && !b.failed && filter_parse(b.data, &filter, &error))
		filter = NULL;
	buf_free(&b);
	return filter;
}

/* The events from now on are queued, and the stream has begun, before the table is made: nothing is missed between. */
static int watch(const struct settings *s, struct observer *observer, struct output *o, int signals)
{
	struct live *live;
	int status, err = live_open(observer, NSSCOPE_VERSION, feed_output, o, &live);

	if (err) {
		complain("cannot read the events: %s", strerror(-err));
		return STATUS_FAILED;
	}
	status = list(s, note, observer);
	if (!status) {
		err = follow_live(s, live, o, signals);
		if (!err)
			err = live_end(live);
		if (err)
			complain_output(o, err);
	}
	live_close(live);
	return status ? status : err ? STATUS_FAILED : 0;
}

static int open_and_watch(const struct settings *s)
{
	struct observe_settings observe = s->observe;
	struct settings outputs = *s;
	struct observe_error error;
	struct observer *observer;
	struct output *o;
	int status, signals;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	signals = block_signals(&ends);
	outputs.filters.show = filter_types(s);
	o = open_outputs(&outputs, s->json ? "json" : "text", STDOUT_FILENO);
	if (!o)
		return STATUS_FAILED;
	observe.conf.types = 1ULL << NSS_EV_NS_CREATE | 1ULL << NSS_EV_NS_DESTROY;
	observe.notes = true;
	if (observe_open(&observe, &observer, &error)) {
		complain("%s", error.text);
		return close_outputs(o, STATUS_FAILED);
	}
	status = watch(s, observer, o, signals);
	observe_close(observer);
	close(signals);
	return close_outputs(o, status);
}

int cmd_ns(const struct settings *s)
{
	if (!s->watch)
		return list(s, NULL, NULL);
	if (s->pid || s->noutputs) {
		complain(s->pid ? "--watch tells of all namespaces: give it no --pid; nsscope watch --pid follows one process" :
				  "--watch writes to standard output: give it --json or nothing, and no --output");
		return STATUS_FAILED;
	}
	return open_and_watch(s);
}
