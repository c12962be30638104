/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the picture of a timeline share. */
#ifndef VIEW_TIMELINEROW_H
#define VIEW_TIMELINEROW_H

#include "view/svg.h"
#include "view/timelineview.h"

/* The page, in tenths of a pixel. */
#define PAGE_WIDTH 14000
#define MARGIN 200
#define HOST_AT 760 /* right edge of the PIDs */
#define INSIDE_AT 1330 /* the same, or further right if they take more room */
#define COMMAND_BEHIND 120 /* so far behind that edge */
#define COMMAND_END 4250
#define CHART_AT 4300
#define CHART_END (PAGE_WIDTH - 1900) /* room for what stands behind the last bar, also the durations of many */
#define ROW_HEIGHT 200
#define BAR_HEIGHT 120
#define INDENT 120
#define LETTER 63 /* a character's width, about */

#define COLORS 10 /* of PID namespaces; there may be more */
#define COLOR_MORE COLORS
#define COLOR_SEVERAL (COLORS + 1)

struct timeline_color {
	uint32_t ns; /* inum */
	uint32_t use; /* of it: the inum of a namespace that has ended is given to another */
	uint64_t processes;
};

struct timeline_page {
	struct buf *b;
	const struct timeline *t;
	const struct model *model;
	uint64_t span; /* ns from the left to the right of the chart, at least 1 */
	int64_t top; /* of the first row */
	int64_t inside_at; /* right edge of INSIDE */
	size_t rows, ncolors;
	struct timeline_color colors[COLORS]; /* the host's first, then as they come */
	uint64_t more_ns; /* processes in further ones */
	uint64_t several; /* processes in rows of several namespaces */
	struct buf words; /* to put something together */
};

/* Where the chart has the moment @mono_ns. */
int64_t timeline_x(const struct timeline_page *p, uint64_t mono_ns);

/* Adds the row of @n, the @row-th from 0. */
void timeline_row(struct timeline_page *p, const struct timeline_node *n, size_t row, size_t depth);

#endif
