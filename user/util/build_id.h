/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a linker notes in all that it links: no two builds that differ in anything have the same. */
#ifndef UTIL_BUILD_ID_H
#define UTIL_BUILD_ID_H

#include "util/buf.h"

/* Adds that of the running program, in hexadecimal. False: it has none. */
bool build_id_of_self(struct buf *to);

/* The same of the running kernel. False: it has none, or /sys cannot be read. */
bool build_id_of_kernel(struct buf *to);

#endif
