/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The namespaces of the machine as a table, a tree or JSON. */
#ifndef VIEW_NSVIEW_H
#define VIEW_NSVIEW_H

#include "model/nstable.h"
#include "util/buf.h"

struct nsview {
	uint32_t types; /* bit per enum nss_ns: only these; 0: all */
	const struct ns_process *process; /* only what this one is in; or NULL */
	bool tree; /* each below its parent, or else its owner */
	bool wide; /* all that keeps one, lines of any length */
	size_t width; /* of lines; 0: any */
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	uint32_t own_mnt; /* the inum of the mount namespace whose paths need no further word */
	const char *(*user)(uint32_t uid); /* its name, or NULL */
};

/* Adds the table or the tree, with its head. 0 or -ENOMEM. */
int nsview_text(struct buf *b, const struct nstable *t, const struct nsview *v);

/* Adds the elements of an array, commas between them. */
void nsview_json(struct buf *b, const struct nstable *t, const struct nsview *v);

#endif
