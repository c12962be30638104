/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope run, and what all commands that launch share: launch and observe meet here. */
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
#include "cmd/info.h"
#include "cmd/launching.h"
#include "launch/hint.h"
#include "launch/idmap_write.h"
#include "launch/launch.h"
#include "launch/plan.h"
#include "launch/unshare.h"
#include "util/cleanup.h"

struct run {
	const struct settings *settings;
	struct launch *launch;
	struct observer *observer; /* these three are NULL with --no-observe */
	struct output *output;
	struct live *live;
	const struct onlooker *onlooker; /* or NULL */
	struct info info;
	int signals; /* signalfd */
	pid_t pid; /* of the command */
	bool held; /* the command is, until told */
	bool ended; /* the command has */
	bool matched; /* --exit-on held of an event */
	bool output_failed; /* and has been complained about */
	int status; /* exit status of nsscope */
	int killed_by; /* unshare: the signal that ended the command */
};

/* The command goes on when events cannot be written: its work is not ours to end. */
static void check_output(struct run *r, int err)
{
	complain_output(r->output, r->output_failed ? 0 : err);
	r->output_failed |= !!err;
}

/* --exit-on: launch_end ends the command, if it has not ended, and all its descendants. */
static void check_matched(struct run *r)
{
	if (r->matched || !output_matched(r->output))
		return;
	r->matched = complain_matched(r->output);
	if (!r->ended)
		info_failed(&r->info, "exit-on", "go on: --exit-on held of an event", 0, NULL, STATUS_MATCHED);
	r->ended = true;
}

static void read_events(struct run *r)
{
	int err;

	if (!r->live)
		return;
	err = live_read(r->live);
	check_output(r, err ? err : output_flush(r->output));
	check_matched(r);
}

static int status_of(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

static void take_failure(struct run *r, const struct launch_event *e)
{
	const char *hint = *e->hint ? e->hint : NULL;

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
	info_failed(&r->info, e->is_exec ? "exec" : "setup", e->stage, e->error, hint, r->status);
}

static void let_go(struct run *r)
{
	int err = launch_release(r->launch);

	r->held = false;
	if (r->observer)
		observe_begin_look(r->observer); /* a short command ends before the first look */
	if (err) {
		complain("cannot let the command go: %s", strerror(-err));
		info_failed(&r->info, "supervisor", "let the command go", -err, NULL, STATUS_FAILED);
		r->ended = true; /* launch_end ends it */
		r->status = STATUS_FAILED;
	}
}

/* It is all set up, and does nothing before it is let go. */
static void take_ready(struct run *r, const struct launch_event *e)
{
	int err = info_ready(&r->info, r->observer, r->launch, r->pid, e);

	r->held = true;
	if (err) {
		complain("cannot tell %s%s of the command: %s; it is not run", r->settings->info_file ? "" : "--info-fd",
			 r->settings->info_file ? r->settings->info_file : "", strerror(-err));
		r->ended = true; /* launch_end ends it */
		r->status = STATUS_FAILED;
	} else if (!r->settings->hold && r->settings->hold_fd < 0) {
		let_go(r);
	}
}

/* A byte or the end of the file; a descriptor that cannot be read must not let it go. */
static void take_hold_fd(struct run *r)
{
	char byte;

	if (read(r->settings->hold_fd, &byte, 1) >= 0) {
		let_go(r);
	} else if (errno != EINTR && errno != EAGAIN) {
		complain("cannot read --hold-fd %d: %s; the command is not run", r->settings->hold_fd, strerror(errno));
		r->ended = true;
	}
}

static void take_launch_events(struct run *r)
{
	struct launch_event e;

	while (!r->ended && !launch_next(r->launch, &e) && e.what != LAUNCH_NOTHING) {
		r->ended = launch_event_is_last(&e);
		if (e.what == LAUNCH_READY) {
			read_events(r);
			if (!r->ended)
				take_ready(r, &e);
		} else if (e.what == LAUNCH_EXITED) {
			r->status = e.timed_out ? STATUS_TIMED_OUT : status_of(e.status);
			r->killed_by = WIFSIGNALED(e.status) ? WTERMSIG(e.status) : 0;
			if (e.timed_out)
				complain("killed after the time limit of %u s", r->settings->launch.sandbox.time_limit);
			info_ended(&r->info, e.status, r->status);
			if (r->onlooker)
				r->onlooker->ended(r->onlooker->arg);
		} else if (e.what == LAUNCH_FAILED) {
			read_events(r);
			take_failure(r, &e);
		} else if (e.what == LAUNCH_SUPERVISOR_DIED) {
			complain("its supervisor was killed, and the command with it");
			r->status = launching_failed(r->settings);
			info_failed(&r->info, "supervisor", "go on: the supervisor was killed", 0, NULL, r->status);
		} else if (e.what == LAUNCH_STOPPED) {
			read_events(r);
			if (!r->ended)
				launch_stop_self(r->launch);
		}
	}
}

static void take_signals(struct run *r)
{
	struct signalfd_siginfo info;

	while (read(r->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCONT && r->held && r->settings->hold)
			let_go(r);
		if (info.ssi_signo != SIGCHLD)
			launch_signal(r->launch, (int)info.ssi_signo, launch_signal_from_terminal(&info));
	}
}

static void follow(struct run *r)
{
	struct pollfd fds[] = {
		{ .fd = r->live ? live_fd(r->live) : -1, .events = POLLIN },
		{ .fd = r->signals, .events = POLLIN },
		{ .fd = launch_fd(r->launch), .events = POLLIN },
		{ .events = POLLIN },
		{ .fd = r->onlooker ? r->onlooker->timer : -1, .events = POLLIN },
	};

	while (!r->ended) {
		fds[3].fd = r->held ? r->settings->hold_fd : -1;
		poll(fds, ARRAY_SIZE(fds), r->live ? tick_ms(r->settings, r->live, r->output) : -1);
		if (fds[1].revents)
			take_signals(r);
		if (fds[2].revents)
			take_launch_events(r);
		if (fds[3].revents && r->held)
			take_hold_fd(r);
		if (fds[4].revents)
			r->onlooker->tick(r->onlooker->arg);
		read_events(r);
	}
}

/* Whose children are the command, for whoever observes; 0: nobody's from now on. */
static void set_cloner(struct run *r, pid_t pid)
{
	if (r->observer)
		observe_cloner(r->observer, pid);
	if (r->onlooker)
		r->onlooker->cloner(r->onlooker->arg, pid);
}

static int clone_command(struct run *r)
{
	int err;

	set_cloner(r, launch_supervisor(r->launch));
	err = launch_clone(r->launch, &r->pid);
	set_cloner(r, 0);
	return err;
}

static void explain_clone(const struct run *r, int err, char *hint, size_t size)
{
	uint64_t flags = r->settings->launch.namespaces;
	struct plan plan;

	if (!plan_make(&r->settings->launch, NULL, &plan))
		flags = plan.namespaces;
	hint_namespaces(flags, -err, hint, size);
}

static void explain_reading(struct run *r, int err)
{
	complain("cannot read the events: %s", strerror(-err));
	info_failed(&r->info, "observe", "read the events", -err, NULL, STATUS_FAILED);
}

static int observe(struct run *r)
{
	/* unshare has no --no-observe: it is what observes nothing unless told to. */
	const char *hint = r->settings->launch.in_place ? "without -o it runs unobserved" : "--no-observe runs it unobserved";
	struct observe_settings observe = r->settings->observe;
	struct observe_error error;
	int err;

	observe.conf.only = NSS_ONLY_TRACKED;
	narrow(r->settings, r->output, &observe.conf);
	if (r->info.fd >= 0)
		observe.conf.types |= 1ULL << NSS_EV_PROCESS; /* for the iterator */
	err = observe_open(&observe, &r->observer, &error);
	if (err) {
		complain("%s; %s", error.text, hint);
		info_failed(&r->info, "observe", error.text, -err, hint, STATUS_FAILED);
		return err;
	}
	err = live_begin(r->observer, NSSCOPE_VERSION, feed_output, r->output, &r->live);
	if (err)
		explain_reading(r, err);
	return err;
}

/* @clone: what its clone does, in words. */
static int observe_and_launch(struct run *r, const char *clone)
{
	char hint[240];
	int err;

	if (!r->settings->no_observe && observe(r))
		return launching_failed(r->settings);
	err = r->onlooker ? r->onlooker->begin(r->onlooker->arg) : 0;
	if (err)
		return err;
	err = clone_command(r);
	if (err) {
		explain_clone(r, err, hint, sizeof(hint));
		complain("cannot %s: %s%s%s", clone, strerror(-err), *hint ? "; " : "", hint);
		info_failed(&r->info, "namespaces", clone, -err, hint, STATUS_FAILED);
		return launching_failed(r->settings);
	}
	err = r->live ? live_ready(r->live) : 0;
	if (err) { /* launch_end ends what has been cloned */
		explain_reading(r, err);
		return launching_failed(r->settings);
	}
	if (r->pid)
		let_go(r);
	follow(r);
	err = r->live ? live_end(r->live) : 0;
	if (r->live)
		check_output(r, err ? err : output_flush(r->output));
	if (r->live)
		check_matched(r);
	if (r->matched)
		r->status = STATUS_MATCHED;
	return r->output_failed ? launching_failed(r->settings) : r->status;
}

int run_launched(const struct settings *s, const struct launch_settings *given, const struct onlooker *onlooker)
{
	struct run r = { .settings = s, .onlooker = onlooker, .signals = -1, .status = launching_failed(s), .info = INFO_NONE };
	struct launch_settings launch = *given;
	int err, status = launching_failed(s);
	char hint[240];
	sigset_t all;

	if (!info_open(s, &r.info))
		return STATUS_FAILED;
	launch.announce = r.info.fd >= 0 || s->hold || s->hold_fd >= 0;
	err = launch_begin(&launch, &r.launch);
	if (err) {
		hint_other(-err, hint, sizeof(hint));
		complain("cannot start the supervisor: %s%s%s", strerror(-err), *hint ? "; " : "", hint);
		info_failed(&r.info, "supervisor", "start the supervisor", -err, hint, STATUS_FAILED);
		info_close(&r.info);
		return status;
	}
	sigfillset(&all);
	r.signals = block_signals(&all);
	if (r.signals < 0)
		complain("cannot take signals: %s", strerror(-r.signals));
	else if (!s->no_observe)
		r.output = open_outputs(s, "text", STDERR_FILENO);
	if (r.signals >= 0 && (r.output || s->no_observe))
		status = observe_and_launch(&r, given->enter ? "start a process" : "create the namespaces");
	launch_end(r.launch);
	live_close(r.live);
	observe_close(r.observer);
	info_close(&r.info);
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
	return run_launched(s, &s->launch, NULL);
}
