/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls: the system calls that nsscope tells, good and bad; each with its arguments and its result, and where its paths
 * lead by realpath(3).
 * calls i386: the same calls by int $0x80, and i386 calls whose numbers mean mount & co. only in 64-bit code. (Only x86
 * lets a 64-bit program do 32-bit calls.)
 * calls i386-trial: one call by int $0x80; a kernel that has none ends it by SIGSEGV.
 */
#include <limits.h>
#include <stdbool.h>
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

static void chained_move_mount(const char *chain, int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	const char *from_at = seen(from), *to_at = seen(to);
	int error = call(SYS_move_mount, 429, from_fd, reach(from), to_fd, reach(to), flags);

	say("{\"at\":\"call\",\"name\":\"move_mount\",\"chain\":%s,\"from_fd\":%d,\"from\":%s,\"to_fd\":%d,\"to\":%s,"
	    "\"seen\":{\"from\":%s,\"to\":%s},\"flags\":%u,\"error\":%s}\n", chain, from_fd, hex(from), to_fd, hex(to),
	    flags & MOVE_MOUNT_F_EMPTY_PATH ? "\"2f\"" : from_at, to_at, flags, result(error));
}

static void do_move_mount(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	chained_move_mount("null", from_fd, from, to_fd, to, flags);
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

/* The new mount API. */

/* linux/mount.h has them all only in later versions. */
enum { SET_FLAG, SET_STRING, SET_BINARY, SET_PATH, SET_PATH_EMPTY, SET_FD, CMD_CREATE, CMD_RECONFIGURE, CMD_CREATE_EXCL };

struct attr {
	uint64_t set, clear, propagation, userns_fd;
};

static const char *hex_bytes(const void *data, size_t len)
{
	char *out = malloc(2 * len + 3), *at = out;

	*at++ = '"';
	for (size_t i = 0; i < len; i++)
		at += sprintf(at, "%02x", ((const unsigned char *)data)[i]);
	*at++ = '"';
	*at = 0;
	return out;
}

/* A copy of @data that an i386 call can reach. */
static long reach_bytes(const void *data, size_t len)
{
	char *at = low;

	if (!i386 || (uintptr_t)data < 4096)
		return (long)data;
	low += (8 - (uintptr_t)low % 8) % 8;
	at = memcpy(low, data, len);
	low += len;
	return (long)at;
}

/* As call(), but what it gives is the result, and the error is set aside. */
static int fs_error;

static long fs_call(long nr, long a, long b, long c, long d, long e)
{
	long ret = i386 ? int80(nr, a, b, c, d, e) : syscall(nr, a, b, c, d, e);

	fs_error = ret < 0 ? errno : 0;
	return ret;
}

/* The messages that the kernel has for @fd, as read(2) gives them: one at a time, and each once. */
static const char *messages(int fd)
{
	static char out[8192];
	char message[1024], *at = out;
	ssize_t n;

	*at++ = '[';
	while ((n = read(fd, message, sizeof(message))) > 0)
		at += sprintf(at, "%s%s", at[-1] == '[' ? "" : ",", hex_bytes(message, n - (message[n - 1] == '\n')));
	strcpy(at, "]");
	return out;
}

/* The id of the mount that @fd is of, by statx(2); 0: none. */
static unsigned long long mount_id(int fd)
{
	struct statx st;

	return fd < 0 || statx(fd, "", AT_EMPTY_PATH, 0x1000 /* STATX_MNT_ID */, &st) || !(st.stx_mask & 0x1000) ? 0 : st.stx_mnt_id;
}

static int do_fsopen(const char *chain, const char *name, unsigned int flags)
{
	int fd = fs_call(SYS_fsopen, reach(name), flags, 0, 0, 0);

	say("{\"at\":\"call\",\"name\":\"fsopen\",\"chain\":%s,\"fsname\":%s,\"flags\":%u,\"error\":%s,\"result\":%d}\n", chain,
	    hex(name), flags, result(fs_error), fd);
	return fd;
}

/* @value has @len bytes, or is a string. */
static void fsconfig_bytes(const char *chain, int fd, unsigned int cmd, const char *key, const void *value, size_t len, int aux)
{
	const char *shown = (uintptr_t)value < 4096 ? hex(value) : hex_bytes(value, len);
	int error;

	fs_call(SYS_fsconfig, fd, cmd, reach(key), value && cmd == SET_BINARY ? reach_bytes(value, len) : reach(value), aux);
	error = fs_error;
	say("{\"at\":\"call\",\"name\":\"fsconfig\",\"chain\":%s,\"fd\":%d,\"cmd\":%u,\"key\":%s,\"value\":%s,\"aux\":%d,"
	    "\"error\":%s,\"log\":%s}\n", chain, fd, cmd, hex(key), shown, aux, result(error),
	    chain[0] == 'n' ? "[]" : messages(fd));
}

static void do_fsconfig(const char *chain, int fd, unsigned int cmd, const char *key, const char *value, int aux)
{
	fsconfig_bytes(chain, fd, cmd, key, value, (uintptr_t)value < 4096 ? 0 : strlen(value), aux);
}

static int do_fsmount(const char *chain, int fs_fd, unsigned int flags, unsigned int attr)
{
	int fd = fs_call(SYS_fsmount, fs_fd, flags, attr, 0, 0), error = fs_error;

	say("{\"at\":\"call\",\"name\":\"fsmount\",\"chain\":%s,\"fs_fd\":%d,\"flags\":%u,\"attr_flags\":%u,\"error\":%s,"
	    "\"result\":%d,\"mnt_id\":%llu,\"log\":%s}\n", chain, fs_fd, flags, attr, result(error), fd, mount_id(fd),
	    chain[0] == 'n' ? "[]" : messages(fs_fd));
	return fd;
}

static int do_fspick(const char *chain, int dfd, const char *path, unsigned int flags)
{
	int fd = fs_call(SYS_fspick, dfd, reach(path), flags, 0, 0);

	say("{\"at\":\"call\",\"name\":\"fspick\",\"chain\":%s,\"dfd\":%d,\"path\":%s,\"flags\":%u,\"error\":%s,\"result\":%d}\n",
	    chain, dfd, hex(path), flags, result(fs_error), fd);
	return fd;
}

static int do_open_tree(const char *chain, int dfd, const char *path, unsigned int flags)
{
	int fd = fs_call(SYS_open_tree, dfd, reach(path), flags, 0, 0);

	say("{\"at\":\"call\",\"name\":\"open_tree\",\"chain\":%s,\"dfd\":%d,\"path\":%s,\"flags\":%u,\"error\":%s,\"result\":%d,"
	    "\"mnt_id\":%llu}\n", chain, dfd, hex(path), flags, result(fs_error), fd, mount_id(fd));
	return fd;
}

static void say_attr(const struct attr *attr, size_t size)
{
	struct attr none = {};
	bool good = (uintptr_t)attr >= 4096 && size >= sizeof(*attr);

	if (!good)
		attr = &none;
	say("\"attr_read\":%s,\"attr_set\":%llu,\"attr_clr\":%llu,\"propagation\":%llu,\"userns_fd\":%llu", good ? "true" : "false",
	    (unsigned long long)attr->set, (unsigned long long)attr->clear, (unsigned long long)attr->propagation,
	    (unsigned long long)attr->userns_fd);
}

static int do_open_tree_attr(const char *chain, int dfd, const char *path, unsigned int flags, const struct attr *attr,
			     size_t size)
{
	int fd = fs_call(467, dfd, reach(path), flags, reach_bytes(attr, sizeof(*attr)), size);

	say("{\"at\":\"call\",\"name\":\"open_tree_attr\",\"chain\":%s,\"dfd\":%d,\"path\":%s,\"flags\":%u,\"error\":%s,"
	    "\"result\":%d,\"mnt_id\":%llu,", fs_error ? "null" : chain, dfd, hex(path), flags, result(fs_error), fd,
	    mount_id(fd));
	say_attr(attr, size);
	say("}\n");
	return fd;
}

/* @at: where the mount stands, NULL: nowhere, or it does not work. */
static void do_mount_setattr(const char *chain, int dfd, const char *path, unsigned int flags, const struct attr *attr,
			     size_t size, const char *at)
{
	fs_call(442, dfd, reach(path), flags, reach_bytes(attr, sizeof(*attr)), size);
	say("{\"at\":\"call\",\"name\":\"mount_setattr\",\"chain\":%s,\"dfd\":%d,\"target\":%s,\"seen\":{\"target\":%s},"
	    "\"flags\":%u,\"error\":%s,", chain, dfd, hex(path), hex(fs_error ? NULL : at), flags, result(fs_error));
	say_attr(attr, size);
	say("}\n");
}

/* A file system by steps, some of which fail. */
static void fs_context(void)
{
	static char long_value[300];
	int fd = do_fsopen("\"new\"", "tmpfs", 1), mount, file = open("/", O_PATH), copy = dup(fd);

	memset(long_value, 'v', sizeof(long_value) - 1);
	do_fsconfig("\"new\"", fd, SET_STRING, "source", "so\x1b[2J\xff\nurce", 0);
	do_fsconfig("\"new\"", fd, SET_STRING, "size", "64k", 0);
	do_fsconfig("\"new\"", copy, SET_STRING, "mode", "0700", 0);
	do_fsconfig("\"new\"", fd, SET_FLAG, "ro", NULL, 0);
	do_fsconfig("\"new\"", fd, SET_FLAG, "no\x1b[2J\xff\n\"such", NULL, 0);
	do_fsconfig("\"new\"", fd, SET_STRING, "size", "bo\x1b]0;title\a\ngus", 0);
	do_fsconfig("\"new\"", fd, SET_STRING, "size", long_value, 0);
	do_fsconfig("\"new\"", fd, SET_STRING, "key", NULL, 0);
	do_fsconfig("\"new\"", fd, SET_STRING, (char *)1, "x", 0);
	do_fsconfig("\"new\"", fd, SET_STRING, "key", (char *)1, 0);
	fsconfig_bytes("\"new\"", fd, SET_BINARY, "blob", "\0\1\2\xff\n\x1b", 6, 6);
	do_fsconfig("\"new\"", fd, SET_PATH, "path", "/dev/null", AT_FDCWD);
	do_fsconfig("\"new\"", fd, SET_PATH_EMPTY, "path", "", file);
	do_fsconfig("\"new\"", fd, SET_FD, "file", NULL, file);
	do_fsconfig("\"new\"", fd, SET_FD, "file", NULL, 12345);
	do_fsconfig("\"new\"", fd, 77, "key", "value", 5);
	do_fsconfig("null", file, SET_FLAG, "ro", NULL, 0);
	do_fsconfig("null", -1, CMD_CREATE, NULL, NULL, 0);
	do_fsmount("\"new\"", fd, 0, 0);
	do_fsconfig("\"new\"", fd, CMD_CREATE, "key", NULL, 0);
	do_fsconfig("\"new\"", fd, CMD_CREATE, NULL, NULL, 0);
	do_fsconfig("\"new\"", fd, CMD_CREATE, NULL, NULL, 0);
	do_fsmount("\"new\"", fd, 0x40, 0);
	do_fsmount("null", file, 0, 0);
	mount = do_fsmount("\"new\"", fd, 1, 2 | 4 | 0x10);
	chained_move_mount("\"new\"", mount, "", AT_FDCWD, "/nonexistent", MOVE_MOUNT_F_EMPTY_PATH);
	chained_move_mount("\"new\"", mount, "", AT_FDCWD, "/srv", MOVE_MOUNT_F_EMPTY_PATH);
	do_fsopen("null", "no\nsuch\x1b""fs", 0);
	do_fsopen("null", "tmpfs", 0x80);
	do_fsopen("null", (char *)1, 0);
	close(do_fsopen("\"other\"", "tmpfs", 0));
	close(do_fsopen("\"another\"", "tmpfs", 0)); /* perhaps with the memory of the last */
	close(file);
	close(copy);
	close(fd);
	close(mount);
}

/* An existing one by steps, and copies. */
static void fs_tree(void)
{
	const struct attr ro = { 1 | 8, 0x70, MS_PRIVATE, 0 }, shared = { 0, 1, MS_SHARED, 0 }, bad = { ~0ULL, 1ULL << 40, 3, 77 };
	int pick = do_fspick("\"pick\"", AT_FDCWD, "/srv", 1), tree, same;

	do_fsconfig("\"pick\"", pick, SET_STRING, "size", "128k", 0);
	do_fsconfig("\"pick\"", pick, CMD_RECONFIGURE, NULL, NULL, 0);
	close(pick);
	do_fspick("null", AT_FDCWD, "/nonexistent", 2 | 4);
	do_fspick("null", -1, "x", 0x80);
	do_fspick("null", AT_FDCWD, (char *)1, 0);

	tree = do_open_tree("\"copy\"", AT_FDCWD, "/srv", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | 0x8000);
	do_mount_setattr("\"copy\"", tree, "", 0x1000 | 0x8000, &ro, sizeof(ro), NULL);
	chained_move_mount("\"copy\"", tree, "", AT_FDCWD, "/media", MOVE_MOUNT_F_EMPTY_PATH);
	do_mount_setattr("\"copy\"", tree, "", 0x1000, &shared, sizeof(shared), "/media");
	same = do_open_tree("null", AT_FDCWD, "/media", OPEN_TREE_CLOEXEC);
	do_mount_setattr("null", same, "", 0x1000, &ro, sizeof(ro), "/media");
	do_mount_setattr("null", AT_FDCWD, "/media", 0x8000, &ro, sizeof(ro), "/media");
	do_mount_setattr("null", AT_FDCWD, "/nonexistent", 0, &ro, sizeof(ro), NULL);
	do_mount_setattr("null", AT_FDCWD, "/media", 0, &bad, sizeof(bad), NULL);
	do_mount_setattr("null", AT_FDCWD, "/media", 0x4000, &ro, sizeof(ro), NULL);
	do_mount_setattr("null", AT_FDCWD, "/media", 0, &ro, 8, NULL);
	do_mount_setattr("null", AT_FDCWD, "/media", 0, (void *)1, sizeof(ro), NULL);
	close(do_open_tree("\"unused\"", same, "", OPEN_TREE_CLONE | 0x1000));
	do_open_tree("null", AT_FDCWD, "/non\x1b[2Jexistent", 0x100 | 0x800);
	do_open_tree("null", AT_FDCWD, "/media", 0x40);
	do_open_tree("null", -1, (char *)1, 0);
	close(do_open_tree_attr("\"attr\"", AT_FDCWD, "/media", OPEN_TREE_CLONE, &ro, sizeof(ro)));
	do_open_tree_attr("null", AT_FDCWD, "/media", OPEN_TREE_CLONE, &bad, sizeof(bad));
	close(same);
	close(tree);
	do_umount("/media", 0);
	do_umount("/srv", 0);
}

int main(int argc, char **argv)
{
	static char deep[4090], data[4000], name[300];
	int uts, pidfd, tree;

	if (argc > 1 && !strcmp(argv[1], "i386-trial"))
		return int80(20, 0, 0, 0, 0, 0) != getpid();
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
	fs_context();
	fs_tree();
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
	tree = do_open_tree("\"mnt\"", AT_FDCWD, "/mnt", OPEN_TREE_CLONE);
	chained_move_mount("\"mnt\"", tree, "", AT_FDCWD, "../link", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS);
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
