/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes the records out of the ring buffer, in their order. While the caller is kept from asking for more, by a disk or a reader
 * that takes nothing, they wait in memory, so that the ring buffer does not overflow.
 */
#ifndef SOURCE_INTAKE_H
#define SOURCE_INTAKE_H

#include <stddef.h>

struct intake;

/*
 * As much waits in memory at most, bytes, and not more than this part of the machine's; what comes then stays in the ring
 * buffer, and is lost where that is full.
 */
#define INTAKE_MAX ((size_t)512 << 20)
#define INTAKE_PART 16

/* Takes from the ring buffer map @fd, which stays the caller's; it is being mapped meanwhile. 0 or -errno. */
int intake_open(int fd, struct intake **ret);

/* Waits until it can be read from: 0 or -errno. */
int intake_ready(struct intake *i);

/* The next record: valid until the next call. 1; 0: there is none now; -errno. */
int intake_next(struct intake *i, const void **ret_record, size_t *ret_len);

/* The caller will ask again in @ms: it is not kept before. */
void intake_expect(struct intake *i, int ms);

void intake_close(struct intake *i);

#endif
