/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/outsider.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "util/cleanup.h"
#include "util/fds.h"

enum { KEEP = -1, UNDO = -2 };

static int send_whole(int sock, const void *data, size_t len)
{
	ssize_t n;

	do
		n = send(sock, data, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int recv_whole(int sock, void *data, size_t len)
{
	ssize_t n;

	do
		n = recv(sock, data, len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EPIPE;
}

/* Closes all but the standard three, @a and @b. */
static void close_others(int a, int b)
{
	unsigned int low = (unsigned int)(a < b ? a : b), high = (unsigned int)(a < b ? b : a);

	close_fds(3, low - 1);
	close_fds(low + 1, high - 1);
	close_fds(high + 1, ~0U);
}

static _Noreturn void serve(const struct outsider_acts *acts, int sock)
{
	bool keep = false;
	int request;

	signal(SIGCHLD, SIG_DFL);
	while (recv_whole(sock, &request, sizeof(request)) == 0) {
		struct outsider_answer answer = {};

		if (request == KEEP) {
			keep = true;
		} else if (request == UNDO) {
			acts->undo(acts->arg);
			keep = false;
		} else {
			answer.ret = acts->act(acts->arg, request, &answer.exec_error);
		}
		/* Who cannot be answered learns it by our end. */
		if (request != KEEP && send_whole(sock, &answer, sizeof(answer)) < 0)
			break;
	}
	if (!keep)
		acts->undo(acts->arg);
	_exit(0);
}

static _Noreturn void orphan(const struct outsider_acts *acts, int sock, int keep)
{
	pid_t pid = fork();

	if (pid == 0) {
		setsid(); /* what is sent to the process group is not for it: it has still to undo */
		close_others(sock, keep);
		serve(acts, sock);
	}
	_exit(pid < 0 ? errno : 0);
}

int outsider_start(const struct outsider_acts *acts, int keep, int *ret_sock)
{
	_close_ int ours = -1, theirs = -1;
	sigset_t all, mask;
	int pair[2], status, error;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	sigfillset(&all);
	if (sigprocmask(SIG_SETMASK, &all, &mask) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		orphan(acts, theirs, keep);
	error = errno;
	if (pid < 0)
		return -error;
	if (sigprocmask(SIG_SETMASK, &mask, NULL) < 0)
		return -errno;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
	*ret_sock = TAKE_FD(ours);
	return 0;
}

int outsider_ask(int sock, int request, struct outsider_answer *ret_answer)
{
	int ret = send_whole(sock, &request, sizeof(request));

	return ret < 0 ? ret : recv_whole(sock, ret_answer, sizeof(*ret_answer));
}

int outsider_keep(int sock)
{
	const int request = KEEP;

	return send_whole(sock, &request, sizeof(request));
}

void outsider_undo(int sock)
{
	struct outsider_answer answer;

	outsider_ask(sock, UNDO, &answer);
}
