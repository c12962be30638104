/* SPDX-License-Identifier: GPL-2.0-or-later */
/* deny ERRNO CMD|all COMMAND...: bpf(2) with the command CMD (a number, or any) fails with ERRNO, from here on. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "witness.h"

int main(int argc, char **argv)
{
	int all = argc > 2 && !strcmp(argv[2], "all");
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | (all ? BPF_JGE : BPF_JEQ) | BPF_K, argc > 3 && !all ? atoi(argv[2]) : 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (argc > 1 ? atoi(argv[1]) : EPERM)),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { .len = sizeof(code) / sizeof(*code), .filter = code };

	if (argc < 4 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog))
		err(99, "deny");
	execvp(argv[3], argv + 3);
	err(99, "%s", argv[3]);
}
