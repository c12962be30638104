/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/func_btf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* A number of that size and sign. */
static int add_number(struct btf *to, uint32_t size, bool is_signed)
{
	char name[] = { is_signed ? 's' : 'u', (char)('0' + size), 0 };
	int id = btf__find_by_name(to, name);

	return id > 0 ? id : btf__add_int(to, name, size, is_signed ? BTF_INT_SIGNED : 0);
}

static int add_pointer(struct btf *to)
{
	uint32_t id = 1, end = btf__type_cnt(to);

	while (id < end && !btf_is_ptr(btf__type_by_id(to, id)))
		id++;
	return id < end ? (int)id : btf__add_ptr(to, 0);
}

/* What stands for @type of @from as an argument or a result, or -errno. Structures are never passed. */
static int add_value(struct btf *to, const struct btf *from, uint32_t type)
{
	const struct btf_type *t;
	int id = type ? btf__resolve_type(from, type) : 0;

	if (id <= 0)
		return id;
	t = btf__type_by_id(from, (uint32_t)id);
	if (btf_is_ptr(t))
		return add_pointer(to);
	return t->size <= sizeof(uint64_t) ? add_number(to, t->size, btf_is_int(t) && btf_int_encoding(t) & BTF_INT_SIGNED) : -EINVAL;
}

static bool same_proto(const struct btf_type *a, const struct btf_type *b)
{
	if (!btf_is_func_proto(a) || a->type != b->type || btf_vlen(a) != btf_vlen(b))
		return false;
	for (uint16_t i = 0; i < btf_vlen(a); i++)
		if (btf_params(a)[i].type != btf_params(b)[i].type)
			return false;
	return true;
}

/* Adds what stands for @proto of @from: its id, or -errno. */
static int add_proto(struct btf *to, const struct btf *from, const struct btf_type *proto)
{
	struct {
		struct btf_type t;
		struct btf_param params[5];
	} want = { .t = { .info = proto->info } };
	int id, end = (int)btf__type_cnt(to);

	if (btf_vlen(proto) > 5)
		return -E2BIG;
	id = add_value(to, from, proto->type);
	want.t.type = (uint32_t)id;
	for (uint16_t i = 0; id >= 0 && i < btf_vlen(proto); i++) {
		id = add_value(to, from, btf_params(proto)[i].type);
		want.params[i].type = (uint32_t)id;
	}
	if (id < 0)
		return id;
	for (id = 1; id < end; id++)
		if (same_proto(btf__type_by_id(to, (uint32_t)id), &want.t))
			return id;
	id = btf__add_func_proto(to, (int)want.t.type);
	for (uint16_t i = 0; id > 0 && i < btf_vlen(proto); i++) {
		int err = btf__add_func_param(to, "a", (int)want.params[i].type);

		id = err ? err : id;
	}
	return id;
}

static int add_functions(struct btf *to, const struct btf *from, uint32_t *ids)
{
	for (uint32_t i = 1; i < btf__type_cnt(from); i++) {
		const struct btf_type *t = btf__type_by_id(from, i);
		int id;

		if (!btf_is_func(t))
			continue;
		id = add_proto(to, from, btf__type_by_id(from, t->type));
		if (id > 0)
			id = btf__add_func(to, btf__name_by_offset(from, t->name_off), (enum btf_func_linkage)btf_vlen(t), id);
		if (id < 0)
			return id;
		ids[i] = (uint32_t)id;
	}
	return 0;
}

int func_btf_make(const struct btf *all, struct func_btf *ret)
{
	*ret = (struct func_btf){ .btf = btf__new_empty(), .ids = calloc(btf__type_cnt(all), sizeof(*ret->ids)) };
	return ret->btf && ret->ids ? add_functions(ret->btf, all, ret->ids) : -ENOMEM;
}

void func_btf_free(struct func_btf *made)
{
	btf__free(made->btf);
	free(made->ids);
	*made = (struct func_btf){};
}
