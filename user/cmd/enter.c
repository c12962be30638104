/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope enter: a command in the namespaces of others. What is named is opened here; from then on it cannot change. */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/launching.h"
#include "cmd/target.h"
#include "event/event.h"
#include "launch/enter.h"
#include "launch/pidfd.h"
#include "launch/proc.h"
#include "source/snapshot.h"
#include "util/cleanup.h"
#include "util/mountinfo.h"

struct entering {
	const struct enter_settings *asked;
	struct target target;
	int proc; /* the target's directory in /proc */
	struct launch_enter launch;
	char *environment; /* NUL-separated */
	char root_what[64], wd_what[64];
};

static const uint64_t flags[NSS_NS_MAX] = {
#define NAMESPACE(ID, name, flag, doc) [NSS_NS_##ID] = flag,
#include "abi/namespaces.def"
#undef NAMESPACE
};

static bool add_ns(struct entering *n, uint64_t flag, int fd)
{
	n->launch.files[n->launch.nfiles++] = (struct launch_ns_file){ flag, fd };
	return true;
}

static bool open_ns_file(struct entering *n, enum nss_ns type)
{
	const char *path = n->asked->files[type];
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int kind;

	if (fd < 0) {
		complain("cannot open %s: %s", path, strerror(errno));
		return false;
	}
	kind = ioctl(fd, NS_GET_NSTYPE);
	if (kind < 0) {
		complain("%s is no namespace; give a file such as /proc/PID/ns/%s, or one that it is bound to", path, ns_names[type]);
		return false;
	}
	if ((uint64_t)(unsigned)kind != flags[type]) {
		complain("%s is a namespace, but not of type %s", path, ns_names[type]);
		return false;
	}
	return add_ns(n, flags[type], TAKE_FD(fd));
}

static bool open_net_socket(struct entering *n)
{
	_close_ int sock = (int)syscall(SYS_pidfd_getfd, n->target.pidfd, n->asked->socket, 0), net = -1;

	if (sock >= 0)
		net = ioctl(sock, SIOCGSKNS);
	if (net < 0) {
		complain("cannot get the network namespace of descriptor %d of %s: %s", n->asked->socket, n->target.what,
			 strerror(errno));
		return false;
	}
	return add_ns(n, CLONE_NEWNET, TAKE_FD(net));
}

static bool open_user_parent(struct entering *n)
{
	_close_ int user = openat(n->proc, "ns/user", O_RDONLY | O_CLOEXEC), parent = -1;

	if (user >= 0)
		parent = ioctl(user, NS_GET_USERNS);
	if (parent < 0) {
		complain("cannot get the user namespace around that of %s: %s%s", n->target.what, strerror(errno),
			 user >= 0 && errno == EPERM ? "; it is not in nsscope's own, or below it" : "");
		return false;
	}
	n->launch.of_target &= ~(uint64_t)CLONE_NEWUSER;
	return add_ns(n, CLONE_NEWUSER, TAKE_FD(parent));
}

/* What the target is in and nsscope is not. ENOENT: this kernel has no such type. */
static bool find_all(struct entering *n)
{
	int error = ENOENT;

	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		char path[64], own[64] = "", theirs[64] = "";

		if (!flags[i] || n->asked->files[i])
			continue;
		snprintf(path, sizeof(path), "/proc/self/ns/%s", ns_names[i]);
		if (readlinkat(n->proc, path + strlen("/proc/self/"), theirs, sizeof(theirs) - 1) < 0 ||
		    readlink(path, own, sizeof(own) - 1) < 0) {
			if (errno == ENOENT)
				continue;
			error = errno;
			break;
		}
		error = 0;
		if (strcmp(own, theirs))
			n->launch.of_target |= flags[i];
	}
	if (error)
		complain("cannot look at the namespaces of %s: %s%s", n->target.what, strerror(error),
			 error == EACCES ? "; that needs the rights to trace it (ptrace(2))" : "");
	return !error;
}

static bool find_namespaces(struct entering *n)
{
	const struct enter_settings *e = n->asked;
	bool named = e->of_target || e->socket >= 0 || e->user_parent;

	n->launch.of_target = e->of_target;
	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		named = named || e->files[i];
		if (e->files[i] && !open_ns_file(n, (enum nss_ns)i))
			return false;
	}
	if (e->socket >= 0 && !open_net_socket(n))
		return false;
	if ((e->all || !named) && !find_all(n))
		return false;
	return !e->user_parent || open_user_parent(n);
}

/* @dir as seen from here, or @name of the target. */
static bool open_directory(struct entering *n, const char *dir, const char *name, int *ret_fd, char what[64])
{
	int fd = openat(dir ? AT_FDCWD : n->proc, dir ? dir : name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir)
		snprintf(what, 64, "%s", dir);
	else
		snprintf(what, 64, "that of %s", n->target.what);
	if (fd < 0 && dir)
		complain("cannot open %s: %s", dir, strerror(errno));
	else if (fd < 0)
		complain("cannot open the %s of %s: %s", strcmp(name, "cwd") ? name : "working directory", n->target.what,
			 strerror(errno));
	*ret_fd = fd;
	return fd >= 0;
}

/* Where the hierarchy of cgroup v2 is mounted, from its root on. */
static bool find_cgroup2(char *path, size_t size)
{
	_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
	_free_ char *line = NULL;
	size_t room = 0;
	struct mountinfo m;

	while (f && getline(&line, &room, f) >= 0) {
		if (mountinfo_parse(line, &m) || strcmp(m.fstype, "cgroup2") || strcmp(m.root, "/") || strlen(m.target) >= size)
			continue;
		strcpy(path, m.target);
		return true;
	}
	return false;
}

static bool open_cgroup(struct entering *n)
{
	char root[2048], cgroup[4096], path[sizeof(root) + sizeof(cgroup) + 16];
	int err = proc_cgroup(n->target.pidfd, cgroup, sizeof(cgroup));

	if (err || !find_cgroup2(root, sizeof(root))) {
		complain("cannot join the cgroup of %s: there is no cgroup v2", n->target.what);
		return false;
	}
	snprintf(path, sizeof(path), "%s%s/cgroup.procs", root, cgroup);
	n->launch.cgroup = open(path, O_WRONLY | O_CLOEXEC);
	if (n->launch.cgroup < 0)
		complain("cannot open %s: %s", path, strerror(errno));
	return n->launch.cgroup >= 0;
}

static bool read_environment(struct entering *n)
{
	_close_ int fd = openat(n->proc, "environ", O_RDONLY | O_CLOEXEC);
	struct buf b = {};
	ssize_t got = 0;
	size_t count = 0;
	char *to;

	while (fd >= 0 && (to = buf_room(&b, 65536)) && (got = read(fd, to, 65536)) > 0)
		b.len += (size_t)got;
	if (fd < 0 || got < 0 || b.failed) {
		complain("cannot read the environment of %s: %s", n->target.what, b.failed ? "out of memory" : strerror(errno));
		buf_free(&b);
		return false;
	}
	buf_addc(&b, 0);
	for (size_t i = 0; i < b.len; i++)
		count += !b.data[i];
	n->launch.env = calloc(count + 1, sizeof(char *));
	n->environment = b.data;
	if (!n->launch.env || b.failed) {
		complain("out of memory");
		return false;
	}
	count = 0;
	for (char *at = b.data; at < b.data + b.len; at += strlen(at) + 1)
		if (*at)
			n->launch.env[count++] = at;
	return true;
}

/* record_fn: @arg is a struct nss_task. */
static int keep_task(void *arg, const void *record, size_t len)
{
	(void)len;
	memcpy(arg, (const struct nss_rec *)record + 1, sizeof(struct nss_task));
	return 0;
}

/* As nsenter: whoever enters a user namespace is root in it unless it says else. */
static bool find_ids(struct entering *n)
{
	const struct enter_settings *e = n->asked;
	struct launch_enter *l = &n->launch;
	bool user = enter_namespaces(l) & CLONE_NEWUSER, root = user && !e->preserve_credentials;
	struct nss_task task = {};
	int err = 0;

	l->set_uid = e->uid_how || root;
	l->set_gid = e->gid_how || root;
	l->groups_may_stay = !e->gid_how;
	l->uid = e->uid;
	l->gid = e->gid;
	l->keep_caps = e->keep_caps && user;
	if (e->uid_how == ENTER_ID_FOLLOW || e->gid_how == ENTER_ID_FOLLOW)
		err = snapshot_proc_one((uint32_t)n->target.pid, keep_task, &task);
	if (err || (n->target.pidfd >= 0 && pidfd_wait(n->target.pidfd, 0))) {
		complain("%s has ended", n->target.what);
		return false;
	}
	if (e->uid_how == ENTER_ID_FOLLOW)
		l->uid = user ? task.inside_uid : task.uid;
	if (e->gid_how == ENTER_ID_FOLLOW)
		l->gid = user ? task.inside_gid : task.gid;
	return true;
}

static bool prepare(struct entering *n)
{
	const struct enter_settings *e = n->asked;

	if (!target_find(e, &n->target))
		return false;
	n->launch.pidfd = n->target.pidfd;
	n->launch.what = n->target.what;
	if (n->target.pidfd >= 0) {
		n->proc = proc_open(n->target.pidfd);
		if (n->proc < 0) {
			complain("cannot look at %s in /proc: %s", n->target.what, strerror(-n->proc));
			return false;
		}
	}
	if (!find_namespaces(n))
		return false;
	if ((e->root || e->root_dir) && !open_directory(n, e->root_dir, "root", &n->launch.root, n->root_what))
		return false;
	if ((e->wd || e->wd_dir) && !open_directory(n, e->wd_dir, "cwd", &n->launch.wd, n->wd_what))
		return false;
	if (e->join_cgroup && !open_cgroup(n))
		return false;
	if (e->env && !read_environment(n))
		return false;
	return find_ids(n);
}

static void forget(struct entering *n)
{
	int fds[] = { n->target.pidfd, n->proc, n->launch.cgroup, n->launch.root, n->launch.wd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		cleanup_close(&fds[i]);
	for (size_t i = 0; i < n->launch.nfiles; i++)
		close(n->launch.files[i].fd);
	free(n->launch.env);
	free(n->environment);
}

int cmd_enter(const struct settings *s)
{
	struct entering n = {
		.asked = &s->enter,
		.target.pidfd = -1,
		.proc = -1,
		.launch = { .pidfd = -1, .cgroup = -1, .root = -1, .wd = -1, .no_fork = s->enter.no_fork },
	};
	struct launch_settings launch = s->launch;
	int status = STATUS_FAILED;

	n.launch.root_what = n.root_what;
	n.launch.wd_what = n.wd_what;
	launch.enter = &n.launch;
	launch.wd = s->enter.wdns;
	if (prepare(&n))
		status = run_launched(s, &launch, NULL);
	forget(&n);
	return status;
}
