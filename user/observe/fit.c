/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/fit.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nsscope.skel.h"
#include "nsscope_5_10.skel.h"
#include "nsscope_6_18.skel.h"
#include "observe/backends.h"
#include "observe/func_btf.h"
#include "observe/kernel_btf.h"
#include "observe/object.h"
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

/* What user space shares with the programs has its place in all builds. */
#define SAME_PLACE(build, section, member)                                                                   \
	_Static_assert(offsetof(struct build##__##section, member) == offsetof(struct nsscope_bpf__##section, member) && \
			       sizeof(struct build##__##section) == sizeof(struct nsscope_bpf__##section),     \
		       #member " is elsewhere in " #build)
#define SAME_PLACES(build)                   \
	SAME_PLACE(build, rodata, conf);     \
	SAME_PLACE(build, bss, lost);        \
	SAME_PLACE(build, bss, rescued);     \
	SAME_PLACE(build, bss, cloner)
SAME_PLACES(nsscope_5_10_bpf);
SAME_PLACES(nsscope_6_18_bpf);

struct fitting {
	struct prepared *prepared;
	struct nsscope_bpf *skel;
	struct kernel_btf *kernel;
	int kernel_error; /* 0 or -errno: how it was opened */
	int excerpt; /* memfd: the part of the kernel's BTF that matters */
	struct func_btf functions; /* of the programs, once libbpf has loaded their BTF */
	struct known {
		struct bpf_program *program;
		const struct hook *hook;
		bool optional;
		uint32_t id; /* of what it is attached to; 0: the kernel does not have it, or need not be told */
	} known[OBJECT_PROGRAMS_MAX];
	size_t nknown;
};

/* What is under way: libbpf's callback takes no argument of ours. */
static struct fitting *under_way;

static const struct hook *hook_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	size_t len = strcspn(section, "/");

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++)
		if (strlen(hooks[i].section) == len && !memcmp(hooks[i].section, section, len))
			return &hooks[i];
	return NULL;
}

static struct prepared_item item_named(enum prepared_kind kind, const char *name)
{
	struct prepared_item item = { .kind = kind };

	snprintf(item.name, sizeof(item.name), "%s", name);
	return item;
}

/* Notes what maps there are. libbpf makes them too, to fit the programs, but small. */
static int take_maps(struct fitting *f)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, f->skel->obj) {
		struct prepared_item item = item_named(PREPARED_MAP, bpf_map__name(map));
		const void *data = NULL;
		size_t len = 0;

		if (bpf_map__is_internal(map))
			data = bpf_map__initial_value(map, &len);
		if (map == f->skel->maps.rodata || map == f->skel->maps.bss)
			item = item_named(PREPARED_MAP, map == f->skel->maps.bss ? OBJECT_VARIABLES : OBJECT_CONSTANTS);
		item.type = bpf_map__type(map);
		item.map.key_size = bpf_map__key_size(map);
		item.map.value_size = bpf_map__value_size(map);
		item.map.max_entries = bpf_map__max_entries(map);
		item.map.flags = bpf_map__map_flags(map);
		item.data_len = (uint32_t)len;
		prepared_add(f->prepared, item, data);
		if (!err && !bpf_map__is_internal(map))
			err = bpf_map__set_max_entries(map,
						       item.type == BPF_MAP_TYPE_RINGBUF ? (uint32_t)getpagesize() : 1);
	}
	return err;
}

bool fit_has_addresses(const char *map)
{
	static const char *const maps[] = { "scratches", "works", "stashes", "told_ns", "told_mounts", "tracked", "marks" };

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		if (!strcmp(maps[i], map))
			return true;
	return false;
}

/* Names the map of @insn, which libbpf has made, by its place. */
static void fit_map(const struct fitting *f, struct bpf_insn *insn)
{
	struct bpf_map *map;
	int place = 0;

	bpf_object__for_each_map(map, f->skel->obj) {
		if (bpf_map__fd(map) == insn->imm) {
			if (f->prepared->kernel.rdonly_cast && fit_has_addresses(bpf_map__name(map)))
				insn->src_reg = BPF_PSEUDO_MAP_VALUE;
			break;
		}
		place++;
	}
	insn->imm = place;
}

/* Does for an instruction what libbpf does not. */
static void fit_insn(const struct fitting *f, struct bpf_insn *insn)
{
	if (insn->code == (BPF_JMP | BPF_CALL) && !insn->src_reg && insn->imm == NSS_CALL_RDONLY_CAST) {
		insn->src_reg = BPF_PSEUDO_KFUNC_CALL;
		insn->imm = (int)f->prepared->kernel.rdonly_cast;
	} else if (prepared_names_map(insn)) {
		fit_map(f, insn);
	}
}

static const struct known *known_of(const struct fitting *f, const struct bpf_program *program)
{
	size_t i = 0;

	while (f->known[i].program != program)
		i++;
	return &f->known[i];
}

/* Copies what libbpf says of a program's functions, as the BTF that is kept numbers their types. */
static void copy_func_infos(const struct fitting *f, void *to, const struct bpf_prog_load_opts *opts)
{
	for (size_t i = 0; i < opts->func_info_cnt; i++) {
		struct bpf_func_info info;
		size_t at = i * opts->func_info_rec_size;

		memcpy(to + at, opts->func_info + at, opts->func_info_rec_size);
		memcpy(&info, to + at, sizeof(info));
		info.type_id = f->functions.ids[info.type_id];
		memcpy(to + at, &info, sizeof(info));
	}
}

static int take_program(struct fitting *f, const struct known *known, const struct bpf_prog_load_opts *opts)
{
	struct prepared_item item = item_named(PREPARED_PROGRAM, bpf_program__name(known->program));
	size_t n = bpf_program__insn_cnt(known->program), size = n * sizeof(struct bpf_insn),
	       infos = (size_t)opts->func_info_cnt * opts->func_info_rec_size;
	_free_ struct bpf_insn *data = malloc(size + infos);

	if (!data)
		return -ENOMEM;
	memcpy(data, bpf_program__insns(known->program), size);
	for (size_t i = 0; i < n; i++)
		fit_insn(f, &data[i]);
	copy_func_infos(f, data + n, opts);
	item.type = known->hook->program;
	item.program.n = (uint32_t)n;
	item.program.attach_type = known->hook->type;
	item.program.attach_btf_id = known->id;
	item.program.func_info_size = opts->func_info_rec_size;
	item.data_len = (uint32_t)(size + infos);
	prepared_add(f->prepared, item, data);
	return 0;
}

/* The BTF of the object as the kernel has it: libbpf has left out what the kernel does not know. NULL and errno. */
static struct btf *loaded_btf(const struct fitting *f)
{
	struct bpf_btf_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_object__btf_fd(f->skel->obj);
	_free_ void *data = NULL;

	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return NULL;
	data = malloc(info.btf_size);
	if (!data)
		return NULL;
	info = (struct bpf_btf_info){ .btf = (uintptr_t)data, .btf_size = info.btf_size };
	if (bpf_obj_get_info_by_fd(fd, &info, &len))
		return NULL;
	return btf__new(data, info.btf_size);
}

static int take_btf(struct fitting *f)
{
	struct prepared_item item = item_named(PREPARED_BTF, "");
	struct btf *all = loaded_btf(f);
	int err = all ? func_btf_make(all, &f->functions) : -errno;
	const void *data = err ? NULL : btf__raw_data(f->functions.btf, &item.data_len);

	if (data)
		prepared_add(f->prepared, item, data);
	btf__free(all);
	return err ? err : data ? 0 : -ENOMEM;
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
 * for one of BPF_PROG_TYPE_TRACING libbpf would read all of the kernel's BTF.
 */
static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	int err = under_way->functions.btf ? 0 : take_btf(under_way);

	(void)cookie;
	if (!err)
		err = take_program(under_way, known_of(under_way, program), opts);
	return err ? err : load_nothing_for(program, opts);
}

static int take_sections(void)
{
	static bool taken;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare);
	char section[32];
	int err;

	for (size_t i = 0; !taken && i < ARRAY_SIZE(hooks); i++) {
		snprintf(section, sizeof(section), "%s+", hooks[i].section); /* with or without a slash */
		err = libbpf_register_prog_handler(section, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
		if (err < 0)
			return err;
	}
	taken = true;
	return 0;
}

/*
 * Of the same programs there are three builds, which have the same maps and so the same skeleton: see core/compat.h.
 * @reads_memory: that from 6.18 on.
 */
static int open_build(struct fitting *f, bool reads_memory)
{
	char path[32];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = path);
	struct bpf_object_skeleton *s;
	size_t size;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->excerpt);
	f->skel = calloc(1, sizeof(*f->skel));
	if (!f->skel || nsscope_bpf__create_skeleton(f->skel))
		return -ENOMEM;
	s = f->skel->skeleton;
	size = s->data_sz;
	if (reads_memory)
		s->data = (void *)nsscope_6_18_bpf__elf_bytes(&size);
	else if (!kernel_has_atomics())
		s->data = (void *)nsscope_5_10_bpf__elf_bytes(&size);
	s->data_sz = size;
	s->prog_cnt = 0; /* not all builds have the same programs: they are found by name */
	return bpf_object__open_skeleton(s, &opts);
}

static void *open_kernel(void *arg)
{
	struct fitting *f = arg;

	f->kernel_error = kernel_btf_open(&f->kernel);
	return NULL;
}

/* Opens the build that the kernel takes. */
static int open_fitting(struct fitting *f, bool reads_memory)
{
	uint32_t *rdonly_cast = &f->prepared->kernel.rdonly_cast;
	struct aside opening;
	int err;

	aside_begin(&opening, open_kernel, f, true);
	err = open_build(f, reads_memory);
	aside_end(&opening);
	if (!err)
		err = f->kernel_error;
	if (err)
		return err;
	*rdonly_cast = kernel_rdonly_cast(f->kernel);
	if (!reads_memory || *rdonly_cast)
		return 0;
	nsscope_bpf__destroy(TAKE_PTR(f->skel));
	return open_build(f, false);
}

/* Has libbpf take the programs that are @needed, and no other. */
static int choose_programs(struct fitting *f, const struct probe *const *needed, size_t n)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, f->skel->obj) bpf_program__set_autoload(program, false);
	for (size_t i = 0; i < n; i++) {
		const char *name = probe_program(needed[i], f->prepared->kernel.rdonly_cast);

		program = bpf_object__find_program_by_name(f->skel->obj, name);
		if (!program || !hook_of(program) || f->nknown == OBJECT_PROGRAMS_MAX)
			return -EINVAL;
		if (bpf_program__autoload(program)) /* it is shared, and has been chosen */
			continue;
		bpf_program__set_autoload(program, true);
		f->known[f->nknown++] = (struct known){ program, hook_of(program), needed[i]->optional, 0 };
	}
	return 0;
}

/* Looks up what the programs are attached to, and the functions for kprobes. */
static int find_hooks(struct fitting *f)
{
	static char text[OBJECT_PROGRAMS_MAX][96];
	struct kernel_btf_name names[OBJECT_PROGRAMS_MAX + PROBE_FUNCTIONS_MAX];
	struct prepared_kernel *kernel = &f->prepared->kernel;
	bool look_for_functions = false;
	size_t n = f->nknown;
	int err;

	for (size_t i = 0; i < n; i++) {
		const struct known *k = &f->known[i];

		/* Where none is wanted, it is looked for under no name. */
		snprintf(text[i], sizeof(text[i]), "%s%s", k->hook->prefix,
			 k->hook->kind == BTF_KIND_UNKN ? "" : strchr(bpf_program__section_name(k->program), '/') + 1);
		names[i] = (struct kernel_btf_name){ text[i], k->hook->kind, 0 };
		look_for_functions |= k->hook->program == BPF_PROG_TYPE_KPROBE;
	}
	for (size_t i = 0; look_for_functions && i < probe_function_count; i++)
		names[n++] = (struct kernel_btf_name){ probe_functions[i].name, BTF_KIND_FUNC, 0 };
	err = kernel_btf_find(f->kernel, names, n);
	for (size_t i = 0; i < f->nknown; i++)
		f->known[i].id = names[i].id;
	if (look_for_functions)
		*kernel = (struct prepared_kernel){ kernel->rdonly_cast, true, 0 };
	for (size_t i = f->nknown; i < n; i++)
		kernel->functions |= (uint64_t) !!names[i].id << (i - f->nknown);
	return err;
}

static int leave_out_missing(struct fitting *f)
{
	for (size_t i = 0; i < f->nknown; i++) {
		const struct known *k = &f->known[i];

		if (k->hook->kind == BTF_KIND_UNKN || k->id)
			continue;
		if (!k->optional)
			return -ESRCH;
		bpf_program__set_autoload(k->program, false);
		prepared_add(f->prepared, item_named(PREPARED_PROGRAM, bpf_program__name(k->program)), NULL);
	}
	return 0;
}

/* What CO-RE may look up is what the object's own BTF names. */
static int make_excerpt(struct fitting *f)
{
	const struct btf *btf = bpf_object__btf(f->skel->obj);
	uint32_t end = btf__type_cnt(btf);
	_free_ struct kernel_btf_name *names = calloc(end, sizeof(*names));
	size_t n = 0;

	if (!names)
		return -ENOMEM;
	for (uint32_t id = 1; id < end; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		if (t->name_off && (btf_is_composite(t) || btf_is_any_enum(t) || btf_is_typedef(t)))
			names[n++] = (struct kernel_btf_name){ btf__name_by_offset(btf, t->name_off), btf_kind(t), 0 };
	}
	return kernel_btf_excerpt(f->kernel, names, n, f->excerpt);
}

/* Has libbpf do all that it can. */
static int load_nothing(struct fitting *f)
{
	int err;

	under_way = f;
	err = bpf_object__load_skeleton(f->skel->skeleton);
	under_way = NULL;
	/* Without: libbpf found that the kernel has no variables for programs, and left them out. */
	return err ? err : f->skel->bss ? 0 : -EOPNOTSUPP;
}

static int fit_with(struct fitting *f, bool reads_memory, const struct probe *const *needed, size_t n)
{
	int err = open_fitting(f, reads_memory);

	if (!err)
		err = choose_programs(f, needed, n);
	if (!err)
		err = take_maps(f);
	if (!err)
		err = find_hooks(f);
	if (!err)
		err = leave_out_missing(f);
	if (!err)
		err = make_excerpt(f);
	return err ? err : load_nothing(f);
}

int fit(struct prepared *prepared, bool reads_memory, const struct probe *const *needed, size_t n)
{
	_free_ struct fitting *f = calloc(1, sizeof(*f));
	int err = f ? take_sections() : -ENOMEM;

	if (err)
		return err;
	f->prepared = prepared;
	f->excerpt = memfd_create("nsscope-btf", MFD_CLOEXEC);
	err = f->excerpt < 0 ? -errno : fit_with(f, reads_memory, needed, n);
	if (f->skel)
		nsscope_bpf__destroy(f->skel);
	func_btf_free(&f->functions);
	kernel_btf_free(f->kernel);
	if (f->excerpt >= 0)
		close(f->excerpt);
	return err ? err : prepared->made.failed ? -ENOMEM : 0;
}
