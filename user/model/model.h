/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the stream has told so far: the processes that live, and counts. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <uthash.h>

#include "event/event.h"

/* A process, from its fork, its snapshot or the first event that named it, to its exit. */
struct process {
	uint32_t pid; /* the host's number */
	uint64_t start_ns; /* with pid: its identity, also where the number is used again */
	struct nss_task task;
	uint32_t levels;
	struct nss_pid *pids;
	bool kthread;
	UT_hash_handle hh;
};

struct model {
	struct process *processes; /* by pid */
	uint64_t mono_start; /* of the stream, ns */
	uint64_t wall_offset_ns;
	struct nss_host host;
	uint64_t snapshot; /* processes that ran already */
	uint64_t events; /* all but the snapshot's */
	uint64_t by_type[NSS_EV_MAX];
	uint64_t failed[NSS_EV_MAX]; /* of those with an error field */
	uint64_t args_of_caller; /* calls whose arguments may have changed before they were read */
	struct nss_counts lost;
};

/* Takes in @e. 0 or -ENOMEM. */
int model_update(struct model *m, const struct event *e);

/* The process that the host calls @pid, or NULL. */
struct process *model_find(const struct model *m, uint32_t pid);

/* Events lost so far, of all types. */
uint64_t model_lost(const struct model *m);

void model_free(struct model *m);

#endif
