/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BTF of functions alone: what the verifier wants to know of those of a program. */
#ifndef OBSERVE_FUNC_BTF_H
#define OBSERVE_FUNC_BTF_H

#include <bpf/btf.h>
#include <stdint.h>

struct func_btf {
	struct btf *btf;
	uint32_t *ids; /* of functions: by their type's id in the BTF that it was made of */
};

/*
 * Makes it of @all: all its functions, with numbers and pointers to nothing for arguments. The kernel reads all of a program's BTF
 * for each argument of each function, and checks it when it is loaded. 0 or -errno; to be freed in either case.
 */
int func_btf_make(const struct btf *all, struct func_btf *ret_made);
void func_btf_free(struct func_btf *made);

#endif
