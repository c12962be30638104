/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Has libbpf fit the BPF programs to the running kernel. */
#ifndef OBSERVE_FIT_H
#define OBSERVE_FIT_H

#include <stdbool.h>
#include <stddef.h>

#include "observe/prepared.h"
#include "observe/probes.h"

/*
 * Adds to @prepared the maps, the BTF, and the @n programs that are @needed; one of them that is optional, and whose function the
 * kernel does not have, without instructions. @reads_memory: try that build of them which kernels take from 6.18 on. 0 or -errno;
 * -ESRCH: the kernel does not have a function or tracepoint.
 */
int fit(struct prepared *prepared, bool reads_memory, const struct probe *const *needed, size_t n);

/*
 * Whether the programs have the elements of that map by their address, so that it is to have one value, which is all of them:
 * ELEMENT() of bpf/core/compat.h. Only where there is bpf_rdonly_cast.
 */
bool fit_has_addresses(const char *map);

#endif
