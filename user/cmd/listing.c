/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "cmd/common.h"
#include "event/format.h"
#include "observe/host.h"
#include "util/cleanup.h"
#include "util/utf8locale.h"
#include "view/columns.h"

/* Before what is written again: on a terminal the new takes the place of the old, else it stands behind an empty line. */
static void add_again(struct buf *b, const struct listing_output *o, unsigned before)
{
	if (isatty(o->fd))
		buf_adds(b, "\033[H\033[J");
	else if (before)
		buf_addc(b, '\n');
}

/* Leaves of the text what a terminal of @height lines has room for, with the cursor below it. */
static void cut_lines(struct buf *b, size_t height)
{
	size_t lines = 0, end = 0;

	for (size_t i = 0; i < b->len; i++) {
		lines += b->data[i] == '\n';
		if (b->data[i] == '\n' && lines + 2 == height)
			end = i + 1;
	}
	if (b->failed || height < 3 || lines < height)
		return;
	b->len = end;
	buf_addf(b, "... %zu more lines; the last table has all\n", lines + 2 - height);
}

static int render(const struct settings *s, const struct listing *listing, const struct listing_output *o, unsigned before)
{
	struct buf b = { .ascii = !locale_is_utf8() };
	int err;

	if (listing->again && !o->json)
		add_again(&b, o, before);
	err = o->json ? listing->json(&b, listing->arg) :
			listing->text(&b, listing->arg, s->style.wide ? 0 : terminal_width(o->fd));
	if (!err && listing->passing && !o->json && isatty(o->fd))
		cut_lines(&b, terminal_height(o->fd));
	if (!err)
		err = buf_flush(&b, o->fd);
	buf_free(&b);
	return err;
}

/* @spec: FORMAT or FORMAT=FILE, as the option has checked it. Whether it was opened; else complained. */
static bool open_one(const char *spec, int default_fd, struct listing_output *ret)
{
	if (strncmp(spec, "text", 4) && strncmp(spec, "json", 4)) {
		complain("--output=%s: that is for events; give text or json", spec);
		return false;
	}
	ret->json = !strncmp(spec, "json", 4);
	ret->file = output_file(spec);
	if (ret->file)
		ret->fd = open(ret->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	else
		ret->fd = strchr(spec, '=') ? STDOUT_FILENO : default_fd;
	if (ret->fd < 0)
		complain("cannot open the output %s: %s", spec, strerror(errno));
	return ret->fd >= 0;
}

int listing_open(const struct settings *s, int default_fd, struct listing_outputs *ret)
{
	bool good = true;

	*ret = (struct listing_outputs){};
	if (!s->noutputs || s->json) {
		good = open_one(s->json ? "json" : "text", default_fd, &ret->at[ret->n]);
		ret->n += good;
	}
	for (size_t i = 0; i < s->noutputs && good; i++) {
		good = goes_elsewhere(s->outputs, i + 1) && open_one(s->outputs[i], default_fd, &ret->at[ret->n]);
		ret->n += good;
	}
	if (good)
		return 0;
	listing_close(ret);
	return STATUS_FAILED;
}

static void complain_write(struct listing_output *o, int err)
{
	const char *standard = o->fd == STDERR_FILENO ? "standard error" : "standard output";

	if (!err)
		return;
	complain("cannot write to %s: %s", o->file ? o->file : standard, strerror(-err));
	o->failed = true;
}

int listing_render(const struct settings *s, struct listing_outputs *outputs, const struct listing *listing)
{
	size_t left = 0;

	for (size_t i = 0; i < outputs->n; i++) {
		struct listing_output *o = &outputs->at[i];

		if (!o->failed)
			complain_write(o, render(s, listing, o, outputs->rendered));
		left += !o->failed;
	}
	outputs->rendered++;
	return left ? 0 : STATUS_FAILED;
}

int listing_close(struct listing_outputs *outputs)
{
	int status = 0;

	for (size_t i = 0; i < outputs->n; i++) {
		struct listing_output *o = &outputs->at[i];

		if (o->file && close(o->fd) && !o->failed)
			complain_write(o, -errno);
		if (o->failed)
			status = STATUS_FAILED;
	}
	outputs->n = 0;
	return status;
}

int listing_write(const struct settings *s, const struct listing *listing)
{
	struct listing_outputs outputs;
	int status = listing_open(s, STDOUT_FILENO, &outputs), closed;

	if (status)
		return status;
	status = listing_render(s, &outputs, listing);
	closed = listing_close(&outputs);
	return status ? status : closed;
}

static const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

/* "process 1 (init)", "14 processes, process 1 (init) and others". */
static void add_processes(struct buf *b, const struct inspect_gaps *g)
{
	if (g->processes > 1)
		buf_addf(b, "%llu processes, ", (unsigned long long)g->processes);
	buf_addf(b, "process %u (", g->first);
	text_string(b, g->first_comm, strnlen(g->first_comm, sizeof(g->first_comm)));
	buf_adds(b, g->processes > 1 ? ") and others" : ")");
}

void listing_complain(const struct inspect_gaps *g)
{
	struct buf b = { .ascii = !locale_is_utf8() };

	if (g->processes)
		add_processes(&b, g);
	if (g->mounts)
		buf_addf(&b, "%sthe mounts of %llu namespace%s", b.len ? ", " : "", (unsigned long long)g->mounts,
			 plural(g->mounts));
	if (g->files)
		buf_addf(&b, "%sthe owner of %llu namespace%s", b.len ? ", " : "", (unsigned long long)g->files,
			 plural(g->files));
	if (g->lines)
		buf_addf(&b, "%s%llu line%s of mountinfo", b.len ? ", " : "", (unsigned long long)g->lines, plural(g->lines));
	if (b.len)
		complain("may not look into %.*s: what only these know of is missing%s", (int)b.len, b.data,
			 geteuid() ? "; run nsscope as root" : " (the kernel refuses it even to root)");
	buf_free(&b);
}

void listing_json_common(struct buf *b, const struct inspect_gaps *g)
{
	struct host host = {};

	host_read(&host);
	buf_addf(b, "\"host\":{\"pid_ns\":%u,\"mnt_ns\":%u},", host.pid_ns, host.mnt_ns);
	buf_addf(b, "\"missing\":{\"processes\":%llu,\"mounts\":%llu,\"files\":%llu,\"lines\":%llu}",
		 (unsigned long long)g->processes, (unsigned long long)g->mounts, (unsigned long long)g->files,
		 (unsigned long long)g->lines);
}
