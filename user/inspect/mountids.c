/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inspect/mountids.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "util/cleanup.h"

#define STATMOUNT 457
#define LISTMOUNT 458
#define LIST_MAX 512
#define ROOT UINT64_MAX /* LSMT_ROOT */
#define BASIC 2 /* STATMOUNT_MNT_BASIC */

/* struct mnt_id_req */
struct request {
	uint32_t size, spare;
	uint64_t mount;
	uint64_t param; /* listmount: all above this id; statmount: what to tell */
	uint64_t ns; /* only if @size says that it is there, since Linux 6.11 */
};

/* The start of struct statmount. */
struct answer {
	uint32_t size, options;
	uint64_t mask;
	uint32_t major, minor;
	uint64_t magic;
	uint32_t flags, fstype;
	uint64_t id, parent;
	uint32_t id_old, parent_old; /* as in mountinfo */
	char rest[448];
};

static struct request request_of(uint64_t mount, uint64_t param, uint64_t ns)
{
	return (struct request){
		.size = ns ? sizeof(struct request) : sizeof(struct request) - sizeof(ns),
		.mount = mount,
		.param = param,
		.ns = ns,
	};
}

static int by_id(const void *a, const void *b)
{
	const struct mount *x = *(struct mount *const *)a, *y = *(struct mount *const *)b;

	return x->info.id < y->info.id ? -1 : x->info.id > y->info.id;
}

static void take(struct mount **mounts, size_t n, uint64_t id, uint64_t ns)
{
	struct request request = request_of(id, BASIC, ns);
	struct mount key, *wanted = &key, **found;
	struct answer answer;

	if (syscall(STATMOUNT, &request, &answer, sizeof(answer), 0) || !(answer.mask & BASIC))
		return;
	key.info.id = answer.id_old;
	found = bsearch(&wanted, mounts, n, sizeof(struct mount *), by_id);
	if (found)
		(*found)->unique_id = answer.id;
}

int mountids_read(struct mountgraph *g, uint32_t inum, uint64_t ns_id)
{
	_free_ struct mount **mounts = calloc(g->n + 1, sizeof(struct mount *));
	uint64_t ids[LIST_MAX], last = 0;
	size_t n = 0;

	if (!mounts)
		return -ENOMEM;
	for (size_t i = 0; i < g->n; i++)
		if (g->mounts[i]->ns == inum)
			mounts[n++] = g->mounts[i];
	qsort(mounts, n, sizeof(struct mount *), by_id);
	while (true) {
		struct request request = request_of(ROOT, last, ns_id);
		long found = syscall(LISTMOUNT, &request, ids, LIST_MAX, 0);

		for (long i = 0; i < found; i++)
			take(mounts, n, ids[i], ns_id);
		if (found <= 0 || ids[found - 1] <= last)
			return 0;
		last = ids[found - 1];
	}
}
