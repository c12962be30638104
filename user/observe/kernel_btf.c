/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/kernel_btf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/buf.h"
#include "util/cleanup.h"

#define VMLINUX_BTF "/sys/kernel/btf/vmlinux"

struct kernel_btf {
	char *data;
	size_t size;
	bool is_mapped;
	const char *types, *strings;
	uint32_t types_len, strings_len;
	uint32_t *at; /* offset of each type in types, by id from 1 */
	uint8_t *kind; /* of each: most are passed over */
	uint32_t n; /* the highest id */
};

/*
 * What stands behind a struct btf_type, bytes: so many, and so many for each member. No switch: there are some hundred
 * thousand types, of which nobody can guess the next.
 */
static const struct kind {
	uint8_t is_known; /* else where the next type begins is not either */
	uint8_t fixed, member;
} kinds[32] = {
	[BTF_KIND_INT] = { 1, sizeof(uint32_t), 0 },
	[BTF_KIND_VAR] = { 1, sizeof(struct btf_var), 0 },
	[BTF_KIND_DECL_TAG] = { 1, sizeof(struct btf_decl_tag), 0 },
	[BTF_KIND_ARRAY] = { 1, sizeof(struct btf_array), 0 },
	[BTF_KIND_STRUCT] = { 1, 0, sizeof(struct btf_member) },
	[BTF_KIND_UNION] = { 1, 0, sizeof(struct btf_member) },
	[BTF_KIND_ENUM] = { 1, 0, sizeof(struct btf_enum) },
	[BTF_KIND_ENUM64] = { 1, 0, sizeof(struct btf_enum64) },
	[BTF_KIND_FUNC_PROTO] = { 1, 0, sizeof(struct btf_param) },
	[BTF_KIND_DATASEC] = { 1, 0, sizeof(struct btf_var_secinfo) },
	[BTF_KIND_PTR] = { 1, 0, 0 },
	[BTF_KIND_FWD] = { 1, 0, 0 },
	[BTF_KIND_TYPEDEF] = { 1, 0, 0 },
	[BTF_KIND_VOLATILE] = { 1, 0, 0 },
	[BTF_KIND_CONST] = { 1, 0, 0 },
	[BTF_KIND_RESTRICT] = { 1, 0, 0 },
	[BTF_KIND_FUNC] = { 1, 0, 0 },
	[BTF_KIND_FLOAT] = { 1, 0, 0 },
	[BTF_KIND_TYPE_TAG] = { 1, 0, 0 },
};

static size_t extra_of(const struct btf_type *t)
{
	const struct kind *k = &kinds[BTF_INFO_KIND(t->info)];

	return k->fixed + k->member * (size_t)BTF_INFO_VLEN(t->info);
}

static const struct btf_type *type_of(const struct kernel_btf *b, uint32_t id)
{
	return (const void *)(b->types + b->at[id]);
}

static int grow_index(struct kernel_btf *b, size_t room)
{
	uint32_t *at = realloc(b->at, room * sizeof(*at));
	uint8_t *kind = at ? realloc(b->kind, room) : NULL;

	b->at = at ? at : b->at;
	b->kind = kind ? kind : b->kind;
	return kind ? 0 : -ENOMEM;
}

static int index_types(struct kernel_btf *b)
{
	uint32_t room = 0, at = 0, n = 0;

	while (at < b->types_len) {
		const struct btf_type *t = (const void *)(b->types + at);
		size_t left = b->types_len - at;

		if (left < sizeof(*t) || left - sizeof(*t) < extra_of(t) || !kinds[BTF_INFO_KIND(t->info)].is_known ||
		    t->name_off >= b->strings_len)
			return -EINVAL;
		if (++n >= room && grow_index(b, room = room ? 2 * room : 1 << 17))
			return -ENOMEM;
		b->at[n] = at;
		b->kind[n] = BTF_INFO_KIND(t->info);
		at += (uint32_t)(sizeof(*t) + extra_of(t));
	}
	b->n = n;
	return 0;
}

static int check_header(struct kernel_btf *b)
{
	const struct btf_header *h = (const void *)b->data;
	uint64_t from;

	if (b->size < sizeof(*h) || h->magic != BTF_MAGIC || h->hdr_len < sizeof(*h))
		return -EINVAL;
	from = h->hdr_len;
	if (from + h->type_off + h->type_len > b->size || from + h->str_off + h->str_len > b->size || !h->str_len)
		return -EINVAL;
	b->types = b->data + from + h->type_off;
	b->types_len = h->type_len;
	b->strings = b->data + from + h->str_off;
	b->strings_len = h->str_len;
	return b->strings[b->strings_len - 1] ? -EINVAL : 0;
}

/* The file can be mapped since Linux 6.16. */
static int load(struct kernel_btf *b)
{
	_close_ int fd = open(VMLINUX_BTF, O_RDONLY | O_CLOEXEC);
	struct stat st;
	size_t done = 0;
	void *p;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	b->size = (size_t)st.st_size;
	p = mmap(NULL, b->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	b->is_mapped = p != MAP_FAILED;
	b->data = b->is_mapped ? p : malloc(b->size);
	if (!b->data)
		return -ENOMEM;
	while (!b->is_mapped && done < b->size) {
		ssize_t n = read(fd, b->data + done, b->size - done);

		if (n <= 0)
			return n ? -errno : -EINVAL;
		done += (size_t)n;
	}
	return 0;
}

int kernel_btf_open(struct kernel_btf **ret_btf)
{
	struct kernel_btf *b = calloc(1, sizeof(*b));
	int err = b ? load(b) : -ENOMEM;

	if (!err)
		err = check_header(b);
	if (!err)
		err = index_types(b);
	if (err)
		kernel_btf_free(b);
	else
		*ret_btf = b;
	return err;
}

void kernel_btf_free(struct kernel_btf *b)
{
	if (!b)
		return;
	if (b->is_mapped)
		munmap(b->data, b->size);
	else
		free(b->data);
	free(b->at);
	free(b->kind);
	free(b);
}

/* Names in a hash table, behind a filter that most names of the kernel do not pass. */
struct names {
	struct kernel_btf_name *all;
	uint32_t kinds; /* bit per kind */
	uint32_t mask; /* size of slots, less one */
	uint32_t *slots; /* index in all, plus one; 0: free */
	uint8_t filter[4096];
};

static size_t essential_len(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? (size_t)(flavour - name) : strlen(name);
}

static uint32_t hash_of(const char *name, size_t len)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint8_t)name[i]) * 16777619U;
	return hash;
}

/* Of the first four bytes, up to the end. */
static uint32_t filter_of(const char *name, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < 4 && i < len && name[i]; i++)
		sum = sum * 37 + (uint8_t)name[i];
	return sum % 4096;
}

static int make_names(struct names *s, struct kernel_btf_name *all, size_t n)
{
	uint32_t size = 64;

	while (size < 2 * n)
		size *= 2;
	*s = (struct names){ .all = all, .mask = size - 1, .slots = calloc(size, sizeof(*s->slots)) };
	if (!s->slots)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		size_t len = essential_len(all[i].name);
		uint32_t slot = hash_of(all[i].name, len) & s->mask;

		while (s->slots[slot])
			slot = (slot + 1) & s->mask;
		s->slots[slot] = i + 1;
		s->filter[filter_of(all[i].name, len)] = 1;
		s->kinds |= 1U << all[i].kind;
	}
	return 0;
}

/* Notes @id with each of the names that is @name of @kind; whether there was one. */
static bool match(struct names *s, const char *name, uint32_t kind, uint32_t id)
{
	bool any = false;
	size_t len;
	uint32_t slot;

	if (!s->filter[filter_of(name, 4)])
		return false;
	len = strlen(name);
	for (slot = hash_of(name, len) & s->mask; s->slots[slot]; slot = (slot + 1) & s->mask) {
		struct kernel_btf_name *n = &s->all[s->slots[slot] - 1];

		if (n->kind != kind || essential_len(n->name) != len || memcmp(n->name, name, len))
			continue;
		if (!n->id)
			n->id = id;
		any = true;
	}
	return any;
}

typedef int found_fn(void *arg, uint32_t id);

static int scan(struct kernel_btf *b, struct kernel_btf_name *names, size_t n, found_fn *found, void *arg)
{
	struct names s;
	int err = make_names(&s, names, n);

	for (uint32_t id = 1; !err && id <= b->n; id++) {
		const struct btf_type *t;

		if (!(s.kinds >> b->kind[id] & 1))
			continue;
		t = type_of(b, id);
		if (t->name_off && match(&s, b->strings + t->name_off, b->kind[id], id) && found)
			err = found(arg, id);
	}
	free(s.slots);
	return err;
}

int kernel_btf_find(struct kernel_btf *b, struct kernel_btf_name *names, size_t n)
{
	return scan(b, names, n, NULL, NULL);
}

uint32_t kernel_btf_kfunc(const struct kernel_btf *b, const char *name)
{
	for (uint32_t id = 1; id <= b->n; id++) {
		uint32_t of = b->kind[id] == BTF_KIND_DECL_TAG ? type_of(b, id)->type : 0;

		if (of && of <= b->n && b->kind[of] == BTF_KIND_FUNC && !strcmp(b->strings + type_of(b, of)->name_off, name))
			return of;
	}
	return 0;
}

struct excerpt {
	const struct kernel_btf *from;
	uint32_t *ids; /* by id in from: that in the excerpt, 0 none yet */
	uint32_t n; /* the highest id so far */
	struct buf order; /* ids in from, in the order of those in the excerpt: uint32_t each */
	struct buf types, strings;
};

/* The id in the excerpt of what is @id in the kernel; what it is made of follows later. */
static uint32_t take(struct excerpt *x, uint32_t id)
{
	if (!id || id > x->from->n)
		return 0;
	if (!x->ids[id]) {
		x->ids[id] = ++x->n;
		buf_add(&x->order, &id, sizeof(id));
	}
	return x->ids[id];
}

static int take_found(void *arg, uint32_t id)
{
	return take(arg, id) ? 0 : -EINVAL;
}

static uint32_t take_string(struct excerpt *x, uint32_t offset)
{
	uint32_t at = (uint32_t)x->strings.len;
	const char *s;

	if (!offset || offset >= x->from->strings_len)
		return 0;
	s = x->from->strings + offset;
	buf_add(&x->strings, s, strlen(s) + 1);
	return at;
}

/* Size of a member or value of a type of @kind, each of which begins with a name; 0: it has none. */
static size_t item_size(uint32_t kind)
{
	switch (kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		return sizeof(struct btf_member);
	case BTF_KIND_ENUM:
		return sizeof(struct btf_enum);
	case BTF_KIND_ENUM64:
		return sizeof(struct btf_enum64);
	}
	return 0;
}

static void copy_items(struct excerpt *x, const struct btf_type *t, uint32_t kind)
{
	size_t size = item_size(kind);
	const char *items = (const void *)(t + 1);

	for (uint32_t i = 0; i < BTF_INFO_VLEN(t->info); i++) {
		union {
			uint32_t name;
			struct btf_member member;
			struct btf_enum64 any; /* the largest */
		} item;

		memcpy(&item, items + i * size, size);
		item.name = take_string(x, item.name);
		if (kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION)
			item.member.type = take(x, item.member.type);
		buf_add(&x->types, &item, size);
	}
}

static void copy_type(struct excerpt *x, const struct btf_type *t)
{
	struct btf_type copy = *t;
	struct btf_array array;
	uint32_t kind = BTF_INFO_KIND(t->info);

	copy.name_off = take_string(x, t->name_off);
	switch (kind) {
	case BTF_KIND_PTR:
		copy.type = 0;
		break;
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_CONST:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		copy.type = take(x, t->type);
		break;
	}
	buf_add(&x->types, &copy, sizeof(copy));
	if (kind == BTF_KIND_ARRAY) {
		memcpy(&array, t + 1, sizeof(array));
		array.type = take(x, array.type);
		array.index_type = take(x, array.index_type);
		buf_add(&x->types, &array, sizeof(array));
	} else if (item_size(kind)) {
		copy_items(x, t, kind);
	} else {
		buf_add(&x->types, t + 1, extra_of(t));
	}
}

static int write_excerpt(struct excerpt *x, int fd)
{
	struct btf_header h = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(h),
		.type_len = (uint32_t)x->types.len,
		.str_off = (uint32_t)x->types.len,
		.str_len = (uint32_t)x->strings.len,
	};
	struct buf head = {};
	int err;

	buf_add(&head, &h, sizeof(h));
	err = buf_flush(&head, fd);
	buf_free(&head);
	if (!err)
		err = buf_flush(&x->types, fd);
	return err ? err : buf_flush(&x->strings, fd);
}

int kernel_btf_excerpt(struct kernel_btf *b, struct kernel_btf_name *names, size_t n, int fd)
{
	struct excerpt x = { .from = b, .ids = calloc((size_t)b->n + 1, sizeof(*x.ids)) };
	int err = x.ids ? scan(b, names, n, take_found, &x) : -ENOMEM;

	buf_addc(&x.strings, '\0');
	for (uint32_t i = 0; !err && !x.order.failed && i < x.n; i++) {
		uint32_t id;

		memcpy(&id, x.order.data + i * sizeof(id), sizeof(id));
		copy_type(&x, type_of(b, id));
	}
	if (!err)
		err = x.order.failed ? -ENOMEM : write_excerpt(&x, fd);
	buf_free(&x.order);
	buf_free(&x.types);
	buf_free(&x.strings);
	free(x.ids);
	return err;
}
