/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The maps of the BPF object, made by two threads: the kernel clears some MiB for them. */
#ifndef OBSERVE_MAPS_H
#define OBSERVE_MAPS_H

#include <stddef.h>
#include <stdint.h>

#include "observe/prepared.h"
#include "util/thread.h"

#define MAPS_MAX 64

struct maps {
	struct map {
		char name[sizeof(((struct prepared_item *)NULL)->name)];
		enum bpf_map_type type;
		uint32_t key_size, flags;
		uint32_t value_size, max_entries; /* as prepared, until somebody sets others */
		const void *data; /* what is in it at first; NULL: zeroes */
		size_t data_len;
		int fd; /* of one that is not made: negative, -errno where that failed */
	} all[MAPS_MAX];
	size_t n;
	size_t next; /* atomic: that is to be made */
	struct aside aside;
};

/* Takes over what @prepared has, which must stay until they are made: data points into it. 0 or -E2BIG. */
int maps_take(struct maps *ret_maps, const struct prepared *prepared);

/* The map called @name, or NULL. */
struct map *maps_find(struct maps *maps, const char *name);

/* Begins to make them in another thread. */
void maps_begin(struct maps *maps);

/* Makes, in this thread, what that has not begun. 0, or -errno and *@ret_refused, the name of one that could not be made. */
int maps_end(struct maps *maps, const char **ret_refused);

/* Maps the values of @map, which is made, into memory for this process to share with the programs. NULL and errno. */
void *maps_share(const struct map *map);

void maps_close(struct maps *maps);

#endif
