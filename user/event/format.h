/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Strings of the sandbox, made harmless: they are hostile. */
#ifndef EVENT_FORMAT_H
#define EVENT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/buf.h"

/*
 * Length in bytes of the character at @s (of @len > 0 bytes) if it is well-formed UTF-8 (Unicode 15, table 3-7: no
 * surrogates, no overlong forms), and its code point; 0 if it is not.
 */
size_t utf8_char(const char *s, size_t len, uint32_t *ret_point);
bool utf8_valid(const char *s, size_t len);

/*
 * Whether a terminal must not get @point as it is: C0, DEL and C1 controls, line and paragraph separators, and the
 * marks that change the direction of what stands around them.
 */
bool point_is_unsafe(uint32_t point);

/* As a JSON string with its quotes; U+FFFD for each byte that is not UTF-8. Whether all of it was. */
bool json_string(struct buf *b, const char *s, size_t len);
/* As a member of an object: "key":"...", and if that is not UTF-8 all its bytes behind it: ,"key_raw":"base64". */
void json_member(struct buf *b, const char *key, const char *s, size_t len);
/* As a JSON string of base64 (RFC 4648, section 4). */
void json_base64(struct buf *b, const char *s, size_t len);
/* What json_time wrote last, up to the second; zero-initialised is nothing. */
struct json_second {
	uint64_t second;
	char text[sizeof("1970-01-01T00:00:00") - 1]; /* years have four digits: the last that there can be is 2554 */
};
/* The time of day that is @ns after 1970 as RFC 3339 in UTC, with nanoseconds, in quotes. @last: or NULL. */
void json_time(struct buf *b, struct json_second *last, uint64_t ns);

/* For a terminal: unsafe characters and bytes that are not UTF-8 as \n, \t, \x1b, \u202e and so on. */
void text_string(struct buf *b, const char *s, size_t len);
/* The same as one word of a shell's command line, quoted where it must be. */
void text_word(struct buf *b, const char *s, size_t len);
/* A time span in the unit that suits it: "2.9 ms". */
void text_span(struct buf *b, uint64_t ns);

#endif
