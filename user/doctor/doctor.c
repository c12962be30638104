/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zlib.h>

#include "doctor/exam.h"
#include "observe/host.h"
#include "util/cleanup.h"

/* PROC_USER_INIT_INO of include/linux/proc_ns.h */
#define INITIAL_USER_NS 0xEFFFFFFDU
/* No file that is read here is larger; /proc/config.gz has some 250 KB. */
#define TEXT_MAX (16U << 20)

struct check {
	const char *subject; /* of those that follow; no check then */
	const char *name;
	const char *why;
	void (*look)(struct exam *x);
};

static const struct check checks[] = {
#define SUBJECT(name) { name, NULL, NULL, NULL },
#define CHECK(id, name, why) { NULL, name, why, check_##id },
#include "doctor/checks.def"
#undef CHECK
#undef SUBJECT
};

static void vtell(struct exam *x, struct finding f, const char *fmt, va_list args)
{
	char *found;

	f.subject = x->subject;
	f.check = x->check;
	if (vasprintf(&found, fmt, args) < 0) {
		x->report->failed = true;
		return;
	}
	f.found = found;
	report_add(x->report, &f);
	free(found);
}

void tell(struct exam *x, enum state state, const char *mend, const char *fmt, ...)
{
	struct finding f = { .name = (char *)x->check, .why = x->why, .state = state, .mend = mend };
	va_list args;

	va_start(args, fmt);
	vtell(x, f, fmt, args);
	va_end(args);
}

void tell_of(struct exam *x, const char *name, const char *why, enum state state, const char *mend, const char *fmt, ...)
{
	struct finding f = { .name = (char *)name, .why = why ? why : x->why, .state = state, .mend = mend };
	va_list args;

	va_start(args, fmt);
	vtell(x, f, fmt, args);
	va_end(args);
}

bool ground_capable(const struct ground *g, unsigned cap)
{
	return (g->initial_user || !g->user_known) && (g->caps >> cap & 1);
}

bool ground_is_before(const struct ground *g, unsigned major, unsigned minor)
{
	return g->major < major || (g->major == major && g->minor < minor);
}

int read_text_at(int dir, const char *path, struct buf *b)
{
	_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	size_t before = b->len;
	int err = 0, n;
	gzFile f;

	if (fd < 0)
		return -errno;
	f = gzdopen(fd, "r"); /* takes a plain file as it is */
	if (!f)
		return -ENOMEM;
	TAKE_FD(fd); /* gzclose closes it */
	do {
		char *to;

		errno = 0;
		to = buf_room(b, 4096);
		n = to ? gzread(f, to, 4095) : -1;
		if (n > 0)
			b->len += (size_t)n;
	} while (n > 0 && b->len - before < TEXT_MAX);
	if (n < 0)
		err = errno ? -errno : -EIO;
	gzclose(f);
	if (err)
		b->len = before;
	if (b->data)
		b->data[b->len] = 0;
	return err;
}

int read_text(const char *path, struct buf *b)
{
	return read_text_at(AT_FDCWD, path, b);
}

int read_number(const char *path, long long *ret)
{
	struct buf b = {};
	int err = read_text(path, &b);

	if (!err && !parse_number(b.data, ret))
		err = -EBADMSG;
	buf_free(&b);
	return err;
}

static uint64_t effective_caps(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, data))
		return 0;
	return data[0].effective | (uint64_t)data[1].effective << 32;
}

static struct buf *terminated(struct buf *b)
{
	buf_addc(b, 0);
	b->len = 0;
	return b;
}

static void ground_read(struct ground *g)
{
	uint32_t user = ns_inum_read("self", "user");

	uname(&g->uts);
	if (!parse_release(g->uts.release, &g->major, &g->minor))
		g->major = g->minor = 0;
	g->caps = effective_caps();
	g->user_known = user;
	g->initial_user = user == INITIAL_USER_NS;
	/* What cannot be read is an empty text. */
	read_text("/proc/self/mountinfo", terminated(&g->mountinfo));
	read_text("/proc/self/status", terminated(&g->status));
}

void doctor_examine(const struct observe_settings *observe, struct report *ret_report)
{
	struct exam x = { .report = ret_report, .observe = observe };

	*ret_report = (struct report){};
	ground_read(&x.ground);
	ret_report->failed = x.ground.mountinfo.failed || x.ground.status.failed;
	for (size_t i = 0; i < ARRAY_SIZE(checks) && !ret_report->failed; i++) {
		if (checks[i].subject) {
			x.subject = checks[i].subject;
			continue;
		}
		x.check = checks[i].name;
		x.why = checks[i].why;
		checks[i].look(&x);
	}
	buf_free(&x.ground.mountinfo);
	buf_free(&x.ground.status);
}

bool doctor_run_works(const struct report *r)
{
	const struct finding *run = report_find(r, CHECK_COMMANDS, "run");

	return run && run->state == STATE_OK;
}
