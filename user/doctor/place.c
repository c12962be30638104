/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where nsscope itself is. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "doctor/exam.h"
#include "observe/host.h"
#include "util/cleanup.h"

static const char mend[] = "start nsscope outside, to see the whole machine";

void check_pid_namespace(struct exam *x)
{
	uint32_t inum = ns_inum_read("self", "pid");

	if (!inum)
		tell(x, STATE_UNKNOWN, "mount proc on /proc", "/proc/self/ns/pid cannot be read");
	else if (inum == NSS_PID_NS_INITIAL)
		tell(x, STATE_OK, NULL, "the initial one");
	else
		tell(x, STATE_LIMITED, mend, "a nested one");
}

/* A mark may be left over from the image that a virtual machine was made of. */
void check_container(struct exam *x)
{
	static const char *const marks[] = { "/run/.containerenv", "/.dockerenv", "/run/systemd/container" };
	bool initial = ns_inum_read("self", "pid") == NSS_PID_NS_INITIAL;

	for (size_t i = 0; i < ARRAY_SIZE(marks); i++) {
		if (access(marks[i], F_OK))
			continue;
		if (initial)
			tell(x, STATE_OK, NULL, "there is %s, but the PID namespace is the initial one", marks[i]);
		else
			tell(x, STATE_LIMITED, mend, "there is %s", marks[i]);
		return;
	}
	tell(x, STATE_OK, NULL, "no sign of one");
}
