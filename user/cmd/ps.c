/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope ps: the snapshot. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "event/event.h"
#include "source/snapshot.h"
#include "source/stream.h"
#include "util/cleanup.h"

struct ps {
	const struct settings *settings;
	struct output *output;
	uint64_t shown;
};

/* Whether the record is of the process that --pid and --in ask for. */
static bool is_asked(const struct settings *s, const struct nss_rec *rec)
{
	const struct nss_pid *pids = snapshot_pids(rec);

	if (!s->pid)
		return true;
	for (uint16_t i = 0; i < rec->levels; i++)
		if (pids[i].pid == s->pid && (s->in ? pids[i].ns == s->in : !i))
			return true;
	return false;
}

static int feed_asked(void *arg, const void *record, size_t len)
{
	struct ps *p = arg;

	if (!is_asked(p->settings, record))
		return 0;
	p->shown++;
	return output_feed(p->output, record, len);
}

/* NULL without the rights, or where BPF does not work: /proc then gives the answer. */
static struct observer *open_iterator(const struct settings *s)
{
	struct observe_settings observe = { .conf.types = 1ULL << NSS_EV_PROCESS, .buffer = 4096 };
	struct observer *o = NULL;
	struct observe_error ignored;

	if (!s->snapshot_proc && observe_open(&observe, &o, &ignored))
		return NULL;
	return o;
}

static int show(struct ps *p, struct observer *observer)
{
	struct nss_end end = {};
	int err = stream_start(feed_output, p->output, NSSCOPE_VERSION, observer ? "process=iter/task" : "process=/proc");

	if (!err)
		err = take_snapshot(p->settings, observer, feed_asked, p);
	if (!err)
		err = stream_tell(feed_output, p->output, NSS_EV_END, &end, NULL);
	return err;
}

/* As open_outputs; but text is the table here, since there are no events to show. */
static struct output *open_tables(struct settings *s)
{
	char *tables[OUTPUTS_MAX] = {};
	struct output *o = NULL;
	bool failed = false;

	for (size_t i = 0; i < s->noutputs; i++) {
		if (!strcmp(s->outputs[i], "journal")) {
			complain("--output=journal: that is for events; give table or json");
			failed = true;
			break;
		}
		if (strncmp(s->outputs[i], "text", 4))
			continue;
		if (asprintf(&tables[i], "table%s", s->outputs[i] + 4) < 0) {
			tables[i] = NULL;
			complain("out of memory");
			failed = true;
			break;
		}
		s->outputs[i] = tables[i];
	}
	if (!failed)
		o = open_outputs(s, "table", STDOUT_FILENO);
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		free(tables[i]);
	return o;
}

int cmd_ps(const struct settings *s)
{
	struct settings own = *s;
	struct ps p = { .settings = &own };
	struct observer *observer;
	int err, status = 0;

	own.style.levels = s->pid;
	p.output = open_tables(&own);
	if (!p.output)
		return STATUS_FAILED;
	observer = open_iterator(s);
	err = show(&p, observer);
	observe_close(observer);
	if (err) {
		complain("cannot show the processes: %s", strerror(-err));
		status = STATUS_FAILED;
	} else if (s->pid && !p.shown) {
		complain("no process %u%s", s->pid, s->in ? " in that PID namespace" : "");
		status = STATUS_FAILED;
	}
	return close_outputs(p.output, status);
}
