/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a workload knows of itself without nsscope, as one line of JSON.
 *
 * The host's view comes through the fd $HOSTPROC, the host's /proc: "thread-self" in it is the reader, and NSpid lists
 * all levels of that /proc's PID namespace.
 */
#ifndef WITNESS_H
#define WITNESS_H

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* One write(2), so lines of several processes do not mix. */
__attribute__((unused, format(printf, 1, 2))) static void say(const char *format, ...)
{
	char *line = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&line, format, ap);
	va_end(ap);
	if (n < 0 || write(STDOUT_FILENO, line, n) != n)
		_exit(99);
	free(line);
}

static inline int hostproc(void)
{
	const char *fd = getenv("HOSTPROC");

	if (!fd)
		errx(99, "no HOSTPROC");
	return atoi(fd);
}

/* The words of the line @field of the @file in the host's /proc, as "1,2,3". */
static inline void proc_list(const char *file, const char *field, char *list, size_t size)
{
	int fd = openat(hostproc(), file, O_RDONLY | O_CLOEXEC);
	char buf[8192], *p, *end, *at = list;
	ssize_t n;

	if (fd < 0 || (n = read(fd, buf, sizeof(buf) - 1)) < 0)
		err(99, "%s", file);
	close(fd);
	buf[n] = 0;
	p = strstr(buf, field);
	if (!p)
		errx(99, "no %s", field);
	p += strlen(field);
	end = strchr(p, '\n');
	*end = 0;
	*at = 0;
	for (p = strtok(p, "\t "); p; p = strtok(NULL, "\t "))
		at += snprintf(at, size - (at - list), "%s%s", at == list ? "" : ",", p);
}

static inline unsigned int ns_inum(const char *name)
{
	char path[64], link[64];
	unsigned int inum = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "thread-self/ns/%s", name);
	n = readlinkat(hostproc(), path, link, sizeof(link) - 1);
	if (n < 0) /* pid_for_children, before the namespace has its first process */
		return 0;
	link[n] = 0;
	sscanf(strchr(link, '['), "[%u]", &inum);
	return inum;
}

/* Prints what is known of the calling thread, and makes an event that can be found again: umount2("mark:LABEL:N"). */
__attribute__((unused)) static void report(const char *label)
{
	char nspid[512], nstgid[512], mark[128];
	static int count;

	snprintf(mark, sizeof(mark), "mark:%s:%d", label, ++count);
	proc_list("thread-self/status", "\nNSpid:", nspid, sizeof(nspid));
	proc_list("thread-self/status", "\nNStgid:", nstgid, sizeof(nstgid));
	strncat(mark, ":", sizeof(mark) - strlen(mark) - 1);
	strncat(mark, nspid, strcspn(nspid, ","));
	umount2(mark, 0);
	say("{\"at\":\"%s\",\"mark\":\"%s\",\"pid\":%d,\"tid\":%d,\"ppid\":%d,\"uid\":%u,\"gid\":%u,\"nspid\":[%s],"
	    "\"nstgid\":[%s],\"ns\":{\"cgroup\":%u,\"ipc\":%u,\"mnt\":%u,\"net\":%u,\"pid\":%u,\"pid_for_children\":%u,"
	    "\"time\":%u,\"time_for_children\":%u,\"user\":%u,\"uts\":%u}}\n",
	    label, mark, (int)syscall(SYS_getpid), (int)syscall(SYS_gettid), (int)syscall(SYS_getppid), getuid(), getgid(),
	    nspid, nstgid, ns_inum("cgroup"), ns_inum("ipc"), ns_inum("mnt"), ns_inum("net"), ns_inum("pid"),
	    ns_inum("pid_for_children"), ns_inum("time"), ns_inum("time_for_children"), ns_inum("user"), ns_inum("uts"));
}

/* A child by the bare clone(2), with @flags for new namespaces; no memory is shared. */
static inline pid_t child(unsigned long flags)
{
	pid_t pid = syscall(SYS_clone, flags | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid < 0)
		err(99, "clone");
	return pid;
}

/* Waits for @pid and says so; returns the wait status. */
static inline int reap(pid_t pid, const char *label)
{
	int status;

	if (waitpid(pid, &status, __WALL) != pid)
		err(99, "waitpid");
	say("{\"at\":\"%s\",\"child\":%d,\"code\":%d,\"signal\":%d,\"core\":%d}\n", label, pid,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1, WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	    WIFSIGNALED(status) && WCOREDUMP(status));
	return status;
}

#endif
