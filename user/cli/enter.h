/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line of enter asks for; before anything is looked up. */
#ifndef CLI_ENTER_H
#define CLI_ENTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "abi/abi.h"
#include "launch/ref.h"

enum enter_id {
	ENTER_ID_KEEP, /* or root, where a user namespace is entered */
	ENTER_ID_SET,
	ENTER_ID_FOLLOW, /* the target's */
};

struct enter_settings {
	unsigned target; /* --target: PID; 0: none */
	uint64_t target_inode; /* of its pidfd; 0: any */
	unsigned in; /* --in: the PID namespace that --target counts in; 0: nsscope's own */
	struct ref ref; /* --ref; pid 0: none */
	unsigned run; /* --run: PID of a nsscope; 0: none */
	bool all;
	uint64_t of_target; /* CLONE_NEW* flags: named without a file */
	const char *files[NSS_NS_MAX]; /* by enum nss_ns */
	int socket; /* --net-socket: descriptor of the target; -1: none */
	bool user_parent;
	bool root, wd; /* the target's */
	const char *root_dir, *wd_dir; /* opened before entering */
	const char *wdns; /* looked up inside */
	enum enter_id uid_how, gid_how;
	uid_t uid;
	gid_t gid;
	bool preserve_credentials;
	bool keep_caps;
	bool env;
	bool no_fork;
	bool join_cgroup;
};

/* What is wrong with the options together, or NULL. */
const char *enter_check(const struct enter_settings *e);

#endif
