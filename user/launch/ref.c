/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/ref.h"

#include "launch/pidfd.h"
#include "launch/proc.h"
#include "util/cleanup.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define PID_FS 0x50494446 /* PID_FS_MAGIC of linux/magic.h */

static int read_boot_id(char id[37])
{
	_fclose_ FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!f)
		return -errno;
	return fscanf(f, "%36[0-9a-f-]", id) == 1 && strlen(id) == 36 ? 0 : -ENODATA;
}

/* Before pidfs all pidfds share one inode. */
static uint64_t inode_of(int pidfd)
{
	struct statfs fs;
	struct stat st;

	return fstatfs(pidfd, &fs) || fs.f_type != PID_FS || fstat(pidfd, &st) ? 0 : st.st_ino;
}

int ref_of(int pidfd, pid_t pid, struct ref *ret_ref)
{
	struct ref r = { .pid = pid, .inode = inode_of(pidfd) };
	int ret = read_boot_id(r.boot_id);

	if (!ret)
		ret = proc_start_ticks(pidfd, &r.start_ticks);
	if (!ret)
		*ret_ref = r;
	return ret;
}

void ref_write(const struct ref *r, char text[REF_MAX])
{
	snprintf(text, REF_MAX, "%s:%d:%" PRIu64 ":%" PRIu64, r->boot_id, r->pid, r->start_ticks, r->inode);
}

int ref_parse(const char *text, struct ref *ret_ref)
{
	struct ref r = {};
	unsigned pid;
	int end = -1;

	/* strspn: scanf takes blanks and signs before a number. */
	if (strspn(text, "0123456789abcdef-:") != strlen(text) ||
	    sscanf(text, "%36[0-9a-f-]:%u:%" SCNu64 ":%" SCNu64 "%n", r.boot_id, &pid, &r.start_ticks, &r.inode, &end) != 4 ||
	    end < 0 || text[end] || strlen(r.boot_id) != 36 || strchr(text + 36, '-') || !pid || pid > INT_MAX)
		return -EINVAL;
	r.pid = (pid_t)pid;
	*ret_ref = r;
	return 0;
}

int ref_open(const struct ref *r)
{
	_close_ int fd = pidfd_of(r->pid);
	struct ref now;
	int ret;

	if (fd < 0)
		return -errno;
	ret = ref_of(fd, r->pid, &now);
	if (ret < 0)
		return ret;
	if (strcmp(now.boot_id, r->boot_id) || now.start_ticks != r->start_ticks || now.inode != r->inode)
		return -ESRCH;
	return TAKE_FD(fd);
}
