/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/subtree.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "cmd/common.h"
#include "event/event.h"
#include "source/snapshot.h"
#include "util/buf.h"
#include "util/cleanup.h"

struct member {
	uint32_t pid, ppid; /* as the host numbers them */
	uint32_t tgid; /* as the initial PID namespace does: the key of the tracked set */
};

/* record_fn: @arg is a struct buf of struct member. */
static int keep_member(void *arg, const void *record, size_t len)
{
	const struct nss_task *task = (const void *)((const struct nss_rec *)record + 1);
	struct member member = { snapshot_pids(record)[0].pid, task->ppid, snapshot_process(record)->tgid };
	struct buf *members = arg;

	(void)len;
	buf_add(members, &member, sizeof(member));
	return members->failed ? -ENOMEM : 0;
}

static int by_pid(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->pid < y->pid ? -1 : x->pid > y->pid;
}

/* Adds to the tracked set all whose parent is in it; how many were new. @at is sorted by pid. */
static size_t track_children(struct tracked *set, const struct member *at, size_t n)
{
	size_t added = 0, before;

	do { /* a parent may have the higher number: PIDs wrap */
		before = added;
		for (size_t i = 0; i < n; i++) {
			struct member key = { .pid = at[i].ppid };
			const struct member *parent = bsearch(&key, at, n, sizeof(key), by_pid);

			if (parent && tracked_has(set, parent->tgid) && !tracked_has(set, at[i].tgid)) {
				tracked_set(set, at[i].tgid, true);
				added++;
			}
		}
	} while (added > before);
	return added;
}

/*
 * Whoever is tracked has its later children tracked by the kernel side; a child that was made between the snapshot and that
 * moment is found by the next round, so the rounds end when one adds none.
 */
int subtree_track(const struct settings *s, struct observer *o, struct tracked *set)
{
	struct buf members = {};
	size_t added = 1;
	bool found = false;
	int err = 0;

	while (!err && added) {
		struct member *at;
		size_t n;

		members.len = 0;
		err = take_snapshot(s, o, keep_member, &members);
		at = (void *)members.data;
		n = members.len / sizeof(*at);
		if (n)
			qsort(at, n, sizeof(*at), by_pid);
		for (size_t i = 0; i < n && !found; i++) {
			found = at[i].pid == s->pid;
			if (found)
				tracked_set(set, at[i].tgid, true);
		}
		added = err ? 0 : track_children(set, at, n);
	}
	buf_free(&members);
	return err ? err : found ? 0 : -ESRCH;
}

int subtree_find_cgroup(const char *path, struct nss_config *conf)
{
	_free_ char *real = realpath(path, NULL);
	char *at = real;
	struct stat st, parent;
	struct statfs fs;

	if (!real)
		return -errno;
	if (stat(real, &st) || statfs(real, &fs))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOTDIR;
	conf->only |= NSS_ONLY_CGROUP;
	conf->cgroup_id = st.st_ino;
	conf->cgroup_level = 0;
	while ((at = strrchr(real, '/')) && at != real) { /* up to the mount point */
		*at = 0;
		if (stat(real, &parent) || parent.st_dev != st.st_dev)
			break;
		conf->cgroup_level++;
	}
	return 0;
}

void subtree_complain_pid(const struct settings *s, int err)
{
	complain(err == -ESRCH ? "no process %u" : "cannot follow process %u", s->pid);
}

void subtree_complain_cgroup(const struct settings *s, int err)
{
	complain("cgroup %s: %s; give the directory of a cgroup v2, such as /sys/fs/cgroup/NAME", s->cgroup, strerror(-err));
}
