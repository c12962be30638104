/* SPDX-License-Identifier: GPL-2.0-or-later */
/* close_range(2), also where a filter of system calls does not know it (older containers). */
#ifndef UTIL_FDS_H
#define UTIL_FDS_H

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

/* Closes all descriptors from @first to @last, both included; without /proc it may be that none is closed. */
static inline void close_fds(unsigned first, unsigned last)
{
	struct dirent *entry;
	DIR *dir;

	if (first > last || close_range(first, last, 0) == 0)
		return;
	dir = opendir("/proc/self/fd");
	while (dir && (entry = readdir(dir))) {
		char *end;
		unsigned long fd = strtoul(entry->d_name, &end, 10);

		if (end != entry->d_name && fd >= first && fd <= last && (int)fd != dirfd(dir))
			close((int)fd);
	}
	if (dir)
		closedir(dir);
}

#endif
