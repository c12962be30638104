/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads the BPF programs, attaches those that are needed, and gives what comes from them. */
#ifndef OBSERVE_OBSERVE_H
#define OBSERVE_OBSERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/abi.h"
#include "observe/explain.h"
#include "observe/tracked.h"

#define OBSERVE_BUFFER_DEFAULT (4U << 20)

struct observe_settings {
	struct nss_config conf; /* what to observe; the rest is filled in by observe_open */
	const char *backend; /* the only one to use for system calls, by its name; NULL: the best that works */
	bool notes; /* observe_note_namespace is to be called: a large program, not to be verified without need */
	bool leaves_nothing; /* no file for further starts either, see observe/prepared.h */
	uint32_t buffer; /* bytes of the ring buffer: a power of two, at least a page */
};

struct observer;

/* Opens, loads and attaches. 0, or -errno and *@ret_error. */
int observe_open(const struct observe_settings *settings, struct observer **ret_observer, struct observe_error *ret_error);

/*
 * While @pid (as nsscope numbers it) is not 0, the children that it makes are in the tracked set; it is not. So what
 * is launched is observed from its first moment, and the launcher never.
 */
void observe_cloner(struct observer *o, pid_t pid);

struct tracked *observe_tracked(struct observer *o);

/*
 * Loads what observe_look needs, when called the first time: so a start need not wait for it. 0 or -errno. Where it has been
 * begun before, while there was something else to wait for, this waits for the end of it.
 */
void observe_begin_look(struct observer *o);
int observe_prepare_look(struct observer *o);

/* Has the kernel side look which mounts have gone and which namespaces have ended since the last time. 0 or -errno. */
int observe_look(struct observer *o);

/*
 * Has the kernel side tell the end of the namespace as well that the namespace file @fd is of, which was there before. 0 or
 * -errno; what finds no place is counted as lost.
 */
int observe_note_namespace(struct observer *o, int fd);

/* File descriptor of the ring buffer's map. */
int observe_events_fd(struct observer *o);

/*
 * How many events the kernel side could not deliver, by type. It never gets less. Some may be known a second later only, or
 * by the @last call.
 */
struct nss_counts observe_lost(struct observer *o, bool last);

/* "group=hook group=hook": what gives the events. */
const char *observe_backend(const struct observer *o);

/*
 * Opens the iterator over the processes that run now: records of type process are read from it with read(2). A file
 * descriptor, or -errno (-EOPNOTSUPP: the kernel has none).
 */
int observe_snapshot_fd(struct observer *o);

void observe_close(struct observer *o);

#endif
