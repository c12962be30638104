/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How measured values are spread. */
#ifndef UTIL_SPREAD_H
#define UTIL_SPREAD_H

#include <stddef.h>
#include <stdint.h>

struct spread {
	size_t n; /* values; 0: the rest is not known */
	uint64_t p50, p90, p99, max;
};

/* Sorts @values. A percentile is the smallest value that as many per cent of all are not above (nearest rank). */
struct spread spread_of(uint64_t *values, size_t n);

#endif
