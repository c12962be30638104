/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/live.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>

#include "event/event.h"
#include "source/stream.h"

struct live {
	struct observer *observer;
	struct ring_buffer *ring;
	record_fn fn;
	void *arg;
	int err; /* of fn: libbpf gives back only some of it */
	uint64_t events;
	struct nss_counts told_lost;
};

static int on_record(void *arg, void *data, size_t len)
{
	const struct nss_rec *rec = data;
	struct live *l = arg;

	if (rec->type < NSS_EV_MAX && event_descs[rec->type].group != GROUP_NONE)
		l->events++;
	if (!l->err) /* the ring is emptied even so */
		l->err = l->fn(l->arg, data, len);
	return 0;
}

int live_open(struct observer *observer, const char *version, record_fn fn, void *arg, struct live **ret_live)
{
	struct live *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct live){ .observer = observer, .fn = fn, .arg = arg };
	l->ring = ring_buffer__new(observe_events_fd(observer), on_record, l, NULL);
	err = l->ring ? stream_start(fn, arg, version, observe_backend(observer)) : -errno;
	if (err) {
		live_close(l);
		return err;
	}
	*ret_live = l;
	return 0;
}

int live_fd(const struct live *l)
{
	return ring_buffer__epoll_fd(l->ring);
}

static int tell_lost(struct live *l)
{
	struct nss_counts now = observe_lost(l->observer);
	struct nss_lost gap = {};
	uint64_t total = 0;

	for (size_t i = 0; i < NSS_EV_MAX; i++) {
		gap.lost.count[i] = now.count[i] - l->told_lost.count[i];
		total += gap.lost.count[i];
	}
	l->told_lost = now;
	return total ? stream_tell(l->fn, l->arg, NSS_EV_LOST, &gap, NULL) : 0;
}

int live_read(struct live *l)
{
	int n = ring_buffer__consume(l->ring);
	int err = n < 0 ? n : l->err;

	return err ? err : tell_lost(l);
}

int live_end(struct live *l)
{
	int err = live_read(l);
	struct nss_end end = { .events = l->events, .lost = l->told_lost };

	return err ? err : stream_tell(l->fn, l->arg, NSS_EV_END, &end, NULL);
}

void live_close(struct live *l)
{
	if (!l)
		return;
	ring_buffer__free(l->ring);
	free(l);
}
