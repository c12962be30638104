/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /proc, as it is mounted here. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "doctor/exam.h"

/* Whether the proc on /proc is that of nsscope's own PID namespace. */
static bool is_own(void)
{
	char link[16] = "";

	return readlink("/proc/self", link, sizeof(link) - 1) > 0 && atoi(link) == getpid();
}

void check_proc(struct exam *x)
{
	struct statfs fs;

	if (statfs("/proc", &fs) || fs.f_type != PROC_SUPER_MAGIC)
		tell(x, STATE_MISSING, "mount -t proc proc /proc", "proc is not mounted there");
	else if (!is_own())
		tell(x, STATE_LIMITED,
		     "mount -t proc proc /proc, in a mount namespace of its own (unshare --mount-proc)",
		     "it is of another PID namespace than nsscope: its numbers are not ours");
	else
		tell(x, STATE_OK, NULL, "mounted");
}

/* Off, 0 and no value of hidepid hide nothing. */
static bool hides(struct span hidepid)
{
	return hidepid.len && !span_is(hidepid, "0") && !span_is(hidepid, "off");
}

void check_proc_visibility(struct exam *x)
{
	static const char mend[] = "mount -o remount,hidepid=0 /proc; with subset=pid, mount another proc";
	struct span hidepid, subset;
	struct mount_line m;

	if (!parse_mount_at(x->ground.mountinfo.data, "/proc", &m)) {
		tell(x, STATE_UNKNOWN, "mount proc on /proc", "no mount on /proc is seen");
		return;
	}
	hidepid = parse_option(m.super, "hidepid");
	subset = parse_option(m.super, "subset");
	if (span_is(subset, "pid"))
		tell(x, STATE_LIMITED, mend, "subset=pid: processes only, nothing of the kernel's settings");
	else if (hides(hidepid) && !ground_capable(&x->ground, CAP_SYS_PTRACE))
		tell(x, STATE_LIMITED, mend, "hidepid=%.*s: other users' processes are hidden", (int)hidepid.len,
		     hidepid.s);
	else if (hides(hidepid))
		tell(x, STATE_OK, NULL, "hidepid=%.*s, but CAP_SYS_PTRACE is held", (int)hidepid.len, hidepid.s);
	else
		tell(x, STATE_OK, NULL, "all processes");
}

void check_proc_covers(struct exam *x)
{
	struct buf points = {};
	size_t n;

	if (!x->ground.mountinfo.len) {
		tell(x, STATE_UNKNOWN, "mount proc on /proc", "/proc/self/mountinfo cannot be read");
		return;
	}
	n = parse_proc_covers(x->ground.mountinfo.data, &points);
	buf_addc(&points, 0);
	if (points.failed)
		x->report->failed = true;
	else if (n)
		tell(x, STATE_LIMITED, "unmount them; in a container: start it with its masks off (podman: unmask=ALL)",
		     "%zu: %s", n, points.data);
	else
		tell(x, STATE_OK, NULL, "none");
	buf_free(&points);
}
