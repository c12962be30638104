/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the stream has told so far: the processes that live, and counts. */
#ifndef MODEL_MODEL_H
#define MODEL_MODEL_H

#include <uthash.h>

#include "event/event.h"
#include "event/reach.h"
#include "model/contexts.h"
#include "model/pidtable.h"

/* A process, from its fork, its snapshot or the first event that named it, to its exit. */
struct process {
	uint32_t pid; /* the host's number */
	uint64_t start_ns; /* with pid: its identity, also where the number is used again */
	struct nss_task task;
	uint32_t levels;
	struct nss_pid *pids;
	bool kthread;
};

/* A namespace that the stream has told the making of. */
struct namespace {
	struct namespace_key {
		uint32_t type; /* enum nss_ns */
		uint32_t inum;
	} key;
	uint64_t id; /* or NSS_UNKNOWN */
	uint64_t processes; /* that were in it */
	UT_hash_handle hh;
};

struct model {
	struct pidtable processes; /* struct process */
	struct namespace *namespaces; /* by type and inum */
	struct namespace *recent[NSS_NS_MAX]; /* of each kind, the one that was looked for last */
	uint64_t mono_start; /* of the stream, ns */
	uint64_t wall_offset_ns;
	struct nss_host host;
	uint64_t snapshot; /* processes that ran already */
	uint64_t events; /* all but the snapshot's */
	uint64_t by_type[NSS_EV_MAX];
	uint64_t failed[NSS_EV_MAX]; /* of those with an error field */
	uint64_t args_of_caller; /* calls whose arguments may have changed before they were read */
	uint64_t reached[REACH_MAX]; /* operations on mounts, by verdict */
	struct nss_counts lost;
	struct contexts contexts; /* of the new mount API */
};

/* Takes in @e, and fills in what only the model knows of it. 0 or -ENOMEM. */
int model_update(struct model *m, struct event *e);

/* The process that the host calls @pid, or NULL. */
struct process *model_find(const struct model *m, uint32_t pid);

/* Events lost so far, of all types. */
uint64_t model_lost(const struct model *m);

void model_free(struct model *m);

#endif
