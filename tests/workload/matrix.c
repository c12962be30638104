/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * matrix: the same events on every kernel and from every backend. One process at a time, so their order is certain;
 * absolute paths without detours, so a backend that tells them as the kernel found them says the same as one that tells
 * what the caller had.
 */
#include <linux/sched.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/stat.h>

#include "witness.h"

static void wait_for(pid_t pid)
{
	if (pid < 0 || waitpid(pid, NULL, __WALL) != pid)
		err(99, "wait");
}

static void *exec_self(void *arg)
{
	execl("/proc/self/exe", "again", (char *)arg, "", "\xff\n", NULL);
	return NULL;
}

static void processes(void)
{
	struct clone_args args = { .flags = CLONE_NEWUTS | CLONE_NEWPID, .exit_signal = SIGCHLD };
	pthread_t thread;
	pid_t pid;

	pid = child(0);
	if (!pid)
		_exit(3);
	wait_for(pid);
	pid = child(0);
	if (!pid)
		raise(SIGKILL);
	wait_for(pid);
	pid = child(0);
	if (!pid) {
		exec_self("end");
		_exit(99);
	}
	wait_for(pid);
	pid = child(0);
	if (!pid) { /* exec by a thread that is not the leader */
		pthread_create(&thread, NULL, exec_self, "end");
		pthread_join(thread, NULL);
		_exit(99);
	}
	wait_for(pid);
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (!pid) {
		pid = child(0);
		if (!pid)
			_exit(0);
		wait_for(pid);
		_exit(1);
	}
	wait_for(pid);
}

static void namespaces(void)
{
	static const uint64_t flags[] = { CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNS,	CLONE_NEWNET, CLONE_NEWPID,
					  CLONE_NEWTIME,   CLONE_NEWUTS, CLONE_NEWUSER, CLONE_NEWUSER | CLONE_NEWUTS, 0,
					  CLONE_NEWNET | CLONE_PARENT };
	int fd;

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		pid_t pid = child(0);

		if (!pid) {
			unshare(flags[i]);
			pid = child(0);
			if (!pid)
				_exit(0);
			wait_for(pid);
			_exit(0);
		}
		wait_for(pid);
	}
	fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	setns(fd, CLONE_NEWUTS);
	setns(fd, 0);
	setns(fd, CLONE_NEWNET);
	setns(-1, 0);
}

static void mounts(void)
{
	pid_t pid;

	mount("t", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=700");
	mkdir("/mnt/a", 0700);
	mkdir("/mnt/b", 0700);
	mkdir("/mnt/c", 0700);
	mkdir("/mnt/old", 0700);
	mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL);
	mount("/mnt/a", "/mnt/a", NULL, MS_BIND | MS_REC, NULL);
	mount(NULL, "/mnt/a", NULL, MS_SHARED, NULL);
	mount(NULL, "/mnt/a", NULL, MS_PRIVATE, NULL);
	mount("/mnt/a", "/mnt/b", NULL, MS_MOVE, NULL);
	syscall(SYS_move_mount, AT_FDCWD, "/mnt/b", AT_FDCWD, "/mnt/c", 0);
	syscall(SYS_move_mount, AT_FDCWD, "/nonexistent", AT_FDCWD, "/mnt/c", 0);
	mount("none", "/nonexistent", "tmpfs", 0, NULL);
	mount("a\n\t\x1b[2J\xff", "/mnt/b", "tmpfs", MS_NOEXEC, "");
	mount("none", "/mnt/b", "no\nsuch", 0, NULL);
	mount((char *)1, "/mnt/b", "tmpfs", 0, NULL);
	mount("none", "/mnt/b", "tmpfs", MS_SHARED | MS_PRIVATE, NULL);
	umount2("/mnt/b", MNT_EXPIRE);
	umount2("/mnt/b", MNT_DETACH);
	umount2("/mnt/c", UMOUNT_NOFOLLOW);
	umount2("/mnt/c", 0x100);
	umount2("/nonexistent", 0);
	umount2("/mnt/a", 0);
	syscall(SYS_pivot_root, "/mnt/a", "/mnt/old");
	syscall(SYS_pivot_root, "/nonexistent", "/mnt/old");
	pid = child(0);
	if (!pid) {
		chroot("/nonexistent");
		_exit(chroot("/mnt/a"));
	}
	wait_for(pid);
	pid = child(CLONE_NEWNS);
	if (!pid)
		_exit(syscall(SYS_pivot_root, "/mnt", "/mnt/old"));
	wait_for(pid);
	umount2("/mnt", MNT_DETACH);
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 2)
		return 7; /* executed again */
	mounts();
	processes();
	namespaces();
	return 0;
}
