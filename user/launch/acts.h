/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The acts of steps.def that stand in files by subject. Each returns 0 or -errno. */
#ifndef LAUNCH_ACTS_H
#define LAUNCH_ACTS_H

#include <linux/filter.h>

#include "launch/cgroup.h"
#include "launch/rootfs.h"
#include "launch/steps.h"

/* What acts leave to later ones, on one side of the clone. */
struct acts_state {
	struct rootfs root; /* inside */
	struct sock_fprog filter; /* inside */
	struct cgroup cgroup; /* outside */
	int parent; /* inside: pidfd of the supervisor */
};

typedef int step_fn(struct steps_context *c, const char *arg);

/* mounts.c */
step_fn step_source, step_new_root, step_layers, step_overlay, step_proc, step_sys, step_bind, step_bind_ro, step_tmpfs,
	step_pivot_root, step_return;
/* dev.c */
step_fn step_dev;
/* ids.c */
step_fn step_drop_groups, step_set_gid, step_set_uid, step_keep_caps, step_drop_caps, step_add_caps;
/* seccomp.c */
step_fn step_read_filter, step_no_new_privs, step_filter;
/* limits.c */
step_fn step_cgroup, step_memory, step_pids, step_cpu, step_cgroup_enter, step_cgroup_ns;
/* surroundings.c */
step_fn step_hostname, step_loopback, step_setenv, step_unsetenv, step_clearenv, step_rlimit;
/* enter_acts.c */
step_fn step_enter, step_enter_fork, step_enter_cgroup, step_enter_root, step_enter_wd, step_enter_env, step_enter_gid,
	step_enter_uid, step_enter_caps;

#endif
