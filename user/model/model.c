/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash ends the program when there is no memory, unless it is told what to do instead. */
#define HASH_NONFATAL_OOM 1
#include "model/model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct process *model_find(const struct model *m, uint32_t pid)
{
	return pidtable_get(&m->processes, pid);
}

static void free_process(struct process *p)
{
	free(p->pids);
	free(p);
}

static int add(struct model *m, uint32_t pid, struct process **ret_process)
{
	struct process *p = malloc(sizeof(*p)); /* calloc(3) does not take what this thread gave back last */
	int err = p ? pidtable_put(&m->processes, pid, p) : -ENOMEM;

	if (err) {
		free(p);
		return err;
	}
	*p = (struct process){ .pid = pid };
	*ret_process = p;
	return 0;
}

static struct namespace *find_namespace(struct model *m, size_t kind, uint32_t inum)
{
	struct namespace_key key = { (uint32_t)kind, inum };
	struct namespace *ns = m->recent[kind];

	if (ns && ns->key.inum == inum)
		return ns;
	HASH_FIND(hh, m->namespaces, &key, sizeof(key), ns);
	if (ns)
		m->recent[kind] = ns;
	return ns;
}

/* Counts @p, whose namespaces were @before (zeroes: it is new), in those that it has come into. */
static void count_in_namespaces(struct model *m, const uint32_t *before, const struct nss_task *now)
{
	for (size_t i = 0; m->namespaces && i < NSS_NS_MAX; i++) {
		struct namespace *ns = ns_flags[i] && now->ns[i] && now->ns[i] != before[i] ? find_namespace(m, i, now->ns[i]) : NULL;

		if (ns)
			ns->processes++;
	}
}

static int namespace_made(struct model *m, const struct nss_ns_create *made, const struct nss_task *by)
{
	struct namespace *ns = find_namespace(m, made->type, made->inum);

	if (!ns) { /* else its end is not told yet, and the number is used again */
		ns = calloc(1, sizeof(*ns));
		if (!ns)
			return -ENOMEM;
		ns->key = (struct namespace_key){ made->type, made->inum };
		HASH_ADD(hh, m->namespaces, key, sizeof(ns->key), ns);
		if (!ns->hh.tbl) {
			free(ns);
			return -ENOMEM;
		}
	}
	ns->id = made->id;
	ns->processes = by->ns[made->type] == made->inum; /* who made it is in it; not so the PID namespace of unshare(2) */
	return 0;
}

static void namespace_ended(struct model *m, struct event *e)
{
	const struct nss_ns_destroy *end = e->payload;
	struct namespace *ns = find_namespace(m, end->type, end->inum);

	if (!ns || ns->id != end->id)
		return;
	if (m->by_type[NSS_EV_FORK])
		e->processes = ns->processes;
	m->recent[end->type] = NULL;
	HASH_DEL(m->namespaces, ns);
	free(ns);
}

/* Keeps what @e says of its process. */
static int keep(struct model *m, const struct event *e)
{
	size_t size = e->rec->levels * sizeof(*e->pids);
	struct process *p = model_find(m, event_host(e)->pid);
	uint32_t before[NSS_NS_MAX] = {};

	int err = p ? 0 : add(m, event_host(e)->pid, &p);

	if (err)
		return err == -ERANGE ? 0 : err; /* from a recording: nothing can be known of such a process */
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
	else
		memcpy(before, p->task.ns, sizeof(before));
	count_in_namespaces(m, before, e->task);
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
	struct reach reach;

	m->events++;
	m->by_type[type]++;
	m->failed[type] += (int32_t)member(e, "error", 0) < 0;
	if (e->desc->group != GROUP_MOUNT)
		return;
	if (event_reach(e, &reach))
		m->reached[reach.verdict]++;
	m->args_of_caller += member(e, "args", NSS_ARGS_KERNEL) == NSS_ARGS_CALLER;
}

static int take(struct model *m, struct event *e)
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
		pidtable_take(&m->processes, event_host(e)->pid);
		if (p)
			free_process(p);
		return 0;
	case NSS_EV_NS_CREATE:
		count(m, e);
		if (keep(m, e))
			return -ENOMEM;
		return namespace_made(m, e->payload, e->task);
	case NSS_EV_NS_DESTROY:
		count(m, e);
		namespace_ended(m, e);
		return 0;
	default:
		count(m, e);
		return e->task ? keep(m, e) : 0;
	}
}

int model_update(struct model *m, struct event *e)
{
	int err = contexts_update(&m->contexts, e);

	return err ? err : take(m, e);
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
	struct namespace *ns, *next_ns;
	struct process *p;
	uint32_t pid = 0;

	contexts_free(&m->contexts);
	while ((p = pidtable_next(&m->processes, &pid)))
		free_process(p);
	pidtable_free(&m->processes);
	HASH_ITER(hh, m->namespaces, ns, next_ns) {
		HASH_DEL(m->namespaces, ns);
		free(ns);
	}
}
