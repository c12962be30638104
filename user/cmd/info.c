/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/info.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "cli/version.h"
#include "cmd/common.h"
#include "event/event.h"
#include "event/format.h"
#include "event/names.h"
#include "launch/proc.h"
#include "launch/ref.h"
#include "source/snapshot.h"
#include "util/cleanup.h"

/* The standard descriptors stay the command's as well. */
static int own_fd(int fd, const char *option)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags < 0 || fcntl(fd, F_SETFD, fd > 2 ? FD_CLOEXEC : flags) < 0) {
		complain("--%s %d: %s; open it in the caller, as in nsscope run --%s %d %d>FILE", option, fd,
			 strerror(errno), option, fd, fd);
		return -1;
	}
	return fd;
}

bool info_open(const struct settings *s, struct info *ret_info)
{
	int fd = s->info_fd;

	if (s->hold_fd >= 0 && own_fd(s->hold_fd, "hold-fd") < 0)
		return false;
	if (s->info_file) {
		fd = open(s->info_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0644);
		if (fd < 0) {
			complain("cannot open %s for --info-file: %s", s->info_file, strerror(errno));
			return false;
		}
	} else if (fd >= 0 && own_fd(fd, "info-fd") < 0) {
		return false;
	}
	ret_info->fd = fd;
	return true;
}

void info_close(struct info *info)
{
	if (info->fd >= 0)
		close(info->fd);
	info->fd = -1;
}

/* A member with its comma behind; where @text is not UTF-8, its bytes in base64 too. NULL: null. */
static void add_text(struct buf *b, const char *key, const char *text)
{
	if (text)
		json_member(b, key, text, strlen(text));
	else
		buf_addf(b, "\"%s\":null", key);
	buf_addc(b, ',');
}

static void add_number_or_null(struct buf *b, const char *key, uint64_t v)
{
	buf_addf(b, "\"%s\":", key);
	if (v)
		buf_addu(b, v);
	else
		buf_adds(b, "null");
	buf_addc(b, ',');
}

/* Ends the object, whose last member has a comma behind it, and writes the line. */
static int send_line(const struct info *info, struct buf *b)
{
	int err;

	if (b->len)
		b->len--;
	buf_adds(b, "}\n");
	err = buf_flush(b, info->fd);
	buf_free(b);
	return err;
}

struct found {
	struct nss_rec rec;
	struct nss_task task;
	struct nss_pid pids[NSS_LEVELS_MAX];
};

/* record_fn: @arg is a struct found. */
static int keep(void *arg, const void *record, size_t len)
{
	struct found *f = arg;

	(void)len;
	memcpy(&f->rec, record, sizeof(f->rec));
	memcpy(&f->task, (const struct nss_rec *)record + 1, sizeof(f->task));
	memcpy(f->pids, snapshot_pids(record), f->rec.levels * sizeof(f->pids[0]));
	return 0;
}

static void add_side(struct buf *b, const char *key, uint32_t pid, uint32_t ppid, uint32_t uid, uint32_t gid)
{
	buf_addf(b, "\"%s\":{\"pid\":%u,\"ppid\":%u,\"uid\":%u,\"gid\":%u},", key, pid, ppid, uid, gid);
}

/* As in the events. */
static void add_process(struct buf *b, const struct found *f)
{
	uint16_t last = (uint16_t)(f->rec.levels - 1);
	const struct nss_task *t = &f->task;

	add_side(b, "host", f->pids[0].pid, t->ppid, t->uid, t->gid);
	add_side(b, "inside", f->pids[last].pid, t->inside_ppid, t->inside_uid, t->inside_gid);
	buf_adds(b, "\"pids\":[");
	for (uint16_t i = 0; i <= last; i++) {
		buf_adds(b, i ? ",{\"ns\":" : "{\"ns\":");
		if (f->pids[i].ns)
			buf_addu(b, f->pids[i].ns);
		else
			buf_adds(b, "null");
		buf_addf(b, ",\"pid\":%u}", f->pids[i].pid);
	}
	buf_adds(b, "],\"ns\":{");
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		add_number_or_null(b, ns_names[i], t->ns[i]);
	b->len--;
	buf_adds(b, "},");
}

/* What nsscope may not look at, the command has told. */
static void fill_up(struct found *f, const struct launch_event *ready)
{
	uint16_t last = (uint16_t)(f->rec.levels - 1);

	for (size_t i = 0; i < NSS_NS_MAX; i++)
		if (!f->task.ns[i])
			f->task.ns[i] = ready->ns[i];
	if (!f->pids[last].ns)
		f->pids[last].ns = ready->ns[NSS_NS_PID];
}

int info_ready(const struct info *info, struct observer *observer, const struct launch *l, pid_t pid,
	       const struct launch_event *ready)
{
	char ref[REF_MAX], cgroup[4096];
	struct found f = {};
	struct buf b = {};
	struct ref r;
	bool exact;
	int err;

	if (info->fd < 0)
		return 0;
	err = snapshot_one(observer, (uint32_t)pid, keep, &f);
	if (!err)
		err = ref_of(launch_pidfd(l), pid, &r);
	if (err)
		return err;
	fill_up(&f, ready);
	ref_write(&r, ref);
	buf_adds(&b, "{\"type\":\"ready\",");
	add_text(&b, "version", NSSCOPE_VERSION);
	add_process(&b, &f);
	/* From /proc it is only as exact as start_ticks, which stand for themselves. */
	exact = f.task.start_ns != r.start_ticks * (1000000000ULL / (unsigned long long)sysconf(_SC_CLK_TCK));
	add_number_or_null(&b, "start_ns", exact ? f.task.start_ns : 0);
	buf_addf(&b, "\"start_ticks\":%llu,", (unsigned long long)r.start_ticks);
	add_text(&b, "cgroup", proc_cgroup(launch_pidfd(l), cgroup, sizeof(cgroup)) ? NULL : cgroup);
	add_number_or_null(&b, "cgroup_id", f.task.cgroup_id);
	add_text(&b, "boot_id", r.boot_id);
	add_number_or_null(&b, "pidfd_inode", r.inode);
	add_text(&b, "ref", ref);
	return send_line(info, &b);
}

void info_failed(const struct info *info, const char *stage, const char *step, int error, const char *hint, int status)
{
	char name[NAME_MAX_LEN];
	struct buf b = {};

	if (info->fd < 0)
		return;
	buf_adds(&b, "{\"type\":\"failed\",");
	add_text(&b, "stage", stage);
	add_text(&b, "step", step);
	add_text(&b, "errno", error ? error_name(error, name) : NULL);
	add_text(&b, "error", error ? strerror(error) : NULL);
	add_text(&b, "hint", hint && *hint ? hint : NULL);
	buf_addf(&b, "\"status\":%d,", status);
	send_line(info, &b);
}

void info_ended(const struct info *info, int wait_status, int status)
{
	char name[NAME_MAX_LEN];
	struct buf b = {};

	if (info->fd < 0)
		return;
	buf_adds(&b, "{\"type\":\"ended\",");
	if (WIFSIGNALED(wait_status))
		buf_addf(&b, "\"code\":null,\"signal\":\"%s\",", signal_name(WTERMSIG(wait_status), name));
	else
		buf_addf(&b, "\"code\":%d,\"signal\":null,", WEXITSTATUS(wait_status));
	buf_addf(&b, "\"status\":%d,", status);
	send_line(info, &b);
}
