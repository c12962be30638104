/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nsscope may do. */
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor/exam.h"
#include "util/cleanup.h"

void check_user_namespace(struct exam *x)
{
	if (!x->ground.user_known)
		tell(x, STATE_UNKNOWN, "mount proc on /proc", "/proc/self/ns/user cannot be read");
	else if (x->ground.initial_user)
		tell(x, STATE_OK, NULL, "the initial one");
	else
		tell(x, STATE_MISSING, "start nsscope outside of it", "not the initial one");
}

static const struct cap_row {
	unsigned cap;
	const char *name;
	bool admin_does; /* CAP_SYS_ADMIN gives the same (bpf_capable() and perfmon_capable() of the kernel) */
	enum state without;
	const char *why;
} cap_rows[] = {
	{ CAP_BPF, "CAP_BPF", true, STATE_MISSING, "loading BPF programs and making their maps" },
	{ CAP_PERFMON, "CAP_PERFMON", true, STATE_MISSING, "BPF programs that read the kernel's memory" },
	{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN", false, STATE_MISSING,
	  "making namespaces without -U, mounting, iterating over BPF objects" },
	{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE", false, STATE_LIMITED,
	  "reading the namespaces of other users' processes in /proc" },
};

static void tell_cap(struct exam *x, const struct cap_row *row)
{
	const struct ground *g = &x->ground;
	static const char mend[] =
		"run nsscope as root, with sudo for example; in a container or service, allow it this capability";

	if (ground_capable(g, row->cap))
		tell_of(x, row->name, row->why, STATE_OK, NULL, "held");
	else if (g->caps >> row->cap & 1)
		tell_of(x, row->name, row->why, row->without, "start nsscope outside of this user namespace",
			"held, but only in this user namespace, which is not the initial one");
	else if (row->admin_does && ground_capable(g, CAP_SYS_ADMIN))
		tell_of(x, row->name, row->why, STATE_OK, NULL, "not held, but CAP_SYS_ADMIN gives the same");
	else
		tell_of(x, row->name, row->why, row->without, mend, "not held");
}

void check_capabilities(struct exam *x)
{
	for (size_t i = 0; i < ARRAY_SIZE(cap_rows); i++)
		tell_cap(x, &cap_rows[i]);
}

void check_memlock(struct exam *x)
{
	struct rlimit limit;
	char words[32] = "unlimited";

	if (getrlimit(RLIMIT_MEMLOCK, &limit)) {
		tell(x, STATE_UNKNOWN, NULL, "%s", strerror(errno));
		return;
	}
	if (limit.rlim_cur != RLIM_INFINITY)
		snprintf(words, sizeof(words), "%llu bytes", (unsigned long long)limit.rlim_cur);
	if (!x->ground.major || !ground_is_before(&x->ground, 5, 11))
		tell(x, STATE_OK, NULL, "%s; BPF does not need it since Linux 5.11", words);
	else if (limit.rlim_cur == RLIM_INFINITY || ground_capable(&x->ground, CAP_SYS_RESOURCE))
		tell(x, STATE_OK, NULL, "%s", words);
	else
		tell(x, STATE_LIMITED, "ulimit -l unlimited, or CAP_SYS_RESOURCE",
		     "%s, and no CAP_SYS_RESOURCE to raise it", words);
}

void check_seccomp(struct exam *x)
{
	struct span mode = parse_status(x->ground.status.data, "Seccomp");
	struct span filters = parse_status(x->ground.status.data, "Seccomp_filters");

	if (!mode.s)
		tell(x, STATE_UNKNOWN, "mount proc on /proc", "/proc/self/status does not tell");
	else if (span_is(mode, "0"))
		tell(x, STATE_OK, NULL, "no filter");
	else
		tell(x, STATE_LIMITED,
		     "start nsscope where none is: outside of the container, or with seccomp=unconfined",
		     "%.*s filter(s); what they refuse cannot be asked for", filters.s ? (int)filters.len : 4,
		     filters.s ? filters.s : "some");
}

void check_confinement(struct exam *x)
{
	static const char *const labels[] = { "/proc/self/attr/apparmor/current", "/proc/self/attr/current" };
	struct buf label = {};
	long long enforcing;
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(labels) && err; i++)
		err = read_text(labels[i], &label);
	if (!read_number("/sys/fs/selinux/enforce", &enforcing))
		tell(x, enforcing ? STATE_LIMITED : STATE_OK,
		     enforcing ?
			     "if something is refused, look into the audit log; setenforce 0 tells whether it is that" :
			     NULL,
		     "SELinux, %s%s%s", enforcing ? "enforcing" : "permissive", err ? "" : ", as ",
		     err ? "" : label.data);
	else if (err || !label.len || !strncmp(label.data, "unconfined", 10) || !strcmp(label.data, "kernel"))
		tell(x, STATE_OK, NULL, "none");
	else
		tell(x, STATE_LIMITED, "start nsscope unconfined: see aa-status(8)", "AppArmor, %.*s",
		     (int)strcspn(label.data, "\n"), label.data);
	buf_free(&label);
}

/* bad_from to bad_to are the values that stand in the way of who has no rights; none if the first is the greater. */
static const struct sysctl_row {
	const char *name, *path;
	long long bad_from, bad_to;
	const char *why, *mend;
} sysctl_rows[] = {
	{ "kernel.unprivileged_userns_clone", "/proc/sys/kernel/unprivileged_userns_clone", 0, 0,
	  "Debian: 0 lets only root make user namespaces", "sysctl kernel.unprivileged_userns_clone=1" },
	{ "kernel.apparmor_restrict_unprivileged_userns", "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", 1,
	  9, "Ubuntu: user namespaces without root give no rights, unless a profile of AppArmor allows it",
	  "a profile with 'userns,' for nsscope; or sysctl kernel.apparmor_restrict_unprivileged_userns=0" },
	{ "kernel.unprivileged_bpf_disabled", "/proc/sys/kernel/unprivileged_bpf_disabled", 1, 0,
	  "what nsscope loads needs rights, whatever this says", NULL },
	{ "kernel.perf_event_paranoid", "/proc/sys/kernel/perf_event_paranoid", 1, 0,
	  "not looked at for who has CAP_PERFMON, which nsscope needs anyway", NULL },
	{ "kernel.yama.ptrace_scope", "/proc/sys/kernel/yama/ptrace_scope", 1, 0,
	  "restricts ptrace(2) only, which nsscope does not use; reading /proc is not concerned", NULL },
};

void check_sysctls(struct exam *x)
{
	bool privileged = ground_capable(&x->ground, CAP_SYS_ADMIN);

	for (size_t i = 0; i < ARRAY_SIZE(sysctl_rows); i++) {
		const struct sysctl_row *row = &sysctl_rows[i];
		long long value;
		int err = read_number(row->path, &value);
		bool bad = !err && !privileged && value >= row->bad_from && value <= row->bad_to;

		if (err == -ENOENT && x->ground.mountinfo.len)
			tell_of(x, row->name, row->why, STATE_OK, NULL, "not in this kernel");
		else if (err)
			tell_of(x, row->name, row->why, STATE_UNKNOWN, "mount proc on /proc", "cannot be read: %s",
				strerror(-err));
		else
			tell_of(x, row->name, row->why, bad ? STATE_LIMITED : STATE_OK, bad ? row->mend : NULL, "%lld",
				value);
	}
}
