/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BPF object: prepared for the running kernel, loaded, attached. */
#ifndef OBSERVE_OBJECT_H
#define OBSERVE_OBJECT_H

#include <pthread.h>
#include <stdbool.h>

#include "abi/abi.h"
#include "observe/maps.h"
#include "observe/prepared.h"
#include "observe/probes.h"

#include "nsscope.skel.h"

/* The most programs that it may have. */
#define OBJECT_PROGRAMS_MAX 160

/* Maps of the programs' constants and variables. */
#define OBJECT_CONSTANTS "nsscope.rodata"
#define OBJECT_VARIABLES "nsscope.bss"

struct verify;

struct object {
	struct prepared prepared; /* its items until they are loaded */
	bool is_kept; /* that comes from its file */
	const struct probe *const *needed;
	size_t nneeded;
	struct maps maps;
	struct nsscope_bpf__bss *bss; /* variables of the programs, shared with them */
	int btf; /* descriptor, or -1 */
	struct verify *now, *later; /* programs to be loaded */
	pthread_t thread; /* that loads these */
	bool is_loading; /* it has been started */
	int load_error; /* 0 or -errno: how it ended */
	struct loaded {
		const char *name;
		enum bpf_prog_type type;
		uint32_t attach_type; /* enum bpf_attach_type */
		int fd;
	} loaded[OBJECT_PROGRAMS_MAX];
	size_t nloaded;
	char refused[96]; /* what the kernel did not take; empty: nothing */
};

/*
 * Prepares the @n programs that are @needed, which must stay; then sizes of maps can be set. @use_kept: with what an earlier start
 * has kept, if that has all of them. 0 or -errno; -ESRCH: the kernel does not have a function or tracepoint.
 */
int object_open(struct object *ret_object, const struct probe *const *needed, size_t n, bool use_kept);

/* Gives the map called @name, of the object, @n elements. Before the load. */
void object_set_elements(struct object *object, const char *name, uint32_t n);

/* Loads it, with @conf for the programs. @keep: for further starts too. 0 or -errno. */
int object_load(struct object *object, const struct nss_config *conf, bool keep);

/* Begins to load what is not needed for a start (PROBE_LOOK), by a thread of its own, if there is one to be had. */
void object_begin_later(struct object *object);

/* Loads that, when called the first time, or waits until it is loaded. 0 or -errno. */
int object_load_later(struct object *object);

/* The descriptor of the program called @name, which stays the object's; -1: it is not loaded. */
int object_program(const struct object *object, const char *name);

/* The same of a map. */
int object_map(struct object *object, const char *name);

/*
 * Attaches the program called @name, which is loaded, where it belongs, kprobes to the functions that give the @types (bit per
 * enum nss_type): a link's file descriptor, or -errno.
 */
int object_attach(const struct object *object, const char *name, uint64_t types);

/* May be called after object_open failed. */
void object_close(struct object *object);

#endif
