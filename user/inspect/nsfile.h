/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says of a namespace by its file: ioctl_ns(2), and the kernel's list of namespaces. */
#ifndef INSPECT_NSFILE_H
#define INSPECT_NSFILE_H

#include <stddef.h>
#include <stdint.h>

struct nsfile {
	uint32_t type; /* enum nss_ns; NSS_NS_MAX: not told */
	uint32_t inum;
	uint64_t id; /* 64 bits; 0: not told */
	uint64_t seen_ns; /* CLOCK_BOOTTIME: when its file came to be, at the latest */
};

/* 0 or -errno; -EINVAL: @fd is no namespace's file. */
int nsfile_read(int fd, struct nsfile *ret_file);

/* The namespace that it is nested in (PID, user), the user namespace that owns it: descriptor or -errno. */
int nsfile_parent(int fd);
int nsfile_owner(int fd);

/* Who made the user namespace @fd. 0 or -errno. */
int nsfile_owner_uid(int fd, uint32_t *ret_uid);

/*
 * The mount namespace before (@step < 0) or after the one that @fd is open on, among all of the machine, with or without
 * processes (Linux 6.12). Descriptor or -errno; -ENOENT: there are no more.
 */
int nsfile_next_mount(int fd, int step);

/*
 * The ids of up to @n namespaces, all of which are above @after (Linux 6.19, listns(2)). Their number, or -errno.
 */
long nsfile_list(uint64_t after, uint64_t *ids, size_t n);

/* Opens the namespace that has the id (Linux 6.19). Descriptor or -errno. */
int nsfile_open(uint64_t id);

#endif
