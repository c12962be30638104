/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "event/event.h"
#include "observe/host.h"
#include "util/cleanup.h"
#include "util/clock.h"

int stream_tell(record_fn fn, void *arg, uint16_t type, const void *payload, const struct buf *strings)
{
	size_t tail = strings ? strings->len : 0;
	size_t len = sizeof(struct nss_rec) + event_descs[type].payload + tail;
	struct nss_rec rec = { .len = (uint32_t)len, .type = type, .mono_ns = clock_ns(CLOCK_MONOTONIC) };
	_free_ char *bytes = aligned_alloc(8, (len + 7) & ~(size_t)7);
	char *at = bytes;

	if (!bytes)
		return -ENOMEM;
	at = mempcpy(at, &rec, sizeof(rec));
	at = mempcpy(at, payload, event_descs[type].payload);
	if (tail)
		memcpy(at, strings->data, tail);
	return fn(arg, bytes, len);
}

static struct nss_str add_str(struct buf *strings, const char *s)
{
	buf_adds(strings, s);
	return (struct nss_str){ (uint32_t)strlen(s) };
}

int stream_start(record_fn fn, void *arg, const char *version, const char *backend)
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
	start.backend = add_str(&strings, backend);
	err = strings.failed ? -ENOMEM : stream_tell(fn, arg, NSS_EV_START, &start, &strings);
	buf_free(&strings);
	return err;
}
