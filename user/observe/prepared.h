/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BPF object as the running kernel takes it: its maps, its BTF, and programs that libbpf has fitted to the kernel. It is kept
 * in a file from one start to the next, since to open the object, and to find in the kernel's BTF what the programs need, is a
 * third of a start. A file is good for one build of nsscope and one of the kernel, and only if nobody else can have written it:
 * $CACHE_DIRECTORY/programs (as systemd.exec(5) has it; empty: none; not with file capabilities), or
 * /var/cache/nsscope/programs. Where there is none, and none can be made, each start takes that time.
 */
#ifndef OBSERVE_PREPARED_H
#define OBSERVE_PREPARED_H

#include <bpf/bpf.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/buf.h"

/* What is known of the kernel. */
struct prepared_kernel {
	uint32_t rdonly_cast; /* id of the function; 0: the programs do without */
	uint32_t functions_known;
	uint64_t functions; /* bit by probe_functions[]: the kernel has it */
};

enum prepared_kind { PREPARED_MAP = 1, PREPARED_BTF, PREPARED_PROGRAM };

struct prepared_item {
	uint32_t len; /* of all, a multiple of 8 */
	uint32_t kind;
	char name[64];
	uint32_t data_len; /* bytes */
	uint32_t type; /* enum bpf_map_type or bpf_prog_type */
	union {
		struct { /* its data: what is in it at first */
			uint32_t key_size, value_size, max_entries, flags;
		} map;
		struct { /* its data: the instructions, which name a map by its place among the maps; then func_infos */
			uint32_t n; /* 0: the kernel does not have what it is attached to */
			uint32_t attach_type; /* enum bpf_attach_type */
			uint32_t attach_btf_id;
			uint32_t func_info_size; /* of each, bytes */
		} program;
	};
	uint64_t data[];
};

/* Whether that is an instruction with a map. */
static inline bool prepared_names_map(const struct bpf_insn *insn)
{
	return insn->code == (BPF_LD | BPF_IMM | BPF_DW) &&
	       (insn->src_reg == BPF_PSEUDO_MAP_FD || insn->src_reg == BPF_PSEUDO_MAP_VALUE);
}

struct prepared {
	struct prepared_kernel kernel;
	struct buf identity; /* of this nsscope and this kernel; empty: they have none */
	struct buf read; /* the items of the file */
	struct buf made; /* those of this start, which are taken if there are any */
};

/* @reads_memory: the kernel may take that build of the programs. @use_kept: reads the file, if there is one that is good. */
void prepared_open(struct prepared *ret_prepared, bool reads_memory, bool use_kept);

/* The item behind @item; NULL: the first, and that was the last. */
const struct prepared_item *prepared_next(const struct prepared *prepared, const struct prepared_item *item);

/* The item of that @kind and @name, or NULL. */
const struct prepared_item *prepared_find(const struct prepared *prepared, enum prepared_kind kind, const char *name);

/* Adds an item of this start: @head, with the @head->data_len bytes of @data. */
void prepared_add(struct prepared *prepared, struct prepared_item head, const void *data);

/* Writes the items of this start, and further programs that the file has. What goes wrong is for the next start to do without. */
void prepared_write(struct prepared *prepared);

void prepared_close(struct prepared *prepared);

#endif
