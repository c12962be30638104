/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces of the machine: who is in them, whose they are, and what keeps them alive. */
#ifndef MODEL_NSTABLE_H
#define MODEL_NSTABLE_H

#include <stdbool.h>
#include <uthash.h>

#include "abi/abi.h"

/* A process, as far as the table needs it. */
struct ns_process {
	uint32_t pid; /* the host's number */
	uint32_t uid; /* effective */
	uint64_t start_ns; /* CLOCK_BOOTTIME */
	uint32_t ns[NSS_NS_MAX]; /* inums; 0: none any more, or not to be read */
	uint32_t levels;
	struct nss_pid *pids; /* outermost first */
	bool kthread;
	char comm[NSS_COMM_LEN];
	char *command; /* its arguments, a blank between them; NULL: not read */
	size_t command_len;
};

/* What beside processes keeps a namespace. */
enum ns_keeper_type {
	KEEPER_BIND, /* its file is bound to a path: the mount namespace .by, .path there */
	KEEPER_FD, /* process .by has its file open as .fd */
	KEEPER_SOCKET, /* process .by has a socket of it as .fd */
	KEEPER_THREAD, /* thread .fd of process .by is in it, the process is not */
	KEEPER_FOR_CHILDREN, /* children of process .by will be in it */
	KEEPER_CHILD, /* the namespace .by is nested in it */
	KEEPER_OWNED, /* the namespace .by is owned by it */
	KEEPER_MAX,
};

extern const char *const ns_keeper_names[KEEPER_MAX];

struct ns_keeper {
	enum ns_keeper_type type;
	uint32_t by;
	int fd;
	char *path;
	struct ns_keeper *next;
};

/* How an age is known. */
enum ns_age {
	NS_AGE_UNKNOWN,
	NS_AGE_BOOT, /* one of those that the kernel began with */
	NS_AGE_AT_LEAST, /* proven: it was there already then */
	NS_AGE_ABOUT, /* when its oldest process began, which may have entered it later, or made it later */
	NS_AGE_MAX,
};

extern const char *const ns_age_names[NS_AGE_MAX];

struct ns {
	uint32_t inum; /* no two namespaces have the same, of whatever type */
	uint32_t type; /* enum nss_ns, none of the _for_children */
	uint64_t id; /* 64 bits, never used again; 0: the kernel has none */
	uint32_t parent; /* inum; 0: none, or not to be seen */
	uint32_t owner; /* inum of a user namespace; 0: not to be seen */
	bool has_uid;
	uint32_t owner_uid; /* who made the user namespace that owns it; of a user namespace: who made it */
	uint64_t nprocs;
	const struct ns_process *leader; /* the one with the lowest PID, or NULL */
	const struct ns_process *oldest; /* or NULL */
	bool of_kernel; /* kernel threads are in it: it was there at the boot */
	uint64_t seen_ns; /* CLOCK_BOOTTIME: was surely there then; 0: not known */
	uint64_t since_ns; /* with age, CLOCK_BOOTTIME */
	enum ns_age age;
	bool examined; /* for the reader: it was asked what it is, */
	bool denied; /* or that was refused */
	size_t count[KEEPER_MAX];
	struct ns_keeper *keepers, **last; /* in the order in which they were added */
	UT_hash_handle hh;
};

struct nstable {
	struct ns *all; /* by inum, in the order in which they were found, until nstable_finish sorts them */
	struct ns_process **processes; /* in the order in which they were added */
	size_t nprocesses, room;
};

/* The namespace @inum of @type, which is added if it is new; NULL: no memory, or @type is none. */
struct ns *nstable_get(struct nstable *t, uint32_t type, uint32_t inum);
struct ns *nstable_find(const struct nstable *t, uint32_t inum);

/* Adds a copy of @process, whose ->pids and ->command are taken over, and what it is in. 0 or -ENOMEM. */
int nstable_add_process(struct nstable *t, const struct ns_process *process);

/* Adds what keeps @ns; @path is copied, and may be NULL. 0 or -ENOMEM. */
int nstable_keep(struct ns *ns, enum ns_keeper_type type, uint32_t by, int fd, const char *path);

/* Takes it out: it has ended meanwhile. */
void nstable_forget(struct nstable *t, struct ns *ns);

/* When all is known: children and owned namespaces as keepers, ages, and the order: by type, then by inum. 0 or -ENOMEM. */
int nstable_finish(struct nstable *t);

void nstable_free(struct nstable *t);

/* enum nss_ns of what /proc/PID/ns, or a link to one of its files, calls @name (@len bytes of it); NSS_NS_MAX: none. */
uint32_t ns_type_find(const char *name, size_t len);

/* Reads "mnt:[4026531832]". False if @link is not the like. */
bool ns_link_parse(const char *link, uint32_t *ret_type, uint32_t *ret_inum);

#endif
