/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What namespaces cost on this machine: made and ended many times, by children. */
#ifndef LAUNCH_NSCOST_H
#define LAUNCH_NSCOST_H

#include <stdbool.h>

#include "util/spread.h"

/* Of one worker, once for the calls and once for the end of namespaces: the first of these, but not before the least. */
#define NSCOST_SAMPLES 1000
#define NSCOST_LEAST 10
#define NSCOST_NS 200000000ULL

struct nscost_plan {
	uint64_t namespaces; /* CLONE_NEW*; 0: only children */
	unsigned workers; /* at a time */
	unsigned samples; /* exactly as many, at most NSCOST_SAMPLES; 0: as above */
	bool calls_only; /* not the end of namespaces, for which calls are made that fail */
};

/* Times in ns, CLOCK_MONOTONIC in user space. */
struct nscost {
	struct spread make; /* the call of clone3(2), as the parent sees it: the namespaces are made in it */
	struct spread end; /* from the child's last instruction, _exit(2), to the return of its parent's wait */
	/* from there until the kernel counts the namespaces no more; with ipc, and until the next were made; n 0: not known */
	struct spread gone;
	bool in_user_ns; /* each worker was in a user namespace of its own */
};

/*
 * Makes and ends children, as @plan says. A worker is in a user namespace of its own. For the end of namespaces it may have only one of each type there: as long as the last is counted, no other can be made.
 * Where it gets no user namespace it needs the right to make namespaces, and their end is not known.
 * 0; -errno of clone3(2), -ETIME: a namespace was not gone within 10 s; or of what else failed.
 */
int nscost_measure(const struct nscost_plan *plan, struct nscost *ret);

#endif
