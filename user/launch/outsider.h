/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A process that stays behind in the old namespaces, with the old rights, when its maker leaves them: it does there what
 * its maker then cannot do any more. It is nobody's child that waits for children: it is an orphan from the start, so
 * that the command, which may be its maker, finds no child that it did not make.
 *
 * It ends with the last descriptor of its socket, that is when the command is executed or has died. Unless it was told
 * to keep what it did, it undoes it then.
 */
#ifndef LAUNCH_OUTSIDER_H
#define LAUNCH_OUTSIDER_H

struct outsider_answer {
	int ret; /* of the act */
	int exec_error; /* see idmap_write_outside */
};

struct outsider_acts {
	/* Does @request, which is not negative. 0, -errno, or as the caller of outsider_ask understands it. */
	int (*act)(void *arg, int request, int *ret_exec_error);
	void (*undo)(void *arg);
	void *arg;
};

/*
 * The act runs with all signals blocked, and with the descriptors of now below 3, @keep, and its own. *ret_sock is
 * close-on-exec; whoever has it may ask, one at a time. 0 or -errno.
 */
int outsider_start(const struct outsider_acts *acts, int keep, int *ret_sock);

/* Has @request done. 0: *ret_answer tells; or -errno: there is no outsider any more. */
int outsider_ask(int sock, int request, struct outsider_answer *ret_answer);

/* Tells it that what it did is to stay. 0 or -errno. */
int outsider_keep(int sock);

/* Has it undo all, and waits for that. */
void outsider_undo(int sock);

#endif
