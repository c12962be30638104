/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/proc.h"

#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

static FILE *open_stream(int dir, const char *path)
{
	_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	FILE *f;

	if (fd < 0)
		return NULL;
	f = fdopen(fd, "re");
	if (f)
		fd = -1;
	return f;
}

/* The number that the process has in this /proc, or -errno. */
static int proc_number(int pidfd)
{
	_fclose_ FILE *f = NULL;
	char path[64], line[128];
	int number;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	f = open_stream(AT_FDCWD, path);
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pid: %d", &number) == 1)
			return number > 0 ? number : -ESRCH;
	}
	return -ENODATA;
}

int proc_open(int pidfd)
{
	_close_ int dir = -1;
	int number = proc_number(pidfd);
	char path[64];

	if (number < 0)
		return number;
	snprintf(path, sizeof(path), "/proc/%d", number);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	/* Had it been reaped before the open, the directory could be that of another process. */
	if (proc_number(pidfd) != number)
		return -ESRCH;
	return TAKE_FD(dir);
}

int proc_read_status(int proc, struct proc_status *ret_status)
{
	_fclose_ FILE *f = open_stream(proc, "status");
	struct proc_status s = {};
	char line[256];
	int found = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		found += sscanf(line, "State: %c", &s.state) == 1;
		found += sscanf(line, "SigBlk: %" SCNx64, &s.blocked) == 1;
		found += sscanf(line, "SigIgn: %" SCNx64, &s.ignored) == 1;
		found += sscanf(line, "SigCgt: %" SCNx64, &s.caught) == 1;
	}
	if (found != 4)
		return -ENODATA;
	*ret_status = s;
	return 0;
}

bool proc_awaits(int proc, int sig)
{
	_fclose_ FILE *f = open_stream(proc, "syscall");
	_close_ int mem = -1;
	uint64_t address, set;
	long number;

	if (!f || fscanf(f, "%ld 0x%" SCNx64, &number, &address) != 2 ||
	    number != SYS_rt_sigtimedwait)
		return false;
	mem = openat(proc, "mem", O_RDONLY | O_CLOEXEC);
	if (mem < 0 || pread(mem, &set, sizeof(set), (off_t)address) != sizeof(set))
		return true;
	return proc_set_has(set, sig);
}

bool proc_is_ours(void)
{
	char number[32] = "";

	return readlink("/proc/self", number, sizeof(number) - 1) > 0 && atoi(number) == getpid();
}

pid_t proc_parent(pid_t pid)
{
	_fclose_ FILE *f = NULL;
	char path[64], line[256];
	int parent;

	if (!proc_is_ours())
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = open_stream(AT_FDCWD, path);
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "PPid: %d", &parent) == 1)
			return parent;
	}
	return 0;
}
