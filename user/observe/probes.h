/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of programs: what each gives, and when it is needed. */
#ifndef OBSERVE_PROBES_H
#define OBSERVE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

struct nsscope_bpf;
struct bpf_program;

enum probe_id { PROBE_NEWTASK, PROBE_EXEC, PROBE_EXIT, PROBE_SYS_ENTER, PROBE_SYS_EXIT, PROBE_TASKS, PROBES_MAX };

struct probe {
	const char *gives; /* in the start record; NULL: attached by hand */
	const char *hook;
	uint64_t types; /* bit per enum nss_type: needed if one of these is wanted */
	uint32_t only; /* needed with one of these conditions, whatever is wanted */
};

extern const struct probe probes[PROBES_MAX];

bool probe_needed(enum probe_id id, const struct nss_config *conf);
struct bpf_program *probe_program(const struct nsscope_bpf *skel, enum probe_id id);

#endif
