/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect/nsfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "event/event.h"
#include "source/stream.h"
#include "util/clock.h"

/* Later than Debian 12's headers. */
struct mount_ns_info {
	uint32_t size;
	uint32_t nr_mounts;
	uint64_t id;
};

#define MOUNT_NS_ID _IOR(NSIO, 0x5, uint64_t) /* NS_GET_MNTNS_ID, Linux 6.11 */
#define MOUNT_NS_NEXT _IOR(NSIO, 11, struct mount_ns_info) /* NS_MNT_GET_NEXT, Linux 6.12 */
#define MOUNT_NS_PREV _IOR(NSIO, 12, struct mount_ns_info)
#define ANY_NS_ID _IOR(NSIO, 13, uint64_t) /* NS_GET_ID, Linux 6.18 */

#define LISTNS 470
/* struct ns_id_req */
struct list_request {
	uint32_t size, spare;
	uint64_t after;
	uint32_t type, spare2;
	uint64_t user_ns;
};

/* FILEID_NSFS and FD_NSFS_ROOT; struct nsfs_file_handle behind the head of struct file_handle */
#define HANDLE_TYPE 0xf1
#define HANDLE_ROOT (-10003)
struct handle {
	uint32_t bytes;
	int type;
	uint64_t id;
	uint32_t ns_type, ns_inum; /* both 0: whatever has the id */
};

static uint32_t type_of(int fd)
{
	int flag = ioctl(fd, NS_GET_NSTYPE);
	uint32_t i;

	for (i = 0; i < NSS_NS_MAX; i++)
		if (flag > 0 && ns_flags[i] == (uint64_t)flag)
			break;
	return i;
}

/* The kernel makes the inode when the file is first asked for, and drops it when nothing holds it any more. */
static uint64_t birth_of(const struct stat *st)
{
	uint64_t then = (uint64_t)st->st_ctim.tv_sec * 1000000000 + (uint64_t)st->st_ctim.tv_nsec;
	uint64_t now = clock_ns(CLOCK_REALTIME), boot = clock_ns(CLOCK_BOOTTIME);

	return then < now && now - then < boot ? boot - (now - then) : 0;
}

int nsfile_read(int fd, struct nsfile *ret_file)
{
	struct nsfile f = {};
	struct statfs fs;
	struct stat st;

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return -errno;
	if (fs.f_type != NSFS_MAGIC)
		return -EINVAL;
	f.type = type_of(fd);
	f.inum = (uint32_t)st.st_ino;
	f.seen_ns = birth_of(&st);
	if (ioctl(fd, ANY_NS_ID, &f.id) && (f.type != NSS_NS_MNT || ioctl(fd, MOUNT_NS_ID, &f.id)))
		f.id = 0;
	*ret_file = f;
	return 0;
}

static int asked(int fd, unsigned long what, void *arg)
{
	int result = ioctl(fd, what, arg);

	return result < 0 ? -errno : result;
}

int nsfile_parent(int fd)
{
	return asked(fd, NS_GET_PARENT, NULL);
}

int nsfile_owner(int fd)
{
	return asked(fd, NS_GET_USERNS, NULL);
}

int nsfile_owner_uid(int fd, uint32_t *ret_uid)
{
	return asked(fd, NS_GET_OWNER_UID, ret_uid);
}

int nsfile_next_mount(int fd, int step)
{
	struct mount_ns_info info = { .size = sizeof(info) };

	return asked(fd, step < 0 ? MOUNT_NS_PREV : MOUNT_NS_NEXT, &info);
}

long nsfile_list(uint64_t after, uint64_t *ids, size_t n)
{
	struct list_request request = { .size = sizeof(request), .after = after };
	long found = syscall(LISTNS, &request, ids, n, 0);

	return found < 0 ? -errno : found;
}

int nsfile_open(uint64_t id)
{
	struct handle handle = { .bytes = sizeof(handle) - 8, .type = HANDLE_TYPE, .id = id };
	int fd = (int)syscall(SYS_open_by_handle_at, HANDLE_ROOT, &handle, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}
