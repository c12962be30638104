/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What run's own options ask for, beyond unshare(1): the text of each, checked by the functions of launch/spec.h. */
#ifndef LAUNCH_SANDBOX_H
#define LAUNCH_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_MOUNTS_MAX 64
#define SANDBOX_ENV_MAX 256
#define SANDBOX_RLIMITS_MAX 16

enum sandbox_mount_kind { SANDBOX_BIND, SANDBOX_BIND_RO, SANDBOX_TMPFS };
enum sandbox_env_kind { SANDBOX_SETENV, SANDBOX_UNSETENV, SANDBOX_CLEARENV };

/* In the order of the command line. */
struct sandbox_mount {
	enum sandbox_mount_kind kind;
	const char *spec; /* SRC:DST, or DST[:SIZE] */
};

struct sandbox_env {
	enum sandbox_env_kind kind;
	const char *arg;
};

struct sandbox_settings {
	const char *root; /* pivot_root(2) there; NULL: / stays, or gets an overlay */
	bool overlay;
	const char *overlay_dir; /* upper and work directories are there, and stay; NULL: on a tmpfs */
	const char *dev, *sys; /* where; NULL: not */
	struct sandbox_mount mounts[SANDBOX_MOUNTS_MAX];
	size_t nmounts;
	const char *hostname;
	bool loopback; /* is brought up, where the network namespace is new */
	struct sandbox_env env[SANDBOX_ENV_MAX];
	size_t nenv;
	const char *rlimits[SANDBOX_RLIMITS_MAX]; /* NAME=SOFT[:HARD] */
	size_t nrlimits;
	const char *uid, *gid; /* inside; NULL: as they are */
	uint64_t cap_drop, cap_add; /* bit N: capability N; no bit in both */
	bool no_new_privs;
	const char *seccomp; /* file with a filter; implies no_new_privs */
	const char *memory, *pids, *cpu; /* limits of a cgroup; NULL: none */
	unsigned time_limit; /* seconds; 0: none */
};

#endif
