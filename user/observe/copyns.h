/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long the kernel's own functions take that make namespaces: by fentry and fexit, where the kernel allows them. */
#ifndef OBSERVE_COPYNS_H
#define OBSERVE_COPYNS_H

#include "util/spread.h"

enum {
#define COPY_NS(type, function, flag) COPY_NS_##function,
#include "abi/copy_ns.def"
#undef COPY_NS
	COPY_NS_MAX,
};

struct copyns;

/*
 * Begins to measure the calls of children of this process; one child at a time, with one thread. 0; -EXDEV: not in a PID
 * namespace below the initial one; -errno: the kernel refuses, or does not have them.
 */
int copyns_open(struct copyns **ret);

/* What was measured so far, ns. */
void copyns_read(const struct copyns *c, struct spread ret[COPY_NS_MAX]);

/* Takes some time: the kernel is slow to let go of each function. */
void copyns_close(struct copyns *c);

#endif
