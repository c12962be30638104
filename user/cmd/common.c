/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/common.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "source/snapshot.h"
#include "util/cleanup.h"

void complain(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "nsscope: %s\n", text);
}

/* Whether --only has left any event that @guard could hold of; else complains, since it would never speak. */
static bool can_hold(const struct settings *s, const char *option, const struct filter *guard)
{
	struct nss_config any = { .types = ~0ULL };

	if (!guard || !s->observe.conf.types)
		return true;
	filter_pushdown(&guard, 1, &any);
	if (any.types & s->observe.conf.types)
		return true;
	complain("%s: of the events that --only leaves it could hold of none", option);
	return false;
}

bool leads_to(const char *path, const struct stat *file)
{
	struct stat st;

	return S_ISREG(file->st_mode) && !stat(path, &st) && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

bool goes_elsewhere(const char *const *specs, size_t n)
{
	const char *file = output_file(specs[n - 1]), *before;
	struct stat st;

	for (size_t i = 0; file && i + 1 < n; i++) {
		before = output_file(specs[i]);
		/* A picture's file is not there before the end. */
		if (!before || !(stat(before, &st) ? !strcmp(before, file) : leads_to(file, &st)))
			continue;
		complain("two outputs to one file: %s and %s", specs[i], specs[n - 1]);
		return false;
	}
	return true;
}

struct output *open_outputs(const struct settings *s, const char *default_format, int default_fd)
{
	const char *const *specs = s->noutputs ? s->outputs : &default_format;
	size_t n = s->noutputs ? s->noutputs : 1;
	struct output *o;
	int err;

	if (!can_hold(s, "--alert", s->filters.alert) || !can_hold(s, "--exit-on", s->filters.exit_on))
		return NULL;
	err = output_new(&o);
	if (err) {
		complain("out of memory");
		return NULL;
	}
	output_set_filters(o, &s->filters);
	output_set_rotation(o, &s->rotation);
	for (size_t i = 0; i < n; i++) {
		if (!goes_elsewhere(specs, i + 1)) {
			output_free(o);
			return NULL;
		}
		err = output_add(o, specs[i], &s->style, default_fd);
		if (err) {
			complain("cannot open the output %s: %s", specs[i],
				 output_why(o) ? output_why(o) : strerror(-err));
			output_free(o);
			return NULL;
		}
	}
	return o;
}

void narrow(const struct settings *s, const struct output *o, struct nss_config *conf)
{
	const struct filter *all[3];
	size_t n = 0;

	if (!s->filters.show || output_needs_all(o))
		return;
	all[n++] = s->filters.show;
	if (s->filters.alert)
		all[n++] = s->filters.alert;
	if (s->filters.exit_on)
		all[n++] = s->filters.exit_on;
	filter_pushdown(all, n, conf);
}

bool complain_matched(const struct output *o)
{
	const char *event = output_matched(o);

	if (event)
		complain("--exit-on: %s", event);
	return event;
}

int feed_output(void *arg, const void *record, size_t len)
{
	return output_feed(arg, record, len);
}

void complain_output(struct output *o, int err)
{
	const char *words;

	while ((words = output_complaint(o)))
		complain("%s", words);
	if (err == -EBADMSG)
		complain("a record that cannot be understood: an error of nsscope, please report it");
	else if (err && !output_is_dead(o))
		complain("cannot go on: %s; events after this are not shown", strerror(-err));
}

int close_outputs(struct output *o, int status)
{
	uint64_t unguarded = output_unguarded(o);

	if (output_close(o))
		status = STATUS_FAILED;
	complain_output(o, 0);
	if (unguarded && !output_matched(o)) {
		complain("%llu events were lost, and --exit-on could not look at them; --buffer makes room for more",
			 (unsigned long long)unguarded);
		status = STATUS_FAILED;
	}
	output_free(o);
	return status;
}

int take_snapshot(const struct settings *s, struct observer *observer, record_fn fn, void *arg)
{
	int err = observer && !s->snapshot_proc ? snapshot_iter(observer, fn, arg) : -EOPNOTSUPP;

	return err == -EOPNOTSUPP ? snapshot_proc(NULL, fn, arg) : err;
}

int tick_ms(const struct settings *s, struct live *live, const struct output *o)
{
	return s->filters.exit_on ? LIVE_TICK_URGENT_MS : live_tick_ms(live, output_is_watched(o));
}

int follow_live(const struct settings *s, struct live *live, struct output *o, int signals)
{
	struct pollfd fds[] = { { .fd = live_fd(live), .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	int err = 0;

	while (!err && !fds[1].revents && !output_matched(o)) {
		poll(fds, ARRAY_SIZE(fds), tick_ms(s, live, o));
		err = live_read(live);
		if (!err)
			err = output_flush(o);
		complain_output(o, 0);
	}
	return err;
}

int block_signals(const sigset_t *set)
{
	int fd;

	if (sigprocmask(SIG_BLOCK, set, NULL))
		return -errno;
	fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
