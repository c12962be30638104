/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/observe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "observe/host.h"
#include "observe/object.h"
#include "observe/probes.h"
#include "observe/spares.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/fds.h"

struct observer {
	struct object object;
	struct nss_config conf;
	enum backend_id calls; /* backend of the system calls */
	const struct probe *needed[OBJECT_PROGRAMS_MAX];
	size_t nneeded;
	int links[OBJECT_PROGRAMS_MAX];
	size_t nlinks;
	struct tracked tracked;
	bool notes; /* namespaces that were there before are to be noted */
	bool spares; /* of each hook that has spare programs, these are attached, not the real one */
	struct skips {
		uint64_t seen, at; /* how often the kernel had skipped the first program, at that moment */
		uint64_t told; /* losses */
	} skips[NSS_EV_MAX];
	char backend[256];
};

static bool is_nested(const struct observer *o)
{
	return o->conf.host_pid_ns != NSS_PID_NS_INITIAL;
}

static bool is_needed(const struct observer *o, const struct probe *probe)
{
	if ((backends[probe->backend].types & BACKEND_CALLS) == BACKEND_CALLS && probe->backend != o->calls)
		return false;
	if ((probe->place == PROBE_SPARE && !o->spares) || (probe->place == PROBE_NOTE && !o->notes))
		return false;
	return probe_needed(probe, &o->conf) || (probe->backend == BACKEND_ITER && is_nested(o));
}

static int choose_programs(struct observer *o)
{
	o->nneeded = 0;
	for (size_t i = 0; i < probe_count; i++) {
		if (!is_needed(o, &probes[i]))
			continue;
		if (o->nneeded == OBJECT_PROGRAMS_MAX)
			return -E2BIG;
		o->needed[o->nneeded++] = &probes[i];
	}
	return 0;
}

/* Of all CPUs: a struct work has 45 KiB, and the verifier lets an address be half a GiB behind the beginning of its map. */
#define SCRATCHES_MAX 8192

static void set_scratches(struct nss_config *conf, bool spares)
{
	uint32_t cpus = (uint32_t)libbpf_num_possible_cpus();

	conf->scratches = spares ? NSS_SCRATCHES : 2;
	while (conf->scratches > 2 && cpus * conf->scratches > SCRATCHES_MAX)
		conf->scratches--;
	conf->all_scratches = cpus * conf->scratches;
}

#define MOUNTS (BACKEND_TYPE(MOUNT) | BACKEND_TYPE(UMOUNT) | BACKEND_TYPE(MOVE_MOUNT))

static void set_elements(struct nss_config *conf)
{
	conf->all_works = conf->types & BACKEND_CALLS ? conf->all_scratches : 1;
	conf->stashes = conf->types & MOUNTS ? NSS_STASHES : 1;
	conf->told_ns = conf->types & BACKEND_TYPE(NS_DESTROY) ? NSS_TOLD_NS : 1;
	conf->told_mounts = conf->types & BACKEND_TYPE(DETACH) ? NSS_TOLD_MOUNTS : 1;
	conf->pids = tracked_pages() * NSS_TRACKED_PAGE;
}

/* So much queued takes the reader some ms, which is what whoever waits for the end of a run then has to wait. */
#define WAKE_BYTES_MAX (512U << 10)

/* What the programs are to know. 0 or -errno. */
static int configure(struct observer *o, const struct observe_settings *settings)
{
	int err;

	o->conf = settings->conf;
	err = host_configure(&o->conf);
	if (err)
		return err;
	o->conf.wake_bytes = settings->buffer / 4 < WAKE_BYTES_MAX ? settings->buffer / 4 : WAKE_BYTES_MAX;
	o->conf.keeps = o->calls != BACKEND_TRACEPOINT;
	o->notes = settings->notes;
	o->spares = kernel_preempts_tracepoints();
	set_scratches(&o->conf, o->spares);
	set_elements(&o->conf);
	return choose_programs(o);
}

static void set_sizes(struct observer *o, const struct observe_settings *settings)
{
	const struct nss_config *conf = &o->conf;
	struct object *object = &o->object;

	object_set_elements(object, "events", settings->buffer);
	object_set_elements(object, "tracked", conf->pids / NSS_TRACKED_PAGE);
	object_set_elements(object, "marks", o->spares ? conf->pids / NSS_TRACKED_PAGE : 1);
	object_set_elements(object, "scratches", conf->all_scratches);
	object_set_elements(object, "works", conf->all_works);
	object_set_elements(object, "stashes", conf->stashes);
	object_set_elements(object, "told_ns", conf->told_ns);
	object_set_elements(object, "told_at", conf->told_ns);
	object_set_elements(object, "told_mounts", conf->told_mounts);
	object_set_elements(object, "told_mount_at", conf->told_mounts);
	if (!(conf->types & BACKEND_CALLS))
		object_set_elements(object, "contexts", 1);
}

/*
 * The depth of this PID namespace cannot be asked for from inside it (NS_GET_PARENT ends at the own one, ioctl_ns(2)):
 * the iterator finds it.
 */
static int find_host_level(struct observer *o)
{
	char discarded[4096];
	_close_ int fd = is_nested(o) ? observe_snapshot_fd(o) : -1;
	ssize_t n;

	if (!is_nested(o))
		return 0;
	if (fd < 0)
		return fd;
	while ((n = read(fd, discarded, sizeof(discarded))) > 0)
		;
	return n < 0 ? -errno : 0;
}

/* Runs a program that nsscope runs itself, if it is loaded. */
static int run(struct observer *o, const char *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	int fd = object_program(&o->object, program);

	return fd >= 0 && bpf_prog_test_run_opts(fd, &opts) ? -errno : 0;
}

static int connect_spares(struct observer *o)
{
	const struct spared hooks[] = {
		{ object_program(&o->object, "on_newtask"), object_map(&o->object, "real_on_newtask") },
		{ object_program(&o->object, "on_exec"), object_map(&o->object, "real_on_exec") },
		{ object_program(&o->object, "on_exit"), object_map(&o->object, "real_on_exit") },
		{ object_program(&o->object, "on_sys_exit"), object_map(&o->object, "real_on_sys_exit") },
	};

	return o->spares ? spares_connect(hooks, ARRAY_SIZE(hooks)) : 0;
}

/* Where on_sys_exit finds the rest of itself: see call_ends in bpf/syscall.bpf.c. */
static int connect_parts(struct observer *o)
{
	static const char *const parts[] = { "end_reaching_call", "end_other_call", "tell_reached" };
	int map = object_map(&o->object, "call_ends");

	for (uint32_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int fd = object_program(&o->object, parts[i]);

		if (fd >= 0 && bpf_map_update_elem(map, &i, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* Programs that nsscope runs itself, or that others go on to, are not attached. */
static bool is_attached(const struct observer *o, const struct probe *probe)
{
	return probe->backend != BACKEND_ITER && probe->place != PROBE_RUN && probe->place != PROBE_LOOK &&
	       probe->place != PROBE_PART && probe->place != PROBE_NOTE && !(probe->place == PROBE_REAL && o->spares) &&
	       object_program(&o->object, probe->program) >= 0;
}

static int attach(struct observer *o)
{
	int err = connect_spares(o);

	if (!err)
		err = connect_parts(o);
	for (size_t i = 0; !err && i < o->nneeded; i++) {
		int link;

		if (!is_attached(o, o->needed[i]))
			continue;
		link = object_attach(&o->object, o->needed[i]->program, o->conf.types);
		if (link < 0)
			return link;
		o->links[o->nlinks++] = link;
	}
	return err;
}

/* "fork=raw_tp/task_newtask calls=...": what gives the events that are wanted. */
static void name_backends(struct observer *o)
{
	size_t len = 0;

	for (enum backend_id id = 0; id < BACKENDS_MAX; id++) {
		const struct backend *b = &backends[id];

		if (!(b->types & o->conf.types) || id == BACKEND_ITER || id == BACKEND_PROC ||
		    ((b->types & BACKEND_CALLS) == BACKEND_CALLS && id != o->calls))
			continue;
		len += (size_t)snprintf(o->backend + len, sizeof(o->backend) - len, "%s%s=%s", len ? " " : "", b->gives,
					b->hooks);
	}
}

static int load(struct observer *o, const struct observe_settings *settings, struct observe_error *ret_error, bool use_kept)
{
	int err;

	explain_begin();
	err = object_open(&o->object, o->needed, o->nneeded, use_kept);
	if (err) {
		explain(ret_error, settings->backend, err, "prepare the BPF programs");
		return err;
	}
	set_sizes(o, settings);
	err = object_load(&o->object, &o->conf, !settings->leaves_nothing);
	if (err) {
		if (*o->object.refused)
			explain_refused(o->object.refused);
		explain(ret_error, settings->backend, err, "load the BPF programs");
	}
	return err;
}

static int map_tracked(struct observer *o)
{
	return tracked_map(&o->tracked, object_map(&o->object, "tracked"), o->conf.pids / NSS_TRACKED_PAGE);
}

static int load_and_attach(struct observer *o, const struct observe_settings *settings, struct observe_error *ret_error,
			   bool use_kept)
{
	int err = load(o, settings, ret_error, use_kept);

	if (!err && (err = map_tracked(o)))
		explain(ret_error, settings->backend, err, "map the tracked set");
	if (!err && (err = find_host_level(o)))
		explain(ret_error, settings->backend, err, "find nsscope's own PID namespace");
	if (!err && (err = run(o, "note_host")))
		explain(ret_error, settings->backend, err, "note nsscope's own place in the mount tree");
	if (!err && (err = attach(o)))
		explain(ret_error, settings->backend, err, "attach the BPF programs");
	return err;
}

/*
 * The kernel waits for an RCU grace period, up to 0.1 s, for each function that fentry lets go of. A child does the
 * waiting, and has nothing else open that somebody could wait for.
 */
static void close_aside(const int *links, size_t n)
{
	sigset_t all;
	int highest = -1;

	sigfillset(&all);
	if (!n || fork())
		return;
	sigprocmask(SIG_SETMASK, &all, NULL);
	setsid();
	for (size_t i = 0; i < n; i++)
		highest = links[i] > highest ? links[i] : highest;
	for (int fd = 0; fd <= highest; fd++) {
		bool is_link = false;

		for (size_t i = 0; i < n; i++)
			is_link |= links[i] == fd;
		if (!is_link)
			close(fd);
	}
	close_fds((unsigned)highest + 1, ~0U);
	_exit(0);
}

static void let_go(struct observer *o)
{
	if (o->calls == BACKEND_FENTRY)
		close_aside(o->links, o->nlinks);
	for (size_t i = 0; i < o->nlinks; i++)
		close(o->links[i]);
	o->nlinks = 0;
	tracked_unmap(&o->tracked);
	object_close(&o->object);
}

static int open_with(struct observer *o, const struct observe_settings *settings, struct observe_error *ret_error)
{
	int err = configure(o, settings);

	if (err) {
		explain(ret_error, settings->backend, err, "prepare the BPF programs");
		return err;
	}
	err = load_and_attach(o, settings, ret_error, true);
	if (err && o->object.is_kept) { /* whatever it is, libbpf may know what to do about it */
		let_go(o);
		err = load_and_attach(o, settings, ret_error, false);
	}
	return err;
}

/* Whether @id, which gives system calls, may be tried. */
static bool may_try(enum backend_id id, const struct observe_settings *settings)
{
	return settings->backend ? !strcmp(settings->backend, backends[id].name) : calls_may_work(id);
}

/* The next backend after @id that gives system calls and may work, as @settings allow. BACKENDS_MAX: none. */
static enum backend_id next_calls(enum backend_id id, const struct observe_settings *settings)
{
	while (++id < BACKENDS_MAX)
		if ((backends[id].types & BACKEND_CALLS) == BACKEND_CALLS && may_try(id, settings))
			break;
	return id;
}

int observe_open(const struct observe_settings *settings, struct observer **ret_observer, struct observe_error *ret_error)
{
	enum backend_id calls = next_calls(BACKEND_FORK, settings);
	struct observer *o;
	int err = explain_ground(ret_error);

	if (err)
		return err;
	do {
		o = calloc(1, sizeof(*o));
		if (!o)
			return -ENOMEM;
		o->calls = calls;
		o->object.btf = -1; /* nothing is open yet */
		err = open_with(o, settings, ret_error);
		if (err)
			observe_close(o);
		calls = next_calls(calls, settings);
	} while (err && calls != BACKENDS_MAX && (settings->conf.types & BACKEND_CALLS));
	if (err)
		return err;
	name_backends(o);
	*ret_error->text = 0; /* of a backend that did not work */
	*ret_observer = o;
	return 0;
}

struct tracked *observe_tracked(struct observer *o)
{
	return &o->tracked;
}

void observe_cloner(struct observer *o, pid_t pid)
{
	__atomic_store_n(&o->object.bss->cloner, (uint32_t)pid, __ATOMIC_SEQ_CST);
}

void observe_begin_look(struct observer *o)
{
	object_begin_later(&o->object);
}

int observe_prepare_look(struct observer *o)
{
	return object_load_later(&o->object);
}

int observe_look(struct observer *o)
{
	int err = run(o, "look_at_mounts");

	return err ? err : run(o, "look_at_namespaces");
}

int observe_note_namespace(struct observer *o, int fd)
{
	uint64_t args[1] = { (uint64_t)fd };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int program = object_program(&o->object, "note_namespace");

	return bpf_prog_test_run_opts(program, &opts) ? -errno : 0;
}

int observe_events_fd(struct observer *o)
{
	return object_map(&o->object, "events");
}

#define SKIP_NS 1000000000ULL /* longer than a task is from one program of a hook to the next */

/*
 * What a skipped program would have told. A skipped first program is no loss where another told it, or is about to: so unless
 * this is the @last look, one that was skipped just now does not count yet. (A call of which the end was lost is noticed
 * when its thread makes another, see core/in_call.h.)
 */
static uint64_t lost_by_skipping(struct observer *o, enum nss_type type, const char *real, const char *first, bool last)
{
	uint64_t n = program_skipped(object_program(&o->object, o->spares ? first : real)), now = clock_ns(CLOCK_MONOTONIC);
	uint64_t rescued = __atomic_load_n(&o->object.bss->rescued[type], __ATOMIC_RELAXED);
	struct skips *s = &o->skips[type];
	uint64_t settled = last || !o->spares ? n : s->seen;

	if (now - s->at > SKIP_NS)
		*s = (struct skips){ n, now, s->told };
	if (settled > rescued && settled - rescued > s->told)
		s->told = settled - rescued;
	return s->told;
}

struct nss_counts observe_lost(struct observer *o, bool last)
{
	struct nss_counts lost;

	for (size_t i = 0; i < NSS_EV_MAX; i++)
		lost.count[i] = __atomic_load_n(&o->object.bss->lost[i], __ATOMIC_RELAXED);
	lost.count[NSS_EV_FORK] += lost_by_skipping(o, NSS_EV_FORK, "on_newtask", "first_on_newtask", last);
	if (!o->spares && object_program(&o->object, "on_exec") == object_program(&o->object, "on_newtask"))
		return lost; /* of one program for all the kernel counts one number */
	lost.count[NSS_EV_EXEC] += lost_by_skipping(o, NSS_EV_EXEC, "on_exec", "first_on_exec", last);
	lost.count[NSS_EV_EXIT] += lost_by_skipping(o, NSS_EV_EXIT, "on_exit", "first_on_exit", last);
	return lost;
}

const char *observe_backend(const struct observer *o)
{
	return o->backend;
}

int observe_snapshot_fd(struct observer *o)
{
	_close_ int link = object_attach(&o->object, "on_task", o->conf.types);
	int fd;

	if (link < 0)
		return link == -EPERM ? -EPERM : -EOPNOTSUPP;
	fd = bpf_iter_create(link);
	return fd < 0 ? -errno : fd;
}

void observe_close(struct observer *o)
{
	if (!o)
		return;
	let_go(o);
	free(o);
}
