/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/live.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "event/event.h"
#include "observe/host.h"
#include "util/buf.h"
#include "util/cleanup.h"

struct live {
	struct observer *observer;
	struct ring_buffer *ring;
	record_fn fn;
	void *arg;
	int err; /* of fn: libbpf gives back only some of it */
	uint64_t events;
	struct nss_counts told_lost;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

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

/* A record of class META from its payload and the bytes of its strings. */
static int tell(struct live *l, uint16_t type, const void *payload, const struct buf *strings)
{
	size_t len = sizeof(struct nss_rec) + event_descs[type].payload + strings->len;
	struct nss_rec rec = { .len = (uint32_t)len, .type = type, .mono_ns = clock_ns(CLOCK_MONOTONIC) };
	_free_ char *bytes = aligned_alloc(8, (len + 7) & ~(size_t)7);
	char *at = bytes;

	if (!bytes)
		return -ENOMEM;
	at = mempcpy(at, &rec, sizeof(rec));
	at = mempcpy(at, payload, event_descs[type].payload);
	if (strings->len)
		memcpy(at, strings->data, strings->len);
	return l->fn(l->arg, bytes, len);
}

static struct nss_str add_str(struct buf *strings, const char *s)
{
	buf_adds(strings, s);
	return (struct nss_str){ (uint32_t)strlen(s) };
}

static int tell_start(struct live *l, const char *version)
{
	_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
	struct nss_start start = {
		.wall_offset_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC),
		.observer_pid = (uint32_t)getpid(),
	};
	struct buf strings = {};
	struct utsname uts;
	struct host host;
	char boot_id[64] = "";
	int err = host_read(&host);

	if (err)
		return err;
	start.host = (struct nss_host){ host.pid_ns, host.mnt_ns };
	if (f && !fgets(boot_id, sizeof(boot_id), f))
		boot_id[0] = 0;
	boot_id[strcspn(boot_id, "\n")] = 0;
	uname(&uts);
	start.version = add_str(&strings, version);
	start.boot_id = add_str(&strings, boot_id);
	start.kernel = add_str(&strings, uts.release);
	start.backend = add_str(&strings, observe_backend(l->observer));
	err = strings.failed ? -ENOMEM : tell(l, NSS_EV_START, &start, &strings);
	buf_free(&strings);
	return err;
}

int live_open(struct observer *observer, const char *version, record_fn fn, void *arg, struct live **ret_live)
{
	struct live *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	*l = (struct live){ .observer = observer, .fn = fn, .arg = arg };
	l->ring = ring_buffer__new(observe_events_fd(observer), on_record, l, NULL);
	err = l->ring ? tell_start(l, version) : -errno;
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
	/* A piece of argv that is lost is not an event lost: its exec is marked as cut. */
	return total > gap.lost.count[NSS_EV_ARGS] ? tell(l, NSS_EV_LOST, &gap, &(struct buf){}) : 0;
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

	return err ? err : tell(l, NSS_EV_END, &end, &(struct buf){});
}

void live_close(struct live *l)
{
	if (!l)
		return;
	ring_buffer__free(l->ring);
	free(l);
}
