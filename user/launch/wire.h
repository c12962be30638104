/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nsscope and the supervisor tell each other, over a SOCK_SEQPACKET socket pair. */
#ifndef LAUNCH_WIRE_H
#define LAUNCH_WIRE_H

#include "launch/launch.h"

enum wire_kind {
	WIRE_CLONE, /* to the supervisor: clone the command */
	WIRE_CLONED, /* its answer, with the command's pidfd */
	WIRE_RELEASED, /* to the supervisor: the command begins */
	WIRE_EVENT, /* from the supervisor, or from the command in its steps */
};

struct wire {
	enum wire_kind kind;
	pid_t pid; /* WIRE_CLONED */
	int error; /* WIRE_CLONED: errno of clone; 0: it is there */
	struct launch_event event; /* WIRE_EVENT */
};

/* @fd: goes along; -1: none. 0 or -errno; -EPIPE: the other side is gone. Waits if full. */
int wire_send(int sock, const struct wire *w, int fd);

/*
 * @flags: of recvmsg(2). *ret_fd: what came along, or -1; ret_fd may be NULL where nothing can.
 * 0 or -errno; -EPIPE: the other side is gone; -EAGAIN: nothing there, with MSG_DONTWAIT.
 */
int wire_recv(int sock, int flags, struct wire *ret_wire, int *ret_fd);

#endif
