/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loads BPF programs on as many CPUs as there are: the kernel verifies each by itself, and that is most of what a start
 * takes.
 */
#ifndef OBSERVE_VERIFY_H
#define OBSERVE_VERIFY_H

#include <bpf/bpf.h>
#include <stddef.h>

#define VERIFY_PROGRAMS_MAX 160

struct verify {
	struct verify_program {
		const char *name;
		enum bpf_prog_type type;
		struct bpf_insn *insns; /* own */
		size_t n;
		struct bpf_prog_load_opts opts; /* what it points to is not own */
		int fd; /* or -errno, as the kernel answered */
	} programs[VERIFY_PROGRAMS_MAX];
	size_t n;
	size_t next; /* that no thread has taken yet */
};

/* NULL: out of memory. */
struct verify *verify_new(void);

/* Adds a program of the @n instructions, which are copied; @name and what @opts point to must stay. 0 or -errno. */
int verify_add(struct verify *v, const char *name, enum bpf_prog_type type, const struct bpf_insn *insns, size_t n,
	       const struct bpf_prog_load_opts *opts);

/* Loads all, in whatever order; each then has its fd. Returns when none runs any more. */
void verify_all(struct verify *v);

/* Closes the descriptors too. @v may be NULL. */
void verify_free(struct verify *v);

#endif
