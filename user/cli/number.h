/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CLI_NUMBER_H
#define CLI_NUMBER_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* A whole decimal number up to @max. */
static inline bool number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v > max)
		return false;
	*ret = v;
	return true;
}

#endif
