/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs share with each other and with user space. Sizes are set before the load. */
#ifndef NSS_MAPS_H
#define NSS_MAPS_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "abi/abi.h"

const volatile struct nss_config conf = {};

/*
 * Initialised, and so first in .bss, in this order: user space has one type for that of all builds; user/observe/fit.c makes sure.
 */

/* Depth of nsscope's own PID namespace: found by on_task where it is not the initial one. */
__u32 host_level = 0;

/* Read by the consumer through its mapping of .bss: no system call. */
__u64 lost[NSS_EV_MAX] = {};

/* Events that another than the first program has told, see core/spare.h; the last: system calls of any kind. */
__u64 rescued[NSS_EV_MAX + 1] = {};

/*
 * The process whose next children belong to the tracked set though it does not itself, by its PID in nsscope's own PID
 * namespace; 0: none.
 */
__u32 cloner = 0;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} events SEC(".maps");

/*
 * A map of a byte for each PID: not a bit, since a bit needs an atomic OR, which 5.10 has not, and user space writes here too
 * (watch --pid). A plain store of a byte cannot disturb a neighbour.
 */
#define PID_BYTES(name, flags)                                        \
	struct {                                                      \
		__uint(type, BPF_MAP_TYPE_ARRAY);                     \
		__uint(map_flags, flags);                             \
		__uint(max_entries, NSS_PID_LIMIT / NSS_TRACKED_PAGE); \
		__type(key, __u32);                                   \
		__type(value, __u8[NSS_TRACKED_PAGE]);                \
	} name SEC(".maps")

PID_BYTES(tracked, BPF_F_MMAPABLE);
PID_BYTES(marks, 0); /* of threads: see core/spare.h */

/* The call that a thread is in. */
struct entry {
	__u64 time;
	__u64 last; /* of the mounts of its namespace, see ns_last(); of a context, see log_head() */
	__u64 taken; /* taken_so_far() at the beginning */
	__u64 changes[2]; /* at the beginning, of all trees and of the caller's; NSS_UNKNOWN: another call was in progress then */
	__u32 event;
	__s32 stash; /* of them; -1: none */
};

/* Calls that may change a mount tree: the first of all, the others each of some mount namespaces. */
#define NSS_TREES 64 /* a power of two */
struct {
	__u64 changes; /* beginnings and ends, of all tasks */
	__u64 calls; /* of those that are told, how many are in progress */
} trees[1 + NSS_TREES];

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct entry);
} in_call SEC(".maps");

/* Of a struct task_struct and a struct nsproxy: what is read at once; see core/task.h. */
#define NSS_TASK_PART 1024
#define NSS_NSPROXY_PART 128

/* A search for a free slot of what is noted to tell its end. */
struct claiming {
	__u32 left; /* slots yet to be tried */
	__s32 slot; /* that was taken; -1: none */
};

/*
 * Where a record is put together. Some for each CPU: programs of fentry, and from 7.0 on of tracepoints, can be preempted
 * by another task whose event runs a program on the same CPU. Not a per-CPU map: the value of one ends at 32 KiB.
 */
struct scratch {
	__u32 busy;
	__u32 slot; /* its key */
	__u64 host_ns, own_ns; /* addresses of the task's PID namespaces: nsscope's level, and the innermost */
	__u64 task[NSS_TASK_PART / sizeof(__u64)];
	__u64 nsproxy[NSS_NSPROXY_PART / sizeof(__u64)];
	struct claiming claiming;
	union {
		struct nss_rec rec;
		__u8 bytes[NSS_RECORD_MAX];
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NSS_SCRATCHES); /* conf.all_scratches, before the load; see ELEMENT() */
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

#endif
