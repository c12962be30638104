/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope watch: the machine, or a part of it, live. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/subtree.h"

static int watch(const struct settings *s, struct observer *observer, struct output *o, int signals)
{
	struct live *live;
	int err = live_open(observer, NSSCOPE_VERSION, feed_output, o, &live);

	if (err) {
		complain("cannot read the events: %s", strerror(-err));
		return STATUS_FAILED;
	}
	if (s->pid)
		err = subtree_track(s, observer, observe_tracked(observer));
	if (err)
		subtree_complain_pid(s, err);
	if (!err && !s->no_snapshot && (err = take_snapshot(s, observer, feed_output, o)))
		complain("cannot take the snapshot: %s", strerror(-err));
	if (!err) {
		err = follow_live(s, live, o, signals);
		if (!err)
			err = live_end(live);
		if (err)
			complain_output(o, err);
	}
	live_close(live);
	if (complain_matched(o) && !err)
		return STATUS_MATCHED;
	return err ? STATUS_FAILED : 0;
}

int cmd_watch(const struct settings *s)
{
	struct observe_settings observe = s->observe;
	struct observe_error error;
	struct observer *observer;
	struct output *o;
	int err, status, signals;
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	if (s->pid)
		observe.conf.only |= NSS_ONLY_TRACKED;
	err = s->cgroup ? subtree_find_cgroup(s->cgroup, &observe.conf) : 0;
	if (err) {
		subtree_complain_cgroup(s, err);
		return STATUS_FAILED;
	}
	signals = block_signals(&ends);
	o = open_outputs(s, "text", STDOUT_FILENO);
	if (!o)
		return STATUS_FAILED;
	narrow(s, o, &observe.conf);
	observe.conf.types |= 1ULL << NSS_EV_PROCESS;
	err = observe_open(&observe, &observer, &error);
	if (err) {
		complain("%s", error.text);
		return close_outputs(o, STATUS_FAILED);
	}
	status = watch(s, observer, o, signals);
	observe_close(observer);
	close(signals);
	return close_outputs(o, status);
}
