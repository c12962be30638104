/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The latest calls, of any task, that may have taken from a mount namespace what a call in progress gave it. Each is noted at
 * its beginning and at its end: only one that lasts longer at either end is not seen.
 */
#ifndef NSS_TAKEN_H
#define NSS_TAKEN_H

#include "core/change.h"

#define NSS_TAKEN 64 /* a power of two */
#define NSS_TAKING 7 /* the bits of an address that are enum taking */

struct {
	__u64 what; /* address of struct mnt_namespace, and enum taking */
	__u64 check; /* @what, and which it is of all: else another is being written */
} taken[NSS_TAKEN];
__u64 taken_next;

static __always_inline __u64 mnt_ns_of_current(void)
{
	return (__u64)BPF_CORE_READ(current_task(), nsproxy, mnt_ns);
}

/* How many have been noted so far. */
static __always_inline __u64 taken_so_far(void)
{
	return *(volatile __u64 *)&taken_next;
}

static __always_inline void note_taking(enum taking taking)
{
	__u64 at = next_place(&taken_next), what = mnt_ns_of_current() | taking;
	__u64 slot = at & (NSS_TAKEN - 1);

	*(volatile __u64 *)&taken[slot].what = what;
	*(volatile __u64 *)&taken[slot].check = what ^ (at + 1);
}

/* Looks at the next of the scan in work @slot. 1: no more. Not static, as the next: so the verifier looks at it once. */
__noinline int taken_step(__u32 slot)
{
	struct work *w = work_at(slot);
	struct taking_scan *x;
	__u64 at, what, ns;

	if (!w)
		return 1;
	x = &w->taking;
	if (x->at >= x->end)
		return 1;
	at = x->at++ & (NSS_TAKEN - 1);
	what = *(volatile __u64 *)&taken[at].what;
	ns = what & ~(__u64)NSS_TAKING;
	if ((what ^ *(volatile __u64 *)&taken[at].check) != x->at)
		x->found = 1;
	else if ((what & NSS_TAKING) == TAKES_SHARING)
		x->found = w->reached.group || ns == w->reached.ns;
	else
		x->found = w->reached.group && ns != w->reached.ns; /* in its own it has gone itself */
	return x->found;
}

STEPS(taken)

/*
 * Whether others may have got the mount of the call in work @slot and been rid of it again before the call ended, or kept it
 * where nothing tells any more that it came from here.
 */
__noinline int was_taken(__u32 slot)
{
	struct work *w = work_at(slot);

	if (!w)
		return 0;
	w->taking.at = w->call.taken;
	w->taking.end = taken_so_far();
	w->taking.found = 0;
	if (w->taking.end - w->taking.at > NSS_TAKEN)
		return 1;
	taken_steps(slot);
	return w->taking.found;
}

#endif
