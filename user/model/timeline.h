/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes of a stream as a tree of who made whom, each with its phases. The memory does not grow with the stream:
 * when there are many processes, those that have ended are put together, first repeats of a command by one parent.
 */
#ifndef MODEL_TIMELINE_H
#define MODEL_TIMELINE_H

#include "model/model.h"

#define TIMELINE_NODES 4096 /* more are put together */
#define TIMELINE_EXECS 8 /* of one process; more are counted */
#define TIMELINE_MARKS 16 /* of one process; the same */
#define TIMELINE_MARKS_ALL 4096
#define TIMELINE_LOSSES 64
#define TIMELINE_TEXT 300 /* bytes of a command or of a call in words; longer ones are cut, and say so */
#define TIMELINE_BINS 512 /* parts of the time in which a group tells how many ran */
#define TIMELINE_CLASSES 544 /* of durations: 16 for each doubling, from 1 us on */

/* What a process did at one moment, in words that are harmless for a terminal. */
struct timeline_note {
	uint64_t mono_ns;
	enum event_group group; /* GROUP_PROCESS: an exec */
	bool failed;
	char *text;
};

/* Several processes in one. */
struct timeline_group {
	uint64_t min_ns, max_ns; /* of their times from fork to exit, where both are known */
	uint64_t known; /* how many are */
	uint64_t failed; /* ended by a signal, or with a status that is not 0 */
	uint64_t running; /* when the stream ended */
	uint32_t lowest, highest; /* PIDs, as the host numbers them */
	bool others; /* of different commands */
	bool several_ns; /* of different PID namespaces */
	uint32_t shift; /* a part of the time is 2^shift ns, from the start of the stream on */
	uint32_t classes[TIMELINE_CLASSES];
	float busy[TIMELINE_BINS]; /* ns of processes that lived in that part */
};

enum timeline_end { TIMELINE_LIVES, TIMELINE_ENDED, TIMELINE_END_UNKNOWN };

struct timeline_node {
	struct timeline_node *parent, *children, *last, *next;
	uint32_t pid; /* the host's number */
	uint32_t levels;
	struct nss_pid *pids; /* outermost first */
	uint32_t ns_use; /* of the inum of its PID namespace: 1 for the first namespace that was seen to have it */
	uint64_t start_ns; /* with pid: its identity */
	char comm[NSS_COMM_LEN];
	uint64_t begin, ended; /* CLOCK_MONOTONIC, ns */
	bool before; /* it ran before it was first seen: begin is when that was */
	bool shown; /* a filter has left an event of it */
	bool live; /* in the table: more may come of it */
	bool chosen; /* for what reduces: it goes to the others */
	enum timeline_end end;
	uint32_t status; /* wait status */
	uint64_t count; /* processes; with group more than one */
	size_t nexecs, nmarks;
	struct timeline_note *execs, *marks;
	uint64_t more_execs, more_marks; /* that are not kept */
	struct timeline_group *group; /* or NULL */
	UT_hash_handle hh;
};

/* An inum that a PID namespace has: the kernel gives it to another one when that has ended. */
struct timeline_inum {
	uint32_t inum;
	uint32_t use;
	uint64_t init_start_ns; /* of the first process of the namespace that has it now; 0: not seen */
	UT_hash_handle hh;
};

struct timeline {
	struct timeline_node root; /* of no process: above those whose parent is not seen */
	struct timeline_node *live; /* by pid */
	struct timeline_inum *inums; /* as many as ever were in use at a time */
	size_t nodes, limit;
	size_t marks; /* that are kept */
	bool begun, complete; /* the start record, the end record came */
	bool filtered; /* only processes of which an event is shown */
	uint64_t origin, latest; /* CLOCK_MONOTONIC, ns */
	uint64_t processes; /* seen */
	uint64_t left_out; /* of these: no event is shown */
	size_t nlosses;
	uint64_t losses[TIMELINE_LOSSES]; /* when a gap was noticed */
	char *command, *kernel, *version; /* in words; NULL: not told */
};

/* A process's PID namespace, inum. */
static inline uint32_t timeline_ns(const struct timeline_node *n)
{
	return n->levels ? n->pids[n->levels - 1].ns : 0;
}

static inline bool timeline_same_ns(const struct timeline_node *x, const struct timeline_node *y)
{
	return timeline_ns(x) == timeline_ns(y) && x->ns_use == y->ns_use;
}

/* Prepares @t, which is zeroes. */
void timeline_init(struct timeline *t);

/* Takes in @e, which @m has taken in already; @shown: no filter leaves it out. 0 or -ENOMEM. */
int timeline_event(struct timeline *t, const struct event *e, const struct model *m, bool shown);

/* When the stream is over: what lives, lives until then; and no more than @nodes are left, if it can be. 0 or -ENOMEM. */
int timeline_finish(struct timeline *t, size_t nodes);

/* Puts processes that have ended together until @target nodes are left, or nothing more can be. 0 or -ENOMEM. */
int timeline_reduce(struct timeline *t, size_t target);

/* The node behind @n, a parent before its children; @ret_depth moves along (0: below the root). NULL: none. */
struct timeline_node *timeline_next(const struct timeline_node *n, size_t *ret_depth);

/* The middle duration of a group, within 1/16, ns. */
uint64_t timeline_median(const struct timeline_group *g);

/* Drops what @n keeps of its execs and calls: they are only counted. */
void timeline_forget_notes(struct timeline *t, struct timeline_node *n);

/* Frees @n, which is in no list. */
void timeline_node_free(struct timeline *t, struct timeline_node *n);
void timeline_free(struct timeline *t);

/* As timeline_reduce needs them. */
void timeline_append(struct timeline_node *parent, struct timeline_node *child);
/* Makes @n a group, if it is none. 0 or -ENOMEM. */
int timeline_make_group(struct timeline *t, struct timeline_node *n);
/* Makes a group of @into and @n, which goes. 0 or -ENOMEM. */
int timeline_merge(struct timeline *t, struct timeline_node *into, struct timeline_node *n);

#endif
