/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>

#include "source/snapshot.h"

void complain(const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	fprintf(stderr, "nsscope: %s\n", text);
}

struct output *open_outputs(const struct settings *s, const char *default_format, int default_fd)
{
	const char *const *specs = s->noutputs ? s->outputs : &default_format;
	size_t n = s->noutputs ? s->noutputs : 1;
	struct output *o;
	int err = output_new(&o);

	if (err) {
		complain("out of memory");
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		err = output_add(o, specs[i], &s->style, default_fd);
		if (err) {
			complain("cannot open the output %s: %s", specs[i], strerror(-err));
			output_free(o);
			return NULL;
		}
	}
	return o;
}

int feed_output(void *arg, const void *record, size_t len)
{
	return output_feed(arg, record, len);
}

void complain_output(const struct output *o, int err)
{
	const char *path = output_failed_path(o);

	if (err == -EBADMSG)
		complain("a record that cannot be understood: an error of nsscope, please report it");
	else
		complain("cannot write to %s: %s; events after this are not shown", path ? path : "the output",
			 strerror(-err));
}

int close_outputs(struct output *o, int status)
{
	int err = output_free(o);

	if (!err)
		return status;
	complain("cannot write the last events: %s", strerror(-err));
	return STATUS_FAILED;
}

int take_snapshot(const struct settings *s, struct observer *observer, record_fn fn, void *arg)
{
	int err = observer && !s->snapshot_proc ? snapshot_iter(observer, fn, arg) : -EOPNOTSUPP;

	return err == -EOPNOTSUPP ? snapshot_proc(NULL, fn, arg) : err;
}

int block_signals(const sigset_t *set)
{
	int fd;

	if (sigprocmask(SIG_BLOCK, set, NULL))
		return -errno;
	fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}
