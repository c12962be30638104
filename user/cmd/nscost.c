/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope stat --namespaces: what namespaces cost here. */
#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "cmd/nscost.h"
#include "event/format.h"
#include "launch/hint.h"
#include "launch/nscost.h"
#include "observe/copyns.h"
#include "sink/schema.h"
#include "util/cleanup.h"

static const struct set {
	const char *name;
	uint64_t flags;
	const char *doc;
} sets[] = {
#define SET(name, flags, doc) { name, flags, doc },
#include "cmd/nscost.def"
#undef SET
};

#define SETS ARRAY_SIZE(sets)

/* A set that is no set: the _for_children rows of the list. */
static bool is_row(size_t i)
{
	return !i || sets[i].flags;
}

struct measured {
	int err;
	struct nscost cost;
};

struct report {
	unsigned workers; /* in parallel */
	unsigned samples; /* --samples, or 0 */
	unsigned cpus;
	double load;
	struct utsname system;
	char cpu[72]; /* its model; empty: the kernel names none (arm64) */
	char date[64];
	struct measured alone[SETS], parallel[SETS];
	int kernel_err; /* copyns_open */
	struct spread kernel[COPY_NS_MAX];
};

static const struct {
	const char *ns, *name;
} functions[COPY_NS_MAX] = {
#define COPY_NS(type, function, flag) { #type, #function },
#include "abi/copy_ns.def"
#undef COPY_NS
};

/* A run of its own: the hooks cost something themselves. */
static void measure_kernel(struct report *r)
{
	const struct nscost_plan plan = { sets[SETS - 1].flags, 1, r->samples, true };
	struct nscost unused;
	struct copyns *c;

	r->kernel_err = copyns_open(&c);
	if (r->kernel_err)
		return;
	r->kernel_err = nscost_measure(&plan, &unused);
	copyns_read(c, r->kernel);
	copyns_close(c);
}

/* What /proc/cpuinfo calls the first CPU: no more than a line of a terminal has room for. */
static void find_cpu(struct report *r)
{
	_fclose_ FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	r->cpu[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "model name : %71[^\n]", r->cpu) == 1)
			return;
	}
}

static void measure(struct report *r, unsigned samples)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	time_t t = time(NULL);
	struct nscost first; /* is of cold caches */
	struct tm tm;

	r->samples = samples;
	if (getloadavg(&r->load, 1) != 1)
		r->load = 0;
	r->cpus = cpus > 0 ? (unsigned)cpus : 1;
	r->workers = r->cpus > 2 ? r->cpus : 2;
	find_cpu(r);
	uname(&r->system);
	gmtime_r(&t, &tm);
	strftime(r->date, sizeof(r->date), "%Y-%m-%dT%H:%M:%SZ", &tm);
	nscost_measure(&(struct nscost_plan){ sets[0].flags, 1, samples, false }, &first);
	for (size_t i = 0; i < SETS; i++) {
		if (!is_row(i))
			continue;
		r->alone[i].err = nscost_measure(&(struct nscost_plan){ sets[i].flags, 1, samples, false },
						 &r->alone[i].cost);
		r->parallel[i].err = nscost_measure(&(struct nscost_plan){ sets[i].flags, r->workers, samples, false },
						    &r->parallel[i].cost);
	}
	measure_kernel(r);
}

static void add_reason(struct buf *b, const struct measured *m, uint64_t flags)
{
	char hint[240];

	hint_namespaces(flags, -m->err, hint, sizeof(hint));
	if (m->err == -ETIME)
		buf_adds(b, "it was not gone within 10 s");
	else
		buf_addf(b, "%s%s%s", strerror(-m->err), *hint ? "; " : "", hint);
}

/* 80 columns are enough for two of four, also of some seconds. */
static void add_spread(struct buf *b, const struct spread *s)
{
	const uint64_t ns[] = { s->p50, s->p90, s->p99, s->max };

	buf_adds(b, " |");
	for (size_t i = 0; i < ARRAY_SIZE(ns); i++)
		if (!s->n)
			buf_addf(b, "%8s", "-");
		else
			buf_addf(b, "%8.*f", ns[i] < 100000000 ? 1 : 0, (double)ns[i] / 1000);
}

/* The member of struct nscost at @offset. */
static const struct spread *spread_at(const struct measured *m, size_t offset)
{
	return (const struct spread *)((const char *)&m->cost + offset);
}

static void add_table(struct buf *b, const struct report *r, const char *title, size_t offset)
{
	char parallel[32];

	snprintf(parallel, sizeof(parallel), "%u at a time", r->workers);
	buf_addf(b, "\n%s, us\n%-10s |%8s%24s |%16s\n%-10s |", title, "", "alone", "", parallel, "");
	buf_addf(b, "%8s%8s%8s%8s |%8s%8s%8s%8s\n", "p50", "p90", "p99", "max", "p50", "p90", "p99", "max");
	for (size_t i = 0; i < SETS; i++) {
		if (!is_row(i) || (!sets[i].flags && offset == offsetof(struct nscost, gone)))
			continue;
		buf_addf(b, "%-10s", sets[i].name);
		add_spread(b, spread_at(&r->alone[i], offset));
		add_spread(b, spread_at(&r->parallel[i], offset));
		buf_addc(b, '\n');
	}
}

static const char *why_not(int err)
{
	if (err == -EXDEV)
		return "nsscope is in a PID namespace of its own";
	if (err == -EPERM || err == -EACCES)
		return "refused; it needs root, and fentry (see doctor)";
	return strerror(-err);
}

static void add_kernel(struct buf *b, const struct report *r)
{
	if (r->kernel_err) {
		buf_addf(b, "\nKERNEL: not measured: %s\n", why_not(r->kernel_err));
		return;
	}
	buf_addf(b, "\nKERNEL: inside its own functions, all eight in one call, alone, us\n%-14s |%8s%8s%8s%8s\n", "",
		 "p50", "p90", "p99", "max");
	for (size_t i = 0; i < COPY_NS_MAX; i++) {
		buf_addf(b, "%-14s", functions[i].name);
		add_spread(b, &r->kernel[i]);
		buf_addc(b, '\n');
	}
}

static void add_notes(struct buf *b, const struct report *r)
{
	buf_addc(b, '\n');
	for (size_t i = 0; i < SETS; i++) {
		const struct measured *m = r->alone[i].err ? &r->alone[i] : &r->parallel[i];

		if (sets[i].doc)
			buf_addf(b, "%s: %s\n", sets[i].name, sets[i].doc);
		if (m->err) {
			buf_addf(b, "%s: cannot be measured: ", sets[i].name);
			add_reason(b, m, sets[i].flags);
			buf_addc(b, '\n');
		}
	}
	buf_adds(b, "Nothing is subtracted.\n");
	if (r->samples)
		buf_addf(b, "A row has %u samples of each worker.\n", r->samples);
	else
		buf_addf(b, "A row has %u to %u samples of each worker, for about %u ms.\n", NSCOST_LEAST,
			 NSCOST_SAMPLES, (unsigned)(NSCOST_NS / 1000000));
	if (r->alone[0].cost.in_user_ns)
		buf_adds(
			b,
			"Each worker was in a user namespace of its own. For GONE only one of each type\n"
			"may be there: the next can be made when the last is gone. With ipc the kernel\n"
			"waits for that itself: its GONE includes that MAKE.\n");
	else
		buf_adds(b,
			 "No user namespace could be made for the workers: when a namespace is gone is not known.\n");
}

static void add_text(struct buf *b, const struct report *r)
{
	buf_addf(b, "Namespaces on Linux %s %s, nsscope " NSSCOPE_VERSION "\n%u CPU%s, load %.1f, %s, user %u\n",
		 r->system.release, r->system.machine, r->cpus, r->cpus == 1 ? "" : "s", r->load, r->date,
		 (unsigned)geteuid());
	if (*r->cpu) {
		text_string(b, r->cpu, strlen(r->cpu));
		buf_addc(b, '\n');
	}
	add_table(b, r, "MAKE: the call of clone3(2)", offsetof(struct nscost, make));
	add_table(b, r, "END: from the last process's _exit(2) to the return of its parent's wait",
		  offsetof(struct nscost, end));
	add_table(b, r,
		  "GONE: from that _exit(2) until it is counted no more (tried each 0.1 ms)",
		  offsetof(struct nscost, gone));
	add_kernel(b, r);
	add_notes(b, r);
}

static void add_json_spread(struct buf *b, const char *name, const struct spread *s)
{
	buf_addf(b, ",\"%s_ns\":", name);
	if (!s->n) {
		buf_adds(b, "null");
		return;
	}
	buf_addf(b, "{\"samples\":%zu,\"p50\":%llu,\"p90\":%llu,\"p99\":%llu,\"max\":%llu}", s->n,
		 (unsigned long long)s->p50, (unsigned long long)s->p90, (unsigned long long)s->p99,
		 (unsigned long long)s->max);
}

static void add_json_measured(struct buf *b, const struct measured *m, unsigned workers, uint64_t flags)
{
	struct buf reason = {};

	buf_addf(b, "{\"workers\":%u,\"error\":", workers);
	if (m->err) {
		add_reason(&reason, m, flags);
		json_string(b, reason.data, reason.len);
		buf_free(&reason);
	} else {
		buf_adds(b, "null");
	}
	add_json_spread(b, "make", &m->cost.make);
	add_json_spread(b, "end", &m->cost.end);
	add_json_spread(b, "gone", &m->cost.gone);
	buf_addc(b, '}');
}

static void add_json_flags(struct buf *b, uint64_t flags)
{
	bool more = false;

	buf_addc(b, '[');
#define NAMESPACE(ID, name, flag, doc)                                  \
	if (flags & (flag)) {                                           \
		buf_adds(b, more ? ",\"" #name "\"" : "\"" #name "\""); \
		more = true;                                            \
	}
#include "abi/namespaces.def"
#undef NAMESPACE
	buf_addc(b, ']');
}

static void add_json(struct buf *b, const struct report *r)
{
	bool more = false;

	buf_addf(b, "{\"type\":\"stat_namespaces\",\"schema\":%d,\"version\":\"" NSSCOPE_VERSION "\",\"release\":", SCHEMA_VERSION);
	json_string(b, r->system.release, strlen(r->system.release));
	buf_addf(b, ",\"machine\":\"%s\",\"cpus\":%u,\"cpu\":", r->system.machine, r->cpus);
	if (*r->cpu)
		json_string(b, r->cpu, strlen(r->cpu));
	else
		buf_adds(b, "null");
	buf_addf(b, ",\"date\":\"%s\",\"uid\":%u,\"in_user_ns\":%s,\"sets\":[", r->date, (unsigned)geteuid(),
		 r->alone[0].cost.in_user_ns ? "true" : "false");
	for (size_t i = 0; i < SETS; i++) {
		if (!is_row(i))
			continue;
		buf_addf(b, "%s{\"name\":\"%s\",\"namespaces\":", more ? "," : "", sets[i].name);
		more = true;
		add_json_flags(b, sets[i].flags);
		buf_adds(b, ",\"alone\":");
		add_json_measured(b, &r->alone[i], 1, sets[i].flags);
		buf_adds(b, ",\"parallel\":");
		add_json_measured(b, &r->parallel[i], r->workers, sets[i].flags);
		buf_addc(b, '}');
	}
	buf_adds(b, "],\"kernel\":{\"error\":");
	if (r->kernel_err)
		json_string(b, why_not(r->kernel_err), strlen(why_not(r->kernel_err)));
	else
		buf_adds(b, "null");
	buf_adds(b, ",\"functions\":[");
	for (size_t i = 0; i < COPY_NS_MAX; i++) {
		buf_addf(b, "%s{\"name\":\"%s\",\"namespace\":\"%s\"", i ? "," : "", functions[i].name,
			 functions[i].ns);
		add_json_spread(b, "time", &r->kernel[i]);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}}\n");
}

/* Whether any namespace could be made; else complains. */
static bool has_any(const struct report *r)
{
	struct buf reason = {};

	for (size_t i = 1; i < SETS; i++)
		if (is_row(i) && !r->alone[i].err)
			return true;
	add_reason(&reason, &r->alone[SETS - 1], sets[SETS - 1].flags);
	buf_addc(&reason, 0);
	complain("no namespace can be made: %s", reason.data ? reason.data : "out of memory");
	buf_free(&reason);
	return false;
}

int stat_namespaces(const struct settings *s)
{
	struct report r = {};
	struct buf b = {};
	int err;

	measure(&r, s->stat.samples);
	if (!has_any(&r))
		return STATUS_FAILED;
	if (s->json)
		add_json(&b, &r);
	else
		add_text(&b, &r);
	err = buf_flush(&b, STDOUT_FILENO);
	buf_free(&b);
	if (err)
		complain("cannot write the table: %s", strerror(-err));
	return err ? STATUS_FAILED : 0;
}
