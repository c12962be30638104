/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/tracked.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>

#include "abi/abi.h"
#include "util/cleanup.h"

static uint32_t pid_limit(void)
{
	_fclose_ FILE *f = fopen("/proc/sys/kernel/pid_max", "re");
	unsigned limit;

	return f && fscanf(f, "%u", &limit) == 1 && limit < NSS_PID_LIMIT ? limit : NSS_PID_LIMIT;
}

uint32_t tracked_pages(void)
{
	return pid_limit() / NSS_TRACKED_PAGE + 1;
}

int tracked_map(struct tracked *t, int fd, uint32_t pages)
{
	size_t size = (size_t)pages * NSS_TRACKED_PAGE;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*t = (struct tracked){ p, size };
	return 0;
}

void tracked_unmap(struct tracked *t)
{
	if (t->bytes)
		munmap(t->bytes, t->size);
	*t = (struct tracked){};
}

void tracked_set(struct tracked *t, uint32_t pid, bool in)
{
	if (pid < t->size)
		__atomic_store_n(&t->bytes[pid], in, __ATOMIC_SEQ_CST);
}

bool tracked_has(const struct tracked *t, uint32_t pid)
{
	return pid < t->size && __atomic_load_n(&t->bytes[pid], __ATOMIC_SEQ_CST);
}
