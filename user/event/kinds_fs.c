/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of the new mount API. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "event/format.h"
#include "event/steps.h"
#include "event/writers.h"

void json_context(struct buf *b, const struct field_ref *f)
{
	if (get_u64(f))
		json_number(b, f, get_u64(f));
	else
		json_name(b, f, NULL);
}

void json_result_fd(struct buf *b, const struct field_ref *f)
{
	if ((int32_t)get_u32(f) >= 0)
		json_number(b, f, get_u32(f));
	else
		json_name(b, f, NULL);
}

#define FLAGS(which)                                                             \
	void json_##which##_flags(struct buf *b, const struct field_ref *f)      \
	{                                                                        \
		json_flag_names(b, f, &which##_flag_table, get_u64(f));          \
	}                                                                        \
	void text_##which##_flags(struct buf *b, const struct field_ref *f)      \
	{                                                                        \
		text_flag_names(b, &which##_flag_table, get_u64(f));             \
	}
FLAGS(fsopen)
FLAGS(fsmount)
FLAGS(fspick)
FLAGS(open_tree)
FLAGS(setattr)
FLAGS(mount_attr)
FLAGS(propagation)
#undef FLAGS

void json_fsconfig_cmd(struct buf *b, const struct field_ref *f)
{
	char name[NAME_MAX_LEN];

	json_name(b, f, fsconfig_cmd_name(get_u32(f), name));
}

static const struct event_str *str_beside(const struct field_ref *f, const char *name)
{
	struct field_ref other = field_beside(f, name);

	return event_str(f->event, other.field);
}

static bool is_null(const struct event_str *s)
{
	return s->flags & NSS_STR_NULL;
}

/* The @step, and what of the key and the value there is. */
static void text_setting(struct buf *b, const struct field_ref *f)
{
	struct field_ref key = field_beside(f, "key"), value = field_beside(f, "value"), aux = field_beside(f, "aux");
	int32_t number = (int32_t)get_u32(&aux);

	buf_addc(b, ' ');
	text_str(b, &key);
	if (!is_null(str_beside(f, "value"))) {
		buf_addc(b, '=');
		text_str(b, &value);
	}
	switch (get_u32(f)) {
	case FSCONFIG_CMD_SET_BINARY:
		buf_addf(b, ", %d bytes", number);
		break;
	case FSCONFIG_CMD_SET_FD:
		buf_addf(b, ", fd %d", number);
		break;
	case FSCONFIG_CMD_SET_PATH:
	case FSCONFIG_CMD_SET_PATH_EMPTY:
		if (number != AT_FDCWD)
			buf_addf(b, ", in fd %d", number);
	}
}

/* Whether the event is told in one line with the steps that led to it. */
static bool is_joined(const struct event *e)
{
	return e->steps && !e->held;
}

void text_fsconfig_step(struct buf *b, const struct field_ref *f)
{
	const struct event_str *fstype = str_beside(f, "fstype");
	struct field_ref type = field_beside(f, "fstype");
	uint32_t cmd = get_u32(f);
	char name[NAME_MAX_LEN];

	if (is_joined(f->event))
		return;
	if (!is_null(fstype)) {
		text_str(b, &type);
		buf_adds(b, ": ");
	}
	buf_adds(b, fsconfig_cmd_brief(cmd, name));
	if (!is_null(str_beside(f, "key")))
		text_setting(b, f);
}

void text_fsmount_step(struct buf *b, const struct field_ref *f)
{
	if (!is_joined(f->event))
		text_str(b, f);
}

/* Without the letter of its weight, and the space behind it. */
void text_log(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = event_str(f->event, f->field);
	const char *at = s->data, *end = s->data + s->len, *between = "";

	while (at < end) {
		size_t n = strnlen(at, (size_t)(end - at));
		size_t skip = n > 2 && at[1] == ' ' ? 2 : 0;

		buf_adds(b, between);
		text_string(b, at + skip, n - skip);
		between = "; ";
		at += n + 1;
	}
	if (s->flags & NSS_STR_CUT)
		buf_adds(b, " (cut)");
}

#define ATTR_IDMAP 0x00100000

void text_userns_fd(struct buf *b, const struct field_ref *f)
{
	struct field_ref set = field_beside(f, "attr_set");

	if (get_u64(&set) & ATTR_IDMAP)
		buf_addf(b, "fd %lld", (long long)get_u64(f));
}

/* The mount as it was found, or as it was given. */
void text_setattr_target(struct buf *b, const struct field_ref *f)
{
	struct field_ref found = field_beside(f, "target"), dfd = field_beside(f, "dfd");
	const struct event_str *given = event_str(f->event, f->field);

	if (!is_null(str_beside(f, "target")))
		text_str(b, &found);
	else if (given->len || given->flags & NSS_STR_UNREADABLE)
		text_str(b, f);
	else
		buf_addf(b, "the mount of fd %d", (int)get_u32(&dfd));
}

/* What the steps made */

static void text_bytes(struct buf *b, const char *before, const struct buf *bytes)
{
	if (!bytes->len)
		return;
	buf_adds(b, before);
	text_word(b, bytes->data, bytes->len);
}

static void text_options(struct buf *b, const struct steps *steps)
{
	const struct buf *options = &steps->options; /* without any, its data may be NULL */
	const char *between = " (";

	for (size_t at = 0, n; at < options->len; at += n + 1) {
		n = strnlen(options->data + at, options->len - at);
		buf_adds(b, between);
		text_word(b, options->data + at, n);
		between = ",";
	}
	if (steps->cut)
		buf_addf(b, "%smore", between);
	if (steps->options.len || steps->cut)
		buf_addc(b, ')');
}

void steps_text(struct buf *b, const struct steps *steps)
{
	if (steps->by == NSS_EV_FSOPEN) {
		text_bytes(b, "", &steps->fstype);
		text_bytes(b, " of ", &steps->source);
	} else {
		buf_adds(b, steps->by == NSS_EV_FSPICK ? "" : "copy of ");
		text_bytes(b, "", &steps->path);
	}
	text_options(b, steps);
}

/* Where the call put it: as it was found, or as it was given. */
static void text_destination(struct buf *b, const struct field_ref *f)
{
	struct field_ref target = field_beside(f, "target"), to = field_beside(f, "to");

	buf_adds(b, " on ");
	text_str(b, is_null(str_beside(f, "target")) ? &to : &target);
}

static void text_made(struct buf *b, const struct field_ref *f, const struct steps *steps)
{
	bool attached = f->event->desc == &event_descs[NSS_EV_MOVE_MOUNT];

	if (steps->by == NSS_EV_FSOPEN) {
		buf_adds(b, "new");
		text_bytes(b, " ", steps->source.len ? &steps->source : &steps->fstype);
	} else {
		text_bytes(b, "bind ", &steps->path);
	}
	if (attached)
		text_destination(b, f);
	if (steps->by == NSS_EV_FSOPEN)
		text_bytes(b, " type ", &steps->fstype);
	text_options(b, steps);
	buf_addf(b, attached ? " by %s" : " in a namespace of its own, by %s", event_descs[steps->by].name);
}

void text_joined(struct buf *b, const struct field_ref *f)
{
	const struct steps *steps = f->event->steps;

	if (!is_joined(f->event))
		return;
	if (f->event->desc != &event_descs[NSS_EV_FSCONFIG]) {
		text_made(b, f, steps);
		return;
	}
	text_bytes(b, "remount ", &steps->path);
	text_bytes(b, " type ", &steps->fstype);
	text_options(b, steps);
	buf_addf(b, " by %s", event_descs[steps->by].name);
}

void text_unless_joined(struct buf *b, const struct field_ref *f)
{
	if (!is_joined(f->event))
		text_str(b, f);
}
