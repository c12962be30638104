/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/tree.h"

#include "launch/pidfd.h"
#include "launch/proc.h"
#include "util/cleanup.h"

#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

struct node {
	pid_t pid;
	int pidfd;
};

struct tree {
	struct node *nodes;
	size_t n, size;
};

static bool has(const struct tree *t, pid_t pid)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (t->nodes[i].pid == pid)
			return true;
	}
	return false;
}

/* Stops @pid, a child of @parent; whether it is new. The pidfd is of that child if it is its parent's still. */
static bool stop(struct tree *t, pid_t pid, pid_t parent)
{
	struct node *nodes;
	int fd;

	if (has(t, pid))
		return false;
	if (t->n == t->size) {
		nodes = reallocarray(t->nodes, t->size + 64, sizeof(*nodes));
		if (!nodes)
			return false;
		t->nodes = nodes;
		t->size += 64;
	}
	fd = pidfd_of(pid);
	if (fd < 0)
		return false;
	if (proc_parent(pid) != parent || pidfd_signal(fd, SIGSTOP) < 0) {
		close(fd);
		return false;
	}
	t->nodes[t->n++] = (struct node){ pid, fd };
	return true;
}

/* Stops the children of one thread; how many were new. */
static size_t stop_children(struct tree *t, pid_t pid, const char *tid)
{
	_fclose_ FILE *f = NULL;
	char path[300];
	size_t stopped = 0;
	pid_t child;

	snprintf(path, sizeof(path), "/proc/%d/task/%s/children", pid, tid);
	f = fopen(path, "re");
	while (f && fscanf(f, "%d", &child) == 1)
		stopped += stop(t, child, pid);
	return stopped;
}

/* Of all threads. */
static size_t stop_below(struct tree *t, pid_t pid)
{
	char path[64];
	size_t stopped = 0;
	struct dirent *d;
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (d = readdir(tasks))) {
		if (d->d_name[0] != '.')
			stopped += stop_children(t, pid, d->d_name);
	}
	if (tasks)
		closedir(tasks);
	return stopped;
}

/* Who is stopped makes no more children, so the rounds end when one finds none. */
void tree_kill(pid_t pid)
{
	struct tree t = {};
	size_t stopped, i;

	kill(pid, SIGSTOP);
	if (proc_is_ours()) {
		stop(&t, pid, getpid());
		do {
			stopped = 0;
			for (i = 0; i < t.n; i++)
				stopped += stop_below(&t, t.nodes[i].pid);
		} while (stopped);
	}
	for (i = 0; i < t.n; i++) {
		pidfd_signal(t.nodes[i].pidfd, SIGKILL);
		close(t.nodes[i].pidfd);
	}
	kill(pid, SIGKILL);
	free(t.nodes);
}
