/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's BTF, read in one pass. libbpf goes through all of it for each type that CO-RE looks up and each function
 * that a program is attached to, which is most of what a start takes; here everything is found at once, and libbpf is
 * given an excerpt with the few types that matter. The format: Documentation/bpf/btf.rst of the kernel.
 */
#ifndef OBSERVE_KERNEL_BTF_H
#define OBSERVE_KERNEL_BTF_H

#include <stddef.h>
#include <stdint.h>

struct kernel_btf;

/* A type that is looked for, by its name and kind (BTF_KIND_*). */
struct kernel_btf_name {
	const char *name; /* up to a ___, which begins what CO-RE ignores; valid as long as it is looked for */
	uint32_t kind;
	uint32_t id; /* of the first that was found; 0: none */
};

/* Reads /sys/kernel/btf/vmlinux. 0 or -errno; -EINVAL: not as it should be. */
int kernel_btf_open(struct kernel_btf **ret_btf);
void kernel_btf_free(struct kernel_btf *btf);

/* Fills in the ids of the @n @names, in one pass. 0 or -ENOMEM. */
int kernel_btf_find(struct kernel_btf *btf, struct kernel_btf_name *names, size_t n);

/* The id of the function @name that BPF programs may call, which has a tag since Linux 6.10: so it is found quickly. 0: none. */
uint32_t kernel_btf_kfunc(const struct kernel_btf *btf, const char *name);

/*
 * Writes to @fd, as BTF of its own, all types that have one of the @n @names, with what they contain; a pointer's target
 * is left out, which CO-RE does not look at. 0 or -errno.
 */
int kernel_btf_excerpt(struct kernel_btf *btf, struct kernel_btf_name *names, size_t n, int fd);

#endif
