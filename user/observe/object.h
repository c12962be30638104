/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF object: opened, fitted to the running kernel, loaded. */
#ifndef OBSERVE_OBJECT_H
#define OBSERVE_OBJECT_H

#include <pthread.h>
#include <stdbool.h>

#include "abi/abi.h"

#include "nsscope.skel.h"

/* The most programs that it may have. */
#define OBJECT_PROGRAMS_MAX 160

struct kernel_btf;
struct verify;

struct object {
	struct nsscope_bpf *skel;
	struct kernel_btf *kernel; /* until it is loaded */
	int kernel_error; /* 0 or -errno: how it was opened */
	int excerpt; /* memfd: the part of the kernel's BTF that matters */
	struct verify *now, *later; /* programs to be loaded */
	pthread_t thread; /* that loads these */
	bool is_loading; /* it has been started */
	int load_error; /* 0 or -errno: how it ended */
	const char *refused; /* the program that the kernel did not take; NULL: none */
};

/* Opens it; programs and maps can then be set up. 0 or -errno. */
int object_open(struct object *ret_object);

/* Gives @map, scratches or works, @n elements; in the build from 6.17 on they are one value. Before the load. 0 or -errno. */
int object_set_elements(struct bpf_map *map, uint32_t n);

/*
 * Loads the programs that have autoload set; those that probes.c calls optional and whose function the kernel does not
 * have are left out, their autoload is cleared. 0 or -errno; -ESRCH: the kernel does not have a function or tracepoint.
 */
int object_load(struct object *object);

/* Begins to load what is not needed for a start (PROBE_LOOK), by a thread of its own, if there is one to be had. */
void object_begin_later(struct object *object);

/* Loads that, when called the first time, or waits until it is loaded. 0 or -errno. */
int object_load_later(struct object *object);

/*
 * Attaches @program where its section says, kprobes to the functions that give the @types (bit per enum nss_type): a
 * link's file descriptor, or -errno.
 */
int object_attach(const struct bpf_program *program, uint64_t types);

/* May be called after object_open failed, or on zeroes. */
void object_close(struct object *object);

#endif
