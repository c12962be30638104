/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/maps.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int maps_take(struct maps *ret_maps, const struct prepared *prepared)
{
	const struct prepared_item *item = NULL;

	*ret_maps = (struct maps){};
	while ((item = prepared_next(prepared, item))) {
		if (item->kind != PREPARED_MAP)
			continue;
		if (ret_maps->n == MAPS_MAX)
			return -E2BIG;
		ret_maps->all[ret_maps->n] = (struct map){
			.type = item->type,
			.key_size = item->map.key_size,
			.flags = item->map.flags,
			.value_size = item->map.value_size,
			.max_entries = item->map.max_entries,
			.data = item->data_len ? item->data : NULL,
			.data_len = item->data_len,
			.fd = -1,
		};
		memcpy(ret_maps->all[ret_maps->n++].name, item->name, sizeof(item->name));
	}
	return 0;
}

struct map *maps_find(struct maps *maps, const char *name)
{
	for (size_t i = 0; i < maps->n; i++)
		if (!strcmp(maps->all[i].name, name))
			return &maps->all[i];
	return NULL;
}

/* Constants are for the programs only: the verifier counts on it that nobody changes them any more. */
static int fill(const struct map *map)
{
	uint32_t first = 0;

	if (map->data && map->data_len != map->value_size)
		return -EINVAL;
	if (map->data && bpf_map_update_elem(map->fd, &first, map->data, BPF_ANY))
		return -errno;
	return map->flags & BPF_F_RDONLY_PROG && bpf_map_freeze(map->fd) ? -errno : 0;
}

static void make(struct map *map)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = map->flags);
	int err;

	map->fd = bpf_map_create(map->type, map->name, map->key_size, map->value_size, map->max_entries, &opts);
	if (map->fd < 0) {
		map->fd = -errno;
		return;
	}
	err = fill(map);
	if (err) {
		close(map->fd);
		map->fd = err;
	}
}

static void *make_some(void *arg)
{
	struct maps *maps = arg;

	for (size_t i; (i = __atomic_fetch_add(&maps->next, 1, __ATOMIC_RELAXED)) < maps->n;)
		make(&maps->all[i]);
	return NULL;
}

void maps_begin(struct maps *maps)
{
	aside_begin(&maps->aside, make_some, maps, true);
}

int maps_end(struct maps *maps, const char **ret_refused)
{
	make_some(maps);
	aside_end(&maps->aside);
	for (size_t i = 0; i < maps->n; i++) {
		if (maps->all[i].fd >= 0)
			continue;
		*ret_refused = maps->all[i].name;
		return maps->all[i].fd;
	}
	return 0;
}

void *maps_share(const struct map *map)
{
	size_t size = (size_t)map->value_size * map->max_entries;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, map->fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

void maps_close(struct maps *maps)
{
	for (size_t i = 0; i < maps->n; i++)
		if (maps->all[i].fd >= 0)
			close(maps->all[i].fd);
	maps->n = 0;
}
