/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control groups: which version, and what ours may do. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "doctor/exam.h"
#include "util/cleanup.h"

static const char mount_mend[] =
	"boot with systemd.unified_cgroup_hierarchy=1, or mount -t cgroup2 none /sys/fs/cgroup";

void check_cgroup_layout(struct exam *x)
{
	struct mount_line v2;
	enum cgroup_layout layout = parse_cgroup_layout(x->ground.mountinfo.data, &v2);
	struct buf point = {};

	if (layout == CGROUP_HYBRID || layout == CGROUP_V2)
		parse_unescape(&point, v2.point);
	buf_addc(&point, 0);
	if (point.failed)
		x->report->failed = true;
	else if (!x->ground.mountinfo.len)
		tell(x, STATE_UNKNOWN, "mount proc on /proc", "/proc/self/mountinfo cannot be read");
	else if (layout == CGROUP_NONE)
		tell(x, STATE_LIMITED, mount_mend, "not mounted");
	else if (layout == CGROUP_V1)
		tell(x, STATE_LIMITED, mount_mend, "version 1 only");
	else if (layout == CGROUP_HYBRID)
		tell(x, STATE_LIMITED, mount_mend, "both: version 2 on %s, and controllers held by version 1",
		     point.data);
	else
		tell(x, STATE_OK, NULL, "version 2 on %s", point.data);
	buf_free(&point);
}

/* Adds the directory of our own cgroup, null-terminated, as the mounts show it; false: it cannot be seen. */
static bool own_cgroup(const struct exam *x, struct buf *b)
{
	struct mount_line v2;
	struct buf text = {};
	enum cgroup_layout layout = parse_cgroup_layout(x->ground.mountinfo.data, &v2);
	bool known = (layout == CGROUP_HYBRID || layout == CGROUP_V2) && !read_text("/proc/self/cgroup", &text) &&
		     parse_cgroup_dir(b, &v2, parse_cgroup_path(text.data)) && !b->failed;

	buf_free(&text);
	return known;
}

/* A directory descriptor, or -1 after the check that is at work has been told unknown. */
static int open_cgroup(struct exam *x)
{
	struct buf path = {};
	int fd = own_cgroup(x, &path) ? open(path.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	buf_free(&path);
	if (fd < 0)
		tell(x, STATE_UNKNOWN, mount_mend, "our own cgroup of version 2 cannot be seen");
	return fd;
}

void check_cgroup_controllers(struct exam *x)
{
	static const char *const wanted[] = { "memory", "pids", "cpu" };
	_close_ int dir = open_cgroup(x);
	struct buf list = {};
	int err;

	if (dir < 0)
		return;
	err = read_text_at(dir, "cgroup.controllers", &list);
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (err)
			tell_of(x, wanted[i], NULL, STATE_UNKNOWN, NULL, "cgroup.controllers: %s", strerror(-err));
		else if (parse_has_word((struct span){ list.data, list.len }, " \n", wanted[i]))
			tell_of(x, wanted[i], NULL, STATE_OK, NULL, "in our cgroup");
		else
			tell_of(x, wanted[i], NULL, STATE_LIMITED,
				"with systemd: Delegate=yes in the unit; else write its name into the parent's cgroup.subtree_control, "
				"if no hierarchy of version 1 holds it",
				"not in our cgroup");
	}
	buf_free(&list);
}

void check_cgroup_delegation(struct exam *x)
{
	_close_ int dir = open_cgroup(x);

	if (dir < 0)
		return;
	if (faccessat(dir, ".", W_OK, AT_EACCESS) || faccessat(dir, "cgroup.procs", W_OK, AT_EACCESS) ||
	    faccessat(dir, "cgroup.subtree_control", W_OK, AT_EACCESS))
		tell(x, STATE_LIMITED, "as root; or systemd-run --user --scope -p Delegate=yes nsscope ...",
		     "not ours to write: %s", strerror(errno));
	else
		tell(x, STATE_OK, NULL, "ours to write");
}

/* Whether some directory in @dir has the file @name; the root of the hierarchy lacks what its children have. */
static bool child_has(int dir, const char *name)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *all = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool has = false;
	char path[512];

	if (!all) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!has && (entry = readdir(all))) {
		if (entry->d_type != DT_DIR || *entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", entry->d_name, name);
		has = !faccessat(dir, path, F_OK, 0);
	}
	closedir(all);
	return has;
}

static void tell_file(struct exam *x, const char *name, unsigned major, unsigned minor)
{
	_close_ int dir = open_cgroup(x);

	if (dir < 0)
		return;
	if (!faccessat(dir, name, F_OK, 0) || child_has(dir, name))
		tell(x, STATE_OK, NULL, "there");
	else if (x->ground.major && !ground_is_before(&x->ground, major, minor))
		tell(x, STATE_OK, NULL, "Linux %u.%u has it; no cgroup here shows it", major, minor);
	else
		tell(x, STATE_LIMITED, "boot a newer kernel", "not there: Linux %u.%u or later has it", major, minor);
}

void check_cgroup_kill(struct exam *x)
{
	tell_file(x, "cgroup.kill", 5, 14);
}

void check_cgroup_freeze(struct exam *x)
{
	tell_file(x, "cgroup.freeze", 5, 2);
}
