/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The live source: the ring buffer's records, with start, lost and end told around them. */
#ifndef SOURCE_LIVE_H
#define SOURCE_LIVE_H

#include <stdbool.h>

#include "observe/observe.h"
#include "source/recording.h"

struct live;

/* Tells @fn the start record. @version: nsscope's. 0 or -errno. */
int live_open(struct observer *observer, const char *version, record_fn fn, void *arg, struct live **ret_live);

/* The same in two parts: what takes a moment goes on beside the caller, who then waits for it. Each 0 or -errno. */
int live_begin(struct observer *observer, const char *version, record_fn fn, void *arg, struct live **ret_live);
int live_ready(struct live *l);

/* Readable when so much is queued that it should be read at once; live_read is to be called every live_tick_ms anyway. */
int live_fd(const struct live *l);

/* A view that is alive shows an event within 50 ms; no event wakes nsscope up. */
#define LIVE_TICK_MS 40
/*
 * While there are many, and nobody sees them come: to wake up, and to find the caches cold, takes as long as some hundred of
 * them.
 */
#define LIVE_TICK_MANY_MS 200
/* Where something waits for an event (--exit-on): what is to be ended goes on for so long. */
#define LIVE_TICK_URGENT_MS 2

/* How long to wait before the next live_read, in poll(2)'s unit. @watched: the events are seen as they come. */
int live_tick_ms(struct live *l, bool watched);

/*
 * Gives all queued records to the function of live_open; then, each 0.04 to 0.25 s, a lost record if there was a gap. 0 or
 * -errno.
 */
int live_read(struct live *l);

/* The last records, and the end record. 0 or -errno. */
int live_end(struct live *l);

void live_close(struct live *l);

#endif
