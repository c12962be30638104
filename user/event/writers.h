/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writers of fields have in common, and those of kinds_fs.c for the table of kinds.c. */
#ifndef EVENT_WRITERS_H
#define EVENT_WRITERS_H

#include "event/kinds.h"
#include "event/names.h"

/* "nameSUFFIX": */
void json_key(struct buf *b, const char *name, const char *suffix);
/* The member, with @value as a string, NULL as null. */
void json_name(struct buf *b, const struct field_ref *f, const char *value);
void json_number(struct buf *b, const struct field_ref *f, uint64_t v);
/* Set flags by their names in an array, those without one as one hexadecimal string. */
void json_flag_names(struct buf *b, const struct field_ref *f, const struct flag_table *t, uint64_t flags);
void text_flag_names(struct buf *b, const struct flag_table *t, uint64_t flags);
void text_str(struct buf *b, const struct field_ref *f);

/* The field called @name of the same event, which must have it. */
struct field_ref field_beside(const struct field_ref *f, const char *name);
/* Whether the call of the event failed. */
bool event_failed(const struct event *e);

#define WRITER(name) void name(struct buf *b, const struct field_ref *f)
WRITER(json_context);
WRITER(json_result_fd);
WRITER(json_fsopen_flags);
WRITER(text_fsopen_flags);
WRITER(json_fsmount_flags);
WRITER(text_fsmount_flags);
WRITER(json_fspick_flags);
WRITER(text_fspick_flags);
WRITER(json_open_tree_flags);
WRITER(text_open_tree_flags);
WRITER(json_setattr_flags);
WRITER(text_setattr_flags);
WRITER(json_mount_attr_flags);
WRITER(text_mount_attr_flags);
WRITER(json_propagation_flags);
WRITER(text_propagation_flags);
WRITER(json_fsconfig_cmd);
WRITER(text_fsconfig_step);
WRITER(text_fsmount_step);
WRITER(text_log);
WRITER(text_userns_fd);
WRITER(text_setattr_target);
WRITER(text_joined);
WRITER(text_unless_joined);
#undef WRITER

#endif
