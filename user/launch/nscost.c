/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/nscost.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/clock.h"

#define GONE_LIMIT_NS 10000000000ULL
#define POLL_NS 50000 /* between attempts, while the last namespace is not gone */

/* What a worker tells: in memory that it shares. */
struct worker {
	pid_t pid;
	int err;
	bool in_user_ns, is_mapped;
	uint64_t exit_at; /* written by its child */
	size_t n, ngone;
	uint64_t make[NSCOST_SAMPLES], end[NSCOST_SAMPLES], gone[NSCOST_SAMPLES];
};

static uint64_t now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static int write_file(const char *path, const char *text)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	return write(fd, text, len) == (ssize_t)len ? 0 : -errno;
}

static int write_map(const char *path, unsigned id)
{
	char text[64];

	snprintf(text, sizeof(text), "0 %u 1", id);
	return write_file(path, text);
}

/* user_namespaces(7): the limits count what is made in this user namespace, and below it. */
static bool limit_to_one(void)
{
	static const char *const names[] = {
#define NAMESPACE(ID, name, flag, doc) flag ? "/proc/sys/user/max_" #name "_namespaces" : NULL,
#include "abi/namespaces.def"
#undef NAMESPACE
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i] && write_file(names[i], "1"))
			return false;
	return true;
}

static void enter_user_ns(struct worker *w)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER))
		return;
	w->in_user_ns = true;
	write_file("/proc/self/setgroups", "deny");
	w->is_mapped = !write_map("/proc/self/uid_map", uid) && !write_map("/proc/self/gid_map", gid);
}

/* The child, or -errno. *@ret_ns: how long the call took; *@ret_at: when it began. */
static pid_t make_child(struct worker *w, uint64_t namespaces, uint64_t *ret_at, uint64_t *ret_ns)
{
	struct clone_args args = { .flags = namespaces, .exit_signal = SIGCHLD };
	uint64_t at = now();
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		w->exit_at = now();
		syscall(SYS_exit_group, 0);
	}
	*ret_ns = now() - at;
	*ret_at = at;
	return pid < 0 ? -errno : pid;
}

/* Whether @n samples, taken since @start, are not enough. */
static bool goes_on(const struct nscost_plan *plan, size_t n, uint64_t start)
{
	if (plan->samples)
		return n < plan->samples && n < NSCOST_SAMPLES;
	return n < NSCOST_LEAST || (n < NSCOST_SAMPLES && now() - start < NSCOST_NS);
}

/* How long the calls take that make and that end them, one child at once behind the other. 0 or -errno. */
static int measure_calls(struct worker *w, const struct nscost_plan *plan)
{
	uint64_t start = now(), at;

	while (goes_on(plan, w->n, start)) {
		pid_t pid = make_child(w, plan->namespaces, &at, &w->make[w->n]);

		if (pid < 0)
			return pid;
		if (waitpid(pid, NULL, 0) != pid)
			return -errno;
		w->end[w->n++] = now() - w->exit_at;
	}
	return 0;
}

/* Makes a child as soon as the last namespace is gone: there may be one only. *@ret_at: when it was. */
static pid_t make_next(struct worker *w, uint64_t namespaces, uint64_t *ret_at)
{
	const struct timespec pause = { .tv_nsec = POLL_NS };
	uint64_t start = now(), took;
	pid_t pid;

	while ((pid = make_child(w, namespaces, ret_at, &took)) == -ENOSPC || pid == -EUSERS) {
		if (now() - start > GONE_LIMIT_NS)
			return -ETIME;
		nanosleep(&pause, NULL);
	}
	/* create_ipc_ns() of ipc/namespace.c waits itself for the end of earlier ones, when there may be no more. */
	if (namespaces & CLONE_NEWIPC)
		*ret_at += took;
	return pid;
}

static int measure_gone(struct worker *w, const struct nscost_plan *plan)
{
	uint64_t start = now(), at, exited = 0;

	if (!plan->namespaces || plan->calls_only || !w->is_mapped || !limit_to_one())
		return 0;
	while (goes_on(plan, w->ngone, start)) {
		pid_t pid = make_next(w, plan->namespaces, &at);

		if (pid < 0)
			return pid;
		if (waitpid(pid, NULL, 0) != pid)
			return -errno;
		if (exited)
			w->gone[w->ngone++] = at - exited;
		exited = w->exit_at;
	}
	return 0;
}

static int work(struct worker *w, const struct nscost_plan *plan)
{
	int err;

	enter_user_ns(w);
	err = measure_calls(w, plan);
	return err ? err : measure_gone(w, plan);
}

/* Starts it; it begins when @start is closed by all who could write there. */
static int start_worker(struct worker *w, const struct nscost_plan *plan, const int start[2])
{
	pid_t parent = getpid(), pid = fork();
	char byte;

	if (pid) {
		w->pid = pid;
		return pid < 0 ? -errno : 0;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close(start[1]);
	if (getppid() == parent && !read(start[0], &byte, 1))
		w->err = work(w, plan);
	_exit(0);
}

/* One list of what all have measured. */
static struct spread spread_all(const struct worker *w, unsigned workers, const uint64_t *first, const size_t *n,
				uint64_t *room)
{
	size_t total = 0;

	for (unsigned i = 0; i < workers; i++) {
		const uint64_t *values = (const uint64_t *)((const char *)first + i * sizeof(*w));
		size_t count = *(const size_t *)((const char *)n + i * sizeof(*w));

		memcpy(room + total, values, count * sizeof(*values));
		total += count;
	}
	return spread_of(room, total);
}

static int collect(const struct worker *w, unsigned workers, struct nscost *ret)
{
	_free_ uint64_t *room = calloc(workers, sizeof(w->make));

	if (!room)
		return -ENOMEM;
	for (unsigned i = 0; i < workers; i++)
		if (w[i].err)
			return w[i].err;
	*ret = (struct nscost){
		.make = spread_all(w, workers, w->make, &w->n, room),
		.end = spread_all(w, workers, w->end, &w->n, room),
		.gone = spread_all(w, workers, w->gone, &w->ngone, room),
		.in_user_ns = w->in_user_ns,
	};
	return 0;
}

int nscost_measure(const struct nscost_plan *plan, struct nscost *ret)
{
	unsigned workers = plan->workers;
	size_t size = workers * sizeof(struct worker);
	struct worker *w = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int start[2], err = 0;

	if (w == MAP_FAILED)
		return -errno;
	if (pipe2(start, O_CLOEXEC)) {
		err = -errno;
		munmap(w, size);
		return err;
	}
	for (unsigned i = 0; i < workers && !err; i++) {
		w[i].err = -ECHILD; /* it was killed */
		err = start_worker(&w[i], plan, start);
	}
	close(start[1]);
	close(start[0]);
	for (unsigned i = 0; i < workers; i++)
		if (w[i].pid > 0)
			waitpid(w[i].pid, NULL, 0);
	if (!err)
		err = collect(w, workers, ret);
	munmap(w, size);
	return err;
}
