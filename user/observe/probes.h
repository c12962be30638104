/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of programs: to which backend each belongs, and when it is needed. */
#ifndef OBSERVE_PROBES_H
#define OBSERVE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "observe/backends.h"

/* See bpf/core/spare.h. */
enum probe_place {
	PROBE_PLAIN, /* attached */
	PROBE_REAL, /* attached, or gone on to from those that follow, where a tracepoint can be preempted */
	PROBE_SPARE,
	PROBE_PART, /* gone on to from another, by a tail call */
	PROBE_RUN, /* run by nsscope itself */
	PROBE_LOOK, /* the same, at the ticks of the reader: so it is loaded at the first */
	PROBE_NOTE, /* the same, if namespaces that were there before are to be noted */
};

struct probe {
	const char *program; /* its name in bpf/ */
	enum backend_id backend;
	uint64_t types; /* bit per enum nss_type: needed if one of these is wanted */
	uint32_t only; /* needed with one of these conditions, whatever is wanted */
	bool optional; /* left out where the kernel does not have the function */
	enum probe_place place;
	const char *tracepoint; /* that it is attached to; NULL: something else */
	enum nss_hook hook;
	const char *shared; /* the program that it is part of where there is bpf/shared.bpf.c; NULL: none */
};

/* The name of the program where @probe is; @shares: bpf/shared.bpf.c is there. */
static inline const char *probe_program(const struct probe *probe, bool shares)
{
	return shares && probe->shared ? probe->shared : probe->program;
}

/* A function that kprobes are set on. */
struct probe_function {
	const char *name;
	uint64_t types; /* as in struct probe */
	uint64_t cookie; /* NSS_COOKIE_KEEP, NSS_COOKIE_END: only its beginning is of interest */
};

/* In the order in which those of one hook are to be attached: that is the one in which they run. */
extern const struct probe probes[];
extern const size_t probe_count;

extern const struct probe_function probe_functions[];
extern const size_t probe_function_count;

#define PROBE_FUNCTIONS_MAX 64

bool probe_needed(const struct probe *probe, const struct nss_config *conf);

#endif
