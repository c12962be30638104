/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect/namespaces.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "event/event.h"
#include "inspect/mntns.h"
#include "inspect/nsfile.h"
#include "observe/host.h"
#include "source/snapshot.h"
#include "util/buf.h"
#include "util/cleanup.h"

/* Ids that are asked for at once. */
#define LIST_MAX 512
/* PROC_USER_INIT_INO */
#define USER_NS_INITIAL 0xEFFFFFFDU
/* Of a command line, bytes. */
#define COMMAND_MAX 4096

struct inspection {
	const struct inspect_settings *settings;
	struct nstable *t;
	struct inspect_gaps gaps;
	int proc; /* /proc */
};

static int examine(struct inspection *in, int fd, uint32_t pid, struct ns **ret_ns);

/* Examines what @fd, which may be an error, is open on, and closes it; @ret_inum may be NULL. 0 or -ENOMEM. */
static int examine_file(struct inspection *in, int fd, uint32_t pid, uint32_t *ret_inum)
{
	struct ns *ns;
	int err;

	if (fd < 0)
		return 0;
	err = examine(in, fd, pid, &ns);
	close(fd);
	if (!err && ret_inum)
		*ret_inum = ns->inum;
	return err == -ENOMEM ? err : 0;
}

static bool is_refusal(int error)
{
	return error == EACCES || error == EPERM;
}

/* The same of the file @path below /proc, by which @ns was found. */
static int examine_path(struct inspection *in, const char *path, struct ns *ns, uint32_t pid)
{
	int fd = openat(in->proc, path, O_RDONLY | O_CLOEXEC);

	ns->denied = ns->denied || (fd < 0 && is_refusal(errno));
	return examine_file(in, fd, pid, NULL);
}

/* One namespace file that a mount table shows: "mnt:[4026532177]" of type nsfs. */
static int take_bound(struct inspection *in, int fd, uint32_t holder, const char *name, const char *path)
{
	uint32_t type, inum;
	struct ns *ns;
	int err;

	if (!ns_link_parse(name, &type, &inum))
		return 0;
	ns = nstable_get(in->t, type, inum);
	if (!ns)
		return -ENOMEM;
	err = nstable_keep(ns, KEEPER_BIND, holder, -1, path);
	if (err || ns->examined)
		return err;
	return examine_file(in, mntns_open(fd, in->proc, path, inum), 0, NULL);
}

/* The whole file, terminated; NULL: it cannot be read. */
static char *read_whole(int fd)
{
	struct buf b = {};
	ssize_t n = -1;
	char *to;

	while ((to = buf_room(&b, 65536)) && (n = read(fd, to, 65536)) > 0)
		b.len += (size_t)n;
	if (n < 0 || !buf_room(&b, 1)) {
		buf_free(&b);
		return NULL;
	}
	b.data[b.len] = '\0';
	return b.data;
}

/* The mount table of the mount namespace that @fd is open on; @pid is a process in it, or 0. */
static int read_mounts(struct inspection *in, int fd, const struct ns *ns, uint32_t pid)
{
	_close_ int file = mntns_mountinfo(fd, in->proc);
	_free_ char *text = NULL;
	char name[64], *line, *next;
	struct mountinfo m;
	int err = 0;

	if (file < 0 && pid) {
		snprintf(name, sizeof(name), "%u/mountinfo", pid);
		file = openat(in->proc, name, O_RDONLY | O_CLOEXEC);
	}
	text = file < 0 ? NULL : read_whole(file);
	if (!text) {
		in->gaps.mounts++;
		return 0;
	}
	close(TAKE_FD(file)); /* it would keep the namespace, and one is open for each that is bound in another */
	for (line = text; *line && !err; line = next) {
		next = line + strcspn(line, "\n");
		next += *next == '\n';
		if (next > line && next[-1] == '\n')
			next[-1] = '\0';
		if (mountinfo_parse(line, &m)) {
			in->gaps.lines++;
			continue;
		}
		if (in->settings->mount)
			err = in->settings->mount(in->settings->arg, ns->inum, &m);
		if (!err && !strcmp(m.fstype, "nsfs"))
			err = take_bound(in, fd, ns->inum, m.root, m.target);
	}
	return err;
}

/* Who made it: the maker of the user namespace that owns it, or of itself. */
static void ask_owner_uid(struct inspection *in, int fd, struct ns *ns)
{
	const struct ns *owner = ns->owner ? nstable_find(in->t, ns->owner) : NULL;

	if (ns->type == NSS_NS_USER) {
		ns->has_uid = !nsfile_owner_uid(fd, &ns->owner_uid);
	} else if (owner) {
		ns->has_uid = owner->has_uid;
		ns->owner_uid = owner->owner_uid;
	}
}

/* Asks the kernel about the namespace that @fd is open on, and about all that this leads to. 0 or -errno. */
static int examine(struct inspection *in, int fd, uint32_t pid, struct ns **ret_ns)
{
	struct nsfile file;
	struct ns *ns;
	int err = nsfile_read(fd, &file);

	if (err)
		return err;
	ns = nstable_get(in->t, file.type, file.inum);
	if (!ns)
		return file.type == NSS_NS_MAX ? -EINVAL : -ENOMEM;
	*ret_ns = ns;
	if (ns->examined)
		return 0;
	ns->examined = true;
	ns->id = file.id;
	ns->seen_ns = file.seen_ns;
	err = in->settings->file ? in->settings->file(in->settings->arg, fd) : 0;
	if (!err)
		err = examine_file(in, nsfile_owner(fd), 0, &ns->owner);
	if (!err && (ns->type == NSS_NS_USER || ns->type == NSS_NS_PID))
		err = examine_file(in, nsfile_parent(fd), 0, &ns->parent);
	if (!err)
		ask_owner_uid(in, fd, ns);
	if (!err && ns->type == NSS_NS_MNT)
		err = read_mounts(in, fd, ns, pid);
	return err;
}

/* A socket may be of another network namespace than its process. */
static int take_socket(struct inspection *in, const struct ns_process *p, int pidfd, int number)
{
	_close_ int fd = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0), net = -1;
	struct stat st;
	struct ns *ns;
	int err;

	if (fd < 0)
		return 0;
	net = ioctl(fd, SIOCGSKNS);
	if (net < 0 || fstat(net, &st) || st.st_ino == p->ns[NSS_NS_NET])
		return 0;
	err = examine(in, net, 0, &ns);
	if (!err)
		err = nstable_keep(ns, KEEPER_SOCKET, p->pid, number, NULL);
	return err == -ENOMEM ? err : 0;
}

static int take_fd(struct inspection *in, const struct ns_process *p, int *pidfd, const char *name, const char *link)
{
	uint32_t type, inum;
	char path[64];
	struct ns *ns;
	int err;

	if (in->settings->sockets && !strncmp(link, "socket:[", 8)) {
		if (*pidfd < 0)
			*pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
		return *pidfd < 0 ? 0 : take_socket(in, p, *pidfd, atoi(name));
	}
	if (!ns_link_parse(link, &type, &inum))
		return 0;
	ns = nstable_get(in->t, type, inum);
	err = ns ? nstable_keep(ns, KEEPER_FD, p->pid, atoi(name), NULL) : -ENOMEM;
	if (err || ns->examined)
		return err;
	snprintf(path, sizeof(path), "%u/fd/%d", p->pid, atoi(name));
	return examine_path(in, path, ns, 0);
}

/* Opens the directory @name of the process; NULL: none, and where it may not be read, that is counted. */
static DIR *open_directory(struct inspection *in, uint32_t pid, const char *name, bool *denied)
{
	char path[64];
	int fd;
	DIR *d;

	snprintf(path, sizeof(path), "%u/%s", pid, name);
	fd = openat(in->proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*denied = *denied || (fd < 0 && is_refusal(errno));
	if (fd < 0)
		return NULL;
	d = fdopendir(fd);
	if (!d)
		close(fd);
	return d;
}

static int take_fds(struct inspection *in, const struct ns_process *p, bool *denied)
{
	DIR *dir = open_directory(in, p->pid, "fd", denied);
	_close_ int pidfd = -1;
	struct dirent *d;
	char link[64];
	int err = 0;

	while (dir && !err && (d = readdir(dir))) {
		ssize_t n = *d->d_name == '.' ? -1 : readlinkat(dirfd(dir), d->d_name, link, sizeof(link) - 1);

		if (n <= 0 || *link == '/')
			continue;
		link[n] = '\0';
		err = take_fd(in, p, &pidfd, d->d_name, link);
	}
	if (dir)
		closedir(dir);
	return err;
}

/* What only a thread is in. PID and user namespaces of all threads are the same. */
static int take_thread(struct inspection *in, const struct ns_process *p, int tasks, const char *tid)
{
	char path[300], link[64];
	int err = 0;

	for (uint32_t i = 0; i < NSS_NS_MAX && !err; i++) {
		uint32_t type, inum;
		struct ns *ns;
		ssize_t n;

		if (p->ns[i] && (i == NSS_NS_PID || i == NSS_NS_USER))
			continue;
		snprintf(path, sizeof(path), "%s/ns/%s", tid, ns_names[i]);
		n = readlinkat(tasks, path, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (!ns_link_parse(link, &type, &inum) || inum == p->ns[i])
			continue;
		if ((i == NSS_NS_PID_FOR_CHILDREN && inum == p->ns[NSS_NS_PID]) ||
		    (i == NSS_NS_TIME_FOR_CHILDREN && inum == p->ns[NSS_NS_TIME]))
			continue;
		ns = nstable_get(in->t, i, inum);
		err = ns ? nstable_keep(ns, KEEPER_THREAD, p->pid, atoi(tid), NULL) : -ENOMEM;
		if (err || ns->examined)
			continue;
		snprintf(path, sizeof(path), "%u/task/%s/ns/%s", p->pid, tid, ns_names[i]);
		err = examine_path(in, path, ns, 0);
	}
	return err;
}

static int take_threads(struct inspection *in, const struct ns_process *p, bool *denied)
{
	DIR *dir = open_directory(in, p->pid, "task", denied);
	struct dirent *d;
	struct stat st;
	int err = 0;

	/* "." and "..", and a directory for each thread */
	while (dir && !err && !fstat(dirfd(dir), &st) && st.st_nlink > 3 && (d = readdir(dir)))
		if (*d->d_name != '.' && (uint32_t)atoi(d->d_name) != p->pid)
			err = take_thread(in, p, dirfd(dir), d->d_name);
	if (dir)
		closedir(dir);
	return err;
}

/* The namespaces of the process: those that are new are asked what they are. */
static int take_own(struct inspection *in, const struct ns_process *p)
{
	char path[64];
	int err = 0;

	for (uint32_t i = 0; i < NSS_NS_MAX && !err; i++) {
		struct ns *ns = p->ns[i] ? nstable_find(in->t, p->ns[i]) : NULL;

		if (!ns || ns->examined)
			continue;
		snprintf(path, sizeof(path), "%u/ns/%s", p->pid, ns_names[i]);
		err = examine_path(in, path, ns, p->pid);
	}
	return err;
}

/* Whether the process hides its namespaces, rather than having none any more. */
static bool is_hidden(const struct inspection *in, const struct ns_process *p)
{
	char path[64], link[64];

	snprintf(path, sizeof(path), "%u/ns/mnt", p->pid);
	return !p->ns[NSS_NS_MNT] && readlinkat(in->proc, path, link, sizeof(link)) < 0 && is_refusal(errno);
}

/* A zombie, or what has gone meanwhile, hides nothing. */
static bool is_alive(const struct inspection *in, const struct ns_process *p)
{
	char path[64], text[1024];
	_close_ int fd = -1;
	const char *state;
	ssize_t n;

	snprintf(path, sizeof(path), "%u/stat", p->pid);
	fd = openat(in->proc, path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	state = strrchr(text, ')'); /* the name in front of it may hold anything */
	return state && state[1] == ' ' && !strchr("ZXx", state[2]);
}

static void count_hidden(struct inspection *in, const struct ns_process *p)
{
	if (!is_alive(in, p))
		return;
	if (!in->gaps.processes++) {
		in->gaps.first = p->pid;
		memcpy(in->gaps.first_comm, p->comm, sizeof(p->comm));
	}
}

/* record_fn */
static int take_process(void *arg, const void *record, size_t len)
{
	const struct nss_rec *rec = record;
	const struct nss_task *task = (const void *)(rec + 1);
	struct inspection *in = arg;
	struct ns_process p = {
		.pid = snapshot_pids(record)[0].pid,
		.uid = task->uid,
		.start_ns = task->start_ns,
		.levels = rec->levels,
		.kthread = snapshot_process(record)->kthread,
		.pids = malloc(rec->levels * sizeof(struct nss_pid)),
	};
	bool denied;
	int err;

	(void)len;
	if (!p.pids)
		return -ENOMEM;
	memcpy(p.ns, task->ns, sizeof(p.ns));
	denied = is_hidden(in, &p);
	memcpy(p.comm, task->comm, sizeof(p.comm));
	memcpy(p.pids, snapshot_pids(record), p.levels * sizeof(*p.pids));
	err = nstable_add_process(in->t, &p);
	if (!err)
		err = take_own(in, &p);
	if (!err && !p.kthread)
		err = take_fds(in, &p, &denied);
	if (!err && !p.kthread)
		err = take_threads(in, &p, &denied);
	if (denied)
		count_hidden(in, &p);
	return err;
}

/*
 * From one's own mount namespace to the first and to the last of the machine. The kernel leaves out those that the
 * caller has no rights over: none, in the initial user namespace with all rights.
 */
static int walk_mounts(struct inspection *in)
{
	int err = 0;

	in->gaps.unlisted = geteuid() || ns_inum_read("self", "user") != USER_NS_INITIAL;
	for (int step = -1; step <= 1 && !err; step += 2) {
		int at = openat(in->proc, "self/ns/mnt", O_RDONLY | O_CLOEXEC);

		while (at >= 0 && !err) {
			struct ns *ns;
			int next = nsfile_next_mount(at, step);

			close(at);
			at = next;
			if (at >= 0)
				err = examine(in, at, 0, &ns);
			err = err == -ENOMEM ? err : 0;
		}
		in->gaps.unlisted = in->gaps.unlisted || at != -ENOENT;
		if (at >= 0)
			close(at);
	}
	return err;
}

static int walk_list(struct inspection *in)
{
	uint64_t ids[LIST_MAX], last = 0;
	int err = 0;
	long n;

	while (!err && (n = nsfile_list(last, ids, LIST_MAX)) > 0) {
		for (long i = 0; i < n && !err; i++)
			err = examine_file(in, nsfile_open(ids[i]), 0, NULL);
		if (ids[n - 1] <= last)
			break;
		last = ids[n - 1];
	}
	return err;
}

/* What was seen but could not be opened has ended, unless that was refused, or a bound file shows that it is there. */
static void forget_ended(struct inspection *in)
{
	struct ns *ns, *next;

	HASH_ITER(hh, in->t->all, ns, next) {
		if (!ns->examined && !ns->denied && !ns->count[KEEPER_BIND])
			nstable_forget(in->t, ns);
		else
			in->gaps.files += !ns->examined;
	}
}

/* The command lines of those that are shown. */
static void read_commands(struct inspection *in)
{
	struct ns *ns, *next;

	HASH_ITER(hh, in->t->all, ns, next) {
		struct ns_process *p = (struct ns_process *)ns->leader; /* the table's own */
		char path[64];
		_close_ int fd = -1;
		ssize_t n;

		if (!p || p->command)
			continue;
		p->command = malloc(COMMAND_MAX);
		if (!p->command)
			continue;
		snprintf(path, sizeof(path), "%u/cmdline", p->pid);
		fd = openat(in->proc, path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? 0 : read(fd, p->command, COMMAND_MAX);
		while (n > 0 && !p->command[n - 1])
			n--;
		p->command_len = n > 0 ? (size_t)n : 0;
		for (size_t i = 0; i < p->command_len; i++)
			if (!p->command[i])
				p->command[i] = ' ';
	}
}

/* Each mount namespace that is bound in another is open while that is read. */
static void allow_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int inspect_namespaces(const struct inspect_settings *settings, struct nstable *t, struct inspect_gaps *ret_gaps)
{
	_close_ int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct inspection in = { .settings = settings, .t = t, .proc = proc };
	int err;

	if (proc < 0)
		return -errno;
	allow_files();
	err = snapshot_proc(NULL, take_process, &in);
	if (!err)
		err = walk_mounts(&in);
	if (!err)
		err = walk_list(&in);
	if (err)
		return err;
	forget_ended(&in);
	read_commands(&in);
	*ret_gaps = in.gaps;
	return 0;
}
