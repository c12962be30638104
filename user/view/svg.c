/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/svg.h"

#include <string.h>

#include "event/format.h"

/* XML 1.0, production 2, of a character that is well-formed UTF-8. */
static bool is_allowed(uint32_t p)
{
	return (p == '\n' || !point_is_unsafe(p)) && (p & 0xfffe) != 0xfffe;
}

void svg_text(struct buf *b, const char *s, size_t len)
{
	for (size_t i = 0, n; i < len; i += n) {
		uint32_t point;

		n = utf8_char(s + i, len - i, &point);
		if (!n || !is_allowed(point)) {
			buf_adds(b, "\xef\xbf\xbd");
			n = n ? n : 1;
		} else if (point == '<') {
			buf_adds(b, "&lt;");
		} else if (point == '>') {
			buf_adds(b, "&gt;");
		} else if (point == '&') {
			buf_adds(b, "&amp;");
		} else if (point == '"') {
			buf_adds(b, "&quot;");
		} else {
			buf_add(b, s + i, n);
		}
	}
}

void svg_texts(struct buf *b, const char *s)
{
	svg_text(b, s, strlen(s));
}

void svg_number(struct buf *b, const char *name, int64_t tenths)
{
	uint64_t v = tenths < 0 ? 0 - (uint64_t)tenths : (uint64_t)tenths;

	buf_addc(b, ' ');
	buf_adds(b, name);
	buf_adds(b, tenths < 0 ? "=\"-" : "=\"");
	buf_addu(b, v / 10);
	if (v % 10) {
		buf_addc(b, '.');
		buf_addu(b, v % 10);
	}
	buf_addc(b, '"');
}

void svg_rect(struct buf *b, const char *class, int64_t x, int64_t y, int64_t width, int64_t height)
{
	buf_adds(b, "<rect class=\"");
	buf_adds(b, class);
	buf_addc(b, '"');
	svg_number(b, "x", x);
	svg_number(b, "y", y);
	svg_number(b, "width", width);
	svg_number(b, "height", height);
}

void svg_label(struct buf *b, const char *class, int64_t x, int64_t y)
{
	buf_adds(b, "<text class=\"");
	buf_adds(b, class);
	buf_addc(b, '"');
	svg_number(b, "x", x);
	svg_number(b, "y", y);
	buf_addc(b, '>');
}

/* Of East Asian scripts and pictures, near enough for a label that is clipped anyway. */
static size_t point_columns(uint32_t p)
{
	return p >= 0x1100 && (p <= 0x115f || (p >= 0x2e80 && p <= 0xa4cf) || (p >= 0xac00 && p <= 0xd7a3) ||
			       (p >= 0xf900 && p <= 0xfaff) || (p >= 0xfe30 && p <= 0xfe6f) ||
			       (p >= 0xff00 && p <= 0xff60) || p >= 0x1f300) ?
		       2 :
		       1;
}

/* Bytes of @s that fit in @columns. */
static size_t fitting(const char *s, size_t len, size_t columns, size_t *ret_columns)
{
	size_t i = 0, used = 0, n;
	uint32_t point = 0;

	for (; i < len; i += n) {
		n = utf8_char(s + i, len - i, &point);
		if (used + (n ? point_columns(point) : 1) > columns)
			break;
		used += n ? point_columns(point) : 1;
		n = n ? n : 1;
	}
	*ret_columns = used;
	return i;
}

size_t svg_columns(const char *s, size_t len)
{
	size_t columns;

	fitting(s, len, (size_t)-1, &columns);
	return columns;
}

void svg_text_cut(struct buf *b, const char *s, size_t columns)
{
	size_t len = strlen(s), used, fit = fitting(s, len, columns, &used);

	if (fit < len && columns)
		fit = fitting(s, len, columns - 1, &used);
	svg_text(b, s, fit);
	if (fit < len)
		buf_adds(b, "\xe2\x80\xa6");
}
