/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several commands need. */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include <signal.h>
#include <sys/stat.h>

#include "cli/settings.h"
#include "source/live.h"

/* Prints "nsscope: ..." and a newline on stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Whether @path leads to the file that @file tells of, which can hold one output only: a device or a pipe takes several. */
bool leads_to(const char *path, const struct stat *file);

/* Whether the last of the @n outputs in @specs goes to no file of one before, all of which are open; else complains. */
bool goes_elsewhere(const char *const *specs, size_t n);

/*
 * The outputs that @s names, or @default_format; those without a file go to @default_fd. NULL: complained.
 */
struct output *open_outputs(const struct settings *s, const char *default_format, int default_fd);

/* Narrows @conf to what --filter, --alert and --exit-on need, where @o shows no more than that. */
void narrow(const struct settings *s, const struct output *o, struct nss_config *conf);

/* Tells, once, of the event that --exit-on held of. Whether there was one. */
bool complain_matched(const struct output *o);

/* record_fn: @arg is a struct output. */
int feed_output(void *arg, const void *record, size_t len);

/*
 * Complains of what went wrong with the files of @o since it was called last, and of @err, of output_feed, output_flush or
 * a source that fed it; each once.
 */
void complain_output(struct output *o, int err);

/* Flushes, closes and frees @o; complains of what is missing in a file. Returns @status, or STATUS_FAILED. */
int close_outputs(struct output *o, int status);

/* When the events of @live, for @o, are looked at next, in poll(2)'s unit. */
int tick_ms(const struct settings *s, struct live *live, const struct output *o);

/*
 * Feeds @live into @o until one of @signals (a signalfd) comes or --exit-on has matched. 0, or -errno of reading or of
 * writing.
 */
int follow_live(const struct settings *s, struct live *live, struct output *o, int signals);

/* A signalfd for @set, which is blocked from now on; or -errno. */
int block_signals(const sigset_t *set);

/*
 * What runs now, from the BPF iterator or, where @s says so or the kernel has none, from /proc. @observer may be NULL:
 * then from /proc. 0 or -errno of reading, or of @fn.
 */
int take_snapshot(const struct settings *s, struct observer *observer, record_fn fn, void *arg);

#endif
