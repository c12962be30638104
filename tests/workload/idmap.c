/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * idmap N: a user namespace with N extents in each map, and in it a process of the second id of each extent, which
 * leaves a file, named as its uid inside, in the working directory: its owner is the uid as the file system has it.
 */
#include <grp.h>
#include <stdint.h>

#include "witness.h"

static void put(pid_t pid, const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(99, "%s", path);
	close(fd);
}

static void member(unsigned int k)
{
	unsigned int id = 10 * k + 1;
	char name[16];

	if (setgroups(0, NULL) || setresgid(id + 1, id + 1, id + 1) || setresuid(id, id, id))
		err(99, "setresuid %u", id);
	snprintf(name, sizeof(name), "%u", id);
	if (open(name, O_WRONLY | O_CREAT | O_EXCL, 0600) < 0)
		err(99, "%s", name);
	report("member");
	_exit(0);
}

int main(int argc, char **argv)
{
	unsigned int n = argc > 1 ? atoi(argv[1]) : 8, k;
	char uids[4096], gids[4096], *u = uids, *g = gids, c;
	int go[2];
	pid_t pid;

	if (n > 100 || pipe(go))
		return 99;
	for (k = 0; k < n; k++) {
		u += sprintf(u, "%u %u 5\n", 10 * k, 100000 + 1000 * k);
		g += sprintf(g, "%u %u 5\n", 10 * k, 500000 + 1000 * k);
	}
	pid = child(CLONE_NEWUSER);
	if (!pid) {
		if (read(go[0], &c, 1) != 1)
			return 99;
		if (setresgid(0, 0, 0) || setresuid(0, 0, 0))
			err(99, "setresuid 0");
		for (k = 0; k < n; k++) {
			pid = child(0);
			if (!pid)
				member(k);
			reap(pid, "wait");
		}
		return 0;
	}
	put(pid, "uid_map", uids);
	put(pid, "gid_map", gids);
	if (write(go[1], "x", 1) != 1)
		return 99;
	return reap(pid, "wait") != 0;
}
