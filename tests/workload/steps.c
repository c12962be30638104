/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steps: a mount by steps of two processes: one inherits the context and sends the mount, the other attaches it; what stands
 * there then, by mountinfo. Then steps that come to nothing.
 * steps namespace: mount namespaces made by open_tree(2) and fsmount(2), where the kernel can.
 */
#include <stdint.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "witness.h"

/* linux/mount.h has them only in later versions, and cannot stand beside sys/mount.h everywhere. */
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define NAMESPACE 2 /* OPEN_TREE_NAMESPACE, FSMOUNT_NAMESPACE */

static void set(int fd, const char *key, const char *value)
{
	if (syscall(SYS_fsconfig, fd, FSCONFIG_SET_STRING, key, value, 0))
		err(99, "fsconfig %s", key);
}

static int created(void)
{
	int fd = syscall(SYS_fsopen, "tmpfs", 0);

	if (fd < 0 || syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		err(99, "a new tmpfs");
	return fd;
}

static void send_fd(int to, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(fd))] = {};
	struct iovec data = { &byte, 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(fd)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(to, &m, 0) != 1)
		err(99, "sendmsg");
}

static int receive_fd(int from)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr m = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(from, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		err(99, "recvmsg");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return fd;
}

/* The line of mountinfo that is of @target: its id, and its kind, source and options as they stand there. */
static void say_mounted(const char *target)
{
	char line[4096], at[256], own[256], kind[64], source[256], options[512];
	FILE *f = fopen("/proc/self/mountinfo", "r");
	int id, found = 0;

	while (fgets(line, sizeof(line), f)) {
		char *tail = strstr(line, " - ");

		if (sscanf(line, "%d %*s %*s %*s %255s %255s", &id, at, own) == 3 && !strcmp(at, target) && tail &&
		    sscanf(tail, " - %63s %255s %511s", kind, source, options) == 3)
			found = 1;
		if (found)
			break;
	}
	fclose(f);
	if (!found)
		errx(99, "nothing on %s", target);
	say("{\"at\":\"mounted\",\"target\":\"%s\",\"mnt_id\":%d,\"fstype\":\"%s\",\"source\":\"%s\",\"attributes\":\"%s\","
	    "\"options\":\"%s\"}\n", at, id, kind, source, own, options);
}

static void by_two(void)
{
	int fd = syscall(SYS_fsopen, "tmpfs", 0), sockets[2], mount, status;

	if (fd < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		err(99, "setup");
	if (!fork()) {
		int copy = dup(fd);

		close(fd);
		set(copy, "source", "by-steps");
		set(copy, "size", "64k");
		if (!syscall(SYS_fsconfig, copy, FSCONFIG_SET_STRING, "size", "nonsense", 0))
			errx(99, "size=nonsense");
		if (syscall(SYS_fsconfig, copy, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			err(99, "create");
		send_fd(sockets[1], syscall(SYS_fsmount, copy, 0, 2 /* MOUNT_ATTR_NOSUID */));
		receive_fd(sockets[1]); /* the end, after which nobody has it */
		_exit(0);
	}
	mount = receive_fd(sockets[0]);
	if (syscall(SYS_move_mount, mount, "", AT_FDCWD, "/mnt", MOVE_MOUNT_F_EMPTY_PATH))
		err(99, "move_mount");
	say_mounted("/mnt");
	send_fd(sockets[0], mount);
	wait(&status);
	close(mount);
	close(fd);
}

static void to_nothing(void)
{
	int fd = syscall(SYS_fsopen, "tmpfs", 0);

	set(fd, "mode", "700");
	close(fd);
	close(syscall(SYS_open_tree, AT_FDCWD, "/mnt", OPEN_TREE_CLONE));
}

/* The namespace that @fd is the file of. */
static void say_namespace(const char *by, int fd)
{
	struct stat st = {};
	int error = fd < 0 ? errno : 0;

	if (fd >= 0 && fstat(fd, &st))
		err(99, "fstat");
	say("{\"at\":\"namespace\",\"by\":\"%s\",\"inum\":%llu,\"error\":%d}\n", by, (unsigned long long)st.st_ino, error);
}

static void namespaces(void)
{
	int fd = created();

	say_namespace("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", NAMESPACE));
	say_namespace("fsmount", syscall(SYS_fsmount, fd, NAMESPACE, 0));
}

int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1) {
		namespaces();
	} else {
		by_two();
		to_nothing();
	}
	return 0;
}
