/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

union control {
	struct cmsghdr align;
	char room[CMSG_SPACE(sizeof(int))];
};

int wire_send(int sock, const struct wire *w, int fd)
{
	struct iovec data = { .iov_base = (void *)w, .iov_len = sizeof(*w) };
	struct msghdr msg = { .msg_iov = &data, .msg_iovlen = 1 };
	union control control;
	struct cmsghdr *c;
	ssize_t n;

	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(int));
	}
	do
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int passed_fd(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(int));
	return fd;
}

int wire_recv(int sock, int flags, struct wire *ret_wire, int *ret_fd)
{
	struct wire w;
	struct iovec data = { .iov_base = &w, .iov_len = sizeof(w) };
	union control control;
	struct msghdr msg = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t n;

	if (ret_fd) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	do
		n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? -EPIPE : -errno;
	if (n == 0)
		return -EPIPE;
	if (n != sizeof(w))
		return -EPROTO;
	*ret_wire = w;
	if (ret_fd)
		*ret_fd = passed_fd(&msg);
	return 0;
}
