/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect/mntns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>

#include "util/cleanup.h"

/* How often a path is asked for that the kernel finds in its cache, but not at that moment. */
#define TRIES 10

struct visit {
	int ns, proc;
	const char *path; /* NULL: mountinfo */
	int result;
};

/* Directories above a mount point are in the cache. O_PATH: a device or a FIFO would act on being opened. */
static int open_cached(const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_CACHED | RESOLVE_NO_SYMLINKS,
	};
	int fd = -1;

	for (int i = 0; i < TRIES && fd < 0; i++) {
		fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
		if (fd < 0 && errno == EINVAL) /* before Linux 5.12 */
			how.resolve = RESOLVE_NO_SYMLINKS;
		else if (fd < 0 && errno != EAGAIN)
			break;
	}
	return fd;
}

static void *go(void *arg)
{
	struct visit *v = arg;

	if (unshare(CLONE_FS) || setns(v->ns, CLONE_NEWNS))
		v->result = -errno;
	else if (v->path)
		v->result = open_cached(v->path);
	else
		v->result = openat(v->proc, "thread-self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (v->result == -1)
		v->result = -errno;
	return NULL;
}

static int visit(struct visit *v)
{
	pthread_t thread;
	int err = pthread_create(&thread, NULL, go, v);

	if (err)
		return -err;
	pthread_join(thread, NULL);
	return v->result;
}

int mntns_mountinfo(int ns, int proc)
{
	return visit(&(struct visit){ .ns = ns, .proc = proc });
}

int mntns_open(int ns, int proc, const char *path, uint32_t inum)
{
	_close_ int place = visit(&(struct visit){ .ns = ns, .proc = proc, .path = path });
	struct statfs fs;
	struct stat st;
	char name[32];
	int fd;

	if (place < 0)
		return place;
	if (fstatfs(place, &fs) || fstat(place, &st))
		return -errno;
	if (fs.f_type != NSFS_MAGIC || st.st_ino != inum)
		return -ESTALE;
	snprintf(name, sizeof(name), "self/fd/%d", place);
	fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
