/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads BPF programs on as many CPUs as there are: the kernel verifies each by itself, and that is most of what a start
 * takes.
 */
#ifndef OBSERVE_VERIFY_H
#define OBSERVE_VERIFY_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stddef.h>

#define VERIFY_PROGRAMS_MAX 160
#define VERIFY_THREADS_MAX 8 /* with the caller's */

struct verify {
	struct verify_program {
		const char *name;
		enum bpf_prog_type type;
		struct bpf_insn *insns; /* own */
		size_t n;
		struct bpf_prog_load_opts opts; /* but for func_info, what it points to is not own */
		void *func_info;
		int fd; /* or -errno, as the kernel answered */
	} programs[VERIFY_PROGRAMS_MAX];
	size_t n;
	size_t next; /* atomic: that is to be loaded */
};

/* NULL: out of memory. */
struct verify *verify_new(void);

/*
 * Adds a program of the @n instructions, which are freed in the end; @name and what @opts point to, but for func_info, must stay.
 * 0 or -errno.
 */
int verify_add(struct verify *v, const char *name, enum bpf_prog_type type, struct bpf_insn *insns, size_t n,
	       const struct bpf_prog_load_opts *opts);

/* Whether a program called @name has been added. */
bool verify_has(const struct verify *v, const char *name);

/* Loads them, each of which then has its fd, with at most @threads, and one for each CPU. */
void verify_all(struct verify *v, size_t threads);

/* Closes the descriptors too. @v may be NULL. */
void verify_free(struct verify *v);

#endif
