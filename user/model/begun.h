/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What nsscope stat knows of the beginning of processes that have neither executed a program nor ended: the kernel side adds it up
 * when they do, by the group that they are then of. Until then it is told with the group that they are of now.
 */
#ifndef MODEL_BEGUN_H
#define MODEL_BEGUN_H

#include <stddef.h>

#include "abi/stat.h"

/* Adds entries of @lives, @nlives, which it sorts, to *@entries, *@n, which realloc(3) moves. 0 or -ENOMEM. */
int begun_tell(struct nss_life *lives, size_t nlives, struct nss_span_entry **entries, size_t *n);

#endif
