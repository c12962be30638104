/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A compiled filter for seccomp(2), as bwrap --seccomp takes it: struct sock_filter after struct sock_filter. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "launch/acts.h"
#include "util/cleanup.h"

/* On the host's side, before the root changes. One byte more is read, to see what is too long. */
int step_read_filter(struct steps_context *c, const char *arg)
{
	const size_t most = BPF_MAXINSNS * sizeof(struct sock_filter);
	_close_ int fd = open(arg, O_RDONLY | O_CLOEXEC);
	_free_ char *bytes = malloc(most + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -errno;
	if (!bytes)
		return -ENOMEM;
	for (; n > 0 && len <= most; len += (size_t)n) {
		n = read(fd, bytes + len, most + 1 - len);
		if (n < 0)
			return -errno;
	}
	if (!len || len > most || len % sizeof(struct sock_filter))
		return -EINVAL;
	c->state->filter.len = (unsigned short)(len / sizeof(struct sock_filter));
	c->state->filter.filter = (struct sock_filter *)TAKE_PTR(bytes);
	return 0;
}

int step_no_new_privs(struct steps_context *c, const char *arg)
{
	(void)c;
	(void)arg;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

/* The kernel checks the program: EINVAL. */
int step_filter(struct steps_context *c, const char *arg)
{
	(void)arg;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &c->state->filter) < 0 ? -errno : 0;
}
