/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail ERRNO NTH CALL[,CALL...] COMMAND...: the NTH system call (from 1; 0: none; -N: the Nth and all later ones) of
 * these that a process makes while it executes the file COMMAND fails with ERRNO, and is not executed. What COMMAND
 * executes in turn makes its calls undisturbed; what is written to standard error is.
 *
 * Exits as COMMAND, and only when no descendant is left; 98 if one is after some seconds. $FAIL_COUNT: a file that gets
 * a line for each CALL, with how often it was made.
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
#include <sys/stat.h>

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
	CALL(perf_event_open), CALL(close), CALL(kill), CALL(fstat), CALL(newfstatat), CALL(getcwd), CALL(fchmodat),
	CALL(fchownat), CALL(symlinkat), CALL(setxattr), CALL(pipe2), CALL(umask), CALL(timerfd_create),
	CALL(timerfd_settime), CALL(setsid), CALL(brk), CALL(mmap), CALL(statx), CALL(fstatfs), CALL(getgroups),
	{ "openat2", 437 }, { "open_tree", 428 }, { "move_mount", 429 }, { "fsopen", 430 }, { "fsconfig", 431 }, { "fsmount", 432 },
	{ "mount_setattr", 442 },
#ifdef SYS_poll
	CALL(poll), CALL(readlink), CALL(mkdir), CALL(fork), CALL(vfork), CALL(dup2), CALL(symlink),
	CALL(chmod), CALL(chown),
#endif
};

static struct {
	const char *name;
	int nr; /* -1: this architecture has no such call */
	long seen;
} wanted[64];
static size_t nwanted;

static void want(char *names)
{
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ",")) {
		size_t i = 0;

		while (i < sizeof(calls) / sizeof(*calls) && strcmp(calls[i].name, name))
			i++;
		wanted[nwanted].name = name;
		wanted[nwanted++].nr = i < sizeof(calls) / sizeof(*calls) ? calls[i].nr : -1;
	}
}

static int install(void)
{
	struct sock_filter code[160] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)) };
	struct sock_fprog prog = { .filter = code };
	int n = 1;

	for (size_t i = 0; i < nwanted; i++) {
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)wanted[i].nr, 0, 1);
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

static void command(struct shared *s, char **argv)
{
	/* Closed by exec: who is listened to must not hold the listener, or its end would never be seen. */
	int fd = install();

	if (fd < 0)
		err(99, "seccomp");
	s->listener = fd;
	while (!s->taken)
		syscall(SYS_sched_yield);
	syscall(SYS_execve, argv[0], argv, environ);
	_exit(99);
}

/* Whether the process executes @file; what it is before COMMAND and behind it does not count. */
static int executes(pid_t pid, const struct stat *file)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	return !stat(path, &st) && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* Counts the call; the number of all of them up to this one. */
static long count(int nr)
{
	long all = 0;

	for (size_t i = 0; i < nwanted; i++) {
		wanted[i].seen += wanted[i].nr == nr;
		all += wanted[i].seen;
	}
	return all;
}

static void decide(int listener, int error, long nth, const struct stat *file)
{
	struct seccomp_notif call = {};
	struct seccomp_notif_resp answer = { .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
	long n;

	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call))
		return; /* it was killed meanwhile */
	answer.id = call.id;
	if (executes(call.pid, file) && !(call.data.nr == SYS_write && call.data.args[0] == STDERR_FILENO)) {
		n = count(call.data.nr);
		if (n == nth || (nth < 0 && n >= -nth)) {
			answer.flags = 0;
			answer.error = -error;
		}
	}
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
}

static int write_counts(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		return -1;
	for (size_t i = 0; i < nwanted; i++)
		fprintf(f, "%s %ld\n", wanted[i].name, wanted[i].seen);
	return fclose(f);
}

int main(int argc, char **argv)
{
	struct shared *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	const char *counts = getenv("FAIL_COUNT");
	int pidfd, status = 0, ended = 0, left = 0;
	struct pollfd on = { .events = POLLIN };
	struct stat file;
	pid_t pid;

	if (argc < 5 || s == MAP_FAILED || stat(argv[4], &file))
		errx(99, "usage");
	s->listener = -1;
	want(argv[3]);
	pid = child(0);
	if (!pid)
		command(s, argv + 4);
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
			decide(on.fd, atoi(argv[1]), atol(argv[2]), &file);
		if (!ended)
			ended = waitpid(pid, &status, WNOHANG) == pid;
		left += ended && n == 0;
	}
	if (!ended && waitpid(pid, &status, 0) != pid)
		return 99;
	if (counts && write_counts(counts))
		return 99;
	if (left >= 100)
		return 98;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
