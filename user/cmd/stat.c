/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope stat: where the spawning of processes spends its time; the kernel side adds it up, here it is shown. */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/launching.h"
#include "cmd/listing.h"
#include "cmd/nscost.h"
#include "cmd/subtree.h"
#include "inspect/cgroup.h"
#include "model/begun.h"
#include "observe/statistics.h"
#include "sink/schema.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "view/statview.h"

struct stat_run {
	const struct settings *settings;
	struct statistics *statistics;
	struct listing_outputs outputs;
	uint64_t begun, shown; /* CLOCK_MONOTONIC, ns: when what is measured began, when it was last shown */
	uint64_t before[NSS_COUNTS]; /* what was shown then */
	int timer; /* of --interval, or -1 */
	int status; /* STATUS_FAILED: what could not be shown or read has been complained about */
};

static int add_text(struct buf *b, const void *arg, size_t width)
{
	return statview_text(b, arg, width);
}

static int add_json(struct buf *b, const void *arg)
{
	buf_addf(b, "{\"type\":\"stat\",\"schema\":%d,", SCHEMA_VERSION);
	statview_json(b, arg);
	buf_adds(b, "}\n");
	return 0;
}

/* @final: the last one; its rates are over all the time. */
static void show_sample(struct stat_run *r, struct statistics_sample *sample, const struct span_table *table, bool final)
{
	uint64_t now = clock_ns(CLOCK_MONOTONIC), recent[NSS_COUNTS];
	struct statview view = {
		.table = table,
		.spawners = sample->spawners,
		.nspawners = sample->nspawners,
		.counts = sample->counts,
		.recent = final ? sample->counts : recent,
		.elapsed_ns = now - r->begun,
		.recent_ns = final ? now - r->begun : now - r->shown,
		.time_ns = clock_ns(CLOCK_REALTIME),
		.by = r->settings->stat.by,
		.backend = statistics_backend(r->statistics),
		.hist = r->settings->stat.hist,
		.final = final,
		.cgroup = cgroup_add_path,
	};
	struct listing listing = { add_text, add_json, &view, r->settings->stat.interval, !final };

	for (size_t i = 0; i < NSS_COUNTS; i++)
		recent[i] = sample->counts[i] - r->before[i];
	memcpy(r->before, sample->counts, sizeof(r->before));
	r->shown = now;
	r->status = listing_render(r->settings, &r->outputs, &listing);
}

static void show(struct stat_run *r, bool final)
{
	struct statistics_sample sample;
	struct span_table table = {};
	int err;

	if (r->status)
		return;
	err = statistics_read(r->statistics, final, &sample);
	if (!err)
		err = begun_tell(sample.begun, sample.nbegun, &sample.spans, &sample.nspans);
	if (!err)
		err = span_table_make(sample.spans, sample.nspans, r->settings->stat.by, &table);
	if (err) {
		complain("cannot read what was measured: %s", strerror(-err));
		r->status = STATUS_FAILED;
	} else {
		spawners_sort(sample.spawners, sample.nspawners);
		show_sample(r, &sample, &table, final);
	}
	span_table_free(&table);
	statistics_free(&sample);
}

static void start_clock(struct stat_run *r)
{
	time_t interval = r->settings->stat.interval;
	struct itimerspec each = { { interval, 0 }, { interval, 0 } };

	r->begun = r->shown = clock_ns(CLOCK_MONOTONIC);
	if (r->timer >= 0)
		timerfd_settime(r->timer, 0, &each, NULL);
}

/* onlooker.begin. 0 or STATUS_FAILED: complained. */
static int begin(void *arg)
{
	struct stat_run *r = arg;
	const struct settings *s = r->settings;
	struct statistics_settings settings = { s->observe.conf, s->stat.by, s->observe.backend };
	struct observe_error error;
	int err = s->cgroup ? subtree_find_cgroup(s->cgroup, &settings.conf) : 0;

	if (err) {
		subtree_complain_cgroup(s, err);
		return STATUS_FAILED;
	}
	if (s->pid || s->launch.argv)
		settings.conf.only |= NSS_ONLY_TRACKED;
	if (statistics_open(&settings, &r->statistics, &error)) {
		complain("%s", error.text);
		return STATUS_FAILED;
	}
	err = s->pid ? subtree_track(s, NULL, statistics_tracked(r->statistics)) : 0;
	if (err)
		subtree_complain_pid(s, err);
	start_clock(r);
	return err ? STATUS_FAILED : 0;
}

/* onlooker.cloner */
static void set_cloner(void *arg, pid_t pid)
{
	struct stat_run *r = arg;

	if (pid)
		start_clock(r);
	statistics_cloner(r->statistics, pid);
}

/* onlooker.ended */
static void command_ended(void *arg)
{
	show(arg, true);
}

/* onlooker.tick */
static void tick(void *arg)
{
	struct stat_run *r = arg;
	uint64_t expired;

	if (read(r->timer, &expired, sizeof(expired)) == sizeof(expired))
		show(r, false);
}

/* The command's own namespaces are ours: what is measured is what it would do anyhow. Returns the exit status. */
static int run_command(struct stat_run *r)
{
	struct settings s = *r->settings;
	struct onlooker onlooker = { begin, set_cloner, command_ended, tick, r->timer, r };
	int status;

	s.no_observe = true;
	s.launch.plain = true;
	status = run_launched(&s, &s.launch, &onlooker);
	return r->status ? r->status : status;
}

/* Up to one of @signals, which is a signalfd. Returns the exit status. */
static int watch_machine(struct stat_run *r, int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN }, { .fd = r->timer, .events = POLLIN } };
	int status = begin(r);

	while (!status && !fds[0].revents) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			tick(r);
		status = r->status;
	}
	if (!status)
		show(r, true);
	return status ? status : r->status;
}

static int watch(struct stat_run *r)
{
	int signals, status;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	signals = block_signals(&ends);
	if (signals < 0) {
		complain("cannot take signals: %s", strerror(-signals));
		return STATUS_FAILED;
	}
	status = watch_machine(r, signals);
	close(signals);
	return status;
}

int cmd_stat(const struct settings *s)
{
	struct stat_run r = { .settings = s, .timer = -1 };
	bool command = s->launch.argv;
	int status;

	if (s->stat.namespaces)
		return stat_namespaces(s);
	/* Standard output is the command's, as for strace -c and perf stat. */
	if (listing_open(s, command ? STDERR_FILENO : STDOUT_FILENO, &r.outputs))
		return STATUS_FAILED;
	if (s->stat.interval)
		r.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->stat.interval && r.timer < 0) {
		complain("cannot make a timer: %s", strerror(errno));
		status = STATUS_FAILED;
	} else {
		status = command ? run_command(&r) : watch(&r);
	}
	statistics_close(r.statistics);
	if (r.timer >= 0)
		close(r.timer);
	return listing_close(&r.outputs) ? STATUS_FAILED : status;
}
