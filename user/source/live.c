/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/live.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "event/event.h"
#include "source/intake.h"
#include "source/stream.h"
#include "util/clock.h"

struct live {
	struct observer *observer;
	struct intake *intake;
	int woken; /* epoll: readable from a wake-up by the kernel side to the next reading */
	record_fn fn;
	void *arg;
	int err; /* of fn */
	uint64_t events;
	bool many; /* came with the last reading */
	uint64_t look_next; /* for what is gone, CLOCK_MONOTONIC */
	struct nss_counts told_lost;
};

static void tell_record(struct live *l, const struct nss_rec *rec, size_t len)
{
	if (rec->type < NSS_EV_MAX && event_descs[rec->type].group != GROUP_NONE)
		l->events++;
	if (!l->err) /* the ring is emptied even so */
		l->err = l->fn(l->arg, rec, len);
}

#define MANY 64

/* 0 or -errno of reading. */
static int tell_records(struct live *l)
{
	const void *record;
	size_t len, told = 0;
	int n;

	for (; (n = intake_next(l->intake, &record, &len)) > 0; told++)
		tell_record(l, record, len);
	l->many = told >= MANY;
	return n;
}

/*
 * At its edge, so not while there is just something to read: it would have us read each event by itself while many come.
 * A file descriptor, or -errno.
 */
static int watch_wake_ups(int ring)
{
	struct epoll_event on = { .events = EPOLLIN | EPOLLET };
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd >= 0 && !epoll_ctl(fd, EPOLL_CTL_ADD, ring, &on))
		return fd;
	if (fd >= 0)
		close(fd);
	return -errno;
}

int live_begin(struct observer *observer, const char *version, record_fn fn, void *arg, struct live **ret_live)
{
	struct live *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct live){ .observer = observer, .fn = fn, .arg = arg };
	l->woken = watch_wake_ups(observe_events_fd(observer));
	err = l->woken < 0 ? l->woken : intake_open(observe_events_fd(observer), &l->intake);
	if (!err)
		err = stream_start(fn, arg, version, observe_backend(observer));
	if (err) {
		live_close(l);
		return err;
	}
	*ret_live = l;
	return 0;
}

int live_ready(struct live *l)
{
	return intake_ready(l->intake);
}

int live_open(struct observer *observer, const char *version, record_fn fn, void *arg, struct live **ret_live)
{
	struct live *l;
	int err = live_begin(observer, version, fn, arg, &l);

	if (err)
		return err;
	err = live_ready(l);
	if (err)
		live_close(l);
	else
		*ret_live = l;
	return err;
}

int live_fd(const struct live *l)
{
	return l->woken;
}

int live_tick_ms(struct live *l, bool watched)
{
	int ms = l->many && !watched ? LIVE_TICK_MANY_MS : LIVE_TICK_MS;

	intake_expect(l->intake, ms);
	return ms;
}

static int tell_lost(struct live *l, bool last)
{
	struct nss_counts now = observe_lost(l->observer, last);
	struct nss_lost gap = {};
	uint64_t total = 0;

	for (size_t i = 0; i < NSS_EV_MAX; i++) {
		gap.lost.count[i] = now.count[i] - l->told_lost.count[i];
		total += gap.lost.count[i];
	}
	l->told_lost = now;
	return total ? stream_tell(l->fn, l->arg, NSS_EV_LOST, &gap, NULL) : 0;
}

/*
 * At each tick; but where there are many namespaces, or the machine is slow, for half a thousandth of the time, and at least
 * four times a second. What is found by it is marked late by as much.
 */
#define LOOK_NS ((LIVE_TICK_MS - 10) * 1000000ULL)
#define LOOK_LATEST_NS 250000000ULL
#define LOOK_SHARE 2000

static int look_for_ends(struct live *l)
{
	int err = observe_prepare_look(l->observer);
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), wait;

	if (!err)
		err = observe_look(l->observer);
	wait = (clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) * LOOK_SHARE;
	wait = wait < LOOK_NS ? LOOK_NS : wait > LOOK_LATEST_NS ? LOOK_LATEST_NS : wait;
	l->look_next = clock_ns(CLOCK_MONOTONIC) + wait;
	return err;
}

static int read_ring(struct live *l, bool last)
{
	bool looks = last || clock_ns(CLOCK_MONOTONIC) > l->look_next;
	struct epoll_event ignored;
	int err = 0, told;

	epoll_wait(l->woken, &ignored, 1, 0); /* before the reading: what wakes us during it counts */
	if (looks)
		err = look_for_ends(l);
	told = tell_records(l);
	if (!err)
		err = told ? told : l->err;
	return err || !looks ? err : tell_lost(l, last);
}

int live_read(struct live *l)
{
	return read_ring(l, false);
}

int live_end(struct live *l)
{
	int err = read_ring(l, true);
	struct nss_end end = { .events = l->events, .lost = l->told_lost };

	return err ? err : stream_tell(l->fn, l->arg, NSS_EV_END, &end, NULL);
}

void live_close(struct live *l)
{
	if (!l)
		return;
	intake_close(l->intake);
	if (l->woken >= 0)
		close(l->woken);
	free(l);
}
