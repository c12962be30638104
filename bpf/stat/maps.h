/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nsscope stat keeps: of each process, of the call that a thread is in, and what it has added up. */
#ifndef NSS_STAT_MAPS_H
#define NSS_STAT_MAPS_H

#include "core/filter.h"
#include "abi/stat.h"

const volatile struct nss_stat_config stat_conf = {};

__u64 counts[NSS_COUNTS];

/* By PID in the initial PID namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_LIVES);
	__type(key, __u32);
	__type(value, struct nss_life);
} lives SEC(".maps");

/*
 * Processes of which one of two has come: the return of the call that made it, and its first exec or end. The two may be on
 * two CPUs at the same time, and 5.10 has no atomic exchange; to put an element where none may be is one. With NSS_ENDED:
 * those that have ended, of which two threads may have been the last.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 2 * NSS_LIVES);
	__type(key, __u32);
	__type(value, __u32);
} met SEC(".maps");

/* The call that a thread is in. */
struct spawn {
	__u64 begun;
	__u32 call;
	__u32 child; /* that it made */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, __u32); /* thread */
	__type(value, struct spawn);
} spawns SEC(".maps");

/* Which process the number of one that has ended was, in each PID namespace that could see it: for wait calls. */
struct ended_key {
	__u32 ns; /* inum */
	__u32 pid; /* there */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct ended_key);
	__type(value, __u32);
} ended SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_SPANS);
	__type(key, struct nss_span_key);
	__type(value, struct nss_span);
} spans SEC(".maps");

/* What a new span begins as: too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct nss_span);
} no_span SEC(".maps");

/* For the length of a path: what is read there is not looked at, so it is no harm if another program writes over it. */
#define NSS_SPARE_NAME 4096
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[NSS_SPARE_NAME]);
} spare_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, NSS_SPAWNERS);
	__type(key, struct nss_spawner);
	__type(value, __u64);
} spawners SEC(".maps");

/* Of each PID, so that a process of which nothing is known costs no look into a hash. */
enum { LIFE_NONE, LIFE_FRESH /* has not run */, LIFE_RUNS };

PID_BYTES(known, 0);

static __always_inline void count(__u32 what)
{
	if (what < NSS_COUNTS)
		__sync_fetch_and_add(&counts[what], 1);
}

#endif
