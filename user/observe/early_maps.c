/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/early_maps.h"

#include <bpf/bpf.h>
#include <unistd.h>

#define LARGE (16 * 1024) /* bytes */

static bool is_large(const struct bpf_map *map)
{
	size_t value = bpf_map__type(map) == BPF_MAP_TYPE_RINGBUF ? 1 : bpf_map__value_size(map);

	return !bpf_map__is_internal(map) && bpf_map__fd(map) < 0 && bpf_map__max_entries(map) * value >= LARGE;
}

static void *make(void *arg)
{
	struct early_maps *early = arg;

	for (size_t i = 0; i < early->n && !__atomic_load_n(&early->enough, __ATOMIC_RELAXED); i++) {
		const struct bpf_map *map = early->maps[i];
		LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = bpf_map__map_flags(map));

		early->fds[i] = bpf_map_create(bpf_map__type(map), bpf_map__name(map), bpf_map__key_size(map),
					       bpf_map__value_size(map), bpf_map__max_entries(map), &opts);
	}
	return NULL;
}

void early_maps_begin(struct early_maps *ret_early, struct bpf_object *object)
{
	struct bpf_map *map;

	*ret_early = (struct early_maps){};
	bpf_object__for_each_map(map, object) {
		if (ret_early->n == EARLY_MAPS_MAX || !is_large(map))
			continue;
		ret_early->fds[ret_early->n] = -1;
		ret_early->maps[ret_early->n++] = map;
	}
	if (ret_early->n)
		aside_begin(&ret_early->aside, make, ret_early);
}

void early_maps_end(struct early_maps *early)
{
	__atomic_store_n(&early->enough, true, __ATOMIC_RELAXED);
	aside_end(&early->aside);
	for (size_t i = 0; i < early->n; i++) {
		if (early->fds[i] < 0)
			continue;
		bpf_map__reuse_fd(early->maps[i], early->fds[i]); /* where it fails, the map stays as it was */
		close(early->fds[i]);
	}
}
