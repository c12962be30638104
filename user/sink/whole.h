/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that is there when all of it is written, and not before. */
#ifndef SINK_WHOLE_H
#define SINK_WHOLE_H

#include <stdbool.h>

struct whole;

/*
 * Opens what is to become @path, for writing. An older file of that name goes at once: it is not of this run. Where @path is
 * no regular file (a pipe, a terminal), *@ret_whole is NULL and the descriptor that of @path itself. A descriptor or -errno.
 */
int whole_open(const char *path, struct whole **ret_whole);

/* With @keep, gives @fd its name; else nothing of it is left. Frees @w; @fd stays open. 0 or -errno. */
int whole_end(struct whole *w, int fd, bool keep);

#endif
