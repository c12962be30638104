/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads BPF programs on as many CPUs as there are: the kernel verifies each by itself, and that is most of what a start
 * takes.
 */
#ifndef OBSERVE_VERIFY_H
#define OBSERVE_VERIFY_H

#include <bpf/bpf.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define VERIFY_PROGRAMS_MAX 160
#define VERIFY_THREADS_MAX 7 /* beside the caller's */

struct verify {
	struct verify_program {
		const char *name;
		enum bpf_prog_type type;
		struct bpf_insn *insns; /* own */
		size_t n;
		struct bpf_prog_load_opts opts; /* but for func_info, what it points to is not own */
		void *func_info; /* libbpf lets go of its own where the load fails */
		bool taken; /* by a thread */
		int fd; /* or -errno, as the kernel answered */
	} programs[VERIFY_PROGRAMS_MAX];
	size_t n;
	bool complete; /* no other will be added */
	pthread_mutex_t lock; /* of all above */
	pthread_cond_t changed;
	pthread_t threads[VERIFY_THREADS_MAX];
	size_t nthreads;
};

/* NULL: out of memory. */
struct verify *verify_new(void);

/* Starts threads that load what is added, at most @most with the caller's and one for each CPU. */
void verify_begin(struct verify *v, size_t most);

/*
 * Adds a program of the @n instructions, which are freed in the end; @name and what @opts point to, but for func_info, must stay.
 * 0 or -errno.
 */
int verify_add(struct verify *v, const char *name, enum bpf_prog_type type, struct bpf_insn *insns, size_t n,
	       const struct bpf_prog_load_opts *opts);

/* Loads what has not been, in whatever order; each then has its fd. Returns when none runs any more. */
void verify_all(struct verify *v);

/* Closes the descriptors too; what has not been begun is not loaded. @v may be NULL. */
void verify_free(struct verify *v);

#endif
