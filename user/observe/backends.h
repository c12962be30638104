/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can give each kind of event, best first, and whether it can here. */
#ifndef OBSERVE_BACKENDS_H
#define OBSERVE_BACKENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

struct kernel_btf;

#define BACKEND_TYPE(EV) (1ULL << NSS_EV_##EV)

/* The events that come from system calls. */
#define BACKEND_CALLS                                                                                         \
	(BACKEND_TYPE(MOUNT) | BACKEND_TYPE(UMOUNT) | BACKEND_TYPE(MOVE_MOUNT) | BACKEND_TYPE(PIVOT_ROOT) |   \
	 BACKEND_TYPE(CHROOT) | BACKEND_TYPE(FSOPEN) | BACKEND_TYPE(FSCONFIG) | BACKEND_TYPE(FSMOUNT) |       \
	 BACKEND_TYPE(FSPICK) | BACKEND_TYPE(OPEN_TREE) | BACKEND_TYPE(OPEN_TREE_ATTR) |                      \
	 BACKEND_TYPE(MOUNT_SETATTR) | BACKEND_TYPE(UNSHARE) | BACKEND_TYPE(SETNS) | BACKEND_TYPE(NS_CREATE))

enum backend_id {
	BACKEND_FORK,
	BACKEND_EXEC,
	BACKEND_EXIT,
	BACKEND_KPROBE,
	BACKEND_FENTRY,
	BACKEND_TRACEPOINT,
	BACKEND_ITER,
	BACKEND_PROC,
	BACKENDS_MAX,
};

struct backend {
	const char *gives; /* what kind of event; the first row that works is taken */
	const char *name; /* as --backend takes it */
	const char *hooks;
	const char *needs;
	const char *costs;
	const char *misses; /* what it cannot see; NULL: nothing */
	uint64_t types; /* bit per enum nss_type */
};

extern const struct backend backends[BACKENDS_MAX];

/* Whether --backend may name @name: there is a choice between it and another. */
bool backend_is_choice(const char *name);

/*
 * Whether @id works here, by loading and attaching an empty program of its kind: 0, or -errno as the kernel answered.
 * Tried once, then remembered.
 */
int backend_try(enum backend_id id);

/*
 * The same at a glance, without reading the kernel's BTF: 0 does not promise that it works, an error says that it does
 * not.
 */
int backend_glance(enum backend_id id);

/* Whether it is worth to try @id, which gives system calls, where none was asked for by name: the last way always. */
bool calls_may_work(enum backend_id id);

/* Whether BPF programs may have an atomic exchange (Linux 5.12). True also where that cannot be tried. */
bool kernel_has_atomics(void);

/*
 * Whether BPF programs may read the kernel's memory by an instruction (Linux 6.17, asked for from 6.18 on): the number of the
 * function that allows it, of @btf; 0: they may not.
 */
uint32_t kernel_rdonly_cast(struct kernel_btf *btf);

/* What cannot be tried: the release says it. */

/* Whether kernel_rdonly_cast() may give a number, which needs the kernel's BTF to be sure. */
bool kernel_may_read_memory(void);

/* Whether a task can be preempted in a tracepoint's program (Linux 7.0). */
bool kernel_preempts_tracepoints(void);

/*
 * Whether it is a danger to let go of a function that fentry or kprobe has hold of, in a PID namespace that may end
 * meanwhile: its init waits for us, and RCU for its init, and then all RCU tasks for ever (mended in Linux 6.9).
 */
bool kernel_may_hang_in_pid_ns(void);

/* Whether a BPF ring buffer can be made (Linux 5.8): 0 or -errno. */
int kernel_try_ring_buffer(void);

#endif
