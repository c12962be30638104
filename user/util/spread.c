/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/spread.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t percentile(const uint64_t *values, size_t n, size_t percent)
{
	return values[(n * percent + 99) / 100 - 1];
}

struct spread spread_of(uint64_t *values, size_t n)
{
	if (!n)
		return (struct spread){};
	qsort(values, n, sizeof(*values), ascending);
	return (struct spread){ n, percentile(values, n, 50), percentile(values, n, 90), percentile(values, n, 99),
				values[n - 1] };
}
