/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "event/event.h"
#include "observe/host.h"
#include "source/snapshot.h"
#include "source/stream.h"
#include "util/cleanup.h"
#include "util/clock.h"

/* PF_KTHREAD of include/linux/sched.h, in field 9 of /proc/PID/stat. */
#define KTHREAD_FLAG 0x00200000
/* What getuid(2) says for an ID that the user namespace does not map. */
#define OVERFLOW_ID 65534

struct entry {
	struct nss_task task;
	uint32_t host_ppid;
	uint32_t kthread;
	uint32_t levels;
	struct nss_pid pids[NSS_LEVELS_MAX];
};

struct entries {
	struct entry *at;
	size_t count, size;
	uint32_t user_ns, pid_ns; /* the reader's own */
	char cgroup_root[256]; /* where cgroup2 is mounted */
};

/* The file NAME of the process: its length, or -1. */
static ssize_t read_file(const char *pid, const char *name, char *to, size_t size)
{
	char path[300];
	_close_ int fd = -1;
	size_t len = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (len < size - 1 && (n = read(fd, to + len, size - 1 - len)) > 0)
		len += (size_t)n;
	to[len] = 0;
	return (ssize_t)len;
}

/* Fields of /proc/PID/stat behind the name, which may hold anything. */
static bool read_stat(const char *pid, struct entry *e)
{
	unsigned long long start;
	unsigned ppid, flags;
	char text[1024], *behind;

	if (read_file(pid, "stat", text, sizeof(text)) < 0)
		return false;
	behind = strrchr(text, ')');
	if (!behind || sscanf(behind + 1, " %*c %u %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
			      &ppid, &flags, &start) != 3)
		return false;
	e->host_ppid = ppid;
	e->kthread = !!(flags & KTHREAD_FLAG);
	e->task.start_ns = start * (1000000000ULL / (unsigned long long)sysconf(_SC_CLK_TCK));
	return true;
}

/* Reads the numbers behind "@key:" of a status file; how many. */
static size_t status_numbers(const char *status, const char *key, uint32_t *to, size_t max)
{
	const char *at = strstr(status, key);
	size_t n = 0;
	char *end;

	if (!at)
		return 0;
	for (at += strlen(key); n < max && *at == '\t'; at = end) {
		to[n] = (uint32_t)strtoul(at, &end, 10);
		if (end == at)
			break;
		n++;
	}
	return n;
}

static bool read_status(const char *pid, struct entry *e)
{
	uint32_t pids[NSS_LEVELS_MAX], uid[4], gid[4];
	char text[8192];

	if (read_file(pid, "status", text, sizeof(text)) < 0)
		return false;
	e->levels = (uint32_t)status_numbers(text, "\nNStgid:", pids, NSS_LEVELS_MAX);
	if (!e->levels || status_numbers(text, "\nUid:", uid, 4) != 4 || status_numbers(text, "\nGid:", gid, 4) != 4)
		return false;
	for (uint32_t i = 0; i < e->levels; i++)
		e->pids[i] = (struct nss_pid){ .pid = pids[i], .tid = pids[i] };
	e->task.uid = e->task.inside_uid = uid[1];
	e->task.gid = e->task.inside_gid = gid[1];
	return true;
}

/* The innermost PID namespace is in /proc; those around it are asked for by NS_GET_PARENT, ioctl_ns(2). */
static void read_pid_namespaces(const char *pid, struct entry *e)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/pid", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	for (uint32_t i = e->levels; i-- && fd >= 0;) {
		struct stat st;
		int parent = i ? ioctl(fd, NS_GET_PARENT) : -1;

		if (!fstat(fd, &st))
			e->pids[i].ns = (uint32_t)st.st_ino;
		close(fd);
		fd = parent;
	}
	if (fd >= 0)
		close(fd);
}

/* @id through the process's uid_map or gid_map, whose second column is in the reader's terms. */
static uint32_t map_id(const char *pid, const char *map, uint32_t id)
{
	char text[8192], *at = text;
	unsigned inside, outside, count;
	int n;

	if (read_file(pid, map, text, sizeof(text)) < 0)
		return id;
	for (; sscanf(at, " %u %u %u%n", &inside, &outside, &count, &n) == 3; at += n)
		if (id - outside < count)
			return inside + (id - outside);
	return OVERFLOW_ID;
}

static uint64_t cgroup_id_of(const struct entries *all, const char *pid)
{
	char text[8192], path[sizeof(all->cgroup_root) + sizeof(text)];
	struct stat st;
	char *at;

	if (!*all->cgroup_root || read_file(pid, "cgroup", text, sizeof(text)) < 0)
		return 0;
	at = strstr(text, "0::/");
	if (!at || (at != text && at[-1] != '\n'))
		return 0;
	at += 3;
	at[strcspn(at, "\n")] = 0;
	snprintf(path, sizeof(path), "%s%s", all->cgroup_root, at);
	return stat(path, &st) ? 0 : st.st_ino;
}

static bool read_process(const struct entries *all, const char *pid, struct entry *e)
{
	char comm[64];
	ssize_t n;

	*e = (struct entry){};
	if (!read_stat(pid, e) || !read_status(pid, e))
		return false;
	n = read_file(pid, "comm", comm, sizeof(comm));
	if (n < 1)
		return false;
	comm[n - 1] = 0;
	memcpy(e->task.comm, comm, NSS_COMM_LEN - 1);
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		e->task.ns[i] = ns_inum_read(pid, ns_names[i]);
	read_pid_namespaces(pid, e);
	if (e->task.ns[NSS_NS_USER] && e->task.ns[NSS_NS_USER] != all->user_ns) {
		e->task.inside_uid = map_id(pid, "uid_map", e->task.uid);
		e->task.inside_gid = map_id(pid, "gid_map", e->task.gid);
	}
	e->pids[0].ns = all->pid_ns; /* what /proc shows is at least there */
	if (e->levels == 1)
		e->task.ns[NSS_NS_PID] = all->pid_ns;
	e->task.cgroup_id = cgroup_id_of(all, pid);
	return true;
}

static void find_cgroup_root(struct entries *all)
{
	_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096], point[256];

	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, " - cgroup2 ") && sscanf(line, "%*s %*s %*s %*s %255s", point) == 1) {
			memcpy(all->cgroup_root, point, sizeof(point));
			return;
		}
	}
}

static bool is_seen(const uint8_t *seen, const char *name)
{
	unsigned long pid = strtoul(name, NULL, 10);

	return seen && pid < NSS_PID_LIMIT && seen[pid];
}

static int read_all(struct entries *all, const uint8_t *seen)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	int err = proc ? 0 : -errno;

	while (!err && (d = readdir(proc))) {
		if (*d->d_name < '1' || *d->d_name > '9' || is_seen(seen, d->d_name))
			continue;
		if (all->count == all->size) {
			size_t size = all->size ? 2 * all->size : 256;
			struct entry *at = reallocarray(all->at, size, sizeof(*at));

			if (!at) {
				err = -ENOMEM;
				break;
			}
			all->at = at;
			all->size = size;
		}
		all->count += read_process(all, d->d_name, &all->at[all->count]);
	}
	if (proc)
		closedir(proc);
	return err;
}

static int by_pid(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return x->pids[0].pid < y->pids[0].pid ? -1 : x->pids[0].pid > y->pids[0].pid;
}

/* What the parent is called on both sides: it has a number inside if it is in the child's namespace or below it. */
static void find_parent(const struct entries *all, struct entry *e)
{
	struct entry key = { .pids = { { .pid = e->host_ppid } } };
	const struct entry *parent = bsearch(&key, all->at, all->count, sizeof(key), by_pid);
	uint32_t last = e->levels - 1;
	struct entry unlisted;
	char name[16];

	if (!parent && e->host_ppid) {
		snprintf(name, sizeof(name), "%u", e->host_ppid);
		parent = read_process(all, name, &unlisted) ? &unlisted : NULL;
	}

	e->task.ppid = e->host_ppid;
	if (parent && parent->levels > last && parent->pids[last].ns == e->pids[last].ns)
		e->task.inside_ppid = parent->pids[last].pid;
}

static int give(const struct entries *all, const struct entry *e, record_fn fn, void *arg)
{
	char bytes[sizeof(struct nss_rec) + sizeof(struct nss_task) + sizeof(struct nss_process) + sizeof(e->pids)]
		__attribute__((aligned(8)));
	struct nss_process payload = { .kthread = e->kthread };
	struct nss_rec rec = {
		.type = NSS_EV_PROCESS,
		.levels = (uint16_t)e->levels,
		.mono_ns = clock_ns(CLOCK_MONOTONIC),
	};
	char *at = bytes + sizeof(rec);

	if (all->pid_ns == NSS_PID_NS_INITIAL)
		payload.tgid = e->pids[0].pid;
	at = mempcpy(at, &e->task, sizeof(e->task));
	at = mempcpy(at, &payload, sizeof(payload));
	at = mempcpy(at, e->pids, e->levels * sizeof(e->pids[0]));
	rec.len = (uint32_t)(at - bytes);
	memcpy(bytes, &rec, sizeof(rec));
	return fn(arg, bytes, rec.len);
}

int snapshot_proc(const uint8_t *seen, record_fn fn, void *arg)
{
	struct entries all = { .user_ns = ns_inum_read("self", "user"), .pid_ns = ns_inum_read("self", "pid") };
	int err;

	find_cgroup_root(&all);
	err = read_all(&all, seen);
	if (!err && all.count)
		qsort(all.at, all.count, sizeof(*all.at), by_pid);
	for (size_t i = 0; i < all.count && !err; i++) {
		find_parent(&all, &all.at[i]);
		err = give(&all, &all.at[i], fn, arg);
	}
	free(all.at);
	return err;
}

int snapshot_proc_one(uint32_t pid, record_fn fn, void *arg)
{
	struct entries all = { .user_ns = ns_inum_read("self", "user"), .pid_ns = ns_inum_read("self", "pid") };
	struct entry e;
	char name[16];

	find_cgroup_root(&all);
	snprintf(name, sizeof(name), "%u", pid);
	if (!read_process(&all, name, &e))
		return -ESRCH;
	find_parent(&all, &e);
	return give(&all, &e, fn, arg);
}
