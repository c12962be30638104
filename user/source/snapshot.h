/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs now, as records of type process: from the BPF iterator, or from /proc with the same answer. */
#ifndef SOURCE_SNAPSHOT_H
#define SOURCE_SNAPSHOT_H

#include "observe/observe.h"
#include "source/recording.h"

/*
 * From the iterator, and from /proc those that it left out: there are kernels that keep their PID 1 from it. 0;
 * -EOPNOTSUPP where the kernel has no iterator over tasks; -errno; or what @fn returned.
 */
int snapshot_iter(struct observer *observer, record_fn fn, void *arg);

/*
 * The same from /proc alone, which needs no BPF. /proc counts start times in clock ticks, so start_ns is a multiple of
 * one; and of a process with more rights than the reader it does not tell the namespaces. @seen: a byte for each PID
 * up to NSS_PID_LIMIT, not 0 for those to leave out; or NULL. 0, -errno, or what @fn returned.
 */
int snapshot_proc(const uint8_t *seen, record_fn fn, void *arg);

/*
 * The one process that is @pid here, from the iterator, or from /proc where there is none or @observer is NULL. 0;
 * -ESRCH; -errno; or what @fn returned.
 */
int snapshot_one(struct observer *observer, uint32_t pid, record_fn fn, void *arg);

/* That from /proc alone. */
int snapshot_proc_one(uint32_t pid, record_fn fn, void *arg);

/* The parts of a record of type process, as the functions above give it. */
static inline const struct nss_process *snapshot_process(const void *record)
{
	return (const void *)((const char *)record + sizeof(struct nss_rec) + sizeof(struct nss_task));
}

static inline const struct nss_pid *snapshot_pids(const void *record)
{
	return (const void *)(snapshot_process(record) + 1);
}

#endif
