/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nsscope_5_10.skel.h"
#include "nsscope_6_17.skel.h"
#include "observe/backends.h"
#include "observe/early_maps.h"
#include "observe/kernel_btf.h"
#include "observe/probes.h"
#include "observe/verify.h"
#include "util/cleanup.h"
#include "util/thread.h"

/* What a section's name says of its programs. Of most the kernel wants the id of a BTF type. */
static const struct hook {
	const char *section; /* up to the slash, or all */
	enum bpf_prog_type program;
	enum bpf_attach_type type;
	uint32_t kind; /* of the BTF type */
	const char *prefix; /* of its name; what is behind the slash follows */
} hooks[] = {
	{ "tp_btf", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF, "btf_trace_" },
	{ "fentry", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, BTF_KIND_FUNC, "" },
	{ "fexit", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, BTF_KIND_FUNC, "" },
	{ "iter", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, BTF_KIND_FUNC, "bpf_iter_" },
	{ "kprobe.multi", BPF_PROG_TYPE_KPROBE, BPF_TRACE_KPROBE_MULTI, BTF_KIND_UNKN, "" },
	{ "raw_tp", BPF_PROG_TYPE_RAW_TRACEPOINT, 0, BTF_KIND_UNKN, "" },
};

static const struct hook *hook_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	size_t len = strcspn(section, "/");

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strlen(hooks[i].section) == len && !memcmp(hooks[i].section, section, len))
			return &hooks[i];
	return NULL;
}

/* Where the running kernel has each hook, by section; facts about it, so they hold for every object. */
static struct {
	char section[64];
	uint32_t id; /* 0: it does not have it */
} known[OBJECT_PROGRAMS_MAX];

static bool has_function[PROBE_FUNCTIONS_MAX]; /* by probe_functions[] */

static uint32_t known_id(const struct bpf_program *program)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(known[i].section, bpf_program__section_name(program)))
			return known[i].id;
	return 0;
}

/* The object that is being loaded. libbpf's callback takes no argument of ours. */
static struct object *loading;

static uint32_t rdonly_cast; /* of the kernel; 0: the programs do without */

/* Whether the programs have elements of that map by their address: ELEMENT() of bpf/core/compat.h. */
static bool has_addresses(int fd)
{
	const struct nsscope_bpf *skel = loading->skel;

	return fd == bpf_map__fd(skel->maps.scratches) || fd == bpf_map__fd(skel->maps.works);
}

/* Does for an instruction of the build from 6.17 on what libbpf cannot. */
static void fit(struct bpf_insn *insn)
{
	if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == NSS_CALL_RDONLY_CAST) {
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		insn->imm = (int)rdonly_cast;
	} else if (insn->code == (BPF_LD | BPF_IMM | BPF_DW) && insn->src_reg == BPF_PSEUDO_MAP_FD && has_addresses(insn->imm)) {
		insn->src_reg = BPF_PSEUDO_MAP_VALUE;
	}
}

/* The instructions of @program, fitted; NULL: out of memory. */
static struct bpf_insn *copy_insns(const struct bpf_program *program)
{
	size_t n = bpf_program__insn_cnt(program);
	struct bpf_insn *insns = malloc(n * sizeof(*insns));

	if (!insns)
		return NULL;
	memcpy(insns, bpf_program__insns(program), n * sizeof(*insns));
	for (size_t i = 0; rdonly_cast && i < n; i++)
		fit(&insns[i]);
	return insns;
}

/* Makes libbpf load a program that does nothing in place of @program. */
static int load_nothing_for(struct bpf_program *program, struct bpf_prog_load_opts *opts)
{
	static struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int err = bpf_program__set_type(program, BPF_PROG_TYPE_SOCKET_FILTER);

	*opts = (struct bpf_prog_load_opts){ .sz = sizeof(*opts) };
	return err ? err : bpf_program__set_insns(program, nothing, ARRAY_SIZE(nothing));
}

/*
 * Called by libbpf before it loads a program, which is fitted to the kernel then. Until now the program had another type:
 * for one of BPF_PROG_TYPE_TRACING libbpf would read all of the kernel's BTF. And it would load one after the other.
 */
static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct probe *probe = probe_find(bpf_program__name(program));
	struct verify *v = probe && probe->place == PROBE_LOOK ? loading->later : loading->now;
	const struct hook *hook = hook_of(program);
	struct bpf_insn *insns = copy_insns(program);
	int err;

	(void)cookie;
	if (!insns)
		return -ENOMEM;
	opts->expected_attach_type = hook->type;
	opts->attach_btf_id = hook->kind == BTF_KIND_UNKN ? 0 : known_id(program);
	opts->line_info = NULL; /* only what the verifier complains of would show it */
	opts->line_info_cnt = 0;
	err = verify_add(v, bpf_program__name(program), hook->program, insns, bpf_program__insn_cnt(program), opts);
	return err ? err : load_nothing_for(program, opts);
}

static int take_sections(void)
{
	static bool taken;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare);
	char section[32];
	int err;

	for (size_t i = 0; !taken && i < ARRAY_SIZE(hooks); i++) {
		snprintf(section, sizeof(section), "%s%s", hooks[i].section, hooks[i].type ? "+" : "");
		err = libbpf_register_prog_handler(section, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
		if (err < 0)
			return err;
	}
	taken = true;
	return 0;
}

/*
 * Of the same programs there are three builds, which have the same maps and so the same skeleton: see core/compat.h.
 * @reads_memory: that from 6.17 on.
 */
static int open_build(struct object *o, bool reads_memory)
{
	char path[32];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = path);
	struct bpf_object_skeleton *s;
	size_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", o->excerpt);
	o->skel = calloc(1, sizeof(*o->skel));
	if (!o->skel || nsscope_bpf__create_skeleton(o->skel))
		return -ENOMEM;
	s = o->skel->skeleton;
	size = s->data_sz;
	if (reads_memory)
		s->data = (void *)nsscope_6_17_bpf__elf_bytes(&size);
	else if (!kernel_has_atomics())
		s->data = (void *)nsscope_5_10_bpf__elf_bytes(&size);
	s->data_sz = size;
	return bpf_object__open_skeleton(s, &opts);
}

static void *open_kernel(void *arg)
{
	struct object *o = arg;

	o->kernel_error = kernel_btf_open(&o->kernel);
	return NULL;
}

int object_open(struct object *ret_object)
{
	bool reads_memory = kernel_may_read_memory();
	struct aside opening;
	int err = take_sections();

	*ret_object = (struct object){ .excerpt = -1 };
	if (err)
		return err;
	ret_object->excerpt = memfd_create("nsscope-btf", MFD_CLOEXEC);
	if (ret_object->excerpt < 0)
		return -errno;
	aside_begin(&opening, open_kernel, ret_object);
	err = open_build(ret_object, reads_memory);
	aside_end(&opening);
	if (!err)
		err = ret_object->kernel_error;
	if (err)
		return err;
	rdonly_cast = kernel_rdonly_cast(ret_object->kernel);
	if (!reads_memory || rdonly_cast)
		return 0;
	nsscope_bpf__destroy(TAKE_PTR(ret_object->skel));
	return open_build(ret_object, false);
}

int object_set_elements(struct bpf_map *map, uint32_t n)
{
	_close_ int fd = -1;

	if (!rdonly_cast)
		return bpf_map__set_max_entries(map, n);
	/* libbpf would say that it is not of the size that its BTF has, and try again without that. */
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, bpf_map__name(map), sizeof(uint32_t), n * bpf_map__value_size(map), 1, NULL);
	return fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);
}

/* Looks up the hooks of the programs that are to be loaded, and the functions for kprobes. */
static int find_hooks(struct object *o)
{
	static char text[OBJECT_PROGRAMS_MAX][96];
	struct kernel_btf_name names[OBJECT_PROGRAMS_MAX + PROBE_FUNCTIONS_MAX];
	struct bpf_program *program;
	size_t n = 0, functions = 0;
	int err;

	bpf_object__for_each_program(program, o->skel->obj) {
		const struct hook *hook = hook_of(program);
		const char *section = bpf_program__section_name(program);

		if (hook && hook->program == BPF_PROG_TYPE_KPROBE && bpf_program__autoload(program))
			functions = probe_function_count;
		if (!hook || hook->kind == BTF_KIND_UNKN || !bpf_program__autoload(program))
			continue;
		if (n == OBJECT_PROGRAMS_MAX || strlen(section) >= sizeof(known[n].section))
			return -E2BIG;
		strcpy(known[n].section, section);
		snprintf(text[n], sizeof(text[n]), "%s%s", hook->prefix, strchr(section, '/') + 1);
		names[n] = (struct kernel_btf_name){ text[n], hook->kind, 0 };
		n++;
	}
	for (size_t i = 0; i < functions; i++)
		names[n + i] = (struct kernel_btf_name){ probe_functions[i].name, BTF_KIND_FUNC, 0 };
	err = kernel_btf_find(o->kernel, names, n + functions);
	for (size_t i = 0; i < n; i++)
		known[i].id = names[i].id;
	for (size_t i = 0; i < functions; i++)
		has_function[i] = names[n + i].id;
	return err;
}

static int leave_out_missing(struct object *o)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, o->skel->obj) {
		const struct probe *probe = probe_find(bpf_program__name(program));

		if (!probe || hook_of(program)->kind == BTF_KIND_UNKN || !bpf_program__autoload(program) ||
		    known_id(program))
			continue;
		if (!probe->optional)
			return -ESRCH;
		bpf_program__set_autoload(program, false);
	}
	return 0;
}

/* What CO-RE may look up is what the object's own BTF names. */
static int make_excerpt(struct object *o)
{
	const struct btf *btf = bpf_object__btf(o->skel->obj);
	uint32_t end = btf__type_cnt(btf);
	struct kernel_btf_name *names = calloc(end, sizeof(*names));
	size_t n = 0;
	int err;

	if (!names)
		return -ENOMEM;
	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (t->name_off && (btf_is_composite(t) || btf_is_any_enum(t) || btf_is_typedef(t)))
			names[n++] = (struct kernel_btf_name){ btf__name_by_offset(btf, t->name_off), btf_kind(t), 0 };
	}
	err = kernel_btf_excerpt(o->kernel, names, n, o->excerpt);
	free(names);
	return err;
}

/* Has programs verified, and puts each in its place. */
static int load_verified(struct object *o, struct verify *v)
{
	int err = 0;

	verify_all(v);
	for (size_t i = 0; !err && i < v->n; i++) {
		int fd = bpf_program__fd(bpf_object__find_program_by_name(o->skel->obj, v->programs[i].name));

		if (v->programs[i].fd < 0)
			o->refused = v->programs[i].name;
		err = v->programs[i].fd < 0 ? v->programs[i].fd : dup3(v->programs[i].fd, fd, O_CLOEXEC) < 0 ? -errno : 0;
	}
	verify_free(v);
	return err;
}

/* Has libbpf do all but load the programs. */
static int load_programs(struct object *o)
{
	int err;

	o->now = verify_new();
	o->later = verify_new();
	if (!o->now || !o->later)
		return -ENOMEM;
	verify_begin(o->now, OBJECT_PROGRAMS_MAX);
	loading = o;
	err = bpf_object__load_skeleton(o->skel->skeleton);
	loading = NULL;
	if (!err && !o->skel->bss) /* libbpf found that the kernel has no variables for programs, and left them out */
		err = -EOPNOTSUPP;
	if (err) /* before what the programs point to goes */
		verify_free(TAKE_PTR(o->now));
	return err ? err : load_verified(o, TAKE_PTR(o->now));
}

static void *load_aside(void *arg)
{
	struct object *o = arg;

	o->load_error = load_verified(o, TAKE_PTR(o->later));
	return NULL;
}

void object_begin_later(struct object *o)
{
	if (o->later && !o->is_loading)
		o->is_loading = thread_start(&o->thread, load_aside, o);
}

int object_load_later(struct object *o)
{
	if (!o->is_loading)
		return o->later ? load_verified(o, TAKE_PTR(o->later)) : o->load_error;
	pthread_join(o->thread, NULL);
	o->is_loading = false;
	return o->load_error;
}

int object_load(struct object *o)
{
	struct early_maps early;
	int err;

	early_maps_begin(&early, o->skel->obj);
	err = find_hooks(o);
	if (!err)
		err = leave_out_missing(o);
	if (!err)
		err = make_excerpt(o);
	kernel_btf_free(TAKE_PTR(o->kernel));
	early_maps_end(&early);
	return err ? err : load_programs(o);
}

/* All functions by one link: each link takes an RCU grace period to close. */
static int attach_kprobes(int fd, bool at_return, uint64_t types)
{
	const char *names[PROBE_FUNCTIONS_MAX];
	__u64 cookies[PROBE_FUNCTIONS_MAX];
	LIBBPF_OPTS(bpf_link_create_opts, opts, .kprobe_multi.syms = names, .kprobe_multi.cookies = cookies,
		    .kprobe_multi.flags = at_return ? BPF_F_KPROBE_MULTI_RETURN : 0);
	uint32_t n = 0;

	for (size_t i = 0; i < probe_function_count; i++) {
		const struct probe_function *f = &probe_functions[i];

		if (!has_function[i] || !(f->types & types) || (at_return && (f->cookie & (NSS_COOKIE_KEEP | NSS_COOKIE_END))))
			continue;
		names[n] = f->name;
		cookies[n++] = f->cookie;
	}
	opts.kprobe_multi.cnt = n;
	return bpf_link_create(fd, 0, BPF_TRACE_KPROBE_MULTI, &opts);
}

int object_attach(const struct bpf_program *program, uint64_t types)
{
	const struct hook *hook = hook_of(program);
	int fd = bpf_program__fd(program);

	if (!hook)
		return -EINVAL;
	if (hook->type == BPF_TRACE_KPROBE_MULTI)
		fd = attach_kprobes(fd, strstr(bpf_program__section_name(program), "/leave"), types);
	else if (hook->type == BPF_TRACE_ITER)
		fd = bpf_link_create(fd, 0, BPF_TRACE_ITER, NULL);
	else
		fd = bpf_raw_tracepoint_open(NULL, fd);
	return fd < 0 ? -errno : fd;
}

void object_close(struct object *o)
{
	if (o->is_loading)
		pthread_join(o->thread, NULL);
	verify_free(o->now);
	verify_free(o->later);
	if (o->skel)
		nsscope_bpf__destroy(o->skel);
	kernel_btf_free(o->kernel);
	if (o->excerpt >= 0)
		close(o->excerpt);
	*o = (struct object){ .excerpt = -1 };
}
