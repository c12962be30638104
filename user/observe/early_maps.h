/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The large maps of an object, made while something else is done before its load: the kernel clears some MiB for them. */
#ifndef OBSERVE_EARLY_MAPS_H
#define OBSERVE_EARLY_MAPS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "util/thread.h"

#define EARLY_MAPS_MAX 16

struct early_maps {
	struct bpf_map *maps[EARLY_MAPS_MAX];
	int fds[EARLY_MAPS_MAX]; /* -1: not made */
	size_t n;
	bool enough; /* atomic: no other is to be begun */
	struct aside aside;
};

/* Begins with those of @object, whose sizes are set. Nothing may change it until early_maps_end(). */
void early_maps_begin(struct early_maps *ret_early, struct bpf_object *object);

/* Gives the object those that are there. libbpf makes the others, when it loads it: also one that could not be made. */
void early_maps_end(struct early_maps *early);

#endif
