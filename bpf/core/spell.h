/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A path as a caller gives it, made one from its root: begun at its working directory or at a directory that it has open,
 * without "." and empty names. Links are not followed: a path through one is no mount's own. So ".." is taken only where it
 * comes first, when what it leaves is no link.
 */
#ifndef NSS_SPELL_H
#define NSS_SPELL_H

#include "core/walk.h"

#define NSS_AT_FDCWD -100

/* Where a relative path begins: work's path is that, with a slash behind it. False: it is below no root of the caller's. */
static __always_inline bool spell_base(struct work *w, __s32 dfd)
{
	struct task_struct *task = current_task();
	const struct file *file = dfd == NSS_AT_FDCWD ? NULL : (void *)file_of_fd(dfd);
	__u64 dentry, mnt, len;
	__u32 start;

	if (dfd == NSS_AT_FDCWD) {
		dentry = (__u64)BPF_CORE_READ(task, fs, pwd.dentry);
		mnt = (__u64)BPF_CORE_READ(task, fs, pwd.mnt);
	} else {
		dentry = (__u64)BPF_CORE_READ(file, f_path.dentry);
		mnt = (__u64)BPF_CORE_READ(file, f_path.mnt);
	}
	if (!dentry || !mnt)
		return false;
	walk_up(w->slot, dentry, mnt);
	start = w->walk.start & (NSS_PATH_MAX - 1);
	len = NSS_PATH_MAX - start;
	KNOWN_BY_COMPARISON(len);
	if (w->walk.flags || len >= NSS_PATH_MAX || bpf_probe_read_kernel(w->path, len, &w->walk.bytes[start]))
		return false;
	if (len > 1) {
		w->path[len & (NSS_PATH_MAX - 1)] = '/';
		len++;
	}
	w->path_len = len;
	return true;
}

/* The name that ends at path_len: goes into the path or not. 1: the path cannot be told. */
static __always_inline int spell_name(struct work *w)
{
	struct spelling *x = &w->spelling;
	__u32 out = w->path_len, len = out - x->name;

	if (len == 1 && w->path[x->name & (NSS_PATH_MAX - 1)] == '.')
		len = 0;
	if (len == 2 && w->path[x->name & (NSS_PATH_MAX - 1)] == '.' && w->path[(out - 1) & (NSS_PATH_MAX - 1)] == '.') {
		if (x->named)
			return 1;
		x->leaving = x->name > 1; /* the root has no parent */
		len = 0;
	}
	w->path_len = x->name;
	if (!len)
		return 0;
	x->named = 1;
	w->path[out & (NSS_PATH_MAX - 1)] = '/';
	w->path_len = x->name = out + 1;
	return 0;
}

/* Back over one byte of the name before. */
static __always_inline void spell_leave(struct work *w)
{
	struct spelling *x = &w->spelling;

	w->path_len--;
	if (w->path_len <= 1 || w->path[(w->path_len - 1) & (NSS_PATH_MAX - 1)] == '/') {
		x->leaving = 0;
		x->name = w->path_len;
	}
}

/* Takes the next byte of the given path. 1: no more. */
__noinline int spell_step(__u32 slot)
{
	struct work *w = work_at(slot);
	struct spelling *x;
	char c;

	if (!w)
		return 1;
	x = &w->spelling;
	if (x->leaving) {
		spell_leave(w);
		return 0;
	}
	if (x->ended || w->path_len >= NSS_PATH_MAX - 1)
		return 1;
	c = x->given[x->at++ & (NSS_PATH_MAX - 1)];
	if (!c || c == '/') {
		x->ended = !c;
		if (spell_name(w))
			w->path_len = NSS_PATH_MAX;
		return 0;
	}
	w->path[w->path_len++ & (NSS_PATH_MAX - 1)] = c;
	return 0;
}

STEPS(spell)

/*
 * Makes the path that the caller has at @given, relative to @dfd, the work's path, with zeroes behind it; the root of the
 * work's walk is the caller's. 0, or -1: it cannot be told.
 */
__noinline int spell_out(__u32 slot, __s32 dfd, __u64 given)
{
	struct work *w = work_at(slot);
	struct spelling *x;
	long n;

	if (!w)
		return -1;
	x = &w->spelling;
	n = bpf_probe_read_user_str(x->given, NSS_PATH_MAX, (void *)given);
	if (n < 2 || n == NSS_PATH_MAX)
		return -1;
	w->path[0] = '/';
	w->path_len = 1;
	if (x->given[0] != '/' && !spell_base(w, dfd))
		return -1;
	x->at = x->ended = x->named = x->leaving = 0;
	x->name = w->path_len;
	spell_steps(slot);
	if (!x->ended || x->leaving || w->path_len >= NSS_PATH_MAX - 1)
		return -1;
	if (w->path_len > 1)
		w->path_len--;
	*(__u64 *)&w->path[w->path_len & (NSS_PATH_MAX - 1)] = 0;
	return 0;
}

#endif
