/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The spare programs of a hook, see bpf/core/spare.h, and what the kernel skips. */
#ifndef OBSERVE_SPARES_H
#define OBSERVE_SPARES_H

#include <stddef.h>
#include <stdint.h>

struct spared {
	int real; /* descriptor of the program; negative: it is not loaded */
	int map; /* its descriptor: where its spare programs find it */
};

/* After the load: lets the spare programs of those of @hooks that are loaded go on to the real ones. 0 or -errno. */
int spares_connect(const struct spared *hooks, size_t n);

/* How often the kernel skipped the program, which it took for recursion; 0 if it is not loaded: @fd is negative. */
uint64_t program_skipped(int fd);

#endif
