/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nsscope stat aggregates in the kernel, as both sides see it. */
#ifndef NSS_STAT_H
#define NSS_STAT_H

#include "abi/abi.h"

enum nss_phase {
#define PHASE(ID, name, doc) NSS_PHASE_##ID,
#include "abi/phases.def"
#undef PHASE
	/* The calls of syscalls.def, from entry to return; and those that failed. */
#define SYSCALL(EV, ...) NSS_PHASE_CALL_##EV, NSS_PHASE_FAILED_##EV,
#include "abi/syscalls.def"
#undef SYSCALL
	NSS_PHASE_MAX,
};

#define NSS_PHASE_CALLS NSS_PHASE_CALL_MOUNT /* the first of them */

/* By what durations are grouped. */
enum nss_by {
	NSS_BY_ALL,
	NSS_BY_COMM,
	NSS_BY_NS, /* PID namespace */
	NSS_BY_CGROUP,
	NSS_BY_PARENT, /* the process that made it */
	NSS_BY_IMAGE, /* executable file, as exec was given it */
};

#define NSS_GROUP_NAME 48

struct nss_group {
	__u64 id; /* inum of the namespace, id of the cgroup, PID of the parent in nsscope's PID namespace */
	__u64 start_ns; /* CLOCK_BOOTTIME: of the parent, or of the namespace's init: numbers are used again; 0 else */
	char name[NSS_GROUP_NAME]; /* comm; of the cgroup's directory; or path, if it is too long "..." and its end; the bytes behind its end are 0 */
};

/* What is known of a process. Times are CLOCK_MONOTONIC; 0: not known. */
struct nss_life {
	__u64 begun; /* entry of the call that made it */
	__u64 forked, woken;
	__u64 run_queue; /* ns + 1; 0: not known */
	__u64 cloned; /* ns that the call took, once it has returned */
	__u64 execed, exited;
	__u32 made; /* bit per enum nss_ns */
	__u32 parent; /* that was to wait for it when it ended */
	__u32 tracer; /* that was to be told first */
	__u32 told; /* what came before the first exec has been added */
	__u32 reaped;
	__u32 unused;
	struct nss_group group;
	struct nss_group first; /* that what came before the first exec has been added to */
};

/* Grouped by comm whatever is asked for: for the list of the shortest-lived. */
#define NSS_SPAN_BY_COMM 1U
/* No room for more groups: of all the rest. */
#define NSS_SPAN_REST 2U

struct nss_span_key {
	struct nss_group group;
	__u32 phase; /* enum nss_phase */
	__u32 made; /* NSS_PHASE_CLONE: bit per enum nss_ns of which one was made */
	__u32 flags; /* NSS_SPAN_ */
	__u32 unused;
};

/*
 * Buckets of a histogram: a duration below 16 ns each by itself, then 16 of equal width for each power of two: none is
 * wider than 1/16 of what it holds. The last power, 2^43 ns, is two hours and a half, and holds all above too.
 */
#define NSS_BUCKETS_PER_POWER 16
#define NSS_BUCKETS_LOG 4
#define NSS_BUCKETS_POWERS 40
#define NSS_BUCKETS ((NSS_BUCKETS_POWERS + 1) * NSS_BUCKETS_PER_POWER)

struct nss_span {
	__u64 count;
	__u64 sum; /* ns */
	__u64 max; /* ns */
	__u32 buckets[NSS_BUCKETS];
};

#define NSS_SPANS 8192 /* groups times phases */
#define NSS_SPAWNERS 65536
#define NSS_LIVES 131072 /* processes at a time */

#define NSS_NO_CALL 0xfffffff0U

/* Calls that are followed: those of syscalls.def by their events, then these. */
enum nss_spawn_call {
	NSS_SPAWN_NONE = NSS_EV_MAX,
#define SPAWN_CALL(ID, name, ...) NSS_SPAWN_##ID,
#include "abi/spawncalls.def"
#undef SPAWN_CALL
};

/* A process that makes others. */
struct nss_spawner {
	__u64 start_ns; /* CLOCK_BOOTTIME */
	__u32 pid; /* in nsscope's PID namespace; 0: it cannot be seen from there */
	__u32 unused;
	char comm[NSS_COMM_LEN];
};

/* Of the maps, an element each. */
struct nss_span_entry {
	struct nss_span_key key;
	struct nss_span span;
};

struct nss_spawner_entry {
	struct nss_spawner who;
	__u64 forks;
};

/* What is counted; of what cannot be measured too. */
enum nss_stat_count {
#define STAT_COUNT(ID, name, doc) NSS_COUNT_##ID,
#include "abi/stat_counts.def"
#undef STAT_COUNT
	NSS_COUNTS,
};

struct nss_stat_config {
	__u32 by; /* enum nss_by */
};

#endif
