/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mounts of all mount namespaces, and how the kernel propagates from one to another: mount_namespaces(7), and
 * propagate_mnt() of fs/pnode.c.
 */
#ifndef MODEL_MOUNTGRAPH_H
#define MODEL_MOUNTGRAPH_H

#include <uthash.h>

#include "util/mountinfo.h"

struct mount {
	uint32_t ns; /* inum of the mount namespace */
	size_t index; /* in the graph */
	uint64_t unique_id; /* 64 bits, never used again; 0: not known */
	bool covered; /* no path leads there: another mount is on its root, or on the way */
	struct mountinfo info; /* its strings are the graph's */
};

/* A namespace, and how many mounts of it something is true of. */
struct mount_ns_count {
	uint32_t ns;
	size_t mounts;
};

/* A namespace that something mounted would reach. */
struct mount_receiver {
	uint32_t ns;
	const char *below; /* only what is mounted there, relative to the mount: "/x"; NULL: all of it */
};

struct mount_counts {
	struct mount_ns_count *at; /* by inum */
	size_t n;
};

struct mount_receivers {
	struct mount_receiver *at; /* by inum; one that gets all stands alone, else one for each place */
	size_t n;
	size_t namespaces; /* different ones */
};

/* A peer group. */
struct mount_group {
	uint32_t id;
	struct mount_counts members; /* mounts that are in it */
	struct mount_counts slaves; /* mounts that receive from it */
	struct mount_reach *reach; /* what was found already, by root */
	size_t visited; /* in which search, from 1 */
	size_t nmembers, nslaves, room_members, room_slaves;
	size_t *member, *slave; /* indices of mounts */
	UT_hash_handle hh;
};

struct mountgraph {
	struct mount **mounts; /* those of a namespace in the order of its mountinfo */
	size_t n, room;
	struct mount_group *groups;
	size_t searches;
};

/* Adds a copy of @info. 0 or -ENOMEM. */
int mountgraph_add(struct mountgraph *g, uint32_t ns, const struct mountinfo *info);

/* When all are added: the groups, and what is covered. 0 or -ENOMEM. */
int mountgraph_finish(struct mountgraph *g);

/* The peer group, or NULL. */
const struct mount_group *mountgraph_group(const struct mountgraph *g, uint32_t id);

/*
 * Which namespaces would have what is mounted on or below the mount @m; its own is among them, unless the mount is not
 * shared: then nothing is. *ret_receivers is the graph's. 0 or -ENOMEM.
 */
int mountgraph_reach(struct mountgraph *g, const struct mount *m, const struct mount_receivers **ret_receivers);

void mountgraph_free(struct mountgraph *g);

#endif
