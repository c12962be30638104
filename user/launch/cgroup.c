/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

/* What was killed takes a moment to leave: so often it is tried again, each millisecond. */
#define TRIES 5000

/* The PID @pid alone would do for one PID namespace only. */
static void make_name(char *name, size_t size, pid_t pid)
{
	struct stat st;

	snprintf(name, size, "nsscope-%lu-%d", stat("/proc/self/ns/pid", &st) ? 0UL : (unsigned long)st.st_ino, pid);
}

/* Where cgroup2 is mounted, and behind that our own cgroup: ret_root is the length of the former. */
static int own_path(char *path, size_t size, size_t *ret_root)
{
	_fclose_ FILE *mounts = fopen("/proc/self/mountinfo", "re"), *own = fopen("/proc/self/cgroup", "re");
	char line[2 * PATH_MAX], at[PATH_MAX] = "";

	if (!mounts || !own)
		return -errno;
	while (!*at && fgets(line, sizeof(line), mounts))
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s / %4095s", at) != 1)
			*at = '\0';
	if (!*at)
		return -ENOTSUP;
	while (fgets(line, sizeof(line), own)) {
		if (strncmp(line, "0::/", 4) || !strncmp(line, "0::/..", 6))
			continue;
		line[strcspn(line, "\n")] = '\0';
		*ret_root = strlen(at);
		return snprintf(path, size, "%s%s", at, line + 3) < (int)size ? 0 : -ENAMETOOLONG;
	}
	return -ENOTSUP;
}

/* Cuts @path to the parent's; false: it was the root, @root bytes long and a slash. */
static bool go_up(char *path, size_t root)
{
	char *slash = strrchr(path, '/');

	if (strlen(path) <= root + 1)
		return false;
	slash[slash == path + root] = '\0';
	return true;
}

static int write_file(int dir, const char *file, const char *text)
{
	_close_ int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* Whether all words of @wanted stand in the file. */
static bool has_words(int dir, const char *file, const char *wanted)
{
	_close_ int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
	char text[512] = " ", word[32];
	ssize_t n = fd < 0 ? -1 : read(fd, text + 1, sizeof(text) - 2);
	int used;

	if (n < 0)
		return false;
	text[n + 1] = '\0';
	text[strcspn(text, "\n")] = ' ';
	for (; sscanf(wanted, " %29s%n", word + 1, &used) == 1; wanted += used) {
		word[0] = ' ';
		strcat(word, " ");
		if (!strstr(text, word))
			return false;
	}
	return true;
}

/* "memory pids" is "+memory +pids" */
static bool enable(int dir, const char *controllers)
{
	char text[128] = "", word[32];
	int used;

	if (!has_words(dir, "cgroup.controllers", controllers))
		return false;
	for (; sscanf(controllers, " %29s%n", word, &used) == 1; controllers += used)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "+%s ", word);
	return write_file(dir, "cgroup.subtree_control", text) == 0;
}

static int make_in(struct cgroup *g, const char *path, const char *controllers, bool enables)
{
	_close_ int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = -1;

	if (parent < 0)
		return -errno;
	if (!has_words(parent, "cgroup.subtree_control", controllers) && (!enables || !enable(parent, controllers)))
		return -ENOTSUP;
	if (mkdirat(parent, g->name, 0755) < 0)
		return -errno;
	dir = openat(parent, g->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	g->parent = TAKE_FD(parent);
	g->dir = TAKE_FD(dir);
	return 0;
}

/* First where the controllers are given to children already; else where they can be. */
int cgroup_make(struct cgroup *g, const char *controllers)
{
	char path[2 * PATH_MAX];
	size_t root;
	int err;

	make_name(g->name, sizeof(g->name), getpid());
	for (int enables = 0; enables <= 1; enables++) {
		err = own_path(path, sizeof(path), &root);
		if (err)
			return err;
		do
			err = make_in(g, path, controllers, enables);
		while (err && go_up(path, root));
		if (!err)
			return 0;
	}
	return err == -EACCES || err == -EPERM || err == -EROFS ? err : -ENOTSUP;
}

int cgroup_write(const struct cgroup *g, const char *file, const char *text)
{
	return write_file(g->dir, file, text);
}

/* Before Linux 5.14 there is no cgroup.kill. */
static void kill_all(int dir)
{
	_close_ int fd = -1;
	_fclose_ FILE *file = NULL;
	int pid;

	if (!write_file(dir, "cgroup.kill", "1"))
		return;
	fd = openat(dir, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	file = fd < 0 ? NULL : fdopen(fd, "r");
	if (!file)
		return;
	fd = -1;
	while (fscanf(file, "%d", &pid) == 1)
		if (pid > 0) /* 0: not of this PID namespace */
			kill(pid, SIGKILL);
}

/* With the cgroups that the command made in it. 0 or -errno. */
static int remove_tree(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	kill_all(fd);
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			remove_tree(fd, entry->d_name);
	closedir(dir);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static void remove_all(int parent, const char *name)
{
	for (int i = 0; i < TRIES && remove_tree(parent, name) == -EBUSY; i++)
		usleep(1000);
}

void cgroup_end(struct cgroup *g)
{
	if (g->dir < 0)
		return;
	close(g->dir);
	remove_all(g->parent, g->name);
	close(g->parent);
	g->dir = g->parent = -1;
}

void cgroup_sweep(pid_t pid)
{
	char path[2 * PATH_MAX], name[48];
	size_t root;

	make_name(name, sizeof(name), pid);
	if (own_path(path, sizeof(path), &root))
		return;
	do {
		_close_ int parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (parent >= 0)
			remove_all(parent, name);
	} while (go_up(path, root));
}
