/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls: the system calls that nsscope tells, good and bad; each with its arguments and its result, and where its paths
 * lead by realpath(3).
 * calls i386: the same calls by int $0x80, and i386 calls whose numbers mean mount & co. only in 64-bit code. (Only x86
 * lets a 64-bit program do 32-bit calls.)
 */
#include <limits.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "witness.h"

static int i386;
static char *low; /* memory below 4 GiB, for the pointers of i386 calls */

#ifndef __x86_64__
#define MAP_32BIT 0

static long int80(long nr, long a, long b, long c, long d, long e)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e;
	errx(99, "no 32-bit calls on this architecture");
}

#else

static long int80(long nr, long a, long b, long c, long d, long e)
{
	long ret;

	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	ret = (int)ret;
	if (ret < 0) {
		errno = -ret;
		return -1;
	}
	return ret;
}

#endif

/* A copy of @s that an i386 call can reach; a bad pointer stays as it is. */
static long reach(const char *s)
{
	char *at = low;

	if (!i386 || (uintptr_t)s < 4096)
		return (long)s;
	strcpy(low, s);
	low += strlen(s) + 1;
	return (long)at;
}

static long call(long nr64, long nr32, long a, long b, long c, long d, long e)
{
	long ret = i386 ? int80(nr32, a, b, c, d, e) : syscall(nr64, a, b, c, d, e);

	return ret < 0 ? errno : 0;
}

static const char *hex(const char *s)
{
	char *out, *at;

	if (!s)
		return "null";
	if (s == (char *)1)
		return "\"bad\"";
	out = at = malloc(2 * strlen(s) + 3);
	*at++ = '"';
	for (; *s; s++)
		at += sprintf(at, "%02x", (unsigned char)*s);
	*at++ = '"';
	*at = 0;
	return out;
}

/* Where @path leads at this moment. */
static const char *seen(const char *path)
{
	char real[PATH_MAX];

	return hex((uintptr_t)path < 4096 || !realpath(path, real) ? NULL : real);
}

static const char *result(int error)
{
	static char buf[64];

	snprintf(buf, sizeof(buf), error ? "\"%s\"" : "null", error ? strerrorname_np(error) : "");
	return buf;
}

static void do_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
	const char *at = seen(target);
	int error = call(SYS_mount, 21, reach(source), reach(target), reach(type), flags, reach(data));

	say("{\"at\":\"call\",\"name\":\"mount\",\"source\":%s,\"target\":%s,\"seen\":{\"target\":%s},\"fstype\":%s,"
	    "\"flags\":%lu,\"data\":%s,\"error\":%s}\n", hex(source), hex(target), at, hex(type), flags, hex(data),
	    result(error));
}

static void do_umount(const char *target, int flags)
{
	const char *at = seen(target);
	int error = call(SYS_umount2, 52, reach(target), flags, 0, 0, 0);

	say("{\"at\":\"call\",\"name\":\"umount\",\"target\":%s,\"seen\":{\"target\":%s},\"flags\":%u,\"error\":%s}\n",
	    hex(target), at, flags, result(error));
}

static void do_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	const char *from_at = seen(from), *to_at = seen(to);
	int error = call(SYS_move_mount, 429, from_fd, reach(from), to_fd, reach(to), flags);

	say("{\"at\":\"call\",\"name\":\"move_mount\",\"from_fd\":%d,\"from\":%s,\"to_fd\":%d,\"to\":%s,"
	    "\"seen\":{\"from\":%s,\"to\":%s},\"flags\":%u,\"error\":%s}\n", from_fd, hex(from), to_fd, hex(to),
	    flags & MOVE_MOUNT_F_EMPTY_PATH ? "\"2f\"" : from_at, to_at, flags, result(error));
}

static void do_pivot_root(const char *new_root, const char *put_old)
{
	const char *new_at = seen(new_root), *old_at = seen(put_old);
	int error = call(SYS_pivot_root, 217, reach(new_root), reach(put_old), 0, 0, 0);

	say("{\"at\":\"call\",\"name\":\"pivot_root\",\"new_root\":%s,\"put_old\":%s,"
	    "\"seen\":{\"new_root\":%s,\"put_old\":%s},\"error\":%s}\n", hex(new_root), hex(put_old), new_at, old_at,
	    result(error));
}

static void do_chroot(const char *path)
{
	const char *at = seen(path);
	int error = call(SYS_chroot, 61, reach(path), 0, 0, 0, 0);

	say("{\"at\":\"call\",\"name\":\"chroot\",\"path\":%s,\"seen\":{\"path\":%s},\"error\":%s}\n", hex(path), at,
	    result(error));
}

static void do_unshare(unsigned int flags)
{
	int error = call(SYS_unshare, 310, flags, 0, 0, 0, 0);

	say("{\"at\":\"call\",\"name\":\"unshare\",\"flags\":%u,\"error\":%s}\n", flags, result(error));
}

static void do_setns(int fd, int type)
{
	int error = call(SYS_setns, 346, fd, type, 0, 0, 0);

	say("{\"at\":\"call\",\"name\":\"setns\",\"fd\":%d,\"nstype\":%u,\"error\":%s}\n", fd, type, result(error));
}

int main(int argc, char **argv)
{
	static char deep[4090], data[4000], name[300];
	int uts, pidfd, tree;

	i386 = argc > 1 && !strcmp(argv[1], "i386");
	low = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	uts = open("/proc/self/ns/uts", O_RDONLY);
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	if (low == MAP_FAILED || uts < 0 || pidfd < 0)
		err(99, "setup");
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = "/.."[i % 3];
	memset(data, 'd', sizeof(data) - 1);
	memset(name, 'n', sizeof(name) - 1);

	do_mount("t", "/mnt", "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=700");
	do_mount(NULL, "/mnt", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOATIME, NULL);
	do_mount("/mnt", "/media", NULL, MS_BIND | MS_REC, NULL);
	do_mount(NULL, "/media", NULL, MS_SHARED, NULL);
	do_mount(NULL, "/media", NULL, MS_PRIVATE | MS_REC, NULL);
	do_mount("a\n\t\x1b[2J\x7f\xff\xfe\"\\\xe2\x80\xa8\xc2\x9b\xed\xa0\x80'", "/srv", "tmpfs", 0, NULL);
	do_mount("", "/srv", "tmpfs", MS_NOEXEC | MS_RELATIME, "");
	do_mount("/mnt", "/srv", NULL, MS_MOVE, NULL);
	do_mount("none", "/nonexistent", "tmpfs", 0, NULL);
	do_mount("none", "\x1b]0;title\a\r\n", "tmpfs", 0, NULL);
	do_mount("none", "/mnt", "no\nsuch\x1b""fs", 0, NULL);
	do_mount("none", deep, "tmpfs", MS_MGC_VAL | MS_RDONLY, NULL);
	do_mount("none", name, "tmpfs", 0, NULL);
	do_mount("none", "/mnt", "tmpfs", 0, data);
	do_mount("none", "/mnt", "tmpfs", MS_SHARED | MS_PRIVATE, NULL);
	do_mount("none", "/mnt", "proc", MS_SYNCHRONOUS | MS_DIRSYNC | MS_LAZYTIME | MS_STRICTATIME | (1 << 29), NULL);
	do_mount((char *)1, "/mnt", "tmpfs", 0, NULL);
	do_mount("none", (char *)1, "tmpfs", 0, NULL);
	do_umount("/media", MNT_EXPIRE);
	do_umount("/media", MNT_DETACH);
	do_umount("/srv", UMOUNT_NOFOLLOW);
	do_umount("/nonexistent", MNT_FORCE);
	do_umount("\xff\n", 0);
	do_umount("/srv", 0x100);
	do_umount((char *)1, 0);
	do_umount("/media", 0);
	do_mount("t", "/mnt", "tmpfs", 0, NULL);
	mkdir("/mnt/one", 0700);
	mkdir("/mnt/one/\x1b[2J\xff\n", 0700);
	mkdir("/mnt/two", 0700);
	if (symlink("two", "/mnt/link") || chdir("/mnt/one"))
		err(99, "setup");
	do_mount("t", "../link/", "tmpfs", 0, NULL);
	do_mount("../one", "./../one//\x1b[2J\xff\n", NULL, MS_BIND, NULL);
	do_umount("\x1b[2J\xff\n", UMOUNT_NOFOLLOW);
	do_move_mount(AT_FDCWD, "../two", AT_FDCWD, "\x1b[2J\xff\n", 0);
	do_move_mount(AT_FDCWD, "nowhere", AT_FDCWD, "/mnt/two", 0);
	do_move_mount(-1, "x", -1, "y", MOVE_MOUNT_T_SYMLINKS | 0x1000);
	tree = syscall(SYS_open_tree, AT_FDCWD, "/mnt", OPEN_TREE_CLONE);
	do_move_mount(tree, "", AT_FDCWD, "../link", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
	do_pivot_root("../one", "./.");
	do_pivot_root(".", "/nonexistent");
	do_pivot_root("/mnt/one", "/mnt");
	do_chroot("/nonexistent\x1b[2J");
	do_chroot("../one/./..");
	do_mount("t", "/one", "tmpfs", 0, NULL);
	do_umount("/one", 0);
	do_unshare(CLONE_NEWUTS);
	do_unshare(CLONE_NEWIPC | CLONE_NEWCGROUP);
	do_unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM);
	do_unshare(0);
	do_unshare(CLONE_NEWNET | CLONE_PARENT);
	do_unshare(1);
	do_setns(uts, CLONE_NEWUTS);
	do_setns(uts, 0);
	do_setns(uts, CLONE_NEWNET);
	do_setns(-1, 0);
	do_setns(pidfd, CLONE_NEWNS | CLONE_NEWUTS);
	do_setns(pidfd, 0x12345);
	if (i386) { /* mount, umount2, unshare, setns of 64-bit code: getresuid, vm86, fadvise64_64, pselect6 here */
		static const int numbers[] = { 165, 166, 272, 308 };

		for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
			int80(numbers[i], -1, -1, -1, -1, -1);
		/* And the reverse: access, ustat?, ... in 64-bit code have mount's i386 number. */
		syscall(21, "/", 0);
		syscall(52, -1, 0, 0);
		syscall(310, -1, 0, 0, 0, 0, 0);
	}
	return 0;
}
