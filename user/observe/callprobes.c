/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/callprobes.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/btf.h>
#include <stdint.h>

#include "abi/stat.h"
#include "observe/kernel_btf.h"
#include "util/cleanup.h"

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

struct functions {
	const char *names[NAMES_MAX];
	uint64_t cookies[NAMES_MAX]; /* the calls */
	size_t n;
};

static void add_function(struct functions *f, const char *name, uint32_t call)
{
	f->names[f->n] = name;
	f->cookies[f->n++] = call;
}

/*
 * Which of them this kernel has: *@ret_known by its BTF. Those of calls without arguments may not be in there, as their one
 * parameter is not used, and are in *@ret_others if they are not. 0 or -errno.
 */
static int find_functions(struct functions *ret_known, struct functions *ret_others)
{
	struct kernel_btf_name names[NAMES_MAX];
	struct kernel_btf *btf;
	uint32_t calls[NAMES_MAX];
	size_t n = 0;
	int err;

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
	for (size_t i = 0; !err && i < n; i++) {
		if (names[i].id)
			add_function(ret_known, names[i].name, calls[i]);
		else if (calls[i] == NSS_SPAWN_FORK || calls[i] == NSS_SPAWN_VFORK)
			add_function(ret_others, names[i].name, calls[i]);
	}
	return err;
}

/* Attaches both ends of @n functions from @first on. 0 or -errno: -ESRCH or -EINVAL if one is not there. */
static int attach_functions(struct bpf_program *const ends[2], struct call_links *links, const struct functions *f, size_t first,
			    size_t n)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = (const char **)f->names + first,
		    .cookies = (const __u64 *)f->cookies + first, .cnt = n);

	for (size_t i = 0; i < 2; i++) {
		opts.retprobe = i;
		links->at[links->n] = bpf_program__attach_kprobe_multi_opts(ends[i], NULL, &opts);
		if (!links->at[links->n])
			return -errno;
		links->n++;
	}
	return 0;
}

int call_probes_attach(struct bpf_program *enter, struct bpf_program *leave, struct call_links *links)
{
	struct bpf_program *const ends[] = { enter, leave };
	struct functions known = {}, others = {};
	int err = find_functions(&known, &others);

	if (!err)
		err = known.n ? attach_functions(ends, links, &known, 0, known.n) : -ESRCH;
	/* One by one, since one that is not there would keep all the others from it. */
	for (size_t i = 0; !err && i < others.n && links->n + 2 <= CALL_LINKS_MAX; i++) {
		err = attach_functions(ends, links, &others, i, 1);
		if (err == -ESRCH || err == -EINVAL || err == -ENOENT)
			err = 0;
	}
	return err;
}

void call_probes_detach(struct call_links *links)
{
	while (links->n)
		bpf_link__destroy(links->at[--links->n]);
}
