/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracked set, see core/filter.h: a byte for each PID of the initial PID namespace. */
#ifndef OBSERVE_TRACKED_H
#define OBSERVE_TRACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tracked {
	uint8_t *bytes; /* NULL: not mapped */
	size_t size;
};

/* How many elements a map has to have, each a page of a byte for each PID. */
uint32_t tracked_pages(void);

/* Maps the map @fd, which has so many @pages. 0 or -errno. */
int tracked_map(struct tracked *t, int fd, uint32_t pages);
void tracked_unmap(struct tracked *t);

/* Adds to (or takes from) the set the process that the initial PID namespace calls @pid. */
void tracked_set(struct tracked *t, uint32_t pid, bool in);
bool tracked_has(const struct tracked *t, uint32_t pid);

#endif
