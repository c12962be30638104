/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/columns.h"

#include <stdlib.h>
#include <sys/ioctl.h>

size_t terminal_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size))
		return 0;
	if (columns && atoi(columns) > 0)
		return (size_t)atoi(columns);
	return size.ws_col ? size.ws_col : 80;
}

size_t terminal_height(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_row;
}

void pid_chain(struct buf *b, const struct nss_pid *pids, uint32_t levels, bool wide)
{
	if (levels == 1) {
		buf_addc(b, '=');
		return;
	}
	if (levels > 4 && !wide) {
		buf_addu(b, pids[1].pid);
		buf_addf(b, ">(%u)>", levels - 3);
		buf_addu(b, pids[levels - 1].pid);
		return;
	}
	for (uint32_t i = 1; i < levels; i++) {
		if (i > 1)
			buf_addc(b, '>');
		buf_addu(b, pids[i].pid);
	}
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

size_t text_columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += starts_character(s[i]);
	return n;
}

static void pad(struct buf *b, size_t n)
{
	while (n--)
		buf_addc(b, ' ');
}

void pad_left(struct buf *b, const char *s, size_t len, size_t width)
{
	size_t columns = text_columns(s, len);

	if (columns < width)
		pad(b, width - columns);
	buf_add(b, s, len);
}

/* Bytes of @s that fit in @width columns, preferably up to a space. */
static size_t line_length(const char *s, size_t len, size_t width)
{
	size_t columns = 0, space = 0, i;

	for (i = 0; i < len; i++) {
		if (s[i] == ' ')
			space = i;
		if (starts_character(s[i]) && columns++ == width)
			return space ? space : i;
	}
	return len;
}

/* " ... +4294967295 bytes" is not longer. */
#define REST_MAX 22

void wrap_text(struct buf *b, const char *s, size_t len, size_t width, size_t indent, size_t max_lines)
{
	for (size_t line = 1; len; line++) {
		size_t n = line_length(s, len, width);

		if (line == max_lines && n < len && width > 2 * REST_MAX)
			n = line_length(s, len, width - REST_MAX);
		buf_add(b, s, n);
		while (n < len && s[n] == ' ')
			n++;
		s += n;
		len -= n;
		if (!len)
			return;
		if (line == max_lines) {
			buf_addf(b, " ... +%zu bytes", len);
			return;
		}
		buf_addc(b, '\n');
		pad(b, indent);
	}
}
