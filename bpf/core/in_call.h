/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the beginning of a call to its end: what is noted, and what is found. */
#ifndef NSS_IN_CALL_H
#define NSS_IN_CALL_H

#include "core/context.h"
#include "core/reach.h"

/* Calls of which it is told how far they went, and the others: two kinds of about the same size. */
enum call_kind { CALL_REACHES = 1, CALL_DOES_NOT = 2, CALL_ANY = 3 };

static __always_inline enum call_kind call_kind(__u32 event)
{
	switch (event) {
#define SYSCALL(...)
#define REACHING_SYSCALL(EV, ...) case NSS_EV_##EV:
#include "abi/syscalls.def"
#undef SYSCALL
		return CALL_REACHES;
	}
	return CALL_DOES_NOT;
}

/* Where in trees the calls of the current task's mount namespace are. */
static __always_inline __u64 own_tree(void)
{
	__u64 ns = mnt_ns_of_current();

	return 1 + ((ns >> 6 ^ ns >> 12) & (NSS_TREES - 1));
}

/*
 * Adds to what trees counts, if the call may change one. What is added is constant: clang makes an addition of 0
 * another atomic operation, which 5.10 refuses.
 */
static __always_inline void count_in_trees(__u32 event, __u64 changes, __u64 calls)
{
	__u64 own;

	if (call_kind(event) != CALL_REACHES)
		return;
	own = own_tree();
	if (calls) {
		__sync_fetch_and_add(&trees[0].calls, calls);
		__sync_fetch_and_add(&trees[own].calls, calls);
	}
	if (changes) {
		__sync_fetch_and_add(&trees[0].changes, changes);
		__sync_fetch_and_add(&trees[own].changes, changes);
	}
}

/* At the beginning and at the end of a call, of any task. Not static, as others below. */
__noinline int count_change(__u32 event, __u64 regs)
{
	struct call call = { .event = event };
	enum taking taking;

	count_in_trees(event, 1, 0);
	if (call_kind(event) != CALL_REACHES && event != NSS_EV_PIVOT_ROOT)
		return 0;
	call_args(&call, current_task(), (void *)regs);
	taking = taking_of(&call);
	if (taking)
		note_taking(taking);
	return 0;
}

/* What has been changed so far; NSS_UNKNOWN: what another call in progress changes is not known. */
static __always_inline __u64 tree_state(__u64 at)
{
	__u64 changes = *(volatile __u64 *)&trees[at].changes; /* before calls: one that begins now is seen by either */

	return *(volatile __u64 *)&trees[at].calls > 1 ? NSS_UNKNOWN : changes;
}

static __always_inline bool tree_changed(__u64 at, __u64 since)
{
	return *(volatile __u64 *)&trees[at].changes != since;
}

/* The thread leaves the call that it was in. @entry, if not NULL: what is known of it. */
static __always_inline bool call_take(__u32 tid, struct entry *entry)
{
	struct entry *known = bpf_map_lookup_elem(&in_call, &tid);

	if (!known)
		return false;
	*entry = *known;
	bpf_map_delete_elem(&in_call, &tid);
	count_in_trees(entry->event, 0, -1);
	return true;
}

/* Whether any call is told: else no thread is known to be in one. */
static __always_inline bool tells_calls(void)
{
	return conf.types & (1ULL << NSS_EV_NS_CREATE
#define SYSCALL(EV, ...) | 1ULL << NSS_EV_##EV
#include "abi/syscalls.def"
#undef SYSCALL
			    );
}

/* A call that the thread has entered and not left, as far as is known: its end was lost, or it died in it. */
static __always_inline void call_abandon(__u32 tid)
{
	struct entry entry;

	if (!call_take(tid, &entry))
		return;
	count_lost(entry.event);
	if (entry.stash >= 0)
		stash_release(entry.stash);
}

/* There is no room for a call that has begun. */
__noinline int call_unnoted(__u32 event, __s32 stash)
{
	count_in_trees(event, 0, -1);
	if (stash >= 0)
		stash_release(stash);
	return 0;
}

/*
 * What the kernel makes of the arguments is kept when it has, or the arguments are read at the end: here only the time
 * is noted, and what stands that the call may change. @regs: address of those that the call of the current task was entered
 * with. Not static, as the next: there is one for all programs.
 */
__noinline int call_begin(__u32 event, __u64 regs)
{
	struct task_struct *task = current_task();
	__u32 tid = bpf_get_current_pid_tgid();
	struct entry entry = { .time = bpf_ktime_get_ns(), .event = event };
	struct call call = { .event = event };

	call_abandon(tid);
	call_args(&call, task, (void *)regs);
	count_in_trees(event, 0, 1); /* before it counts as a change: see tree_state() */
	count_change(event, regs);
	entry.taken = taken_so_far();
	entry.changes[0] = tree_state(0);
	entry.changes[1] = tree_state(own_tree());
	reach_begin(task, &call, &entry);
	if (event == NSS_EV_FSCONFIG || event == NSS_EV_FSMOUNT)
		entry.last = log_head(fs_context_of_fd(call.arg[0]));
	return bpf_map_update_elem(&in_call, &tid, &entry, BPF_ANY) ? call_unnoted(event, entry.stash) : 0;
}

/* Takes down the call that ends: the slot of a work that holds it; -1: none is to be had, and the event is counted as lost. */
__noinline int call_take_down(__u32 event, __u64 regs, __s64 result, __u32 is_kept)
{
	__u32 tid = bpf_get_current_pid_tgid();
	struct entry entry = { .stash = -1, .changes = { NSS_UNKNOWN, NSS_UNKNOWN } };
	bool known = call_take(tid, &entry);
	bool overlaps = tree_changed(0, entry.changes[0]), contends = tree_changed(own_tree(), entry.changes[1]);
	struct work *w = work_claim();

	if (!w) {
		count_lost(event);
		if (entry.stash >= 0)
			stash_release(entry.stash);
		return -1;
	}
	w->call.event = event;
	w->call.result = result;
	w->call.latency_ns = known ? bpf_ktime_get_ns() - entry.time : NSS_UNKNOWN;
	w->call.last = entry.last;
	w->call.taken = entry.taken;
	w->call.stash = entry.stash;
	w->call.slot = w->slot;
	w->call.tid = tid;
	w->call.is_kept = is_kept;
	w->call.overlaps = overlaps;
	w->call.contends = contends;
	call_args(&w->call, current_task(), (void *)regs);
	return w->slot;
}

/*
 * The end of the call, with what it did: a work that holds it, to be released; NULL: none is to be had. Static: the kernel
 * allows eight calls within one another. @kinds: a constant, of which kinds it may be.
 */
static __always_inline struct work *call_end(__u32 event, __u64 regs, long result, bool is_kept, enum call_kind kinds)
{
	int slot = call_take_down(event, regs, result, is_kept);
	struct work *w;

	if (kinds & CALL_REACHES)
		count_change(event, regs);
	else if (event == NSS_EV_PIVOT_ROOT)
		note_taking(TAKES_MOUNT);
	w = work_at(slot);
	if (!w)
		return NULL;
	if ((kinds & CALL_REACHES) && call_kind(event) == CALL_REACHES)
		reach_end(w->slot);
	if (w->call.stash >= 0)
		stash_release(w->call.stash);
	return w;
}

#endif
