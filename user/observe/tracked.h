/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracked set, see core/filter.h: a byte for each PID of the initial PID namespace. */
#ifndef OBSERVE_TRACKED_H
#define OBSERVE_TRACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bpf_map;

struct tracked {
	uint8_t *bytes; /* NULL: not mapped */
	size_t size;
};

/* Before the load: gives @map, of pages of a byte for each PID, its size; one page if it is not @used. 0 or -errno. */
int tracked_size(struct bpf_map *map, bool used);

/* Maps @map, which is loaded. 0 or -errno. */
int tracked_map(struct tracked *t, const struct bpf_map *map);
void tracked_unmap(struct tracked *t);

/* Adds to (or takes from) the set the process that the initial PID namespace calls @pid. */
void tracked_set(struct tracked *t, uint32_t pid, bool in);
bool tracked_has(const struct tracked *t, uint32_t pid);

#endif
