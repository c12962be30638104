/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kprobes on the functions of the system calls that nsscope stat measures. */
#ifndef OBSERVE_CALLPROBES_H
#define OBSERVE_CALLPROBES_H

#include <stddef.h>

struct bpf_link;
struct bpf_program;

#define CALL_LINKS_MAX 16

struct call_links {
	struct bpf_link *at[CALL_LINKS_MAX];
	size_t n;
};

/*
 * Attaches @enter to the entry and @leave to the return of each function that this kernel has; the cookie is the call, as of
 * abi/stat.h. 0 or -errno; to be detached in either case.
 */
int call_probes_attach(struct bpf_program *enter, struct bpf_program *leave, struct call_links *links);
void call_probes_detach(struct call_links *links);

#endif
