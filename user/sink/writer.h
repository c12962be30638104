/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sink has in its buffer, to its file. */
#ifndef SINK_WRITER_H
#define SINK_WRITER_H

#include "sink/rotate.h"
#include "sink/sink.h"

/* A file on a full disk: as much waits in memory for room, bytes; what comes then is dropped, and counted. */
#define WRITER_KEEP (1U << 20)

/*
 * Opens @path (NULL: takes @fd, which stays the caller's) for @s, whose ops are set. 0 or -errno; then *@ret_why as of
 * rotate_open.
 */
int writer_open(struct sink *s, const char *path, int fd, const struct rotation *rotation, const char **ret_why);

/* Whether someone may see events as they come: not in a regular file, nor in /dev/null. */
bool writer_is_watched(const struct sink *s);

/* Whether there is room for one more event; counts it as missing where not. */
bool writer_has_room(struct sink *s);

/*
 * Writes what the buffer holds. 0 or -errno, which s->err keeps too. Where the disk is full the rest stays in the buffer
 * for the next time; after another error s->dead is set, and nothing more is written.
 */
int writer_flush(struct sink *s);

/* Whether the file is to be rotated, now that the buffer has got an event from @before on. */
bool writer_is_over(const struct sink *s, size_t before);

/*
 * Writes the buffer up to @before, and rotates the file. What the new one is to begin with is added by @begin; behind it
 * stands what was in the buffer from @before on. @begin may be NULL. Where it cannot be rotated the old file grows on.
 */
void writer_rotate(struct sink *s, size_t before, int (*begin)(void *arg, struct sink *s), void *arg);

/* Flushes for the last time, and closes. What is not written then is missing; a file of lines does not end in half of one. */
int writer_close(struct sink *s);

#endif
