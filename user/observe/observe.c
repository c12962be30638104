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
	const struct nss_config *conf; /* in the skeleton */
	enum backend_id calls; /* backend of the system calls */
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
	return o->conf->host_pid_ns != NSS_PID_NS_INITIAL;
}

/* Whether @program is one of those that this observer needs. */
static bool is_needed(const struct observer *o, const struct bpf_program *program)
{
	const struct probe *probe = probe_find(bpf_program__name(program));

	if (!probe)
		return true; /* a function that programs share */
	if ((backends[probe->backend].types & BACKEND_CALLS) == BACKEND_CALLS && probe->backend != o->calls)
		return false;
	if ((probe->place == PROBE_SPARE && !o->spares) || (probe->place == PROBE_NOTE && !o->notes))
		return false;
	return probe_needed(probe, o->conf) || (probe->backend == BACKEND_ITER && is_nested(o));
}

static void choose_programs(struct observer *o)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, o->object.skel->obj)
		bpf_program__set_autoload(program, is_needed(o, program));
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
	conf->all_works = conf->types & BACKEND_CALLS ? conf->all_scratches : 1;
}

/* Sizes and settings that must stand before the load. */
static int configure(struct observer *o, const struct observe_settings *settings)
{
	struct nsscope_bpf *skel = o->object.skel;
	struct nss_config conf = settings->conf;
	bool mounts = conf.types & (BACKEND_TYPE(MOUNT) | BACKEND_TYPE(UMOUNT) | BACKEND_TYPE(MOVE_MOUNT));
	struct host host;
	int err = host_read(&host);

	if (err)
		return err;
	conf.host_pid_ns = host.pid_ns;
	o->notes = settings->notes;
	o->spares = kernel_preempts_tracepoints();
	conf.wake_bytes = settings->buffer / 4;
	set_scratches(&conf, o->spares);
	conf.keeps = o->calls != BACKEND_TRACEPOINT;
	memcpy((void *)&skel->rodata->conf, &conf, sizeof(conf));
	o->conf = (const struct nss_config *)&skel->rodata->conf;
	choose_programs(o);
	err = bpf_map__set_max_entries(skel->maps.events, settings->buffer);
	if (!err)
		err = tracked_size(skel->maps.tracked, true);
	if (!err)
		err = tracked_size(skel->maps.marks, o->spares);
	if (!err)
		err = object_set_elements(skel->maps.scratches, conf.all_scratches);
	if (!err)
		err = object_set_elements(skel->maps.works, conf.all_works);
	if (!err && !(conf.types & BACKEND_CALLS))
		err = bpf_map__set_max_entries(skel->maps.contexts, 1);
	if (!err && !(conf.types & BACKEND_TYPE(NS_DESTROY)))
		err = bpf_map__set_max_entries(skel->maps.told_ns, 1);
	if (!err && !(conf.types & BACKEND_TYPE(NS_DESTROY)))
		err = bpf_map__set_max_entries(skel->maps.told_at, 1);
	if (!err && !(conf.types & BACKEND_TYPE(DETACH)))
		err = bpf_map__set_max_entries(skel->maps.told_mounts, 1);
	if (!err && !(conf.types & BACKEND_TYPE(DETACH)))
		err = bpf_map__set_max_entries(skel->maps.told_mount_at, 1);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.stashes, mounts ? NSS_STASHES : 1);
	return err;
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
static int run(const struct bpf_program *program)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	if (!bpf_program__autoload(program))
		return 0;
	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

static int connect_spares(struct observer *o)
{
	const struct nsscope_bpf *skel = o->object.skel;
	const struct spared hooks[] = {
		{ skel->progs.on_newtask, skel->maps.real_on_newtask, skel->progs.first_on_newtask },
		{ skel->progs.on_exec, skel->maps.real_on_exec, skel->progs.first_on_exec },
		{ skel->progs.on_exit, skel->maps.real_on_exit, skel->progs.first_on_exit },
		{ skel->progs.on_sys_exit, skel->maps.real_on_sys_exit, skel->progs.first_on_sys_exit },
	};

	return o->spares ? spares_connect(hooks, ARRAY_SIZE(hooks)) : 0;
}

/* Where on_sys_exit finds the rest of itself, by enum call_kind. */
static int connect_parts(struct observer *o)
{
	const struct nsscope_bpf *skel = o->object.skel;
	const struct bpf_program *parts[] = { skel->progs.end_reaching_call, skel->progs.end_other_call };

	for (uint32_t i = 0; i < ARRAY_SIZE(parts); i++) {
		int fd = bpf_program__fd(parts[i]);

		if (bpf_program__autoload(parts[i]) && bpf_map_update_elem(bpf_map__fd(skel->maps.call_ends), &i, &fd, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* Programs of one hook run in the order in which they are attached: that in which they stand in the object. */
static int attach(struct observer *o)
{
	struct bpf_program *program;
	int err = connect_spares(o);

	if (!err)
		err = connect_parts(o);
	if (err)
		return err;
	bpf_object__for_each_program(program, o->object.skel->obj) {
		const struct probe *probe = probe_find(bpf_program__name(program));

		if (!probe || probe->backend == BACKEND_ITER || probe->place == PROBE_RUN ||
		    probe->place == PROBE_LOOK || probe->place == PROBE_PART ||
		    probe->place == PROBE_NOTE || !bpf_program__autoload(program) ||
		    (probe->place == PROBE_REAL && o->spares))
			continue;
		o->links[o->nlinks] = object_attach(program, o->conf->types);
		if (o->links[o->nlinks] < 0)
			return o->links[o->nlinks];
		o->nlinks++;
	}
	return 0;
}

/* "fork=tp_btf/task_newtask calls=...": what gives the events that are wanted. */
static void name_backends(struct observer *o)
{
	size_t len = 0;

	for (enum backend_id id = 0; id < BACKENDS_MAX; id++) {
		const struct backend *b = &backends[id];

		if (!(b->types & o->conf->types) || id == BACKEND_ITER || id == BACKEND_PROC ||
		    ((b->types & BACKEND_CALLS) == BACKEND_CALLS && id != o->calls))
			continue;
		len += (size_t)snprintf(o->backend + len, sizeof(o->backend) - len, "%s%s=%s", len ? " " : "", b->gives,
					b->hooks);
	}
}

static int open_with(struct observer *o, const struct observe_settings *settings, struct observe_error *ret_error)
{
	int err;

	explain_begin();
	err = object_open(&o->object);
	if (!err)
		err = configure(o, settings);
	if (err)
		explain(ret_error, settings->backend, err, "prepare the BPF programs");
	if (!err && (err = object_load(&o->object))) {
		if (o->object.refused)
			explain_refused(o->object.refused);
		explain(ret_error, settings->backend, err, "load the BPF programs");
	}
	if (!err && (err = tracked_map(&o->tracked, o->object.skel->maps.tracked)))
		explain(ret_error, settings->backend, err, "map the tracked set");
	if (!err && (err = find_host_level(o)))
		explain(ret_error, settings->backend, err, "find nsscope's own PID namespace");
	if (!err && (err = run(o->object.skel->progs.note_host)))
		explain(ret_error, settings->backend, err, "note nsscope's own place in the mount tree");
	if (!err && (err = attach(o)))
		explain(ret_error, settings->backend, err, "attach the BPF programs");
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
		err = open_with(o, settings, ret_error);
		if (err)
			observe_close(o);
		calls = next_calls(calls, settings);
	} while (err && calls != BACKENDS_MAX && (settings->conf.types & BACKEND_CALLS));
	if (err)
		return err;
	name_backends(o);
	*ret_observer = o;
	return 0;
}

struct tracked *observe_tracked(struct observer *o)
{
	return &o->tracked;
}

void observe_cloner(struct observer *o, pid_t pid)
{
	__atomic_store_n(&o->object.skel->bss->cloner, (uint32_t)pid, __ATOMIC_SEQ_CST);
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
	int err = run(o->object.skel->progs.look_at_mounts);

	return err ? err : run(o->object.skel->progs.look_at_namespaces);
}

int observe_note_namespace(struct observer *o, int fd)
{
	uint64_t args[1] = { (uint64_t)fd };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	const struct bpf_program *program = o->object.skel->progs.note_namespace;

	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts) ? -errno : 0;
}

int observe_events_fd(const struct observer *o)
{
	return bpf_map__fd(o->object.skel->maps.events);
}

#define SKIP_NS 1000000000ULL /* longer than a task is from one program of a hook to the next */

/*
 * What a skipped program would have told. A skipped first program is no loss where another told it, or is about to: so unless
 * this is the @last look, one that was skipped just now does not count yet. (A call of which the end was lost is noticed
 * when its thread makes another, see core/in_call.h.)
 */
static uint64_t lost_by_skipping(struct observer *o, enum nss_type type, const struct bpf_program *real,
				 const struct bpf_program *first, bool last)
{
	uint64_t n = program_skipped(o->spares ? first : real), now = clock_ns(CLOCK_MONOTONIC);
	uint64_t rescued = __atomic_load_n(&o->object.skel->bss->rescued[type], __ATOMIC_RELAXED);
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
	const struct nsscope_bpf *skel = o->object.skel;
	struct nss_counts lost;

	for (size_t i = 0; i < NSS_EV_MAX; i++)
		lost.count[i] = __atomic_load_n(&skel->bss->lost[i], __ATOMIC_RELAXED);
	lost.count[NSS_EV_FORK] += lost_by_skipping(o, NSS_EV_FORK, skel->progs.on_newtask, skel->progs.first_on_newtask, last);
	lost.count[NSS_EV_EXEC] += lost_by_skipping(o, NSS_EV_EXEC, skel->progs.on_exec, skel->progs.first_on_exec, last);
	lost.count[NSS_EV_EXIT] += lost_by_skipping(o, NSS_EV_EXIT, skel->progs.on_exit, skel->progs.first_on_exit, last);
	return lost;
}

const char *observe_backend(const struct observer *o)
{
	return o->backend;
}

int observe_snapshot_fd(struct observer *o)
{
	_close_ int link = object_attach(o->object.skel->progs.on_task, o->conf->types);
	int fd;

	if (link < 0)
		return link == -EPERM ? -EPERM : -EOPNOTSUPP;
	fd = bpf_iter_create(link);
	return fd < 0 ? -errno : fd;
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

void observe_close(struct observer *o)
{
	if (!o)
		return;
	if (o->calls == BACKEND_FENTRY)
		close_aside(o->links, o->nlinks);
	for (size_t i = 0; i < o->nlinks; i++)
		close(o->links[i]);
	tracked_unmap(&o->tracked);
	object_close(&o->object);
	free(o);
}
