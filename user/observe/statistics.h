/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope stat's kernel side: loads and attaches it, and reads what it has added up. */
#ifndef OBSERVE_STATISTICS_H
#define OBSERVE_STATISTICS_H

#include <stdbool.h>
#include <sys/types.h>

#include "abi/stat.h"
#include "observe/explain.h"
#include "observe/tracked.h"

struct statistics;

struct statistics_settings {
	struct nss_config conf; /* which processes; the rest is not used */
	enum nss_by by;
	const char *backend; /* "kprobe" or "tracepoint" for system calls; NULL: the best that works */
};

/* All that has been added up so far. */
struct statistics_sample {
	struct nss_span_entry *spans;
	size_t nspans;
	struct nss_spawner_entry *spawners;
	size_t nspawners;
	struct nss_life *begun; /* processes whose beginning is not among the spans yet: with their first exec, or end, it will be */
	size_t nbegun;
	uint64_t counts[NSS_COUNTS];
};

/* Opens, loads and attaches. 0, or -errno and *@ret_error. */
int statistics_open(const struct statistics_settings *settings, struct statistics **ret, struct observe_error *ret_error);

/* While @pid is not 0, the children that it makes are in the tracked set; as observe_cloner(). */
void statistics_cloner(struct statistics *s, pid_t pid);

struct tracked *statistics_tracked(struct statistics *s);

/* "kprobe" or "tracepoint": what gives the system calls. */
const char *statistics_backend(const struct statistics *s);

/*
 * 0 or -errno; to be freed in either case. What is added meanwhile may be in it or not. @last: what the kernel would count some
 * time later only is looked for (in the initial PID namespace).
 */
int statistics_read(const struct statistics *s, bool last, struct statistics_sample *ret_sample);
void statistics_free(struct statistics_sample *sample);

void statistics_close(struct statistics *s);

#endif
