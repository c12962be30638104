/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash ends the program when there is no memory, unless it is told what to do instead. */
#define HASH_NONFATAL_OOM 1
#include "model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct process *model_find(const struct model *m, uint32_t pid)
{
	struct process *p;

	HASH_FIND(hh, m->processes, &pid, sizeof(pid), p);
	return p;
}

static void forget(struct model *m, struct process *p)
{
	HASH_DEL(m->processes, p);
	free(p->pids);
	free(p);
}

static struct process *add(struct model *m, uint32_t pid)
{
	struct process *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->pid = pid;
	HASH_ADD(hh, m->processes, pid, sizeof(p->pid), p);
	if (!p->hh.tbl) { /* no memory for the table */
		free(p);
		return NULL;
	}
	return p;
}

/* Keeps what @e says of its process. */
static int keep(struct model *m, const struct event *e)
{
	size_t size = e->rec->levels * sizeof(*e->pids);
	struct process *p = model_find(m, event_host(e)->pid);

	if (!p)
		p = add(m, event_host(e)->pid);
	if (!p)
		return -ENOMEM;
	if (p->levels != e->rec->levels) {
		struct nss_pid *pids = realloc(p->pids, size);

		if (!pids)
			return -ENOMEM;
		p->pids = pids;
		p->levels = e->rec->levels;
	}
	memcpy(p->pids, e->pids, size);
	if (p->start_ns != e->task->start_ns)
		p->kthread = false; /* the number is used again */
	p->start_ns = e->task->start_ns;
	p->task = *e->task;
	if (e->desc == &event_descs[NSS_EV_PROCESS])
		p->kthread = ((const struct nss_process *)e->payload)->kthread;
	return 0;
}

/* The 32-bit member of the payload of @e that is called @name, @missing where it has none. */
static uint32_t member(const struct event *e, const char *name, uint32_t missing)
{
	const struct event_field *field = event_field(e->desc, name, strlen(name));

	if (field)
		memcpy(&missing, (const char *)e->payload + field->offset, sizeof(missing));
	return missing;
}

static void count(struct model *m, const struct event *e)
{
	uint16_t type = e->rec->type;

	m->events++;
	m->by_type[type]++;
	m->failed[type] += (int32_t)member(e, "error", 0) < 0;
	m->args_of_caller += member(e, "args", NSS_ARGS_KERNEL) == NSS_ARGS_CALLER;
}

int model_update(struct model *m, const struct event *e)
{
	struct process *p;

	switch (e->rec->type) {
	case NSS_EV_START: {
		const struct nss_start *start = e->payload;

		m->mono_start = e->rec->mono_ns;
		m->wall_offset_ns = start->wall_offset_ns;
		m->host = start->host;
		return 0;
	}
	case NSS_EV_LOST: {
		const struct nss_lost *lost = e->payload;

		for (size_t i = 0; i < NSS_EV_MAX; i++)
			m->lost.count[i] += lost->lost.count[i];
		return 0;
	}
	case NSS_EV_END:
		m->lost = ((const struct nss_end *)e->payload)->lost;
		return 0;
	case NSS_EV_PROCESS:
		m->snapshot++;
		return keep(m, e);
	case NSS_EV_EXIT:
		count(m, e);
		p = model_find(m, event_host(e)->pid);
		if (p)
			forget(m, p);
		return 0;
	default:
		count(m, e);
		return keep(m, e);
	}
}

uint64_t model_lost(const struct model *m)
{
	uint64_t total = 0;

	for (size_t i = 0; i < NSS_EV_MAX; i++)
		total += m->lost.count[i];
	return total;
}

void model_free(struct model *m)
{
	struct process *p, *next;

	HASH_ITER(hh, m->processes, p, next)
		forget(m, p);
}
