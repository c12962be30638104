/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The terminal is lent to the command: its state is taken before and put back after. */
#ifndef LAUNCH_TERMINAL_H
#define LAUNCH_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	int fd; /* own, O_CLOEXEC; -1: there is no terminal, or it is not ours to restore */
	struct termios modes;
};

/* Looks at descriptors 0, 1 and 2. A background job gets no terminal: what it sees is another's. */
void terminal_remember(struct terminal *ret_terminal);

/*
 * Gives the foreground back to this process group if the group that has it is no more; and, if
 * @modes, the modes, unless another group has the foreground by now.
 */
void terminal_restore(const struct terminal *t, bool modes);

#endif
