/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A namespace outlives its processes while its file in /proc is bound to another: namespaces(7). */
#ifndef LAUNCH_PERSIST_H
#define LAUNCH_PERSIST_H

#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"

/* As in /proc/PID/ns. */
const char *persist_name(enum nss_ns ns);

/*
 * The file of /proc/PID/ns that is the namespace made by the clone(2) flag: for PID and time namespaces that of the
 * children, since it is the process that unshared which is looked at. NSS_NS_MAX: no flag.
 */
enum nss_ns persist_of(uint64_t flag);

/* "mnt,pid": the names of the namespaces of CLONE_NEW* @flags. */
void persist_names(uint64_t flags, char *names, size_t size);

/* Binds the namespace @ns of the process whose directory in /proc is @proc to @file. 0 or -errno of mount(2). */
int persist_bind(int proc, enum nss_ns ns, const char *file);

void persist_undo(const char *file);

#endif
