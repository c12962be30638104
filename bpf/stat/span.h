/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Durations, added up. */
#ifndef NSS_STAT_SPAN_H
#define NSS_STAT_SPAN_H

#include "stat/maps.h"

static __always_inline __u32 log2_of(__u64 v)
{
	__u32 log = 0;

#define HALVE(bits)             \
	if (v >> (bits)) {      \
		v >>= (bits);   \
		log += (bits);  \
	}
	HALVE(32) HALVE(16) HALVE(8) HALVE(4) HALVE(2) HALVE(1)
#undef HALVE
	return log;
}

/* Not static: the verifier would look at all its ways for each duration. */
__noinline __u32 bucket_of(__u64 ns)
{
	__u32 log, bucket;

	if (ns < NSS_BUCKETS_PER_POWER)
		return ns;
	log = log2_of(ns) - NSS_BUCKETS_LOG;
	if (log >= NSS_BUCKETS_POWERS)
		return NSS_BUCKETS - 1;
	bucket = (log + 1) * NSS_BUCKETS_PER_POWER + (__u32)((ns >> log) & (NSS_BUCKETS_PER_POWER - 1));
	return bucket < NSS_BUCKETS ? bucket : NSS_BUCKETS - 1;
}

/* The span of @key, made if it is not there; if there is no room, that of the rest. NULL: not even that. */
static __always_inline struct nss_span *span_of(struct nss_span_key *key)
{
	struct nss_span *span = bpf_map_lookup_elem(&spans, key), *nothing;
	__u32 zero = 0;

	if (span)
		return span;
	nothing = bpf_map_lookup_elem(&no_span, &zero);
	if (nothing)
		bpf_map_update_elem(&spans, key, nothing, BPF_NOEXIST);
	span = bpf_map_lookup_elem(&spans, key);
	if (span)
		return span;
	__builtin_memset(&key->group, 0, sizeof(key->group));
	key->made = 0;
	key->flags |= NSS_SPAN_REST;
	return bpf_map_lookup_elem(&spans, key);
}

/* A few rounds, since another CPU may put a smaller one over it: 5.10 has no atomic exchange. */
static __always_inline void raise(__u64 *max, __u64 ns)
{
	for (int i = 0; i < 4 && *(volatile __u64 *)max < ns; i++)
		*(volatile __u64 *)max = ns;
}

/* Adds a duration. Static, though the verifier looks at it for each call then: a global one takes no pointer before 5.13. */
static __noinline int add_span(struct nss_span_key *key, __u64 ns)
{
	struct nss_span *span = span_of(key);
	__u32 bucket;

	if (!span) {
		count(NSS_COUNT_MISSED);
		return 0;
	}
	bucket = bucket_of(ns);
	__sync_fetch_and_add(&span->count, 1);
	__sync_fetch_and_add(&span->sum, ns);
	raise(&span->max, ns);
	if (bucket < NSS_BUCKETS)
		__sync_fetch_and_add(&span->buckets[bucket], 1);
	return 0;
}

static __always_inline void add(const struct nss_group *group, __u32 phase, __u64 ns)
{
	struct nss_span_key key = { .group = *group, .phase = phase };

	add_span(&key, ns);
}

/* From @begin to @end, if both are known; clocks of two CPUs may differ by some ns. */
static __always_inline void add_from(const struct nss_group *group, __u32 phase, __u64 begin, __u64 end)
{
	if (begin)
		add(group, phase, end > begin ? end - begin : 0);
}

#endif
