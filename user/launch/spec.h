/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small languages of run's options. Pure: all return 0, or -EINVAL for what is not of the language. */
#ifndef LAUNCH_SPEC_H
#define LAUNCH_SPEC_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

/* SRC:DST, in either \: is a colon and \\ a backslash. DST is absolute. -ENAMETOOLONG as well. */
struct spec_bind {
	char source[PATH_MAX];
	char target[PATH_MAX];
};
int spec_bind(const char *text, struct spec_bind *ret);

/* DST[:SIZE], SIZE as tmpfs(5) takes it: bytes, with K, M or G behind, or N%, N > 0. ret->size is empty if there is none. */
struct spec_tmpfs {
	char target[PATH_MAX];
	char size[24];
};
int spec_tmpfs(const char *text, struct spec_tmpfs *ret);

/* N, with K, M, G or T behind: bytes. Not 0. */
int spec_size(const char *text, uint64_t *ret);

/* A whole decimal number up to @max. */
int spec_number(const char *text, uint64_t max, uint64_t *ret);

/* NAME=SOFT[:HARD], as in prlimit(1): without HARD both are SOFT; "unlimited"; K, M, G, T. */
int spec_rlimit(const char *text, int *ret_resource, struct rlimit *ret_limit);

/* NAME=VALUE with a NAME. */
int spec_env(const char *text);

/* A capability's name, with or without "cap_", in any case; or "all". Bit N is capability N. */
int spec_cap(const char *text, uint64_t *ret_set);

/* The names of a set, comma-separated; "all", or "all but", where that is shorter. Cut to @size bytes. */
void spec_cap_words(uint64_t set, char *words, size_t size);

#endif
