/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several commands need. */
#ifndef CMD_COMMON_H
#define CMD_COMMON_H

#include <signal.h>

#include "cli/settings.h"
#include "source/live.h"

/* Prints "nsscope: ..." and a newline on stderr. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * The outputs that @s names, or @default_format; those without a file go to @default_fd. NULL: complained.
 */
struct output *open_outputs(const struct settings *s, const char *default_format, int default_fd);

/* record_fn: @arg is a struct output. */
int feed_output(void *arg, const void *record, size_t len);

/* Complains that @o could not be written: @err is of output_feed or output_flush. */
void complain_output(const struct output *o, int err);

/* Flushes and frees @o; complains if that fails. Returns @status, or STATUS_FAILED. */
int close_outputs(struct output *o, int status);

/* A signalfd for @set, which is blocked from now on; or -errno. */
int block_signals(const sigset_t *set);

/*
 * What runs now, from the BPF iterator or, where @s says so or the kernel has none, from /proc. @observer may be NULL:
 * then from /proc. 0 or -errno of reading, or of @fn.
 */
int take_snapshot(const struct settings *s, struct observer *observer, record_fn fn, void *arg);

#endif
