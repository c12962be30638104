/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/object.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "observe/backends.h"
#include "observe/fit.h"
#include "observe/verify.h"
#include "util/cleanup.h"

static const char *program_of(const struct object *o, const struct probe *probe)
{
	return probe_program(probe, o->prepared.kernel.rdonly_cast);
}

/* Whether the file has all that is needed. */
static bool is_complete(const struct object *o)
{
	for (size_t i = 0; i < o->nneeded; i++) {
		const struct prepared_item *program =
			prepared_find(&o->prepared, PREPARED_PROGRAM, program_of(o, o->needed[i]));

		if (!program || (program->type == BPF_PROG_TYPE_KPROBE && !o->prepared.kernel.functions_known))
			return false;
	}
	return o->prepared.read.len;
}

int object_open(struct object *ret_object, const struct probe *const *needed, size_t n, bool use_kept)
{
	bool reads_memory = kernel_may_read_memory();
	int err;

	*ret_object = (struct object){ .needed = needed, .nneeded = n, .btf = -1 };
	prepared_open(&ret_object->prepared, reads_memory, use_kept);
	ret_object->is_kept = is_complete(ret_object);
	err = ret_object->is_kept ? 0 : fit(&ret_object->prepared, reads_memory, needed, n);
	return err ? err : maps_take(&ret_object->maps, &ret_object->prepared);
}

void object_set_elements(struct object *o, const char *name, uint32_t n)
{
	struct map *map = maps_find(&o->maps, name);

	if (!map)
		return;
	map->max_entries = n;
	if (o->prepared.kernel.rdonly_cast && fit_has_addresses(name)) {
		map->value_size *= n;
		map->max_entries = 1;
	}
}

static void note_refused(struct object *o, const char *what, const char *name)
{
	snprintf(o->refused, sizeof(o->refused), "%s %s", what, name);
}

/* The constants of the programs, with @conf: to be freed. NULL and errno. */
static struct nsscope_bpf__rodata *make_constants(const struct map *map, const struct nss_config *conf)
{
	struct nsscope_bpf__rodata *constants;

	errno = EINVAL;
	if (!map || !map->data || map->value_size != sizeof(*constants))
		return NULL;
	constants = malloc(sizeof(*constants));
	if (!constants)
		return NULL;
	memcpy(constants, map->data, sizeof(*constants));
	memcpy((void *)&constants->conf, conf, sizeof(*conf));
	return constants;
}

static int load_btf(struct object *o)
{
	const struct prepared_item *item = prepared_find(&o->prepared, PREPARED_BTF, "");

	if (!item)
		return -EINVAL;
	o->btf = bpf_btf_load(item->data, item->data_len, NULL);
	return o->btf < 0 ? -errno : 0;
}

static int load_maps(struct object *o, const struct nss_config *conf)
{
	struct map *constants = maps_find(&o->maps, OBJECT_CONSTANTS),
		   *variables = maps_find(&o->maps, OBJECT_VARIABLES);
	_free_ struct nsscope_bpf__rodata *data = make_constants(constants, conf);
	const char *refused = NULL;
	int err, map_err;

	if (!data)
		return -errno;
	if (!variables || variables->value_size != sizeof(*o->bss))
		return -EINVAL;
	constants->data = data;
	variables->data = NULL;
	maps_begin(&o->maps);
	err = load_btf(o);
	map_err = maps_end(&o->maps, &refused);
	constants->data = NULL;
	if (err)
		note_refused(o, "the BTF of", "the programs");
	else if (map_err)
		note_refused(o, "the map", refused);
	if (err || map_err)
		return err ? err : map_err;
	o->bss = maps_share(variables);
	return o->bss ? 0 : -errno;
}

/* Adds a program to those that are to be loaded, if it is not among them. */
static int add_program(struct object *o, const struct probe *probe)
{
	struct verify *verify = probe->place == PROBE_LOOK ? o->later : o->now;
	const char *name = program_of(o, probe);
	const struct prepared_item *item = prepared_find(&o->prepared, PREPARED_PROGRAM, name);
	size_t n = item->program.n, size = n * sizeof(struct bpf_insn);
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = item->program.attach_type,
		    .attach_btf_id = item->program.attach_btf_id, .prog_btf_fd = (uint32_t)o->btf,
		    .func_info = (const char *)item->data + size, .func_info_rec_size = item->program.func_info_size);
	struct bpf_insn *insns;

	if (verify_has(verify, name))
		return 0;
	insns = n ? malloc(size) : NULL;
	if (!insns)
		return n ? -ENOMEM : 0;
	memcpy(insns, item->data, size);
	for (size_t i = 0; i < n; i++)
		if (prepared_names_map(&insns[i]))
			insns[i].imm = (size_t)insns[i].imm < o->maps.n ? o->maps.all[insns[i].imm].fd : -1;
	if (opts.func_info_rec_size)
		opts.func_info_cnt = (item->data_len - (uint32_t)size) / opts.func_info_rec_size;
	return verify_add(verify, name, item->type, insns, n, &opts);
}

static const struct probe *find_needed(const struct object *o, const char *name)
{
	for (size_t i = 0; i < o->nneeded; i++)
		if (!strcmp(o->needed[i]->program, name))
			return o->needed[i];
	return NULL;
}

static const struct loaded *find_loaded(const struct object *o, const struct probe *probe)
{
	for (size_t i = 0; probe && i < o->nloaded; i++)
		if (!strcmp(o->loaded[i].name, program_of(o, probe)))
			return &o->loaded[i];
	return NULL;
}

int object_program(const struct object *o, const char *name)
{
	const struct loaded *l = find_loaded(o, find_needed(o, name));

	return l ? l->fd : -1;
}

int object_map(struct object *o, const char *name)
{
	const struct map *map = maps_find(&o->maps, name);

	return map ? map->fd : -1;
}

/* Takes over the descriptors of what has been verified. */
static int collect(struct object *o, struct verify *v)
{
	int err = 0;

	for (size_t i = 0; !err && i < v->n; i++) {
		struct verify_program *p = &v->programs[i];

		err = p->fd < 0 ? p->fd : o->nloaded < OBJECT_PROGRAMS_MAX ? 0 : -E2BIG;
		if (err)
			note_refused(o, "the program", p->name);
		else
			o->loaded[o->nloaded++] =
				(struct loaded){ p->name, p->type, p->opts.expected_attach_type, TAKE_FD(p->fd) };
	}
	verify_free(v);
	return err;
}

int object_load(struct object *o, const struct nss_config *conf, bool keep)
{
	int err = load_maps(o, conf);

	o->now = verify_new();
	o->later = verify_new();
	if (!o->now || !o->later)
		return -ENOMEM;
	for (size_t i = 0; !err && i < o->nneeded; i++)
		err = add_program(o, o->needed[i]);
	if (err)
		return err;
	verify_all(o->now, VERIFY_THREADS_MAX);
	err = collect(o, TAKE_PTR(o->now));
	/* Where the kernel should take one build, and has not, the next start tries again. */
	if (!err && keep && !o->is_kept && (o->prepared.kernel.rdonly_cast || !kernel_may_read_memory()))
		prepared_write(&o->prepared);
	prepared_close(&o->prepared);
	return err;
}

static void *verify_aside(void *arg)
{
	verify_all(arg, 1); /* the command is to have the other CPU */
	return NULL;
}

void object_begin_later(struct object *o)
{
	if (o->later && !o->is_loading)
		o->is_loading = thread_start(&o->thread, verify_aside, o->later, false);
}

int object_load_later(struct object *o)
{
	if (!o->later)
		return o->load_error;
	if (o->is_loading)
		pthread_join(o->thread, NULL);
	else
		verify_all(o->later, VERIFY_THREADS_MAX);
	o->is_loading = false;
	o->load_error = collect(o, TAKE_PTR(o->later));
	return o->load_error;
}

/* All functions by one link: each link takes an RCU grace period to close. */
static int attach_kprobes(const struct object *o, int fd, bool at_return, uint64_t types)
{
	const char *names[PROBE_FUNCTIONS_MAX];
	__u64 cookies[PROBE_FUNCTIONS_MAX];
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = names, .kprobe_multi.cookies = cookies,
		    .kprobe_multi.flags = at_return ? BPF_F_KPROBE_MULTI_RETURN : 0);
	uint32_t n = 0;

	for (size_t i = 0; i < probe_function_count; i++) {
		const struct probe_function *f = &probe_functions[i];

		if (!(o->prepared.kernel.functions >> i & 1) || !(f->types & types) ||
		    (at_return && (f->cookie & (NSS_COOKIE_KEEP | NSS_COOKIE_END))))
			continue;
		names[n] = f->name;
		cookies[n++] = f->cookie;
	}
	opts.kprobe_multi.cnt = n;
	return bpf_link_create(fd, 0, BPF_TRACE_KPROBE_MULTI, &opts);
}

/* libbpf gives no cookie before 1.5. */
static int attach_tracepoint(int fd, const char *tracepoint, enum nss_hook hook)
{
	const struct {
		uint64_t name;
		uint32_t fd, unused;
		uint64_t cookie; /* since 6.10 */
	} attr = { (uintptr_t)tracepoint, (uint32_t)fd, 0, hook };

	return (int)syscall(SYS_bpf, BPF_RAW_TRACEPOINT_OPEN, &attr, sizeof(attr));
}

int object_attach(const struct object *o, const char *name, uint64_t types)
{
	const struct probe *probe = find_needed(o, name);
	const struct loaded *l = find_loaded(o, probe);
	int fd;

	if (!l)
		return -ENOENT;
	if (l->type == BPF_PROG_TYPE_RAW_TRACEPOINT)
		fd = attach_tracepoint(l->fd, probe->tracepoint, probe->hook);
	else if (l->attach_type == BPF_TRACE_KPROBE_MULTI)
		fd = attach_kprobes(o, l->fd, strstr(name, "leave"), types);
	else if (l->attach_type == BPF_TRACE_ITER)
		fd = bpf_link_create(l->fd, 0, BPF_TRACE_ITER, NULL);
	else
		fd = bpf_raw_tracepoint_open(NULL, l->fd);
	return fd < 0 ? -errno : fd;
}

void object_close(struct object *o)
{
	if (o->is_loading)
		pthread_join(o->thread, NULL);
	verify_free(o->now);
	verify_free(o->later);
	for (size_t i = 0; i < o->nloaded; i++)
		close(o->loaded[i].fd);
	if (o->bss)
		munmap(o->bss, sizeof(*o->bss));
	maps_close(&o->maps);
	if (o->btf >= 0)
		close(o->btf);
	prepared_close(&o->prepared);
}
