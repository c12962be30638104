/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of cells in columns that are as wide as they must be; the last column is wrapped. */
#ifndef VIEW_GRID_H
#define VIEW_GRID_H

#include "util/buf.h"

struct grid_column {
	const char *name;
	size_t max; /* columns of the terminal that a cell has at most, unless wide; 0: any number */
	bool right; /* numbers */
	unsigned leave_out; /* where the lines are too short, the column with the highest goes first; 0: never */
};

struct grid {
	const struct grid_column *columns;
	size_t n; /* columns */
	struct buf text; /* all cells, one behind the other */
	size_t *starts; /* of the cells in @text */
	size_t used, room;
};

/* Where the next cell is to be added: from left to right, then the next row. ->failed tells of want of memory. */
struct buf *grid_cell(struct grid *g);

/*
 * Adds the head and the rows. @width: of lines; 0: any. @wide: no cell is cut. The last column gets the rest of the line,
 * and wraps to at most three. 0 or -ENOMEM.
 */
int grid_write(struct buf *b, struct grid *g, size_t width, bool wide);

void grid_free(struct grid *g);

#endif
