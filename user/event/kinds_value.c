/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers, strings and sets of flags, of whatever event. */
#include <string.h>
#include <sys/types.h>

#include "event/format.h"
#include "event/names.h"
#include "event/writers.h"

struct field_ref field_beside(const struct field_ref *f, const char *name)
{
	const struct event_field *field = event_field(f->event->desc, name, strlen(name));

	return (struct field_ref){ f->event, field, (const char *)f->event->payload + field->offset };
}

void json_key(struct buf *b, const struct event_field *field, const char *suffix)
{
	if (!*suffix) {
		buf_add(b, field->key, field->key_len);
		return;
	}
	buf_add(b, field->key, field->key_len - 2U);
	buf_adds(b, suffix);
	buf_adds(b, "\":");
}

void json_name(struct buf *b, const struct field_ref *f, const char *value)
{
	json_key(b, f->field, "");
	if (value) {
		buf_addc(b, '"');
		buf_adds(b, value);
		buf_adds(b, "\",");
	} else {
		buf_adds(b, "null,");
	}
}

void json_close(struct buf *b, char close)
{
	if (b->len && b->data[b->len - 1] == ',')
		b->data[b->len - 1] = close;
	else
		buf_addc(b, close);
}

void json_nothing(struct buf *b, const struct field_ref *f)
{
	(void)b;
	(void)f;
}

void text_nothing(struct buf *b, const struct field_ref *f)
{
	(void)b;
	(void)f;
}

/* Numbers */

void json_number(struct buf *b, const struct field_ref *f, uint64_t v)
{
	json_key(b, f->field, "");
	buf_addu(b, v);
	buf_addc(b, ',');
}

void json_u32(struct buf *b, const struct field_ref *f)
{
	json_number(b, f, get_u32(f));
}

void json_u64(struct buf *b, const struct field_ref *f)
{
	json_number(b, f, get_u64(f));
}

void json_s64(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field, "");
	buf_addi(b, (int64_t)get_u64(f));
	buf_addc(b, ',');
}

void json_s32(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field, "");
	buf_addi(b, (int32_t)get_u32(f));
	buf_addc(b, ',');
}

void json_u64_known(struct buf *b, const struct field_ref *f)
{
	if (get_u64(f) == NSS_UNKNOWN)
		json_name(b, f, NULL);
	else
		json_u64(b, f);
}

/* 0 is null. */
void json_known(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		json_number(b, f, get_u32(f));
	else
		json_name(b, f, NULL);
}

void json_bool(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field, "");
	buf_adds(b, get_u32(f) ? "true," : "false,");
}

void text_u32(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		buf_addu(b, get_u32(f));
}

void text_s32(struct buf *b, const struct field_ref *f)
{
	buf_addf(b, "%d", (int)get_u32(f));
}

void text_u64(struct buf *b, const struct field_ref *f)
{
	buf_addu(b, get_u64(f));
}

void text_duration(struct buf *b, const struct field_ref *f)
{
	if (get_u64(f) != NSS_UNKNOWN)
		text_span(b, get_u64(f));
}

/* Strings */

static void json_str_flags(struct buf *b, const struct field_ref *f, const struct event_str *s)
{
	if (s->flags & NSS_STR_UNREADABLE) {
		json_key(b, f->field, "_unreadable");
		buf_adds(b, "true,");
	}
	if (s->flags & NSS_STR_CUT) {
		json_key(b, f->field, "_truncated");
		buf_adds(b, "true,");
	}
	if (s->flags & NSS_STR_OUTSIDE) {
		json_key(b, f->field, "_outside");
		buf_adds(b, "true,");
	}
}

void json_str(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);

	if (s->flags & (NSS_STR_NULL | NSS_STR_UNREADABLE)) {
		json_name(b, f, NULL);
	} else {
		bool valid;

		json_key(b, f->field, "");
		valid = json_string(b, s->data, s->len);
		buf_addc(b, ',');
		if (!valid) {
			json_key(b, f->field, "_raw");
			json_base64(b, s->data, s->len);
			buf_addc(b, ',');
		}
	}
	json_str_flags(b, f, s);
}

void text_str(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);

	if (s->flags & NSS_STR_UNREADABLE)
		buf_adds(b, "(unreadable)");
	else if (!(s->flags & NSS_STR_NULL))
		text_word(b, s->data, s->len);
	if (s->flags & NSS_STR_CUT)
		buf_adds(b, "(cut)");
	if (s->flags & NSS_STR_OUTSIDE)
		buf_adds(b, "(outside)");
}

/* The NUL-terminated arguments one by one: advances @at, returns the length, -1 at the end. */
static ssize_t next_arg(const char **at, const char *end)
{
	const char *nul;

	if (*at >= end)
		return -1;
	nul = memchr(*at, 0, (size_t)(end - *at));
	return (nul ? nul : end) - *at;
}

static void json_argv_raw(struct buf *b, const struct field_ref *f, const struct event_str *s)
{
	const char *at = s->data, *end = s->data + s->len;
	ssize_t n;

	json_key(b, f->field, "_raw");
	buf_addc(b, '[');
	for (; (n = next_arg(&at, end)) >= 0; at += n + 1) {
		if (utf8_valid(at, (size_t)n))
			buf_adds(b, "null");
		else
			json_base64(b, at, (size_t)n);
		buf_addc(b, ',');
	}
	json_close(b, ']');
	buf_addc(b, ',');
}

void json_argv(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);
	const char *at = s->data, *end = s->data + s->len;
	bool valid = true;
	ssize_t n;

	json_key(b, f->field, "");
	buf_addc(b, '[');
	for (; (n = next_arg(&at, end)) >= 0; at += n + 1) {
		valid = json_string(b, at, (size_t)n) && valid;
		buf_addc(b, ',');
	}
	json_close(b, ']');
	buf_addc(b, ',');
	if (!valid)
		json_argv_raw(b, f, s);
	if (s->flags & NSS_STR_UNREADABLE) {
		json_key(b, f->field, "_unreadable");
		buf_adds(b, "true,");
	}
	json_key(b, f->field, "_truncated");
	buf_adds(b, s->flags & NSS_STR_CUT ? "true," : "false,");
}

void text_argv(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);
	const char *at = s->data, *end = s->data + s->len;
	ssize_t n;

	for (; (n = next_arg(&at, end)) >= 0; at += n + 1) {
		if (at != s->data)
			buf_addc(b, ' ');
		text_word(b, at, (size_t)n);
	}
	if (s->flags & NSS_STR_UNREADABLE)
		buf_adds(b, "(arguments unreadable)");
	if (s->flags & NSS_STR_CUT)
		buf_adds(b, " (cut)");
}

/* Flags */

void json_flag_names(struct buf *b, const struct field_ref *f, const struct flag_table *t, uint64_t flags)
{
	json_key(b, f->field, "");
	buf_addc(b, '[');
	for (size_t i = 0; i < t->count; i++) {
		if ((flags & t->names[i].value) == t->names[i].value) {
			buf_addc(b, '"');
			buf_adds(b, t->names[i].name);
			buf_adds(b, "\",");
			flags &= ~t->names[i].value;
		}
	}
	if (flags)
		buf_addf(b, "\"0x%llx\",", (unsigned long long)flags);
	json_close(b, ']');
	buf_addc(b, ',');
}

void text_flag_names(struct buf *b, const struct flag_table *t, uint64_t flags)
{
	const char *between = "";

	for (size_t i = 0; i < t->count; i++) {
		if ((flags & t->names[i].value) != t->names[i].value)
			continue;
		flags &= ~t->names[i].value;
		if (!t->names[i].brief)
			continue;
		buf_addf(b, "%s%s", between, t->names[i].brief);
		between = ",";
	}
	if (flags)
		buf_addf(b, "%s0x%llx", between, (unsigned long long)flags);
}
