/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope replay: a recording through the same sinks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "cmd/common.h"
#include "util/cleanup.h"

static int complain_recording(const char *path, int err)
{
	if (err == -EINVAL)
		complain("%s is not a recording; nsscope run -o record=FILE makes one", path);
	else if (err == -EPROTONOSUPPORT)
		complain("%s was recorded by another version of nsscope; replay it with that one", path);
	else
		complain("cannot read %s: %s", path, strerror(-err));
	return STATUS_FAILED;
}

/* record_fn: @arg is a struct output. Its end, after which the rest is not read, is -ECANCELED. */
static int feed_until_matched(void *arg, const void *record, size_t len)
{
	int err = feed_output(arg, record, len);

	complain_output(arg, 0);
	if (!err && output_matched(arg)) {
		err = output_end(arg);
		return err ? err : -ECANCELED;
	}
	return err;
}

/* Whether an output would be written over the recording that @fd is; if so, complains. */
static bool would_overwrite(const struct settings *s, int fd)
{
	struct stat recording;

	if (fstat(fd, &recording))
		return false;
	for (size_t i = 0; i < s->noutputs; i++) {
		const char *file = output_file(s->outputs[i]);

		if (!file || !leads_to(file, &recording))
			continue;
		complain("--output=%s: that is the recording itself; give another file", s->outputs[i]);
		return true;
	}
	return false;
}

int cmd_replay(const struct settings *s)
{
	const char *path = s->operands[0];
	_close_ int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC) : dup(STDIN_FILENO);
	struct output *o;
	enum recording_end end = RECORDING_WHOLE;
	uint64_t good = 0;
	int err, status = 0;

	if (fd < 0)
		return complain_recording(path, -errno);
	o = would_overwrite(s, fd) ? NULL : open_outputs(s, "text", STDOUT_FILENO);
	if (!o)
		return STATUS_FAILED;
	err = recording_read(fd, feed_until_matched, o, &end, &good);
	if (err == -ECANCELED) {
		complain_matched(o);
		status = STATUS_MATCHED;
	} else if (err && output_is_dead(o)) {
		complain_output(o, err);
		status = STATUS_FAILED;
	} else if (err) {
		status = complain_recording(path, err);
	}
	status = close_outputs(o, status);
	if (!err && end != RECORDING_WHOLE) {
		complain("%s %s after %llu bytes; all whole records up to there are shown", path,
			 end == RECORDING_CUT ? "ends without its end record" : "is damaged", (unsigned long long)good);
		status = STATUS_FAILED;
	}
	return status;
}
