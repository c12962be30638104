/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail ERRNO NTH SYSCALL[,SYSCALL...] COMMAND...: the NTH call (from 1; 0: none) of these that COMMAND or a descendant
 * makes fails with ERRNO and is not executed. Exits as COMMAND, and only when no descendant is left; 98 if one is after
 * some seconds. $FAIL_COUNT: a file that gets the number of calls.
 *
 * The calls are given to this process by seccomp_unotify(2), so the count is of all processes together.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "witness.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

#define CALL(name) { #name, SYS_##name }
static const struct {
	const char *name;
	int nr;
} calls[] = {
	CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(chdir), CALL(fchdir), CALL(sethostname), CALL(setns),
	CALL(unshare), CALL(clone), CALL(clone3), CALL(capset), CALL(capget), CALL(prctl), CALL(seccomp), CALL(prlimit64),
	CALL(setrlimit), CALL(execve), CALL(setgroups), CALL(setgid), CALL(setuid), CALL(setresuid), CALL(setresgid),
	CALL(openat), CALL(write), CALL(read), CALL(socketpair), CALL(socket), CALL(sendmsg), CALL(recvmsg), CALL(sendto),
	CALL(pidfd_open), CALL(pidfd_send_signal), CALL(signalfd4), CALL(rt_sigprocmask), CALL(rt_sigaction), CALL(close_range),
	CALL(ppoll), CALL(wait4), CALL(waitid), CALL(fcntl), CALL(ioctl), CALL(readlinkat), CALL(mkdirat), CALL(bpf),
	CALL(perf_event_open), CALL(close), CALL(kill), CALL(fstat), CALL(newfstatat),
	{ "open_tree", 428 }, { "move_mount", 429 }, { "fsopen", 430 }, { "fsconfig", 431 }, { "fsmount", 432 },
	{ "mount_setattr", 442 },
#ifdef SYS_poll
	CALL(poll), CALL(readlink), CALL(mkdir), CALL(fork), CALL(vfork), CALL(dup2), CALL(symlink),
#endif
};

static int number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, name))
			return calls[i].nr;
	return -1; /* this architecture has no such call */
}

static int install(char *names)
{
	struct sock_filter code[80] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	struct sock_fprog prog = { .filter = code };
	int n = 1;

	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)number_of(name), 0, 1);
		code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prog.len = n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

struct shared {
	volatile int listener;
	volatile int taken;
};

static void command(struct shared *s, char *names, char **argv)
{
	/* The listener must not be held by who is listened to, or its end would never be seen. */
	int fd = install(names);

	if (fd < 0)
		err(99, "seccomp");
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	s->listener = fd;
	while (!s->taken)
		syscall(SYS_sched_yield);
	syscall(SYS_execve, argv[0], argv, environ);
	_exit(99);
}

/* One call; *calls_seen counts. The first execve is that of COMMAND itself. */
static void decide(int listener, int error, long nth, long *seen, int *started)
{
	struct seccomp_notif call = {};
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return; /* it was killed meanwhile */
	answer.id = call.id;
	if (!*started && call.data.nr == SYS_execve) {
		*started = 1;
	} else if (*started && ++*seen == nth) {
		answer.flags = 0;
		answer.error = -error;
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

int main(int argc, char **argv)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *count = getenv("FAIL_COUNT");
	int pidfd, status = 0, started = 0, ended = 0, left = 0;
	struct pollfd on = { .events = POLLIN };
	long seen = 0;
	char names[1024];
	pid_t pid;

	if (argc < 5 || s == MAP_FAILED)
		errx(99, "usage");
	s->listener = -1;
	snprintf(names, sizeof(names), "execve,%s", argv[3]);
	pid = child(0);
	if (!pid)
		command(s, names, argv + 4);
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	while (s->listener < 0)
		if (waitpid(pid, &status, WNOHANG) == pid)
			return 99;
	on.fd = syscall(SYS_pidfd_getfd, pidfd, s->listener, 0);
	if (on.fd < 0)
		err(99, "pidfd_getfd");
	s->taken = 1;
	while (!(on.revents & POLLHUP) && left < 100) {
		int n = poll(&on, 1, ended ? 100 : 20);

		if (n > 0 && (on.revents & POLLIN))
			decide(on.fd, atoi(argv[1]), atol(argv[2]), &seen, &started);
		if (!ended)
			ended = waitpid(pid, &status, WNOHANG) == pid;
		left += ended && n == 0;
	}
	if (!ended && waitpid(pid, &status, 0) != pid)
		return 99;
	if (count) {
		FILE *f = fopen(count, "w");

		if (!f || fprintf(f, "%ld\n", seen) < 0 || fclose(f))
			return 99;
	}
	if (left >= 100)
		return 98;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
