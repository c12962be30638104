/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/verify.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/thread.h"

struct verify *verify_new(void)
{
	return calloc(1, sizeof(struct verify));
}

int verify_add(struct verify *v, const char *name, enum bpf_prog_type type, struct bpf_insn *insns, size_t n,
	       const struct bpf_prog_load_opts *opts)
{
	struct verify_program p = { name, type, insns, n, *opts, NULL, -ECANCELED };
	size_t size = (size_t)opts->func_info_cnt * opts->func_info_rec_size;

	p.func_info = v->n < VERIFY_PROGRAMS_MAX ? malloc(size) : NULL;
	if (!p.func_info) {
		free(insns);
		return v->n < VERIFY_PROGRAMS_MAX ? -ENOMEM : -E2BIG;
	}
	p.opts.func_info = memcpy(p.func_info, opts->func_info, size);
	v->programs[v->n++] = p;
	return 0;
}

bool verify_has(const struct verify *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->programs[i].name, name))
			return true;
	return false;
}

static int by_size(const void *a, const void *b)
{
	const struct verify_program *x = a, *y = b;

	return (x->n < y->n) - (x->n > y->n);
}

static void *load(void *arg)
{
	struct verify *v = arg;
	size_t i;

	while ((i = __atomic_fetch_add(&v->next, 1, __ATOMIC_RELAXED)) < v->n) {
		struct verify_program *p = &v->programs[i];

		p->fd = bpf_prog_load(p->type, p->name, "GPL", p->insns, p->n, &p->opts);
		if (p->fd < 0)
			p->fd = -errno;
	}
	return NULL;
}

static size_t cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) ? 1 : (size_t)CPU_COUNT(&set);
}

void verify_all(struct verify *v, size_t threads)
{
	pthread_t others[VERIFY_THREADS_MAX];
	size_t n = 0, most = cpus();

	most = most < threads ? most : threads;
	most = most < v->n ? most : v->n;
	qsort(v->programs, v->n, sizeof(v->programs[0]), by_size); /* the longest first */
	/* Where no thread can be had, this one does it all. */
	while (n + 1 < most && n + 1 < VERIFY_THREADS_MAX && thread_start(&others[n], load, v, true))
		n++;
	load(v);
	while (n)
		pthread_join(others[--n], NULL);
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n; i++) {
		if (v->programs[i].fd >= 0)
			close(v->programs[i].fd);
		free(v->programs[i].insns);
		free(v->programs[i].func_info);
	}
	free(v);
}
