/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/proc.h"

#include "launch/pidfd.h"
#include "util/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
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

/* What a file of fdinfo/ says of a pidfd: the number that the process has in this /proc, or -errno. */
static int fdinfo_number(int dir, const char *path)
{
	_fclose_ FILE *f = open_stream(dir, path);
	char line[128];
	int number;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "Pid: %d", &number) == 1)
			return number > 0 ? number : -ESRCH;
	}
	return -ENODATA;
}

static int proc_number(int pidfd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
	return fdinfo_number(AT_FDCWD, path);
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
		found += sscanf(line, "ShdPnd: %" SCNx64, &s.pending) == 1;
		found += sscanf(line, "SigBlk: %" SCNx64, &s.blocked) == 1;
		found += sscanf(line, "SigIgn: %" SCNx64, &s.ignored) == 1;
		found += sscanf(line, "SigCgt: %" SCNx64, &s.caught) == 1;
	}
	if (found != 5)
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

int proc_start_ticks(int pidfd, uint64_t *ret_ticks)
{
	_close_ int dir = proc_open(pidfd);
	_fclose_ FILE *f = NULL;
	char text[1024], *behind;
	size_t len;

	if (dir < 0)
		return dir;
	f = open_stream(dir, "stat");
	if (!f)
		return -errno;
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	/* The name in parentheses may hold anything, but nothing behind it holds a parenthesis. */
	behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
			      ret_ticks) != 1)
		return -ESRCH;
	return 0;
}

int proc_cgroup(int pidfd, char *path, size_t size)
{
	_close_ int dir = proc_open(pidfd);
	_fclose_ FILE *f = NULL;
	_free_ char *line = NULL;
	size_t room = 0;
	ssize_t len;

	if (dir < 0)
		return dir;
	f = open_stream(dir, "cgroup");
	if (!f)
		return -errno;
	while ((len = getline(&line, &room, f)) > 0) {
		if (strncmp(line, "0::", 3))
			continue;
		line[strcspn(line, "\n")] = '\0';
		if (strlen(line + 3) >= size)
			return -ENAMETOOLONG;
		strcpy(path, line + 3);
		return 0;
	}
	return -ENODATA;
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

/* Whether both run the same program: the supervisor is a fork of nsscope. */
static bool same_program(pid_t a, pid_t b)
{
	char path[2][64];
	struct stat st[2];

	snprintf(path[0], sizeof(path[0]), "/proc/%d/exe", a);
	snprintf(path[1], sizeof(path[1]), "/proc/%d/exe", b);
	return !stat(path[0], &st[0]) && !stat(path[1], &st[1]) && st[0].st_ino == st[1].st_ino && st[0].st_dev == st[1].st_dev;
}

/* As unshare -pf makes one, its own or util-linux's: a child in a PID namespace that its parent @pid, @dir, is not in. */
static int child_in_pid_ns(int dir, pid_t pid, pid_t *ret_pid)
{
	char own[64] = "", theirs[64] = "", path[64], link[64];
	_fclose_ FILE *f = NULL;
	int child;

	if (readlinkat(dir, "ns/pid", own, sizeof(own) - 1) < 0 ||
	    readlinkat(dir, "ns/pid_for_children", theirs, sizeof(theirs) - 1) < 0 || !strcmp(own, theirs))
		return -ENOENT;
	snprintf(path, sizeof(path), "task/%d/children", pid);
	f = open_stream(dir, path);
	while (f && fscanf(f, "%d", &child) == 1) {
		_close_ int fd = pidfd_of(child);

		snprintf(path, sizeof(path), "/proc/%d/ns/pid", child);
		memset(link, 0, sizeof(link));
		if (fd < 0 || readlink(path, link, sizeof(link) - 1) < 0 || strcmp(link, theirs) ||
		    proc_parent(child) != pid || pidfd_wait(fd, 0))
			continue;
		*ret_pid = child;
		return TAKE_FD(fd);
	}
	return -ENOENT;
}

/* Only the command is a child of a child of nsscope that nsscope has a pidfd of. */
int proc_launched(int pidfd, pid_t pid, pid_t *ret_pid)
{
	_close_ int dir = proc_open(pidfd), fd = -1;
	char name[32];
	int n, number;

	if (dir < 0)
		return dir;
	if (faccessat(dir, "fdinfo", R_OK | X_OK, AT_EACCESS) < 0)
		return -errno;
	for (n = 0; n < 64; n++) {
		snprintf(name, sizeof(name), "fdinfo/%d", n);
		number = fdinfo_number(dir, name);
		if (number <= 0)
			continue;
		fd = pidfd_of(number);
		if (fd >= 0 && proc_parent(proc_parent(number)) == pid && same_program(proc_parent(number), pid) &&
		    !pidfd_wait(fd, 0)) {
			*ret_pid = number;
			return TAKE_FD(fd);
		}
		cleanup_close(&fd);
		fd = -1;
	}
	return child_in_pid_ns(dir, pid, ret_pid);
}
