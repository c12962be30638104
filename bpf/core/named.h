/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which mount of the caller's namespace a path names, or of those that are gone from it: the one whose own path it is, to
 * the letter. Only where the kernel's own lookup cannot be had; a link in the path is not followed.
 */
#ifndef NSS_NAMED_H
#define NSS_NAMED_H

#include "core/spell.h"
#include "core/told_mount.h"

/* A word of the walked path and of the path looked for. 1: they differ, or there is no more. */
static long word_body(__u64 i, __u32 *slot)
{
	struct work *w = work_at(*slot);
	__u32 at = i * sizeof(__u64);
	__u64 a, b;

	if (!w)
		return 1;
	w->equal = at >= w->path_len;
	if (w->equal)
		return 1;
	a = *(__u64 *)&w->walk.bytes[(w->walk.start + at) & (NSS_PATH_MAX - 1)];
	b = *(__u64 *)&w->path[at & (NSS_PATH_MAX - 1)];
	return a != b; /* behind the end of both are zeroes */
}

/* Whether the walked path is the one looked for. */
__noinline int is_named(__u32 slot)
{
	struct work *w = work_at(slot);

	if (!w || w->walk.flags || NSS_PATH_MAX - w->walk.start != w->path_len)
		return 0;
	LOOP(NSS_PATH_MAX / sizeof(__u64) + 1, word_body, &slot);
	return w->equal;
}

/* Begins the walk from the next mount, or 1: there is none. A later mount stands above an earlier one in the same place. */
static __always_inline int named_next(struct work *w)
{
	struct reached *r = &w->reached;
	const struct mount *mount = (void *)r->cursor;

	if (!r->cursor)
		return 1;
	r->candidate = r->cursor;
	r->cursor = ns_next(r->ns, r->cursor);
	walk_begin(&w->walk, (__u64)BPF_CORE_READ(mount, mnt.mnt_root), vfsmount_of((__u64)mount), 0);
	r->walking = 1;
	return 0;
}

/* The same of those that are gone. */
static __always_inline int named_next_gone(struct work *w)
{
	struct stash *s = stash_at(w->reached.stash);
	struct stashed *e;
	__u64 at;

	if (!s)
		return 1;
	at = s->at++;
	if (at >= s->count || at >= NSS_STASHED)
		return 1;
	e = &s->entry[at];
	if (e->inum || !is_gone(e) || !is_top(s, e))
		return 0;
	w->reached.candidate = at;
	walk_begin(&w->walk, e->mountpoint, vfsmount_of(e->parent), 0);
	w->reached.walking = 1;
	return 0;
}

/* The walked path is the one looked for. Of the new ones in one place each is told once. */
static __always_inline void named_found(struct work *w)
{
	struct stash *s = stash_at(w->reached.stash);
	__u64 at = w->reached.candidate;
	const struct told_mount *told;

	if (w->reached.change == CHANGE_NEW) {
		told = told_mount_find(at);
		if (told && told_mount_is(told, at))
			return;
	}
	if (w->reached.change != CHANGE_UMOUNT) {
		w->reached.mount = at;
	} else if (s && at < NSS_STASHED) {
		take_stashed(&w->reached, &s->entry[at]);
		told_mount_unmounted(w->reached.mount);
	}
	w->reached.certain = 1;
}

/* A step of a walk, or on to the next mount. 1: no more. */
__noinline int named_step(__u32 slot)
{
	struct work *w = work_at(slot);

	if (!w)
		return 1;
	if (!w->reached.walking)
		return w->reached.change == CHANGE_UMOUNT ? named_next_gone(w) : named_next(w);
	if (!walk_step(slot))
		return 0;
	w->reached.walking = 0;
	walk_finish(&w->walk);
	if (is_named(slot))
		named_found(w);
	return 0;
}

STEPS(named)

/*
 * Finds the mount at the path of the caller's that stands at @path in its memory, relative to @dfd, into the work's
 * reached.mount, which stays as it is if there is none. The root of the walk is set.
 */
__noinline int find_named(__u32 slot, __s32 dfd, __u64 path)
{
	struct work *w = work_at(slot);
	struct stash *s = w ? stash_at(w->reached.stash) : NULL;

	if (!w || spell_out(slot, dfd, path))
		return 0;
	w->reached.walking = 0;
	w->reached.cursor = w->reached.first ? w->reached.first : ns_first(w->reached.ns);
	if (s && w->reached.change == CHANGE_UMOUNT)
		s->at = 0;
	named_steps(slot);
	return 0;
}

#endif
