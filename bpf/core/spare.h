/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Programs that may run for two tasks on one CPU at the same time: see spare.bpf.c. */
#ifndef NSS_SPARE_H
#define NSS_SPARE_H

#include "core/maps.h"

/* Where the programs of a hook find the real one: a map for each, which takes one hook's only. */
#define REAL_PROGRAM(program)                          \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_PROG_ARRAY); \
		__uint(max_entries, 1);                \
		__type(key, __u32);                    \
		__type(value, __u32);                  \
	} real_##program SEC(".maps")

/*
 * To stand in a real program. Since 6.13 the kernel may give a program a stack of its own on each CPU, which only what
 * it takes for recursion keeps two tasks from sharing. But not one that has a tail call, which is never made here.
 */
#define REENTRANT(program)          \
	do {                        \
		if (conf.types >> 63) \
			bpf_tail_call(ctx, &real_##program, 0); \
	} while (0)

#endif
