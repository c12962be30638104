/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Long loops. The verifier goes round a loop as often as it can run, unless it is one of bpf_loop(), whose body it looks
 * at once. May be nothing but that when no kernel before 5.17 is in tests/vm/kernels.
 */
#ifndef NSS_LOOP_H
#define NSS_LOOP_H

#include "core/compat.h"

/*
 * 0: of bpf_loop(). A constant would have the verifier put a loop in place of the call, and for that make anew all that it knows
 * of the program.
 */
__u64 no_flags;

/* Calls body(i, ctx) for i from 0 to n - 1, until it gives 1. */
#define LOOP(n, body, ctx)                              \
	do {                                            \
		if (has_bpf_loop())                     \
			bpf_loop(n, body, ctx, no_flags);      \
		else                                    \
			for (__u64 _i = 0; _i < (n); _i++) \
				if (body(_i, ctx))      \
					break;          \
	} while (0)

/* Before 5.17 a row of steps, rows of rows and rows of these: each a function that the verifier looks at once. */
#define NSS_ROW 40
#define NSS_STEPS (NSS_ROW * NSS_ROW * NSS_ROW)

#define ROW_OF(row, step)                     \
	__noinline int row(__u32 slot)        \
	{                                     \
		for (int i = 0; i < NSS_ROW; i++) \
			if (step(slot))       \
				return 1;     \
		return 0;                     \
	}

/*
 * Makes name_steps(slot): calls name_step(slot), which is not static, until it gives 1. False if it did not in
 * NSS_STEPS calls.
 */
#define STEPS(name)                                                          \
	static long name##_body(__u64 i, __u32 *slot)                        \
	{                                                                    \
		return name##_step(*slot) & 1; /* the verifier wants to see 0 or 1 */ \
	}                                                                    \
	ROW_OF(name##_row, name##_step)                                      \
	ROW_OF(name##_rows, name##_row)                                      \
	static __always_inline bool name##_steps(__u32 slot)                 \
	{                                                                    \
		if (has_bpf_loop())                                          \
			return bpf_loop(NSS_STEPS, name##_body, &slot, no_flags) < NSS_STEPS; \
		for (int i = 0; i < NSS_ROW; i++)                            \
			if (name##_rows(slot))                               \
				return true;                                 \
		return false;                                                \
	}

#endif
