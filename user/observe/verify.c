/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/verify.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/thread.h"

#define THREADS_MAX 7 /* beside the caller's */

struct verify *verify_new(void)
{
	return calloc(1, sizeof(struct verify));
}

int verify_add(struct verify *v, const char *name, enum bpf_prog_type type, const struct bpf_insn *insns, size_t n,
	       const struct bpf_prog_load_opts *opts)
{
	struct verify_program *p = &v->programs[v->n];

	if (v->n == VERIFY_PROGRAMS_MAX)
		return -E2BIG;
	*p = (struct verify_program){ name, type, malloc(n * sizeof(*insns)), n, *opts, -ECANCELED };
	if (!p->insns)
		return -ENOMEM;
	memcpy(p->insns, insns, n * sizeof(*insns));
	if (p->opts.sz > sizeof(p->opts)) /* of a libbpf newer than this was built with */
		p->opts.sz = sizeof(p->opts);
	v->n++;
	return 0;
}

/* Loads what no other thread has taken, until there is no more. */
static void *load(void *arg)
{
	struct verify *v = arg;
	size_t at;

	while ((at = __atomic_fetch_add(&v->next, 1, __ATOMIC_RELAXED)) < v->n) {
		struct verify_program *p = &v->programs[at];

		p->fd = bpf_prog_load(p->type, p->name, "GPL", p->insns, p->n, &p->opts);
		if (p->fd < 0)
			p->fd = -errno;
	}
	return NULL;
}

static int larger_first(const void *a, const void *b)
{
	const struct verify_program *one = a, *other = b;

	return (one->n < other->n) - (one->n > other->n);
}

static size_t cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (size_t)CPU_COUNT(&set);
}

void verify_all(struct verify *v)
{
	size_t all = cpus() < v->n ? cpus() : v->n, n = 0;
	pthread_t threads[THREADS_MAX];

	qsort(v->programs, v->n, sizeof(*v->programs), larger_first);
	/* Where no thread can be had, the caller's does it all. */
	while (n + 1 < all && n < THREADS_MAX && thread_start(&threads[n], load, v))
		n++;
	load(v);
	while (n)
		pthread_join(threads[--n], NULL);
}

void verify_free(struct verify *v)
{
	for (size_t i = 0; v && i < v->n; i++) {
		if (v->programs[i].fd >= 0)
			close(v->programs[i].fd);
		free(v->programs[i].insns);
	}
	free(v);
}
