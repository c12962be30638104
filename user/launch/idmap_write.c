/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/idmap_write.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "util/buf.h"
#include "util/cleanup.h"

const char *const idmap_files[2] = { [IDMAP_USERS] = "uid_map", [IDMAP_GROUPS] = "gid_map" };
static const char *const subid_files[2] = { [IDMAP_USERS] = "/etc/subuid", [IDMAP_GROUPS] = "/etc/subgid" };
static const char *const helpers[2] = { [IDMAP_USERS] = "newuidmap", [IDMAP_GROUPS] = "newgidmap" };

static void cleanup_buf(struct buf *b)
{
	buf_free(b);
}

/* With a NUL behind it. */
static int read_file(const char *path, struct buf *b)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	char piece[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	while ((n = read(fd, piece, sizeof(piece))) > 0)
		buf_add(b, piece, (size_t)n);
	if (n < 0)
		return -errno;
	buf_addc(b, '\0');
	return b->failed ? -ENOMEM : 0;
}

static int fail(struct idmap_error *e, int error, const char *what, const char *path)
{
	snprintf(e->text, sizeof(e->text), "%s %s: %s", what, path, strerror(-error));
	return error;
}

/* The groups, too, are those of the effective user. */
static int find_subids(enum idmap_kind kind, struct idmap_range *ret_range, struct idmap_error *e)
{
	const struct passwd *pw = getpwuid(geteuid());
	const char *name = pw ? pw->pw_name : NULL, *path = subid_files[kind];
	__attribute__((cleanup(cleanup_buf))) struct buf text = {};
	int ret = read_file(path, &text);

	if (ret < 0)
		return fail(e, ret, "cannot read", path);
	ret = idmap_parse_subids(text.data, name, geteuid(), ret_range);
	if (ret == -ENOENT)
		snprintf(e->text, sizeof(e->text), "no line for user %s (%u) in %s: see usermod(8), --add-sub%cids",
			 name ? name : "without a name", geteuid(), path, kind == IDMAP_USERS ? 'u' : 'g');
	else if (ret < 0)
		snprintf(e->text, sizeof(e->text), "the line of user %s in %s is not USER:FIRST:COUNT",
			 name ? name : "", path);
	return ret;
}

static int read_parent(enum idmap_kind kind, struct idmap *ret_map, struct idmap_error *e)
{
	__attribute__((cleanup(cleanup_buf))) struct buf text = {};
	char path[32];
	int ret;

	snprintf(path, sizeof(path), "/proc/self/%s", idmap_files[kind]);
	ret = read_file(path, &text);
	if (!ret)
		ret = idmap_parse_kernel(text.data, ret_map);
	return ret < 0 ? fail(e, ret, "cannot read", path) : 0;
}

static int load_one(const struct idmap_request *r, enum idmap_kind kind, struct idmap *ret_map, struct idmap_error *e)
{
	struct idmap_ground g = { .effective = kind == IDMAP_USERS ? geteuid() : getegid() };
	struct idmap parent;
	int ret = 0;

	if (idmap_needs(r, IDMAP_AUTO) || idmap_needs(r, IDMAP_SUBIDS)) {
		ret = find_subids(kind, &g.subids, e);
		g.has_subids = true;
	}
	if (!ret && idmap_needs(r, IDMAP_ALL)) {
		ret = read_parent(kind, &parent, e);
		g.parent = &parent;
	}
	return ret ? ret : idmap_make(r, &g, ret_map, e);
}

int idmap_load(const struct idmap_settings *s, struct idmaps *ret_maps, struct idmap_error *ret_error)
{
	enum idmap_kind kind;
	int ret;

	for (kind = IDMAP_USERS; kind <= IDMAP_GROUPS; kind++) {
		ret = load_one(&s->of[kind], kind, &ret_maps->of[kind], ret_error);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* The kernel takes a map in one write(2) only. */
static int write_once(int dir, const char *path, const char *text, size_t len)
{
	_close_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = write(fd, text, len);
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

int idmap_setgroups(int proc, const char *word)
{
	return write_once(proc, "setgroups", word, strlen(word));
}

int idmap_write(int proc, enum idmap_kind kind, const struct idmap *m)
{
	char text[IDMAP_TEXT_MAX];
	int len = idmap_format(m, text);

	return len < 0 ? len : write_once(proc, idmap_files[kind], text, (size_t)len);
}

static bool is_capable(int capability)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	return data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

static bool is_own_id(enum idmap_kind kind, const struct idmap *m)
{
	return m->n == 1 && m->ranges[0].count == 1 &&
	       m->ranges[0].outer == (kind == IDMAP_USERS ? geteuid() : getegid());
}

bool idmap_needs_helper(enum idmap_kind kind, const struct idmap *m)
{
	if (geteuid() == 0 || is_own_id(kind, m))
		return false;
	return !is_capable(kind == IDMAP_USERS ? CAP_SETUID : CAP_SETGID);
}

static _Noreturn void exec_helper(pid_t pid, enum idmap_kind kind, const struct idmap *m, int failure)
{
	static char words[IDMAP_RANGES_MAX * 3 + 1][16];
	char *argv[IDMAP_RANGES_MAX * 3 + 3] = { (char *)helpers[kind], words[0] };
	size_t n = 1, i;
	sigset_t none;
	int error;

	snprintf(words[0], sizeof(words[0]), "%d", pid);
	for (i = 0; i < m->n; i++) {
		const uint32_t v[] = { m->ranges[i].inner, m->ranges[i].outer, m->ranges[i].count };
		size_t k;

		for (k = 0; k < 3; k++, n++) {
			snprintf(words[n], sizeof(words[n]), "%u", v[k]);
			argv[n + 1] = words[n];
		}
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], argv);
	error = errno;
	_exit(write(failure, &error, sizeof(error)) == sizeof(error) ? 0 : 126);
}

/* What the pipe holds is the errno of exec, which closes it. */
static int run_helper(pid_t pid, enum idmap_kind kind, const struct idmap *m, int *ret_exec_error)
{
	_close_ int from = -1, to = -1;
	int pair[2], status, error;
	pid_t child;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return -errno;
	from = pair[0];
	to = pair[1];
	child = fork();
	if (child == 0)
		exec_helper(pid, kind, m, to);
	if (child < 0)
		return -errno;
	close(TAKE_FD(to));
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (read(from, &error, sizeof(error)) == sizeof(error)) {
		*ret_exec_error = error;
		return error == ENOENT ? 127 : 126;
	}
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int idmap_write_outside(int proc, pid_t pid, enum idmap_kind kind, const struct idmap *m, int *ret_exec_error)
{
	return idmap_needs_helper(kind, m) ? run_helper(pid, kind, m, ret_exec_error) : idmap_write(proc, kind, m);
}
