/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef UTIL_GLOB_H
#define UTIL_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Whether all of the @len bytes at @s match @glob: * any bytes, also / and none; ? any byte; [abc], [a-z], [!abc] one;
 * \ makes the next byte plain. Unlike fnmatch(3) of bytes, whatever the locale, and in time of glob_len * len at most. A [
 * without its ] is plain.
 */
bool glob_match(const char *glob, size_t glob_len, const char *s, size_t len);

#endif
