/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pieces of an SVG 1.1 document. Coordinates are in tenths of a pixel. */
#ifndef VIEW_SVG_H
#define VIEW_SVG_H

#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/*
 * Adds the @len bytes at @s as character data or as the value of an attribute. What XML 1.0 does not allow, or what is not
 * UTF-8, becomes U+FFFD; so does what changes the direction of reading.
 */
void svg_text(struct buf *b, const char *s, size_t len);
void svg_texts(struct buf *b, const char *s);

/* Adds " NAME="N.N"" of a number in tenths. */
void svg_number(struct buf *b, const char *name, int64_t tenths);

/* Adds a <rect ...> without its end: more attributes, and what is in it, may follow. */
void svg_rect(struct buf *b, const char *class, int64_t x, int64_t y, int64_t width, int64_t height);

/* Adds a <text ...> up to its content. */
void svg_label(struct buf *b, const char *class, int64_t x, int64_t y);

/* Columns that the @len bytes at @s take in about: wide characters are two. */
size_t svg_columns(const char *s, size_t len);

/* Adds as much of @s as @columns take, and an ellipsis if that is not all. */
void svg_text_cut(struct buf *b, const char *s, size_t columns);

#endif
