/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/statistics.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "observe/backends.h"
#include "observe/callprobes.h"
#include "observe/host.h"
#include "observe/spares.h"
#include "stat.skel.h"
#include "util/cleanup.h"

struct statistics {
	struct stat_bpf *skel;
	struct tracked tracked;
	bool kprobes; /* give the system calls; else tracepoints do */
	bool spares; /* of each hook that has spare programs, these are attached, not the real one: see bpf/core/spare.h */
	struct call_links links; /* of kprobes */
};

#define HOOKS 4

struct hook {
	struct bpf_program *real;
	const struct bpf_map *map; /* where its spare programs find it */
	const struct bpf_program *first; /* of these */
};

static void find_hooks(const struct statistics *s, struct hook ret_hooks[HOOKS])
{
	struct stat_bpf *skel = s->skel;
	const struct hook hooks[HOOKS] = {
		{ skel->progs.stat_newtask, skel->maps.real_stat_newtask, skel->progs.first_stat_newtask },
		{ skel->progs.stat_exec, skel->maps.real_stat_exec, skel->progs.first_stat_exec },
		{ skel->progs.stat_exit, skel->maps.real_stat_exit, skel->progs.first_stat_exit },
		{ skel->progs.stat_sys_exit, skel->maps.real_stat_sys_exit, skel->progs.first_stat_sys_exit },
	};

	memcpy(ret_hooks, hooks, sizeof(hooks));
}

/* Of a hook's programs the real one is stat_X, the spare ones are first_stat_X and so on. */
static bool is_spare(const struct bpf_program *program)
{
	return strncmp(bpf_program__name(program), "stat_", 5);
}

static void choose_program(const struct statistics *s, struct bpf_program *program)
{
	const char *name = bpf_program__name(program);
	bool of_kprobes = strstr(name, "stat_probe_"), of_tracepoints = strstr(name, "stat_sys_");
	bool wanted = of_kprobes ? s->kprobes : !of_tracepoints || !s->kprobes;

	bpf_program__set_autoload(program, wanted && (s->spares || !is_spare(program)));
	bpf_program__set_autoattach(program, !of_kprobes && program != s->skel->progs.stat_find_level);
}

static void choose_programs(struct statistics *s)
{
	struct hook hooks[HOOKS];
	struct bpf_program *program;

	bpf_object__for_each_program(program, s->skel->obj)
		choose_program(s, program);
	find_hooks(s, hooks);
	for (size_t i = 0; s->spares && i < HOOKS; i++)
		bpf_program__set_autoattach(hooks[i].real, false);
}

/* Maps of the headers that are for programs which send events. */
static int leave_out_maps(struct statistics *s)
{
	static const char *const used[] = { "tracked", "lives", "met", "spawns", "ended", "spans", "no_span", "spawners", "spare_names",
					    "known", "marks", "real_stat_newtask", "real_stat_exec", "real_stat_exit",
					    "real_stat_sys_exit" };
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, s->skel->obj) {
		bool is_used = bpf_map__is_internal(map);

		for (size_t i = 0; i < ARRAY_SIZE(used); i++)
			is_used |= !strcmp(bpf_map__name(map), used[i]);
		if (!err && !is_used)
			err = bpf_map__set_autocreate(map, false);
	}
	return err;
}

static int configure(struct statistics *s, const struct statistics_settings *settings)
{
	struct stat_bpf *skel = s->skel;
	struct nss_config conf = settings->conf;
	struct nss_stat_config stat_conf = { .by = settings->by };
	int err = host_configure(&conf);

	if (err)
		return err;
	memcpy((void *)&skel->rodata->conf, &conf, sizeof(conf));
	memcpy((void *)&skel->rodata->stat_conf, &stat_conf, sizeof(stat_conf));
	s->spares = kernel_preempts_tracepoints();
	choose_programs(s);
	err = leave_out_maps(s);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.marks, s->spares ? tracked_pages() : 1);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.tracked, tracked_pages());
	return err ? err : bpf_map__set_max_entries(skel->maps.known, tracked_pages());
}

static int make_place(struct statistics *s, uint32_t phase, uint32_t flags)
{
	struct nss_span_key key = { .phase = phase, .flags = flags };
	struct nss_span nothing = {};

	return bpf_map_update_elem(bpf_map__fd(s->skel->maps.spans), &key, &nothing, BPF_NOEXIST) ? -errno : 0;
}

/* Places for what finds none, made before the others can take them. */
static int make_rest(struct statistics *s)
{
	int err = make_place(s, NSS_PHASE_LIFE, NSS_SPAN_BY_COMM | NSS_SPAN_REST);

	for (uint32_t phase = 0; phase < NSS_PHASE_MAX && !err; phase++)
		err = make_place(s, phase, NSS_SPAN_REST);
	return err;
}

static int find_level(struct statistics *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(s->skel->progs.stat_find_level), &opts) ? -errno : 0;
}

static int connect_spares(struct statistics *s)
{
	struct spared spared[HOOKS];
	struct hook hooks[HOOKS];

	find_hooks(s, hooks);
	for (size_t i = 0; i < HOOKS; i++)
		spared[i] = (struct spared){ bpf_program__fd(hooks[i].real), bpf_map__fd(hooks[i].map) };
	return s->spares ? spares_connect(spared, HOOKS) : 0;
}

static int attach(struct statistics *s)
{
	struct stat_bpf *skel = s->skel;
	int err = s->kprobes ? call_probes_attach(skel->progs.stat_probe_enter, skel->progs.stat_probe_leave, &s->links) : 0;

	return err ? err : stat_bpf__attach(skel);
}

static int open_with(struct statistics *s, const struct statistics_settings *settings, struct observe_error *ret_error)
{
	int err;

	explain_begin();
	s->skel = stat_bpf__open();
	err = s->skel ? configure(s, settings) : -errno;
	if (err)
		explain(ret_error, settings->backend, err, "prepare the BPF programs");
	if (!err && ((err = stat_bpf__load(s->skel)) || (err = s->skel->bss ? 0 : -EOPNOTSUPP)))
		explain(ret_error, settings->backend, err, "load the BPF programs");
	if (!err && (err = tracked_map(&s->tracked, bpf_map__fd(s->skel->maps.tracked), bpf_map__max_entries(s->skel->maps.tracked))))
		explain(ret_error, settings->backend, err, "map the tracked set");
	if (!err && ((err = find_level(s)) || (err = make_rest(s)) || (err = connect_spares(s))))
		explain(ret_error, settings->backend, err, "prepare what is measured");
	if (!err && (err = attach(s)))
		explain(ret_error, settings->backend, err, "attach the BPF programs");
	return err;
}

static bool kprobes_may_work(const struct statistics_settings *settings)
{
	return settings->backend ? !strcmp(settings->backend, backends[BACKEND_KPROBE].name) : calls_may_work(BACKEND_KPROBE);
}

int statistics_open(const struct statistics_settings *settings, struct statistics **ret, struct observe_error *ret_error)
{
	int err = explain_ground(ret_error);

	for (int kprobes = kprobes_may_work(settings); !err && kprobes >= 0; kprobes--) {
		struct statistics *s = calloc(1, sizeof(*s));
		int failed;

		if (!s)
			return -ENOMEM;
		s->kprobes = kprobes;
		failed = open_with(s, settings, ret_error);
		if (!failed) {
			*ret = s;
			return 0;
		}
		statistics_close(s);
		if (settings->backend || !kprobes)
			err = failed;
	}
	return err;
}

void statistics_cloner(struct statistics *s, pid_t pid)
{
	__atomic_store_n(&s->skel->bss->cloner, (uint32_t)pid, __ATOMIC_SEQ_CST);
}

struct tracked *statistics_tracked(struct statistics *s)
{
	return &s->tracked;
}

const char *statistics_backend(const struct statistics *s)
{
	return backends[s->kprobes ? BACKEND_KPROBE : BACKEND_TRACEPOINT].name;
}

/*
 * Copies @map into an array of @size-byte elements, key and value one behind the other: 0 or -errno. No element is ever
 * deleted, so none is met twice. The array has no room for more than there are, times two: few, of large ones, as a rule.
 */
static int copy_map(const struct bpf_map *map, void *ret_elements, size_t size, size_t *ret_n)
{
	char **elements = ret_elements;
	int fd = bpf_map__fd(map), err;
	size_t n, room = 0;

	for (n = 0;; n++) {
		if (n == room) {
			char *more = reallocarray(*elements, room = room ? 2 * room : 8, size);

			if (!more)
				return -ENOMEM;
			*elements = more;
		}
		err = bpf_map_get_next_key(fd, n ? *elements + (n - 1) * size : NULL, *elements + n * size);
		if (err)
			break;
		if (bpf_map_lookup_elem(fd, *elements + n * size, *elements + (n + 1) * size - bpf_map__value_size(map)))
			return -errno;
	}
	*ret_n = n;
	return err == -ENOENT ? 0 : err; /* ENOENT: that was all */
}

/* What was skipped, and no spare program has done. */
static uint64_t skipped(const struct statistics *s)
{
	struct bpf_program *program;
	uint64_t n = 0, rescued = 0;
	struct hook hooks[HOOKS];

	bpf_object__for_each_program(program, s->skel->obj)
		if (!is_spare(program))
			n += program_skipped(bpf_program__fd(program));
	find_hooks(s, hooks);
	for (size_t i = 0; i < HOOKS; i++)
		n += program_skipped(bpf_program__fd(hooks[i].first));
	for (size_t i = 0; i < ARRAY_SIZE(s->skel->bss->rescued); i++)
		rescued += __atomic_load_n(&s->skel->bss->rescued[i], __ATOMIC_RELAXED);
	return n > rescued ? n - rescued : 0;
}

#define BATCH 4096 /* more than stand in one bucket of the map */

/* Calls @fn for each process that the kernel side knows: 0, -errno of reading, or what @fn gave, not 0. */
static int each_life(const struct statistics *s, int (*fn)(void *arg, uint32_t pid, const struct nss_life *life), void *arg)
{
	_free_ uint32_t *pids = malloc(BATCH * sizeof(*pids));
	_free_ struct nss_life *lives = malloc(BATCH * sizeof(*lives));
	int fd = bpf_map__fd(s->skel->maps.lives), err = pids && lives ? 0 : -ENOMEM, told = 0;
	uint32_t at, n;

	for (bool begun = false; !err && !told; begun = true) {
		n = BATCH;
		err = bpf_map_lookup_batch(fd, begun ? &at : NULL, &at, pids, lives, &n, NULL);
		for (uint32_t i = 0; (!err || err == -ENOENT) && !told && i < n; i++)
			told = fn(arg, pids[i], &lives[i]);
	}
	return told ? told : err == -ENOENT ? 0 : err; /* ENOENT: that was all */
}

/* Counts a process that has ended and is gone, though the kernel has yet to free it: no wait call told of its end. */
static int count_gone(void *arg, uint32_t pid, const struct nss_life *life)
{
	uint64_t *n = arg;

	*n += life->exited && !life->reaped && kill((pid_t)pid, 0) && errno == ESRCH;
	return 0;
}

static uint64_t read_count(const struct statistics *s, size_t i)
{
	return __atomic_load_n(&s->skel->bss->counts[i], __ATOMIC_RELAXED);
}

#define TRIES 16

/* What the kernel side has counted of them, and those that it will: none of them twice, unless it counts some at each try. */
static int count_unreaped(const struct statistics *s, uint64_t *ret_n)
{
	uint64_t counted, gone;
	int err, tries = 0;

	do {
		counted = read_count(s, NSS_COUNT_UNREAPED);
		gone = 0;
		err = each_life(s, count_gone, &gone);
	} while (!err && counted != read_count(s, NSS_COUNT_UNREAPED) && ++tries < TRIES);
	*ret_n = counted + gone;
	return err;
}

/* Keeps a process whose beginning the kernel side will add to a group with its first exec, or its end. */
static int keep_begun(void *arg, uint32_t pid, const struct nss_life *life)
{
	struct statistics_sample *sample = arg;
	struct nss_life *begun;

	(void)pid;
	if (!life->forked || life->told)
		return 0;
	if (!(sample->nbegun & (sample->nbegun - 1))) { /* a power of two: as many again */
		begun = reallocarray(sample->begun, sample->nbegun ? 2 * sample->nbegun : 1, sizeof(*begun));
		if (!begun)
			return -ENOMEM;
		sample->begun = begun;
	}
	sample->begun[sample->nbegun++] = *life;
	return 0;
}

int statistics_read(const struct statistics *s, bool last, struct statistics_sample *ret_sample)
{
	int err;

	*ret_sample = (struct statistics_sample){};
	err = copy_map(s->skel->maps.spans, &ret_sample->spans, sizeof(*ret_sample->spans), &ret_sample->nspans);
	if (!err)
		err = copy_map(s->skel->maps.spawners, &ret_sample->spawners, sizeof(*ret_sample->spawners),
			       &ret_sample->nspawners);
	if (!err) /* after those of the kernel side: of what goes there meanwhile nothing is told twice */
		err = each_life(s, keep_begun, ret_sample);
	for (size_t i = 0; i < NSS_COUNTS; i++)
		ret_sample->counts[i] = read_count(s, i);
	ret_sample->counts[NSS_COUNT_MISSED] += skipped(s);
	if (!err && last && s->skel->rodata->conf.host_pid_ns == NSS_PID_NS_INITIAL)
		err = count_unreaped(s, &ret_sample->counts[NSS_COUNT_UNREAPED]);
	return err;
}

void statistics_free(struct statistics_sample *sample)
{
	free(sample->spans);
	free(sample->begun);
	free(sample->spawners);
	*sample = (struct statistics_sample){};
}

void statistics_close(struct statistics *s)
{
	if (!s)
		return;
	call_probes_detach(&s->links);
	tracked_unmap(&s->tracked);
	stat_bpf__destroy(s->skel);
	free(s);
}
