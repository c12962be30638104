/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What files of /proc, /sys and /etc say, from their text: pure. Texts end with a null byte. */
#ifndef DOCTOR_PARSE_H
#define DOCTOR_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/* A part of a text. */
struct span {
	const char *s; /* NULL: there is none */
	size_t len;
};

bool span_is(struct span a, const char *text);

/* "6.1.0-18-amd64": 6 and 1. False if it does not begin so. */
bool parse_release(const char *text, unsigned *ret_major, unsigned *ret_minor);

/* The value of CONFIG_@name in a kernel configuration: "y", "m", "100", "\"text\""; s is NULL where it is not set. */
struct span parse_config(const char *config, const char *name);

/* What stands behind "@name:" and blanks in /proc/PID/status. */
struct span parse_status(const char *status, const char *name);

/* The one of "none [integrity] confidentiality" that is chosen. */
struct span parse_chosen(const char *text);

/* A whole decimal number, which a newline may follow. */
bool parse_number(const char *text, long long *ret);

/* Whether @word is one of the words of @list, which are divided by any of @dividers. */
bool parse_has_word(struct span list, const char *dividers, const char *word);

/* The value of the option @name in "a,b=c": "c", or "" of one without value; s is NULL where it is not given. */
struct span parse_option(struct span options, const char *name);

/* A line of /proc/PID/mountinfo, see proc_pid_mountinfo(5). root and point are escaped still. */
struct mount_line {
	struct span root, point, options, fstype, super;
};

/* Reads the line at *@at and goes on to the next; false at the end. Lines that are none are left out. */
bool parse_mount(const char **at, struct mount_line *ret_line);
/* Adds @escaped, in which \040 is a space and so on. */
void parse_unescape(struct buf *b, struct span escaped);

/* The mount that is seen at @point: the last line for it. */
bool parse_mount_at(const char *mountinfo, const char *point, struct mount_line *ret_line);

/*
 * Adds the mount points below /proc, ", " between them, and returns how many they are. Those on a directory that is
 * always empty are left out: they hide nothing (mnt_already_visible() of fs/namespace.c).
 */
size_t parse_proc_covers(const char *mountinfo, struct buf *points);

enum cgroup_layout { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };

/* *@ret_v2: where version 2 is mounted first. */
enum cgroup_layout parse_cgroup_layout(const char *mountinfo, struct mount_line *ret_v2);

/* The path in the hierarchy of version 2, out of /proc/PID/cgroup. */
struct span parse_cgroup_path(const char *cgroup);

/*
 * Adds the directory of the cgroup @path below the mount @v2, with a null byte behind. False if it is outside of what
 * is mounted there.
 */
bool parse_cgroup_dir(struct buf *b, const struct mount_line *v2, struct span path);

/* How many IDs the lines of @text (subuid(5)) give to @name, or to @id in figures. @name may be NULL. */
uint64_t parse_subids(const char *text, const char *name, unsigned id);

#endif
