/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --info-fd and --info-file: what was started, for programs. JSON objects, one a line: "ready" before the command's
 * first instruction, or "failed"; after an exec that failed, both; and "ended" when the command has.
 */
#ifndef CMD_INFO_H
#define CMD_INFO_H

#include "cli/settings.h"

struct info {
	int fd; /* -1: nobody wants to know */
};

struct observer;

/* Nobody is told anything. */
#define INFO_NONE ((struct info){ .fd = -1 })

/* Opens what @s names; the command does not inherit it. False: complained. */
bool info_open(const struct settings *s, struct info *ret_info);
void info_close(struct info *info);

/*
 * Tells of the command, which is held: @ready is its LAUNCH_READY. @observer may be NULL: then start_ns is not known.
 * 0 or -errno.
 */
int info_ready(const struct info *info, struct observer *observer, const struct launch *l, pid_t pid,
	       const struct launch_event *ready);

/*
 * @stage: "observe", "namespaces", "setup", "exec" or "exit-on"; @step: what was tried, in words; @error: its errno; @hint: what to
 * do, or NULL; @status: nsscope's own to come.
 */
void info_failed(const struct info *info, const char *stage, const char *step, int error, const char *hint, int status);

/* @wait_status: of the command; @status: nsscope's own to come. */
void info_ended(const struct info *info, int wait_status, int status);

#endif
