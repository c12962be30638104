/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Padding counts in the comparison later, so it is cleared. */
static int get_modes(int fd, struct termios *modes)
{
	memset(modes, 0, sizeof(*modes));
	return tcgetattr(fd, modes);
}

void terminal_remember(struct terminal *ret_terminal)
{
	struct terminal t = { .fd = -1 };
	pid_t group;
	int fd = 0;

	while (fd <= 2 && get_modes(fd, &t.modes) < 0)
		fd++;
	if (fd <= 2) {
		group = tcgetpgrp(fd);
		/* A failure: it is not the controlling terminal, so it has no foreground for us. */
		if (group < 0 || group == getpgrp())
			t.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	}
	*ret_terminal = t;
}

/* Whether this process group, or none at all, has the terminal; takes it from a dead group. */
static bool take_back(int fd)
{
	pid_t group = tcgetpgrp(fd);

	if (group < 0 || group == getpgrp())
		return true;
	/* 0: a group that cannot be seen from here. A living one may be the shell's. */
	if (group == 0 || kill(-group, 0) == 0 || errno != ESRCH)
		return false;
	return tcsetpgrp(fd, getpgrp()) == 0;
}

void terminal_restore(const struct terminal *t, bool modes)
{
	struct termios now;
	sigset_t ttou, mask;

	if (t->fd < 0)
		return;
	/* Else the kernel stops a background process that changes the terminal. */
	sigemptyset(&ttou);
	sigaddset(&ttou, SIGTTOU);
	sigprocmask(SIG_BLOCK, &ttou, &mask);
	if (take_back(t->fd) && modes && get_modes(t->fd, &now) == 0 &&
	    memcmp(&now, &t->modes, sizeof(now)) != 0)
		tcsetattr(t->fd, TCSANOW, &t->modes); /* not TCSADRAIN: output may be held up */
	sigprocmask(SIG_SETMASK, &mask, NULL);
}
