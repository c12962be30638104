/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What runs now, as records of type process: from the BPF iterator, or from /proc with the same answer. */
#ifndef SOURCE_SNAPSHOT_H
#define SOURCE_SNAPSHOT_H

#include "observe/observe.h"
#include "source/recording.h"

/* 0; -EOPNOTSUPP where the kernel has no iterator over tasks; -errno; or what @fn returned. */
int snapshot_iter(struct observer *observer, record_fn fn, void *arg);

/*
 * The same from /proc, which needs no BPF. /proc counts start times in clock ticks, so start_ns is a multiple of one;
 * and of processes of other users, without root, it does not tell the namespaces. 0, -errno, or what @fn returned.
 */
int snapshot_proc(record_fn fn, void *arg);

#endif
