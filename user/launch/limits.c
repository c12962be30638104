/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The acts around the command's cgroup: see cgroup.h. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>

#include "launch/acts.h"
#include "launch/pidfd.h"
#include "launch/proc.h"
#include "launch/spec.h"

/* Period of cpu.max, in microseconds: the kernel's default. */
#define CPU_PERIOD 100000

int step_cgroup(struct steps_context *c, const char *arg)
{
	return cgroup_make(&c->state->cgroup, arg);
}

/* Swap would only put off the end; there may be no file for it (swapaccount=0). */
int step_memory(struct steps_context *c, const char *arg)
{
	char text[32];
	uint64_t bytes;
	int err = spec_size(arg, &bytes);

	if (err)
		return err;
	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	err = cgroup_write(&c->state->cgroup, "memory.max", text);
	if (err)
		return err;
	err = cgroup_write(&c->state->cgroup, "memory.swap.max", "0");
	return err == -ENOENT ? 0 : err;
}

int step_pids(struct steps_context *c, const char *arg)
{
	return cgroup_write(&c->state->cgroup, "pids.max", arg);
}

int step_cpu(struct steps_context *c, const char *arg)
{
	char text[48];
	uint64_t percent;
	int err = spec_number(arg, UINT32_MAX, &percent);

	if (err)
		return err;
	snprintf(text, sizeof(text), "%llu %d", (unsigned long long)percent * (CPU_PERIOD / 100), CPU_PERIOD);
	return cgroup_write(&c->state->cgroup, "cpu.max", text);
}

int step_cgroup_enter(struct steps_context *c, const char *arg)
{
	char text[16];

	(void)arg;
	snprintf(text, sizeof(text), "%d", c->pid);
	return cgroup_write(&c->state->cgroup, "cgroup.procs", text);
}

/* Not by clone(2): a cgroup namespace has as its root what its maker is in at that moment. */
int step_cgroup_ns(struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	return unshare(CLONE_NEWCGROUP) < 0 ? -errno : 0;
}
