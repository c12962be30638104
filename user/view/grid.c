/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/grid.h"

#include <errno.h>
#include <stdlib.h>

#include "view/columns.h"

#define COLUMNS_MAX 16
/* What the last column must have, columns of the terminal, and the lines that it may take. */
#define LAST_MIN 24
#define LINES_MAX 3

struct buf *grid_cell(struct grid *g)
{
	if (g->used == g->room) {
		size_t room = g->room ? 2 * g->room : 256;
		size_t *starts = reallocarray(g->starts, room, sizeof(*starts));

		g->text.failed = g->text.failed || !starts;
		if (!starts)
			return &g->text;
		g->starts = starts;
		g->room = room;
	}
	g->starts[g->used++] = g->text.len;
	return &g->text;
}

static size_t cell_end(const struct grid *g, size_t cell)
{
	return cell + 1 < g->used ? g->starts[cell + 1] : g->text.len;
}

static void measure(const struct grid *g, size_t *width, bool wide)
{
	for (size_t c = 0; c + 1 < g->n; c++)
		width[c] = strlen(g->columns[c].name);
	for (size_t i = 0; i < g->used; i++) {
		size_t c = i % g->n, columns;

		if (c + 1 == g->n)
			continue;
		columns = text_columns(g->text.data + g->starts[i], cell_end(g, i) - g->starts[i]);
		width[c] = columns > width[c] ? columns : width[c];
	}
	for (size_t c = 0; c + 1 < g->n && !wide; c++)
		if (g->columns[c].max && width[c] > g->columns[c].max)
			width[c] = g->columns[c].max;
}

/* Columns in front of the last; a width of 0 is a column that is left out. */
static size_t indent_of(const struct grid *g, const size_t *width)
{
	size_t indent = 0;

	for (size_t c = 0; c + 1 < g->n; c++)
		indent += width[c] ? width[c] + 1 : 0;
	return indent;
}

/* Leaves out columns until the last one has room. */
static void make_room(const struct grid *g, size_t *width, size_t line)
{
	while (indent_of(g, width) + LAST_MIN > line) {
		size_t which = g->n;

		for (size_t c = 0; c + 1 < g->n; c++)
			if (width[c] && g->columns[c].leave_out &&
			    (which == g->n || g->columns[c].leave_out > g->columns[which].leave_out))
				which = c;
		if (which == g->n)
			return;
		width[which] = 0;
	}
}

/* @width columns of @text; what is too long ends in dots. */
static void add_cell(struct buf *b, const char *text, size_t len, size_t width, bool right)
{
	size_t columns = text_columns(text, len), cut = len;

	if (columns > width) {
		while (cut && (columns + 3 > width || ((unsigned char)text[cut] & 0xc0) == 0x80)) {
			cut--;
			columns -= ((unsigned char)text[cut] & 0xc0) != 0x80;
		}
		columns += 3;
	}
	for (size_t i = columns; right && i < width; i++)
		buf_addc(b, ' ');
	buf_add(b, text, cut);
	if (cut < len)
		buf_adds(b, "...");
	for (size_t i = columns; !right && i < width; i++)
		buf_addc(b, ' ');
	buf_addc(b, ' ');
}

int grid_write(struct buf *b, struct grid *g, size_t line, bool wide)
{
	size_t width[COLUMNS_MAX] = {}, indent, rest;
	const char *name;

	if (g->text.failed || g->n > COLUMNS_MAX)
		return -ENOMEM;
	measure(g, width, wide || !line);
	if (line && !wide)
		make_room(g, width, line);
	indent = indent_of(g, width);
	for (size_t c = 0; c + 1 < g->n; c++)
		if (width[c])
			add_cell(b, g->columns[c].name, strlen(g->columns[c].name), width[c], g->columns[c].right);
	name = g->columns[g->n - 1].name;
	rest = line > indent && !wide ? line - indent : SIZE_MAX;
	if (strlen(name) > rest && rest > 3)
		buf_addf(b, "%.*s...", (int)rest - 3, name);
	else
		buf_adds(b, name);
	buf_addc(b, '\n');
	for (size_t i = 0; i < g->used; i++) {
		const char *text = g->text.data + g->starts[i];
		size_t len = cell_end(g, i) - g->starts[i], c = i % g->n;

		if (c + 1 < g->n) {
			if (width[c])
				add_cell(b, text, len, width[c], g->columns[c].right);
			continue;
		}
		if (wide || line < indent + LAST_MIN)
			buf_add(b, text, len);
		else
			wrap_text(b, text, len, line - indent, indent, LINES_MAX);
		buf_addc(b, '\n');
	}
	return 0;
}

void grid_free(struct grid *g)
{
	buf_free(&g->text);
	free(g->starts);
	g->starts = NULL;
	g->used = g->room = 0;
}
