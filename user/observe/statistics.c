/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/statistics.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdlib.h>
#include <string.h>

#include "observe/backends.h"
#include "observe/host.h"
#include "observe/kernel_btf.h"
#include "stat.skel.h"
#include "util/cleanup.h"

struct statistics {
	struct stat_bpf *skel;
	struct tracked tracked;
	bool kprobes; /* give the system calls; else tracepoints do */
	struct bpf_link *enter, *leave; /* of kprobes */
};

#if defined(__x86_64__)
#define NAMES(name) "__x64_sys_" #name, "__ia32_sys_" #name, "__ia32_compat_sys_" #name
#elif defined(__aarch64__)
#define NAMES(name) "__arm64_sys_" #name, "__arm64_compat_sys_" #name, NULL
#endif

/* The functions of the calls: native, of 32-bit callers. Not every kernel has all. */
static const struct call_function {
	const char *names[3];
	uint32_t call;
} call_functions[] = {
#define SYSCALL(EV, name, ...) { { NAMES(name) }, NSS_EV_##EV },
#define SPAWN_CALL(ID, name, ...) { { NAMES(name) }, NSS_SPAWN_##ID },
#include "abi/syscalls.def"
#include "abi/spawncalls.def"
#undef SYSCALL
#undef SPAWN_CALL
};

#define NAMES_MAX (ARRAY_SIZE(call_functions) * 3)

/* Which of them this kernel has: @ret_names and @ret_cookies. Their number, or -errno. */
static int find_functions(const char **ret_names, uint64_t *ret_cookies)
{
	struct kernel_btf_name names[NAMES_MAX];
	struct kernel_btf *btf;
	uint32_t calls[NAMES_MAX];
	size_t n = 0;
	int err, found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(call_functions); i++)
		for (size_t j = 0; j < 3 && call_functions[i].names[j]; j++) {
			calls[n] = call_functions[i].call;
			names[n++] = (struct kernel_btf_name){ call_functions[i].names[j], BTF_KIND_FUNC, 0 };
		}
	err = kernel_btf_open(&btf);
	if (err)
		return err;
	err = kernel_btf_find(btf, names, n);
	kernel_btf_free(btf);
	for (size_t i = 0; !err && i < n; i++)
		if (names[i].id) {
			ret_names[found] = names[i].name;
			ret_cookies[found++] = calls[i];
		}
	return err ? err : found;
}

static int attach_kprobes(struct statistics *s)
{
	const char *names[NAMES_MAX];
	uint64_t cookies[NAMES_MAX];
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = names, .cookies = (const __u64 *)cookies);
	int n = find_functions(names, cookies);

	if (n <= 0)
		return n ? n : -ESRCH;
	opts.cnt = (size_t)n;
	s->enter = bpf_program__attach_kprobe_multi_opts(s->skel->progs.stat_probe_enter, NULL, &opts);
	if (!s->enter)
		return -errno;
	opts.retprobe = true;
	s->leave = bpf_program__attach_kprobe_multi_opts(s->skel->progs.stat_probe_leave, NULL, &opts);
	return s->leave ? 0 : -errno;
}

static void choose_programs(struct statistics *s)
{
	struct stat_bpf *skel = s->skel;

	bpf_program__set_autoload(skel->progs.stat_probe_enter, s->kprobes);
	bpf_program__set_autoload(skel->progs.stat_probe_leave, s->kprobes);
	bpf_program__set_autoload(skel->progs.stat_sys_enter, !s->kprobes);
	bpf_program__set_autoload(skel->progs.stat_sys_exit, !s->kprobes);
}

/* Maps of the headers that are for programs which send events. */
static int leave_out_maps(struct statistics *s)
{
	const char *const used[] = { "tracked", "lives", "spawns", "ended", "spans", "no_span", "spawners", "fresh" };
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
	struct host host;
	int err = host_read(&host);

	if (err)
		return err;
	conf.host_pid_ns = host.pid_ns;
	memcpy((void *)&skel->rodata->conf, &conf, sizeof(conf));
	memcpy((void *)&skel->rodata->stat_conf, &stat_conf, sizeof(stat_conf));
	choose_programs(s);
	err = leave_out_maps(s);
	if (!err)
		err = tracked_size(skel->maps.tracked, true);
	return err ? err : tracked_size(skel->maps.fresh, true);
}

/* Places for what finds none, made before the others can take them. */
static int make_rest(struct statistics *s)
{
	struct nss_span nothing = {};

	for (uint32_t phase = 0; phase < NSS_PHASE_MAX; phase++) {
		struct nss_span_key key = { .phase = phase, .flags = NSS_SPAN_REST };

		if (bpf_map_update_elem(bpf_map__fd(s->skel->maps.spans), &key, &nothing, BPF_NOEXIST))
			return -errno;
	}
	return 0;
}

static int find_level(struct statistics *s)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(s->skel->progs.stat_find_level), &opts) ? -errno : 0;
}

static int attach(struct statistics *s)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, s->skel->obj)
		if (program == s->skel->progs.stat_find_level || program == s->skel->progs.stat_probe_enter ||
		    program == s->skel->progs.stat_probe_leave)
			bpf_program__set_autoattach(program, false);
	return s->kprobes ? attach_kprobes(s) : 0;
}

static int open_with(struct statistics *s, const struct statistics_settings *settings, struct observe_error *ret_error)
{
	int err;

	explain_begin();
	s->skel = stat_bpf__open();
	err = s->skel ? configure(s, settings) : -errno;
	if (err)
		explain(ret_error, settings->backend, err, "prepare the BPF programs");
	if (!err && (err = stat_bpf__load(s->skel)))
		explain(ret_error, settings->backend, err, "load the BPF programs");
	if (!err && (err = tracked_map(&s->tracked, s->skel->maps.tracked)))
		explain(ret_error, settings->backend, err, "map the tracked set");
	if (!err && ((err = find_level(s)) || (err = make_rest(s))))
		explain(ret_error, settings->backend, err, "prepare what is measured");
	if (!err && ((err = attach(s)) || (err = stat_bpf__attach(s->skel))))
		explain(ret_error, settings->backend, err, "attach the BPF programs");
	return err;
}

static bool kprobes_may_work(const struct statistics_settings *settings)
{
	struct host host;

	if (settings->backend)
		return !strcmp(settings->backend, backends[BACKEND_KPROBE].name);
	if (kernel_may_hang_in_pid_ns() && (host_read(&host) || host.pid_ns != HOST_PID_NS_INITIAL))
		return false;
	return !backend_glance(BACKEND_KPROBE);
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
 * deleted, so none is met twice.
 */
static int copy_map(const struct bpf_map *map, void *ret_elements, size_t size, size_t *ret_n)
{
	size_t max = bpf_map__max_entries(map), n = 0;
	int fd = bpf_map__fd(map);
	char *elements = calloc(max, size), *key = NULL;

	*(char **)ret_elements = elements;
	if (!elements)
		return -ENOMEM;
	while (n < max && !bpf_map_get_next_key(fd, key, elements + n * size)) {
		key = elements + n * size;
		if (bpf_map_lookup_elem(fd, key, key + size - bpf_map__value_size(map)))
			return -errno;
		n++;
	}
	*ret_n = n;
	return 0;
}

/* What the kernel skipped, since a program of the same kind ran on that CPU. */
static uint64_t skipped(const struct statistics *s)
{
	struct bpf_program *program;
	uint64_t n = 0;

	bpf_object__for_each_program(program, s->skel->obj) {
		struct bpf_prog_info info = {};
		uint32_t len = sizeof(info);

		if (bpf_program__autoload(program) && !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len))
			n += info.recursion_misses;
	}
	return n;
}

int statistics_read(const struct statistics *s, struct statistics_sample *ret_sample)
{
	int err;

	*ret_sample = (struct statistics_sample){};
	err = copy_map(s->skel->maps.spans, &ret_sample->spans, sizeof(*ret_sample->spans), &ret_sample->nspans);
	if (!err)
		err = copy_map(s->skel->maps.spawners, &ret_sample->spawners, sizeof(*ret_sample->spawners),
			       &ret_sample->nspawners);
	for (size_t i = 0; i < NSS_COUNTS; i++)
		ret_sample->counts[i] = __atomic_load_n(&s->skel->bss->counts[i], __ATOMIC_RELAXED);
	ret_sample->counts[NSS_COUNT_MISSED] += skipped(s);
	return err;
}

void statistics_free(struct statistics_sample *sample)
{
	free(sample->spans);
	free(sample->spawners);
	*sample = (struct statistics_sample){};
}

void statistics_close(struct statistics *s)
{
	if (!s)
		return;
	bpf_link__destroy(s->enter);
	bpf_link__destroy(s->leave);
	tracked_unmap(&s->tracked);
	stat_bpf__destroy(s->skel);
	free(s);
}
