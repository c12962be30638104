/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/spares.h"

#include <bpf/bpf.h>
#include <errno.h>

int spares_connect(const struct spared *hooks, size_t n)
{
	uint32_t key = 0;

	for (size_t i = 0; i < n; i++) {
		int fd = hooks[i].real;

		if (fd >= 0 && bpf_map_update_elem(hooks[i].map, &key, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

uint64_t program_skipped(int fd)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &len))
		return 0;
	return info.recursion_misses;
}
