/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/listing.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <string.h>

#include "cmd/common.h"
#include "event/format.h"
#include "observe/host.h"
#include "util/cleanup.h"
#include "view/columns.h"

static int render(const struct settings *s, const struct listing *listing, bool json, int fd)
{
	struct buf b = { .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") };
	int err = json ? listing->json(&b, listing->arg) :
			 listing->text(&b, listing->arg, s->style.wide ? 0 : terminal_width(fd));

	if (!err)
		err = buf_flush(&b, fd);
	buf_free(&b);
	return err;
}

/* @spec: FORMAT or FORMAT=FILE, as the option has checked it. */
static int write_one(const struct settings *s, const struct listing *listing, const char *spec)
{
	const char *equals = strchr(spec, '=');
	bool to_file = equals && strcmp(equals + 1, "-");
	bool json = !strncmp(spec, "json", 4);
	_close_ int fd = -1;
	int err;

	if (!strncmp(spec, "record", 6) || !strcmp(spec, "journal")) {
		complain("--output=%s: that is for events; give text or json", spec);
		return STATUS_FAILED;
	}
	if (to_file) {
		fd = open(equals + 1, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (fd < 0) {
			complain("cannot open the output %s: %s", spec, strerror(errno));
			return STATUS_FAILED;
		}
	}
	err = render(s, listing, json, to_file ? fd : STDOUT_FILENO);
	if (!err && to_file && close(TAKE_FD(fd)))
		err = -errno;
	if (!err)
		return 0;
	complain("cannot write to %s: %s", to_file ? equals + 1 : "standard output", strerror(-err));
	return STATUS_FAILED;
}

int listing_write(const struct settings *s, const struct listing *listing)
{
	int status = 0;

	if (!s->noutputs || s->json)
		status = write_one(s, listing, s->json ? "json" : "text");
	for (size_t i = 0; i < s->noutputs && !status; i++)
		status = write_one(s, listing, s->outputs[i]);
	return status;
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
	struct buf b = { .ascii = strcmp(nl_langinfo(CODESET), "UTF-8") };

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
