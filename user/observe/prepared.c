/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/prepared.h"

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/build_id.h"
#include "util/cleanup.h"

#define FILE_NAME "programs"
#define FILE_MAX (16 << 20) /* no file of ours is as large, bytes */

struct head {
	char identity[248]; /* a line */
	uint64_t sum; /* of what follows */
	struct prepared_kernel kernel;
};

/* To notice what a bad disk or a bad copy changes: who may write the file is trusted. */
static uint64_t add_to_sum(uint64_t sum, const void *data, size_t len)
{
	for (size_t i = 0; i + sizeof(sum) <= len; i += sizeof(sum)) {
		uint64_t word;

		memcpy(&word, (const char *)data + i, sizeof(word));
		sum = (sum ^ word) * 0x9e3779b97f4a7c15;
		sum ^= sum >> 32;
	}
	return sum;
}

static uint64_t sum_of(const struct prepared_kernel *kernel, const struct buf *items)
{
	return add_to_sum(add_to_sum(items->len, kernel, sizeof(*kernel)), items->data, items->len);
}

static void identify(struct buf *to, bool reads_memory)
{
	struct stat btf;
	bool known;

	buf_adds(to, "nsscope ");
	known = build_id_of_self(to);
	buf_addf(to, ", libbpf %s, Linux ", libbpf_version_string());
	known = known && build_id_of_kernel(to) && !stat("/sys/kernel/btf/vmlinux", &btf);
	buf_addf(to, ", BTF %lld, memory %d\n", known ? (long long)btf.st_size : 0, reads_memory);
	if (!known || to->failed || to->len > sizeof(((struct head *)NULL)->identity))
		to->len = 0;
}

static bool is_ours(const struct stat *st)
{
	return st->st_uid == geteuid() && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

/* The directory, if nobody else can write to it; @make: made, if it is not there. -1: there is none. */
static int open_dir(bool make)
{
	const char *given = secure_getenv("CACHE_DIRECTORY"); /* of systemd: several, with colons between them */
	const char *path = given ? given : "/var/cache/nsscope";
	_free_ char *first = strndup(path, strcspn(path, ":"));
	struct stat st;
	int fd;

	if (!first)
		return -1;
	if (make && *first)
		mkdir(first, 0700);
	fd = open(first, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && (fstat(fd, &st) || !is_ours(&st))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether @item, of which @left bytes are there, holds what it says. */
static bool is_sound(const struct prepared_item *item, size_t left)
{
	if (left < sizeof(*item) || item->len < sizeof(*item) || item->len > left || item->len % 8 ||
	    item->data_len > item->len - sizeof(*item) || !memchr(item->name, 0, sizeof(item->name)))
		return false;
	switch (item->kind) {
	case PREPARED_MAP:
		return !item->data_len || item->data_len == item->map.value_size;
	case PREPARED_PROGRAM:
		return (uint64_t)item->program.n * sizeof(struct bpf_insn) <= item->data_len;
	}
	return item->kind == PREPARED_BTF;
}

static bool are_sound(const struct buf *items)
{
	size_t at = 0;

	while (at < items->len) {
		const struct prepared_item *item = (const void *)(items->data + at);

		if (!is_sound(item, items->len - at))
			return false;
		at += item->len;
	}
	return true;
}

static bool read_items(struct prepared *p, int fd)
{
	struct stat st;
	struct head h;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !is_ours(&st) || st.st_size < (off_t)sizeof(h) ||
	    st.st_size > FILE_MAX || read(fd, &h, sizeof(h)) != sizeof(h) || memcmp(h.identity, p->identity.data, p->identity.len))
		return false;
	p->read.len = (size_t)st.st_size - sizeof(h);
	p->read.data = malloc(p->read.len);
	if (!p->read.data || read(fd, p->read.data, p->read.len) != (ssize_t)p->read.len)
		return false;
	p->kernel = h.kernel;
	return h.sum == sum_of(&p->kernel, &p->read) && are_sound(&p->read);
}

void prepared_open(struct prepared *ret_prepared, bool reads_memory, bool use_kept)
{
	_close_ int dir = -1, fd = -1;

	*ret_prepared = (struct prepared){};
	identify(&ret_prepared->identity, reads_memory);
	if (use_kept && ret_prepared->identity.len)
		dir = open_dir(false);
	if (dir >= 0)
		fd = openat(dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && !read_items(ret_prepared, fd)) {
		buf_free(&ret_prepared->read);
		ret_prepared->kernel = (struct prepared_kernel){};
	}
}

static const struct prepared_item *next_of(const struct buf *items, const struct prepared_item *item)
{
	const char *at = item ? (const char *)item + item->len : items->data;

	return at && at < items->data + items->len ? (const void *)at : NULL;
}

static const struct prepared_item *find_in(const struct buf *items, enum prepared_kind kind, const char *name)
{
	const struct prepared_item *item = NULL;

	while ((item = next_of(items, item)) && (item->kind != kind || strcmp(item->name, name)))
		;
	return item;
}

static const struct buf *items_of(const struct prepared *p)
{
	return p->made.len ? &p->made : &p->read;
}

const struct prepared_item *prepared_next(const struct prepared *p, const struct prepared_item *item)
{
	return next_of(items_of(p), item);
}

const struct prepared_item *prepared_find(const struct prepared *p, enum prepared_kind kind, const char *name)
{
	return find_in(items_of(p), kind, name);
}

void prepared_add(struct prepared *p, struct prepared_item head, const void *data)
{
	size_t rest = -(size_t)head.data_len % 8;

	head.len = (uint32_t)(sizeof(head) + head.data_len + rest);
	buf_add(&p->made, &head, sizeof(head));
	buf_add(&p->made, data, head.data_len);
	buf_add(&p->made, "\0\0\0\0\0\0\0", rest);
}

static void add_further_programs(struct buf *items, const struct prepared *p)
{
	const struct prepared_item *item = NULL;

	while ((item = next_of(&p->read, item)))
		if (item->kind == PREPARED_PROGRAM && !find_in(&p->made, PREPARED_PROGRAM, item->name))
			buf_add(items, item, item->len);
}

/* It has no name before all of it is there. Where somebody was quicker, theirs stays. */
static void write_file(int dir, struct buf *file)
{
	_close_ int fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	char link[64];

	if (fd < 0 || buf_flush(file, fd))
		return;
	unlinkat(dir, FILE_NAME, 0);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	linkat(AT_FDCWD, link, dir, FILE_NAME, AT_SYMLINK_FOLLOW);
}

void prepared_write(struct prepared *p)
{
	struct head head = { .kernel = p->kernel };
	struct buf items = {}, file = {};
	_close_ int dir = p->identity.len ? open_dir(true) : -1;

	if (dir < 0)
		return;
	buf_add(&items, p->made.data, p->made.len);
	add_further_programs(&items, p);
	memcpy(head.identity, p->identity.data, p->identity.len);
	head.sum = sum_of(&head.kernel, &items);
	buf_add(&file, &head, sizeof(head));
	buf_add(&file, items.data, items.len);
	if (!items.failed && !file.failed && !p->made.failed)
		write_file(dir, &file);
	buf_free(&items);
	buf_free(&file);
}

void prepared_close(struct prepared *p)
{
	buf_free(&p->identity);
	buf_free(&p->read);
	buf_free(&p->made);
}
