/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "launch/pidfd.h"
#include "launch/proc.h"
#include "source/snapshot.h"
#include "util/cleanup.h"

struct search {
	uint32_t pid, in; /* what is looked for */
	uint32_t found; /* PID here; 0: none */
};

/* record_fn: @arg is a struct search. */
static int match(void *arg, const void *record, size_t len)
{
	const struct nss_pid *pids = snapshot_pids(record);
	const struct nss_rec *rec = record;
	struct search *s = arg;

	(void)len;
	for (uint16_t i = 0; i < rec->levels; i++)
		if (pids[i].pid == s->pid && pids[i].ns == s->in)
			s->found = pids[0].pid;
	return 0;
}

/*
 * By the number that the PID namespace @in gives it. Between the look at /proc and the pidfd the PID may become
 * another's, so it is looked at again when the pidfd holds it.
 */
static int open_inside(uint32_t pid, uint32_t in, uint32_t *ret_pid)
{
	struct search s = { .pid = pid, .in = in }, again = s;
	_close_ int fd = -1;
	int err = snapshot_proc(NULL, match, &s);

	if (err)
		return err;
	if (!s.found)
		return -ESRCH;
	fd = pidfd_of((pid_t)s.found);
	if (fd < 0)
		return -errno;
	err = snapshot_proc_one(s.found, match, &again);
	if (err || !again.found || pidfd_wait(fd, 0))
		return -ESRCH;
	*ret_pid = s.found;
	return TAKE_FD(fd);
}

static int find_inside(const struct enter_settings *e, struct target *t)
{
	uint32_t pid = 0;
	int fd = open_inside(e->target, e->in, &pid);

	if (fd == -ESRCH)
		complain("no process is %u in the PID namespace %u; see nsscope ps", e->target, e->in);
	else if (fd < 0)
		complain("cannot look for process %u of the PID namespace %u: %s", e->target, e->in, strerror(-fd));
	else
		snprintf(t->what, sizeof(t->what), "process %u (%u inside)", pid, e->target), t->pid = (pid_t)pid;
	return fd;
}

static int find_ref(const struct enter_settings *e, struct target *t)
{
	int fd = ref_open(&e->ref);

	if (fd == -ESRCH)
		complain("the process of --ref, %d, has ended", e->ref.pid);
	else if (fd < 0)
		complain("cannot open the process of --ref: %s", strerror(-fd));
	t->pid = e->ref.pid;
	snprintf(t->what, sizeof(t->what), "process %d", e->ref.pid);
	return fd;
}

static int find_run(const struct enter_settings *e, struct target *t)
{
	_close_ int nsscope = pidfd_of((pid_t)e->run);
	int fd = nsscope < 0 ? -errno : proc_launched(nsscope, (pid_t)e->run, &t->pid);

	if (fd == -ENOENT)
		complain("process %u is no nsscope and no unshare -pf that has launched a command; --target takes any process", e->run);
	else if (fd < 0)
		complain("cannot look for the command of process %u: %s", e->run, strerror(-fd));
	snprintf(t->what, sizeof(t->what), "the command of process %u", e->run);
	return fd;
}

static int find_pid(const struct enter_settings *e, struct target *t)
{
	_close_ int fd = pidfd_of((pid_t)e->target);
	struct ref now;
	int err = fd < 0 ? -errno : 0;

	if (!err && e->target_inode)
		err = ref_of(fd, (pid_t)e->target, &now);
	if (!err && e->target_inode && now.inode != e->target_inode)
		complain("process %u has %s %llu, not %llu: its PID is another's now", e->target,
			 now.inode ? "the pidfd inode" : "no inode of its pidfd before Linux 6.9;",
			 (unsigned long long)now.inode, (unsigned long long)e->target_inode), err = -ESRCH;
	else if (err == -EINVAL || err == -ENOENT)
		complain("%u is a thread, not a process; its process is in /proc/%u/status as Tgid", e->target, e->target);
	else if (err)
		complain("no process %u: %s", e->target, strerror(-err));
	t->pid = (pid_t)e->target;
	snprintf(t->what, sizeof(t->what), "process %u", e->target);
	return err ? err : TAKE_FD(fd);
}

bool target_find(const struct enter_settings *e, struct target *ret_target)
{
	struct target t = { .pidfd = -1, .what = "the file" };

	if (e->ref.pid)
		t.pidfd = find_ref(e, &t);
	else if (e->run)
		t.pidfd = find_run(e, &t);
	else if (e->target && e->in)
		t.pidfd = find_inside(e, &t);
	else if (e->target)
		t.pidfd = find_pid(e, &t);
	else
		goto found;
	if (t.pidfd < 0)
		return false;
	if (pidfd_wait(t.pidfd, 0)) {
		complain("%s has ended", t.what);
		close(t.pidfd);
		return false;
	}
found:
	*ret_target = t;
	return true;
}
