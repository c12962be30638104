/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each kind of field is worth, for expressions: numbers, bytes, words. */
#ifndef EVENT_VALUES_H
#define EVENT_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"
#include "event/names.h"

/* Holds what is signed and what is 64 bits wide. */
typedef __int128 value_number;

enum value_type { VALUE_NULL, VALUE_BOOL, VALUE_NUMBER, VALUE_BYTES };

struct value {
	enum value_type type;
	value_number number; /* also of a bool: 0 or 1 */
	const char *bytes; /* not terminated; valid as long as the event, or in word */
	size_t len;
	char word[NAME_MAX_LEN]; /* where the bytes are of no longer life */
};

struct field_ref;

/*
 * A value as JSON has it. A scalar is read as an array of one element; null too.
 */
struct value_part {
	const char *name; /* in the payload: @ is the field's name, "@.total" or "code" */
	enum value_type type;
	bool is_array;
	/* Not NULL: the words that it may be; the @i-th, or NULL behind the last. @buf is room for it. */
	const char *(*word)(size_t i, char buf[NAME_MAX_LEN]);
	/* The element at *@at, which is 0 for the first and is moved on; false behind the last. */
	bool (*get)(const struct field_ref *f, size_t *at, struct value *ret);
	const char *doc; /* where it is not the field's own; or NULL */
};

#define VALUE_PARTS_MAX 6

/* The values of a field; those behind the last have no name. */
struct value_parts {
	struct value_part part[VALUE_PARTS_MAX];
};

/* For values that are not in a payload. */
bool value_one(struct value *ret, size_t *at, enum value_type type, value_number number);
bool value_bytes(struct value *ret, size_t *at, const char *bytes, size_t len);
bool value_word(struct value *ret, size_t *at, const char *word);

/* Whether what has no name among the words stands as a hexadecimal number. */
bool value_is_open(const struct value_part *part);

extern const struct value_parts value_none, value_u32, value_s32, value_u64, value_bool, value_u64_known, value_known,
	value_str, value_target_host, value_argv, value_clone_flags, value_mount_flags, value_umount_flags,
	value_move_mount_flags, value_args_of, value_new_ns, value_mount_op, value_ns_type, value_ns_by, value_parent,
	value_error, value_status, value_reach, value_entered, value_ns_kept, value_ns_processes, value_fsopen_flags,
	value_fsmount_flags, value_fspick_flags, value_open_tree_flags, value_setattr_flags, value_mount_attr_flags,
	value_propagation_flags, value_context, value_result_fd, value_fsconfig_cmd;

#endif
