/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash ends the program when there is no memory, unless it is told what to do instead. */
#define HASH_NONFATAL_OOM 1
#include "model/nstable.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "util/cleanup.h"

/* A chain of parents or owners is not longer: see NSS_LEVELS_MAX. */
#define CHAIN_MAX 64
/* COOKIE_LOCAL_BATCH of the kernel. */
#define ID_BATCH 4096

const char *const ns_keeper_names[KEEPER_MAX] = {
	[KEEPER_BIND] = "binds",
	[KEEPER_FD] = "fds",
	[KEEPER_SOCKET] = "sockets",
	[KEEPER_THREAD] = "threads",
	[KEEPER_FOR_CHILDREN] = "for_children",
	[KEEPER_CHILD] = "children",
	[KEEPER_OWNED] = "owned",
};

const char *const ns_age_names[NS_AGE_MAX] = {
	[NS_AGE_UNKNOWN] = "unknown",
	[NS_AGE_BOOT] = "boot",
	[NS_AGE_AT_LEAST] = "at_least",
	[NS_AGE_ABOUT] = "about",
};

struct ns *nstable_find(const struct nstable *t, uint32_t inum)
{
	struct ns *ns;

	HASH_FIND(hh, t->all, &inum, sizeof(inum), ns);
	return ns;
}

struct ns *nstable_get(struct nstable *t, uint32_t type, uint32_t inum)
{
	struct ns *ns = nstable_find(t, inum);

	if (ns || type >= NSS_NS_MAX)
		return ns;
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return NULL;
	ns->inum = inum;
	ns->type = type == NSS_NS_PID_FOR_CHILDREN  ? NSS_NS_PID :
		   type == NSS_NS_TIME_FOR_CHILDREN ? NSS_NS_TIME :
						      type;
	ns->last = &ns->keepers;
	HASH_ADD(hh, t->all, inum, sizeof(ns->inum), ns);
	if (!ns->hh.tbl) { /* no memory for the table */
		free(ns);
		return NULL;
	}
	return ns;
}

int nstable_keep(struct ns *ns, enum ns_keeper_type type, uint32_t by, int fd, const char *path)
{
	struct ns_keeper *k = malloc(sizeof(*k));

	if (!k)
		return -ENOMEM;
	*k = (struct ns_keeper){ .type = type, .by = by, .fd = fd, .path = path ? strdup(path) : NULL };
	if (path && !k->path) {
		free(k);
		return -ENOMEM;
	}
	ns->count[type]++;
	*ns->last = k;
	ns->last = &k->next;
	return 0;
}

/* @type is a place of /proc/PID/ns, so that of children to come is one too. */
static int join(struct nstable *t, const struct ns_process *p, uint32_t type)
{
	bool to_come = type == NSS_NS_PID_FOR_CHILDREN || type == NSS_NS_TIME_FOR_CHILDREN;
	uint32_t own = p->ns[type == NSS_NS_PID_FOR_CHILDREN ? NSS_NS_PID : NSS_NS_TIME];
	struct ns *ns;

	if (!p->ns[type] || (to_come && p->ns[type] == own))
		return 0;
	ns = nstable_get(t, type, p->ns[type]);
	if (!ns)
		return -ENOMEM;
	if (to_come)
		return nstable_keep(ns, KEEPER_FOR_CHILDREN, p->pid, -1, NULL);
	ns->nprocs++;
	ns->of_kernel = ns->of_kernel || p->kthread;
	if (!ns->leader || p->pid < ns->leader->pid)
		ns->leader = p;
	if (!ns->oldest || p->start_ns < ns->oldest->start_ns)
		ns->oldest = p;
	return 0;
}

/* A place for one more process, or NULL. */
static struct ns_process *new_process(struct nstable *t)
{
	struct ns_process *p;

	if (t->nprocesses == t->room) {
		size_t room = t->room ? 2 * t->room : 256;
		struct ns_process **at = reallocarray(t->processes, room, sizeof(struct ns_process *));

		if (!at)
			return NULL;
		t->processes = at;
		t->room = room;
	}
	p = malloc(sizeof(*p));
	if (p)
		t->processes[t->nprocesses++] = p;
	return p;
}

int nstable_add_process(struct nstable *t, const struct ns_process *process)
{
	struct ns_process *p = new_process(t);
	int err = 0;

	if (!p) {
		free(process->pids);
		free(process->command);
		return -ENOMEM;
	}
	*p = *process;
	for (uint32_t i = 0; i < NSS_NS_MAX && !err; i++)
		err = join(t, p, i);
	return err;
}

/* Each namespace as what keeps its parent and its owner. */
static int tell_owners(struct nstable *t)
{
	struct ns *ns, *next;
	int err = 0;

	HASH_ITER(hh, t->all, ns, next) {
		struct ns *parent = ns->parent ? nstable_find(t, ns->parent) : NULL;
		struct ns *owner = ns->owner ? nstable_find(t, ns->owner) : NULL;

		if (parent && parent != ns)
			err = nstable_keep(parent, KEEPER_CHILD, ns->inum, -1, NULL);
		if (!err && owner && owner != ns && owner != parent)
			err = nstable_keep(owner, KEEPER_OWNED, ns->inum, -1, NULL);
		if (err)
			return err;
	}
	return 0;
}

static void was_there(struct ns *ns, uint64_t then)
{
	if (then && (!ns->seen_ns || then < ns->seen_ns))
		ns->seen_ns = then;
}

/* A process is in its PID namespace from its first moment; no other type is so. */
static void prove_by_processes(struct ns *ns)
{
	if (ns->type == NSS_NS_PID && ns->oldest)
		was_there(ns, ns->oldest->start_ns);
}

/* What a namespace is nested in, or owned by, is older than it. */
static void prove_by_owned(struct nstable *t)
{
	struct ns *ns, *next;

	HASH_ITER(hh, t->all, ns, next) {
		struct ns *up = ns;

		for (int i = 0; i < CHAIN_MAX && up; i++) {
			struct ns *parent = up->parent ? nstable_find(t, up->parent) : NULL;
			struct ns *owner = up->owner ? nstable_find(t, up->owner) : NULL;

			if (parent)
				was_there(parent, ns->seen_ns);
			if (owner)
				was_there(owner, ns->seen_ns);
			up = owner && owner != up ? owner : parent;
		}
	}
}

static int by_id(const void *a, const void *b)
{
	const struct ns *x = *(struct ns *const *)a, *y = *(struct ns *const *)b;

	return x->id < y->id ? -1 : x->id > y->id;
}

/*
 * The kernel gives out ids by CPU, in batches (gen_cookie_next of include/linux/cookie.h): within one, what has the
 * lower id is older.
 */
static int prove_by_order(struct nstable *t)
{
	size_t n = HASH_COUNT(t->all), i = 0;
	_free_ struct ns **all = calloc(n + 1, sizeof(struct ns *));
	struct ns *ns, *next;
	uint64_t then = 0, batch = 0;

	if (!all)
		return -ENOMEM;
	HASH_ITER(hh, t->all, ns, next)
		all[i++] = ns;
	qsort(all, n, sizeof(struct ns *), by_id);
	while (i-- && all[i]->id) {
		if ((all[i]->id - 1) / ID_BATCH == batch)
			was_there(all[i], then);
		batch = (all[i]->id - 1) / ID_BATCH;
		then = all[i]->seen_ns;
	}
	return 0;
}

static void decide_age(struct ns *ns)
{
	if (ns->of_kernel) {
		ns->age = NS_AGE_BOOT;
		ns->since_ns = 0;
	} else if (ns->oldest && (!ns->seen_ns || ns->oldest->start_ns < ns->seen_ns)) {
		ns->age = NS_AGE_ABOUT;
		ns->since_ns = ns->oldest->start_ns;
	} else if (ns->seen_ns) {
		ns->age = NS_AGE_AT_LEAST;
		ns->since_ns = ns->seen_ns;
	}
}

static int by_type(const void *a, const void *b)
{
	const struct ns *x = a, *y = b;

	if (x->type != y->type)
		return x->type < y->type ? -1 : 1;
	return x->inum < y->inum ? -1 : x->inum > y->inum;
}

int nstable_finish(struct nstable *t)
{
	struct ns *ns, *next;
	int err = tell_owners(t);

	HASH_ITER(hh, t->all, ns, next)
		prove_by_processes(ns);
	prove_by_owned(t);
	if (!err)
		err = prove_by_order(t);
	HASH_ITER(hh, t->all, ns, next)
		decide_age(ns);
	HASH_SORT(t->all, by_type);
	return err;
}

void nstable_forget(struct nstable *t, struct ns *ns)
{
	HASH_DEL(t->all, ns);
	while (ns->keepers) {
		struct ns_keeper *k = ns->keepers;

		ns->keepers = k->next;
		free(k->path);
		free(k);
	}
	free(ns);
}

void nstable_free(struct nstable *t)
{
	struct ns *ns, *next;

	HASH_ITER(hh, t->all, ns, next)
		nstable_forget(t, ns);
	for (size_t i = 0; i < t->nprocesses; i++) {
		free(t->processes[i]->pids);
		free(t->processes[i]->command);
		free(t->processes[i]);
	}
	free(t->processes);
	*t = (struct nstable){};
}

uint32_t ns_type_find(const char *name, size_t len)
{
	uint32_t i;

	for (i = 0; i < NSS_NS_MAX; i++)
		if (strlen(ns_names[i]) == len && !memcmp(ns_names[i], name, len))
			break;
	return i;
}

bool ns_link_parse(const char *link, uint32_t *ret_type, uint32_t *ret_inum)
{
	size_t len = strcspn(link, ":");
	uint32_t type = ns_type_find(link, len);
	unsigned long inum;
	char *end;

	if (type == NSS_NS_MAX || link[len] != ':' || link[len + 1] != '[' || link[len + 2] < '0' || link[len + 2] > '9')
		return false;
	inum = strtoul(link + len + 2, &end, 10);
	if (strcmp(end, "]") || !inum || inum > UINT32_MAX)
		return false;
	*ret_type = type;
	*ret_inum = (uint32_t)inum;
	return true;
}
