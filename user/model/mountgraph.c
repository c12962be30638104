/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash ends the program when there is no memory, unless it is told what to do instead. */
#define HASH_NONFATAL_OOM 1
#include "model/mountgraph.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/mountcover.h"
#include "util/cleanup.h"

/* What a mount with this root, of the group, would let through. */
struct mount_reach {
	const char *root; /* a mount's */
	struct mount_receivers receivers;
	struct mount_reach *next;
};

/* Copies @text to @*at and moves that behind it. */
static const char *keep(char **at, const char *text)
{
	char *copy = *at;

	*at = stpcpy(copy, text) + 1;
	return copy;
}

int mountgraph_add(struct mountgraph *g, uint32_t ns, const struct mountinfo *info)
{
	size_t text = strlen(info->root) + strlen(info->target) + strlen(info->options) + strlen(info->fstype) +
		      strlen(info->source) + strlen(info->super) + 6;
	struct mount *m;
	char *at;

	if (g->n == g->room) {
		size_t room = g->room ? 2 * g->room : 256;
		struct mount **mounts = reallocarray(g->mounts, room, sizeof(struct mount *));

		if (!mounts)
			return -ENOMEM;
		g->mounts = mounts;
		g->room = room;
	}
	m = malloc(sizeof(*m) + text);
	if (!m)
		return -ENOMEM;
	at = (char *)(m + 1);
	*m = (struct mount){ .ns = ns, .index = g->n, .info = *info };
	m->info.root = keep(&at, info->root);
	m->info.target = keep(&at, info->target);
	m->info.options = keep(&at, info->options);
	m->info.fstype = keep(&at, info->fstype);
	m->info.source = keep(&at, info->source);
	m->info.super = keep(&at, info->super);
	g->mounts[g->n++] = m;
	return 0;
}

static struct mount_group *find_group(const struct mountgraph *g, uint32_t id)
{
	struct mount_group *group;

	HASH_FIND(hh, g->groups, &id, sizeof(id), group);
	return group;
}

const struct mount_group *mountgraph_group(const struct mountgraph *g, uint32_t id)
{
	return find_group(g, id);
}

static struct mount_group *get_group(struct mountgraph *g, uint32_t id)
{
	struct mount_group *group = find_group(g, id);

	if (group)
		return group;
	group = calloc(1, sizeof(*group));
	if (!group)
		return NULL;
	group->id = id;
	HASH_ADD(hh, g->groups, id, sizeof(group->id), group);
	if (!group->hh.tbl) { /* no memory for the table */
		free(group);
		return NULL;
	}
	return group;
}

static int append(size_t **list, size_t *n, size_t *room, size_t index)
{
	if (*n == *room) {
		size_t more = *room ? 2 * *room : 4;
		size_t *at = reallocarray(*list, more, sizeof(*at));

		if (!at)
			return -ENOMEM;
		*list = at;
		*room = more;
	}
	(*list)[(*n)++] = index;
	return 0;
}

static int by_ns(const void *a, const void *b)
{
	const struct mount_ns_count *x = a, *y = b;

	return x->ns < y->ns ? -1 : x->ns > y->ns;
}

/* The namespaces of the mounts in @list. */
static int count_namespaces(const struct mountgraph *g, const size_t *list, size_t n, struct mount_counts *ret_counts)
{
	struct mount_ns_count *at = calloc(n + 1, sizeof(*at));
	size_t used = 0;

	if (!at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		at[i] = (struct mount_ns_count){ .ns = g->mounts[list[i]]->ns, .mounts = 1 };
	qsort(at, n, sizeof(*at), by_ns);
	for (size_t i = 0; i < n; i++) {
		if (used && at[used - 1].ns == at[i].ns)
			at[used - 1].mounts++;
		else
			at[used++] = at[i];
	}
	*ret_counts = (struct mount_counts){ .at = at, .n = used };
	return 0;
}

int mountgraph_finish(struct mountgraph *g)
{
	struct mount_group *group, *next;
	int err = mountcover_find(g);

	for (size_t i = 0; i < g->n && !err; i++) {
		const struct mountinfo *m = &g->mounts[i]->info;

		if (m->shared) {
			group = get_group(g, m->shared);
			err = group ? append(&group->member, &group->nmembers, &group->room_members, i) : -ENOMEM;
		}
		if (m->master && !err) {
			group = get_group(g, m->master);
			err = group ? append(&group->slave, &group->nslaves, &group->room_slaves, i) : -ENOMEM;
		}
	}
	HASH_ITER(hh, g->groups, group, next) {
		if (!err)
			err = count_namespaces(g, group->member, group->nmembers, &group->members);
		if (!err)
			err = count_namespaces(g, group->slave, group->nslaves, &group->slaves);
	}
	return err;
}

/*
 * What is behind @root in @path, both seen from the root of one file system: "" if they are the same; NULL if @path is
 * not below @root.
 */
static const char *below(const char *root, const char *path)
{
	size_t len = strlen(root);

	if (!strcmp(root, path))
		return "";
	if (!strcmp(root, "/"))
		return path;
	return !strncmp(root, path, len) && path[len] == '/' && path[len + 1] != '/' ? path + len : NULL;
}

static bool is_deleted(const char *root)
{
	size_t len = strlen(root);

	return len > 9 && !strcmp(root + len - 9, "//deleted");
}

static int by_receiver(const void *a, const void *b)
{
	const struct mount_receiver *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	if (!x->below || !y->below)
		return !y->below - !x->below;
	return strcmp(x->below, y->below);
}

/* Sorted, each once, and of a namespace that gets all no more than that. */
static void settle(struct mount_receivers *r)
{
	size_t used = 0;

	qsort(r->at, r->n, sizeof(*r->at), by_receiver);
	for (size_t i = 0; i < r->n; i++) {
		const struct mount_receiver *last = used ? &r->at[used - 1] : NULL;

		if (last && last->ns == r->at[i].ns) {
			if (!last->below || !strcmp(last->below, r->at[i].below))
				continue;
		} else {
			r->namespaces++;
		}
		r->at[used++] = r->at[i];
	}
	r->n = used;
}

/* A mount gets a copy if the place is in what it shows of the file system. */
static void receive(const struct mountgraph *g, size_t index, const struct mount *from, struct mount_receivers *r)
{
	const struct mount *m = g->mounts[index];
	const char *rest = below(from->info.root, m->info.root);

	if (below(m->info.root, from->info.root))
		r->at[r->n++] = (struct mount_receiver){ .ns = m->ns };
	else if (rest && !is_deleted(m->info.root))
		r->at[r->n++] = (struct mount_receiver){ .ns = m->ns, .below = rest };
}

/* All groups that @first leads to: its slaves may be in groups of their own, which have slaves again. */
static int collect_groups(struct mountgraph *g, struct mount_group *first, struct mount_group ***ret_groups, size_t *ret_n)
{
	_free_ struct mount_group **queue = calloc(HASH_COUNT(g->groups), sizeof(struct mount_group *));
	size_t n = 0;

	if (!queue)
		return -ENOMEM;
	g->searches++;
	first->visited = g->searches;
	queue[n++] = first;
	for (size_t done = 0; done < n; done++) {
		for (size_t i = 0; i < queue[done]->nslaves; i++) {
			const struct mount *slave = g->mounts[queue[done]->slave[i]];
			struct mount_group *next = slave->info.shared ? find_group(g, slave->info.shared) : NULL;

			if (!next || next->visited == g->searches)
				continue;
			next->visited = g->searches;
			queue[n++] = next;
		}
	}
	*ret_groups = TAKE_PTR(queue);
	*ret_n = n;
	return 0;
}

static int search(struct mountgraph *g, struct mount_group *first, const struct mount *m, struct mount_receivers *ret_r)
{
	_free_ struct mount_group **groups = NULL;
	struct mount_receivers r = {};
	size_t n, room = 0;
	int err = collect_groups(g, first, &groups, &n);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		room += groups[i]->nmembers + groups[i]->nslaves;
	r.at = calloc(room + 1, sizeof(*r.at));
	if (!r.at)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < groups[i]->nmembers; k++)
			receive(g, groups[i]->member[k], m, &r);
		for (size_t k = 0; k < groups[i]->nslaves; k++)
			if (!g->mounts[groups[i]->slave[k]]->info.shared) /* else it is a member of its group */
				receive(g, groups[i]->slave[k], m, &r);
	}
	settle(&r);
	*ret_r = r;
	return 0;
}

int mountgraph_reach(struct mountgraph *g, const struct mount *m, const struct mount_receivers **ret_receivers)
{
	static const struct mount_receivers none;
	struct mount_group *group = m->info.shared ? find_group(g, m->info.shared) : NULL;
	struct mount_reach *r;
	int err;

	if (!group) {
		*ret_receivers = &none;
		return 0;
	}
	for (r = group->reach; r; r = r->next) {
		if (!strcmp(r->root, m->info.root)) {
			*ret_receivers = &r->receivers;
			return 0;
		}
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	err = search(g, group, m, &r->receivers);
	if (err) {
		free(r);
		return err;
	}
	r->root = m->info.root;
	r->next = group->reach;
	group->reach = r;
	*ret_receivers = &r->receivers;
	return 0;
}

static void free_group(struct mount_group *group)
{
	while (group->reach) {
		struct mount_reach *r = group->reach;

		group->reach = r->next;
		free(r->receivers.at);
		free(r);
	}
	free(group->members.at);
	free(group->slaves.at);
	free(group->member);
	free(group->slave);
	free(group);
}

void mountgraph_free(struct mountgraph *g)
{
	struct mount_group *group, *next;

	HASH_ITER(hh, g->groups, group, next) {
		HASH_DEL(g->groups, group);
		free_group(group);
	}
	for (size_t i = 0; i < g->n; i++)
		free(g->mounts[i]);
	free(g->mounts);
	*g = (struct mountgraph){};
}
