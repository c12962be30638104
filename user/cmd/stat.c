/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope stat: where the spawning of processes spends its time. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/nscost.h"
#include "source/stream.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* record_fn: @arg is a struct nss_counts. */
static int count(void *arg, const void *record, size_t len)
{
	const struct nss_rec *rec = record;
	struct nss_counts *counts = arg;

	(void)len;
	counts->count[rec->type]++;
	return 0;
}

static void show(const struct nss_counts *counts)
{
	printf("%llu forks, %llu execs, %llu exits\n", (unsigned long long)counts->count[NSS_EV_FORK],
	       (unsigned long long)counts->count[NSS_EV_EXEC], (unsigned long long)counts->count[NSS_EV_EXIT]);
	fflush(stdout);
}

static int follow(const struct settings *s, struct live *live, const struct nss_counts *counts, int signals)
{
	struct pollfd fds[] = { { .fd = live_fd(live), .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	uint64_t last = clock_ns(CLOCK_MONOTONIC);
	int err = 0;

	while (!err && !fds[1].revents) {
		poll(fds, ARRAY_SIZE(fds), LIVE_TICK_MS);
		err = live_read(live);
		if (s->stat.interval && clock_ns(CLOCK_MONOTONIC) - last >= s->stat.interval * 1000000000ULL) {
			last = clock_ns(CLOCK_MONOTONIC);
			show(counts);
		}
	}
	return err ? err : live_end(live);
}

int cmd_stat(const struct settings *s)
{
	struct observe_settings observe = s->observe;
	struct nss_counts counts = {};
	struct observe_error error;
	struct observer *observer;
	struct live *live = NULL;
	sigset_t ends;
	int err, signals;

	if (s->stat.namespaces)
		return stat_namespaces(s);
	if (s->launch.argv) {
		complain("stat of a command: not yet; start it beside stat");
		return STATUS_FAILED;
	}
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	signals = block_signals(&ends);
	observe.conf.types = 1ULL << NSS_EV_FORK | 1ULL << NSS_EV_EXEC | 1ULL << NSS_EV_EXIT;
	err = observe_open(&observe, &observer, &error);
	if (err) {
		complain("%s", error.text);
		return STATUS_FAILED;
	}
	err = live_open(observer, NSSCOPE_VERSION, count, &counts, &live);
	if (!err)
		err = follow(s, live, &counts, signals);
	if (err)
		complain("cannot read the events: %s", strerror(-err));
	else
		show(&counts);
	live_close(live);
	observe_close(observer);
	close(signals);
	return err ? STATUS_FAILED : 0;
}
