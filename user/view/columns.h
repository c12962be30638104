/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The columns of the dual view. */
#ifndef VIEW_COLUMNS_H
#define VIEW_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "event/event.h"
#include "util/buf.h"

/* Columns of the terminal that @fd is, or $COLUMNS; 0 if it is none. */
size_t terminal_width(int fd);

/* Lines of the terminal that @fd is; 0 if it is none, or does not know. */
size_t terminal_height(int fd);

/*
 * Adds the PIDs of a process below the host, outermost first: "5>1"; "=" where the host's number is the only one. A
 * chain of more than three is shortened to its ends and the number of levels between, unless @wide.
 */
void pid_chain(struct buf *b, const struct nss_pid *pids, uint32_t levels, bool wide);

/* Characters (code points) in the @len bytes at @s. */
size_t text_columns(const char *s, size_t len);

/* Adds the @len bytes at @s at the right of @width columns. */
void pad_left(struct buf *b, const char *s, size_t len, size_t width);

/*
 * Adds the @len bytes at @s, broken at spaces into lines of @width columns; those after the first start behind @indent
 * spaces. Beyond @max_lines the rest is left out and its length is said.
 */
void wrap_text(struct buf *b, const char *s, size_t len, size_t width, size_t indent, size_t max_lines);

#endif
