/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsmake: every kind of namespace by clone3(2) and by unshare(2), alone and all at once. */
#include <linux/sched.h>
#include <stdint.h>

#include "witness.h"

static const struct {
	const char *type;
	uint64_t flag;
} kinds[] = {
	{ "cgroup", CLONE_NEWCGROUP }, { "ipc", CLONE_NEWIPC }, { "mnt", CLONE_NEWNS },	  { "net", CLONE_NEWNET },
	{ "pid", CLONE_NEWPID },       { "time", CLONE_NEWTIME }, { "user", CLONE_NEWUSER }, { "uts", CLONE_NEWUTS },
	{ "all", CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWTIME |
		 CLONE_NEWUSER | CLONE_NEWUTS },
};

int main(void)
{
	char label[32];
	pid_t pid, grandchild;

	report("start");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct clone_args args = { .flags = kinds[i].flag, .exit_signal = SIGCHLD };

		pid = syscall(SYS_clone3, &args, sizeof(args));
		if (pid < 0)
			err(99, "clone3 %s", kinds[i].type);
		if (!pid) {
			snprintf(label, sizeof(label), "clone:%s", kinds[i].type);
			report(label);
			return 0;
		}
		reap(pid, "wait");

		pid = child(0);
		if (!pid) {
			if (unshare(kinds[i].flag))
				err(99, "unshare %s", kinds[i].type);
			grandchild = child(0); /* so that pid_for_children has its first process */
			if (!grandchild) {
				snprintf(label, sizeof(label), "below:%s", kinds[i].type);
				report(label);
				return 0;
			}
			reap(grandchild, "wait");
			snprintf(label, sizeof(label), "unshare:%s", kinds[i].type);
			report(label);
			return 0;
		}
		reap(pid, "wait");
	}
	return 0;
}
