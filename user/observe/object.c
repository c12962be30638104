/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nsscope_5_10.skel.h"
#include "observe/backends.h"
#include "observe/kernel_btf.h"
#include "observe/probes.h"
#include "util/cleanup.h"

/* What a section's name says of its programs. Of all but kprobes the kernel wants the id of a BTF type. */
static const struct hook {
	const char *section; /* up to the slash */
	enum bpf_attach_type type;
	uint32_t kind; /* of the BTF type */
	const char *prefix; /* of its name; what is behind the slash follows */
} hooks[] = {
	{ "tp_btf", BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF, "btf_trace_" },
	{ "fentry", BPF_TRACE_FENTRY, BTF_KIND_FUNC, "" },
	{ "fexit", BPF_TRACE_FEXIT, BTF_KIND_FUNC, "" },
	{ "iter", BPF_TRACE_ITER, BTF_KIND_FUNC, "bpf_iter_" },
	{ "kprobe.multi", BPF_TRACE_KPROBE_MULTI, BTF_KIND_UNKN, "" },
};

static const struct hook *hook_of(const struct bpf_program *program)
{
	const char *section = bpf_program__section_name(program);
	size_t len = strcspn(section, "/");

	for (size_t i = 0; section[len] && i < ARRAY_SIZE(hooks); i++)
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

/*
 * Called by libbpf before it loads a program. Until then the program had another type: for one of this type libbpf would
 * read all of the kernel's BTF.
 */
static int prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct hook *hook = hook_of(program);
	bool is_kprobe = hook->type == BPF_TRACE_KPROBE_MULTI;
	int err = bpf_program__set_type(program, is_kprobe ? BPF_PROG_TYPE_KPROBE : BPF_PROG_TYPE_TRACING);

	(void)cookie;
	if (!err)
		err = bpf_program__set_expected_attach_type(program, hook->type);
	opts->expected_attach_type = hook->type; /* libbpf up to 1.1 has looked at the program's already */
	opts->attach_btf_id = is_kprobe ? 0 : known_id(program);
	return err;
}

static int take_sections(void)
{
	static bool taken;
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = prepare);
	char section[32];
	int err;

	for (size_t i = 0; !taken && i < ARRAY_SIZE(hooks); i++) {
		snprintf(section, sizeof(section), "%s+", hooks[i].section);
		err = libbpf_register_prog_handler(section, BPF_PROG_TYPE_RAW_TRACEPOINT, 0, &opts);
		if (err < 0)
			return err;
	}
	taken = true;
	return 0;
}

/*
 * Before 5.12 the kernel takes no program with an atomic exchange: there is a second build of the same programs for it,
 * which has the same maps and so the same skeleton.
 */
int object_open(struct object *ret_object)
{
	char path[32];
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = path);
	int err = take_sections();
	size_t size;

	*ret_object = (struct object){ .excerpt = -1 };
	if (err)
		return err;
	ret_object->excerpt = memfd_create("nsscope-btf", MFD_CLOEXEC);
	if (ret_object->excerpt < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ret_object->excerpt);
	ret_object->skel = calloc(1, sizeof(*ret_object->skel));
	err = ret_object->skel ? nsscope_bpf__create_skeleton(ret_object->skel) : -ENOMEM;
	if (err)
		return err;
	if (!kernel_has_atomics()) {
		ret_object->skel->skeleton->data = (void *)nsscope_5_10_bpf__elf_bytes(&size);
		ret_object->skel->skeleton->data_sz = size;
	}
	return bpf_object__open_skeleton(ret_object->skel->skeleton, &opts);
}

/* Looks up the hooks of the programs that are to be loaded, and the functions for kprobes. */
static int find_hooks(struct object *o, struct kernel_btf *kernel)
{
	static char text[OBJECT_PROGRAMS_MAX][96];
	struct kernel_btf_name names[OBJECT_PROGRAMS_MAX + PROBE_FUNCTIONS_MAX];
	struct bpf_program *program;
	size_t n = 0;
	int err;

	bpf_object__for_each_program(program, o->skel->obj) {
		const struct hook *hook = hook_of(program);
		const char *section = bpf_program__section_name(program);

		if (!hook || hook->kind == BTF_KIND_UNKN || !bpf_program__autoload(program))
			continue;
		if (n == OBJECT_PROGRAMS_MAX || strlen(section) >= sizeof(known[n].section))
			return -E2BIG;
		strcpy(known[n].section, section);
		snprintf(text[n], sizeof(text[n]), "%s%s", hook->prefix, strchr(section, '/') + 1);
		names[n] = (struct kernel_btf_name){ text[n], hook->kind, 0 };
		n++;
	}
	for (size_t i = 0; i < probe_function_count; i++)
		names[n + i] = (struct kernel_btf_name){ probe_functions[i].name, BTF_KIND_FUNC, 0 };
	err = kernel_btf_find(kernel, names, n + probe_function_count);
	for (size_t i = 0; i < n; i++)
		known[i].id = names[i].id;
	for (size_t i = 0; i < probe_function_count; i++)
		has_function[i] = names[n + i].id;
	return err;
}

static int leave_out_missing(struct object *o)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, o->skel->obj) {
		const struct probe *probe = probe_find(bpf_program__name(program));

		if (!probe || probe->backend == BACKEND_KPROBE || !bpf_program__autoload(program) || known_id(program))
			continue;
		if (!probe->optional)
			return -ESRCH;
		bpf_program__set_autoload(program, false);
	}
	return 0;
}

/* What CO-RE may look up is what the object's own BTF names. */
static int make_excerpt(struct object *o, struct kernel_btf *kernel)
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
	err = kernel_btf_excerpt(kernel, names, n, o->excerpt);
	free(names);
	return err;
}

int object_load(struct object *o)
{
	struct kernel_btf *kernel;
	int err = kernel_btf_open(&kernel);

	if (err)
		return err;
	err = find_hooks(o, kernel);
	if (!err)
		err = leave_out_missing(o);
	if (!err)
		err = make_excerpt(o, kernel);
	kernel_btf_free(kernel);
	return err ? err : bpf_object__load_skeleton(o->skel->skeleton);
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

		if (!has_function[i] || !(f->types & types) || (at_return && (f->cookie & NSS_COOKIE_KEEP)))
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
	if (o->skel)
		nsscope_bpf__destroy(o->skel);
	if (o->excerpt >= 0)
		close(o->excerpt);
	*o = (struct object){ .excerpt = -1 };
}
