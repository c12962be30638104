/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope run: launch and observe meet here. */
#include <errno.h>
#include <linux/sched.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/launching.h"
#include "launch/hint.h"
#include "launch/hints.h"
#include "launch/idmap_write.h"
#include "launch/launch.h"
#include "launch/plan.h"
#include "launch/unshare.h"
#include "util/cleanup.h"

struct run {
	const struct settings *settings;
	struct launch *launch;
	struct observer *observer;
	struct output *output;
	struct live *live;
	int signals; /* signalfd */
	bool ended; /* the command has */
	bool output_failed; /* and has been complained about */
	int status; /* exit status of nsscope */
	int killed_by; /* unshare: the signal that ended the command */
};

/* The command goes on when events cannot be written: its work is not ours to end. */
static void check_output(struct run *r, int err)
{
	if (!err || r->output_failed)
		return;
	complain_output(r->output, err);
	r->output_failed = true;
}

static void read_events(struct run *r)
{
	int err = live_read(r->live);

	check_output(r, err ? err : output_flush(r->output));
}

static int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void take_failure(struct run *r, const struct launch_event *e)
{
	const char *hint = *e->hint ? e->hint : launch_hint(e);

	if (r->settings->launch.in_place) {
		r->status = unshare_complain(e);
		return;
	}
	if (e->helper && !e->error)
		complain("cannot %s: newuidmap or newgidmap refused", e->stage);
	else if (e->helper)
		complain("cannot %s: newuidmap or newgidmap cannot be executed: %s (Debian: package uidmap)", e->stage,
			 strerror(e->error));
	else
		complain("cannot %s: %s%s%s", e->stage, strerror(e->error), hint ? "; " : "", hint ? hint : "");
	r->status = launching_failed(r->settings);
	if (e->is_exec)
		r->status = e->error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_EXECUTABLE;
}

static void take_launch_events(struct run *r)
{
	struct launch_event e;

	while (!r->ended && !launch_next(r->launch, &e) && e.what != LAUNCH_NOTHING) {
		r->ended = launch_event_is_last(&e);
		if (e.what == LAUNCH_EXITED) {
			r->status = e.timed_out ? STATUS_TIMED_OUT : status_of(e.status);
			r->killed_by = WIFSIGNALED(e.status) ? WTERMSIG(e.status) : 0;
			if (e.timed_out)
				complain("killed after the time limit of %u s", r->settings->launch.sandbox.time_limit);
		} else if (e.what == LAUNCH_FAILED) {
			read_events(r);
			take_failure(r, &e);
		} else if (e.what == LAUNCH_SUPERVISOR_DIED) {
			complain("its supervisor was killed, and the command with it");
			r->status = launching_failed(r->settings);
		} else if (e.what == LAUNCH_STOPPED) {
			read_events(r);
			launch_stop_self(r->launch);
		}
	}
}

static void take_signals(struct run *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			launch_signal(r->launch, (int)info.ssi_signo, launch_signal_from_terminal(&info));
}

static void follow(struct run *r)
{
	struct pollfd fds[] = {
		{ .fd = live_fd(r->live), .events = POLLIN },
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = launch_fd(r->launch), .events = POLLIN },
	};

	while (!r->ended) {
		poll(fds, ARRAY_SIZE(fds), LIVE_TICK_MS);
		if (fds[1].revents)
			take_signals(r);
		if (fds[2].revents)
			take_launch_events(r);
		read_events(r);
	}
}

static int launch_observed(struct run *r)
{
	pid_t pid;
	int err;

	observe_cloner(r->observer, launch_supervisor(r->launch));
	err = launch_clone(r->launch, &pid);
	observe_cloner(r->observer, 0);
	return err;
}

static void explain_clone(const struct run *r, int err)
{
	uint64_t flags = r->settings->launch.namespaces;
	struct plan plan;
	char hint[240];

	if (!plan_make(&r->settings->launch, NULL, &plan))
		flags = plan.namespaces;
	hint_namespaces(flags, -err, hint, sizeof(hint));
	complain("cannot create the namespaces: %s%s%s", strerror(-err), *hint ? "; " : "", hint);
}

static int observe_and_launch(struct run *r)
{
	struct observe_settings observe = r->settings->observe;
	struct observe_error error;
	int err;

	observe.conf.only = NSS_ONLY_TRACKED;
	err = observe_open(&observe, &r->observer, &error);
	if (err) {
		complain("%s", error.text);
		return launching_failed(r->settings);
	}
	err = live_open(r->observer, NSSCOPE_VERSION, feed_output, r->output, &r->live);
	if (err) {
		complain("cannot read the events: %s", strerror(-err));
		return launching_failed(r->settings);
	}
	err = launch_observed(r);
	if (err) {
		explain_clone(r, err);
		return launching_failed(r->settings);
	}
	launch_release(r->launch);
	follow(r);
	err = live_end(r->live);
	check_output(r, err ? err : output_flush(r->output));
	return r->output_failed ? launching_failed(r->settings) : r->status;
}

int run_launched(const struct settings *s)
{
	struct run r = { .settings = s, .signals = -1, .status = launching_failed(s) };
	sigset_t all;
	int status = launching_failed(s);
	int err = launch_begin(&s->launch, &r.launch);

	if (err) {
		complain("cannot start the supervisor: %s", strerror(-err));
		return status;
	}
	sigfillset(&all);
	r.signals = block_signals(&all);
	r.output = r.signals < 0 ? NULL : open_outputs(s, "text", STDERR_FILENO);
	if (r.output)
		status = observe_and_launch(&r);
	launch_end(r.launch);
	live_close(r.live);
	observe_close(r.observer);
	if (r.signals >= 0)
		close(r.signals);
	if (r.output && close_outputs(r.output, 0))
		return launching_failed(s);
	if (s->launch.in_place && r.killed_by && status == 128 + r.killed_by)
		unshare_die_of(r.killed_by);
	return status;
}

int cmd_run(const struct settings *s)
{
	struct idmap_error error;
	struct idmaps maps;

	if (s->dry_run)
		return dry_run(s);
	if (idmap_load(&s->launch.maps, &maps, &error)) {
		complain("cannot map the IDs: %s", error.text);
		return STATUS_FAILED;
	}
	return run_launched(s);
}
