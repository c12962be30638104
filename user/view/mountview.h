/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mounts of one namespace, whom they share with, and what would reach where: as a table, a tree or JSON. */
#ifndef VIEW_MOUNTVIEW_H
#define VIEW_MOUNTVIEW_H

#include "model/mountgraph.h"
#include "model/nstable.h"
#include "util/buf.h"

struct mountview {
	struct mountgraph *graph; /* what is found out is kept there */
	const struct nstable *namespaces;
	uint32_t ns; /* inum: whose mounts */
	uint32_t host; /* inum of nsscope's own mount namespace */
	bool complete; /* the graph has the mounts of all namespaces */
	bool tree;
	bool wide; /* nothing is cut, no list is shortened */
	size_t width; /* of lines; 0: any */
};

/* Adds the table or the tree, and the namespaces that it names. 0 or -ENOMEM. */
int mountview_text(struct buf *b, const struct mountview *v);

/* Adds the members "namespaces" and "mounts". 0 or -ENOMEM. */
int mountview_json(struct buf *b, const struct mountview *v);

#endif
