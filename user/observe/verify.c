/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/verify.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/thread.h"

struct verify *verify_new(void)
{
	struct verify *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	pthread_mutex_init(&v->lock, NULL);
	pthread_cond_init(&v->changed, NULL);
	return v;
}

int verify_add(struct verify *v, const char *name, enum bpf_prog_type type, struct bpf_insn *insns, size_t n,
	       const struct bpf_prog_load_opts *opts)
{
	struct verify_program p = { name, type, insns, n, *opts, NULL, false, -ECANCELED };
	size_t size = (size_t)opts->func_info_cnt * opts->func_info_rec_size;

	p.func_info = v->n < VERIFY_PROGRAMS_MAX ? malloc(size) : NULL;
	if (!p.func_info) {
		free(insns);
		return v->n < VERIFY_PROGRAMS_MAX ? -ENOMEM : -E2BIG;
	}
	p.opts.func_info = memcpy(p.func_info, opts->func_info, size);
	if (p.opts.sz > sizeof(p.opts)) /* of a libbpf newer than this was built with */
		p.opts.sz = sizeof(p.opts);
	pthread_mutex_lock(&v->lock);
	v->programs[v->n++] = p;
	pthread_cond_signal(&v->changed);
	pthread_mutex_unlock(&v->lock);
	return 0;
}

static struct verify_program *largest(struct verify *v)
{
	struct verify_program *found = NULL;

	for (size_t i = 0; i < v->n; i++)
		if (!v->programs[i].taken && (!found || v->programs[i].n > found->n))
			found = &v->programs[i];
	return found;
}

/* The largest of those that no thread has taken, once there is one; NULL: there will be no more. */
static struct verify_program *take(struct verify *v)
{
	struct verify_program *p;

	pthread_mutex_lock(&v->lock);
	while (!(p = largest(v)) && !v->complete)
		pthread_cond_wait(&v->changed, &v->lock);
	if (p)
		p->taken = true;
	pthread_mutex_unlock(&v->lock);
	return p;
}

static void *load(void *arg)
{
	struct verify *v = arg;
	struct verify_program *p;

	while ((p = take(v))) {
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

void verify_begin(struct verify *v, size_t most)
{
	if (most > cpus())
		most = cpus();
	/* Where no thread can be had, the caller's does it all. */
	while (v->nthreads + 1 < most && v->nthreads < VERIFY_THREADS_MAX && thread_start(&v->threads[v->nthreads], load, v))
		v->nthreads++;
}

/* @cancel: what has not been begun is not loaded. */
static void complete(struct verify *v, bool cancel)
{
	pthread_mutex_lock(&v->lock);
	v->complete = true;
	for (size_t i = 0; cancel && i < v->n; i++)
		v->programs[i].taken = true;
	pthread_cond_broadcast(&v->changed);
	pthread_mutex_unlock(&v->lock);
}

static void join(struct verify *v)
{
	while (v->nthreads)
		pthread_join(v->threads[--v->nthreads], NULL);
}

void verify_all(struct verify *v)
{
	complete(v, false);
	if (!v->nthreads) /* it was not begun */
		verify_begin(v, v->n);
	load(v);
	join(v);
}

void verify_free(struct verify *v)
{
	if (!v)
		return;
	complete(v, true);
	join(v);
	for (size_t i = 0; i < v->n; i++) {
		if (v->programs[i].fd >= 0)
			close(v->programs[i].fd);
		free(v->programs[i].insns);
		free(v->programs[i].func_info);
	}
	pthread_cond_destroy(&v->changed);
	pthread_mutex_destroy(&v->lock);
	free(v);
}
