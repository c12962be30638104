/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/values.h"

#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "event/kinds.h"
#include "event/reach.h"

/* Scalars */

bool value_one(struct value *ret, size_t *at, enum value_type type, value_number number)
{
	ret->type = type;
	ret->number = number;
	return !(*at)++;
}

bool value_bytes(struct value *ret, size_t *at, const char *bytes, size_t len)
{
	ret->type = VALUE_BYTES;
	ret->bytes = bytes;
	ret->len = len;
	return !(*at)++;
}

bool value_word(struct value *ret, size_t *at, const char *word)
{
	return value_bytes(ret, at, word, strlen(word));
}

static bool of_u32(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, get_u32(f));
}

static bool of_s32(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, (int32_t)get_u32(f));
}

static bool of_u64(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, get_u64(f));
}

static bool of_bool(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_BOOL, !!get_u32(f));
}

static bool of_u64_known(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, get_u64(f) == NSS_UNKNOWN ? VALUE_NULL : VALUE_NUMBER, get_u64(f));
}

static bool of_known(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, get_u32(f) ? VALUE_NUMBER : VALUE_NULL, get_u32(f));
}

/* Strings */

static bool of_str(const struct field_ref *f, size_t *at, struct value *ret)
{
	const struct event_str *s = event_str(f->event, f->field);

	if (s->flags & (NSS_STR_NULL | NSS_STR_UNREADABLE))
		return value_one(ret, at, VALUE_NULL, 0);
	return value_bytes(ret, at, s->data, s->len);
}

/* JSON has these only where they are true. */
static bool of_str_flag(const struct field_ref *f, size_t *at, struct value *ret, uint32_t flag)
{
	return event_str(f->event, f->field)->flags & flag && value_one(ret, at, VALUE_BOOL, 1);
}

static bool of_str_truncated(const struct field_ref *f, size_t *at, struct value *ret)
{
	return of_str_flag(f, at, ret, NSS_STR_CUT);
}

static bool of_str_unreadable(const struct field_ref *f, size_t *at, struct value *ret)
{
	return of_str_flag(f, at, ret, NSS_STR_UNREADABLE);
}

static bool of_str_outside(const struct field_ref *f, size_t *at, struct value *ret)
{
	return of_str_flag(f, at, ret, NSS_STR_OUTSIDE);
}

static bool of_target_host_reason(const struct field_ref *f, size_t *at, struct value *ret)
{
	const char *reason = target_host_reason(f->event);

	return reason ? value_word(ret, at, reason) : value_one(ret, at, VALUE_NULL, 0);
}

static bool of_argv(const struct field_ref *f, size_t *at, struct value *ret)
{
	const struct event_str *s = event_str(f->event, f->field);
	size_t first = 0;

	if (*at >= s->len)
		return false;
	value_bytes(ret, &first, s->data + *at, strnlen(s->data + *at, s->len - *at));
	*at += ret->len + 1;
	return true;
}

static bool of_argv_truncated(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_BOOL, !!(event_str(f->event, f->field)->flags & NSS_STR_CUT));
}

/* Flags */

static bool next_flag(uint64_t flags, const struct flag_table *t, size_t *at, struct value *ret)
{
	size_t first = 0;

	for (size_t i = 0; i < t->count; i++) {
		bool is_set = (flags & t->names[i].value) == t->names[i].value;

		flags &= is_set ? ~t->names[i].value : ~0ULL;
		if (i < *at || !is_set)
			continue;
		*at = i + 1;
		return value_word(ret, &first, t->names[i].name);
	}
	if (!flags || *at > t->count)
		return false;
	*at = t->count + 1;
	snprintf(ret->word, sizeof(ret->word), "0x%llx", (unsigned long long)flags);
	return value_word(ret, &first, ret->word);
}

#define FLAGS(which, flags)                                                                               \
	static bool of_##which##_flags(const struct field_ref *f, size_t *at, struct value *ret)          \
	{                                                                                                 \
		return next_flag(flags, &which##_flag_table, at, ret);                                    \
	}                                                                                                 \
	static const char *word_##which##_flags(size_t i, char buf[NAME_MAX_LEN])                         \
	{                                                                                                 \
		(void)buf;                                                                                \
		return i < which##_flag_table.count ? which##_flag_table.names[i].name : NULL;            \
	}
FLAGS(clone, get_u64(f))
FLAGS(mount, mount_flags_clean(get_u64(f)))
FLAGS(umount, get_u64(f))
FLAGS(move_mount, get_u64(f))
FLAGS(fsopen, get_u64(f))
FLAGS(fsmount, get_u64(f))
FLAGS(fspick, get_u64(f))
FLAGS(open_tree, get_u64(f))
FLAGS(setattr, get_u64(f))
FLAGS(mount_attr, get_u64(f))
FLAGS(propagation, get_u64(f))
#undef FLAGS

static bool of_new_ns(const struct field_ref *f, size_t *at, struct value *ret)
{
	size_t first = 0;

	for (size_t i = *at; i < NSS_NS_MAX; i++) {
		if (!(get_u64(f) & ns_flags[i]))
			continue;
		*at = i + 1;
		return value_word(ret, &first, ns_names[i]);
	}
	return false;
}

static const char *word_ns(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	return i < NSS_NS_MAX ? ns_names[i] : NULL;
}

/* Processes and namespaces */

static bool of_parent_host(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, ((const struct nss_parent *)f->at)->host_pid);
}

static bool of_parent_inside(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, VALUE_NUMBER, ((const struct nss_parent *)f->at)->inside_pid);
}

static bool of_ns_type(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, ns_names[get_u32(f)]);
}

static bool of_ns_by(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, ns_by_names[get_u32(f)]);
}

static const char *word_ns_by(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	return ns_by_names[i];
}

/* The inum of the next of the namespaces of a setns, and its type; 0: no more. */
static uint32_t next_entered(const struct field_ref *f, size_t *at, size_t *ret_type)
{
	struct nss_entered entered;

	memcpy(&entered, f->at, sizeof(entered));
	for (; *at < NSS_NS_MAX; ++*at) {
		*ret_type = *at;
		if (entered.inum[*at])
			return entered.inum[(*at)++];
	}
	return 0;
}

static bool of_entered_type(const struct field_ref *f, size_t *at, struct value *ret)
{
	size_t first = 0, type;

	return next_entered(f, at, &type) && value_word(ret, &first, ns_names[type]);
}

static bool of_entered_inum(const struct field_ref *f, size_t *at, struct value *ret)
{
	size_t first = 0, type;
	uint32_t inum = next_entered(f, at, &type);

	return inum && value_one(ret, &first, VALUE_NUMBER, inum);
}

static const char *const ns_kept_names[] = { "bind mount", "file descriptor", NULL };

static bool of_ns_kept(const struct field_ref *f, size_t *at, struct value *ret)
{
	size_t first = 0;

	for (; *at < 2; ++*at)
		if (get_u32(f) & (*at ? NSS_KEPT_FILE : NSS_KEPT_MOUNT))
			return value_word(ret, &first, ns_kept_names[(*at)++]);
	return false;
}

static const char *word_ns_kept(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	return ns_kept_names[i];
}

static bool of_ns_processes(const struct field_ref *f, size_t *at, struct value *ret)
{
	uint64_t n = f->event->processes;

	return value_one(ret, at, n == NSS_UNKNOWN ? VALUE_NULL : VALUE_NUMBER, n);
}

/* Mounts */

static const char *const args_of_names[] = { [NSS_ARGS_CALLER] = "caller", [NSS_ARGS_KERNEL] = "kernel", NULL };

static bool of_args_of(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, args_of_names[get_u32(f) == NSS_ARGS_KERNEL]);
}

static const char *word_args_of(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	return args_of_names[i];
}

static bool of_mount_op(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, mount_op_names[mount_op(get_u64(f))]);
}

static const char *word_mount_op(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	return i <= MOUNT_OP_PROPAGATION ? mount_op_names[i] : NULL;
}

static bool of_context(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_one(ret, at, get_u64(f) ? VALUE_NUMBER : VALUE_NULL, get_u64(f));
}

static bool of_result_fd(const struct field_ref *f, size_t *at, struct value *ret)
{
	int32_t fd = (int32_t)get_u32(f);

	return value_one(ret, at, fd >= 0 ? VALUE_NUMBER : VALUE_NULL, fd);
}

static bool of_fsconfig_cmd(const struct field_ref *f, size_t *at, struct value *ret)
{
	return value_word(ret, at, fsconfig_cmd_name(get_u32(f), ret->word));
}

static const char *word_fsconfig_cmd(size_t i, char buf[NAME_MAX_LEN])
{
	return i < FSCONFIG_CMDS ? fsconfig_cmd_name((uint32_t)i, buf) : NULL;
}

static bool of_verdict(const struct field_ref *f, size_t *at, struct value *ret)
{
	struct reach r;

	return event_reach(f->event, &r) && value_word(ret, at, reach_verdict_names[r.verdict]);
}

static const char *word_verdict(size_t i, char buf[NAME_MAX_LEN])
{
	(void)buf;
	return i < REACH_MAX ? reach_verdict_names[i] : NULL;
}

/* What failed reached nothing: it has no reach that one could compare. So reach != inside is of mounts that were made. */
static bool of_reach(const struct field_ref *f, size_t *at, struct value *ret)
{
	struct reach r;

	return event_reach(f->event, &r) && r.verdict != REACH_NONE && value_word(ret, at, reach_verdict_names[r.verdict]);
}

static const char *word_reach(size_t i, char buf[NAME_MAX_LEN])
{
	return word_verdict(i < REACH_NONE ? i : i + 1, buf);
}

static bool of_reach_total(const struct field_ref *f, size_t *at, struct value *ret)
{
	struct reach r;

	return event_reach(f->event, &r) && value_one(ret, at, VALUE_NUMBER, r.total);
}

static bool of_reach_ns(const struct field_ref *f, size_t *at, struct value *ret)
{
	size_t first = 0;
	struct reach r;

	if (!event_reach(f->event, &r) || *at >= r.total)
		return false;
	return value_one(ret, &first, VALUE_NUMBER, r.ns[(*at)++]);
}

static bool of_reach_cut(const struct field_ref *f, size_t *at, struct value *ret)
{
	struct reach r;

	return event_reach(f->event, &r) && value_one(ret, at, VALUE_BOOL, r.cut);
}

/* Results */

static bool of_error(const struct field_ref *f, size_t *at, struct value *ret)
{
	int32_t result = (int32_t)get_u32(f);

	if (result >= 0)
		return value_one(ret, at, VALUE_NULL, 0);
	return value_word(ret, at, error_name((int)-(uint32_t)result, ret->word));
}

#define ERRORS 4095 /* MAX_ERRNO of include/linux/err.h */

static const char *word_error(size_t i, char buf[NAME_MAX_LEN])
{
	return i < ERRORS ? error_name((int)i + 1, buf) : NULL;
}

static bool of_code(const struct field_ref *f, size_t *at, struct value *ret)
{
	int status = (int)get_u32(f);

	return value_one(ret, at, WIFSIGNALED(status) ? VALUE_NULL : VALUE_NUMBER, WEXITSTATUS(status));
}

static bool of_signal(const struct field_ref *f, size_t *at, struct value *ret)
{
	int status = (int)get_u32(f);

	if (!WIFSIGNALED(status))
		return value_one(ret, at, VALUE_NULL, 0);
	return value_word(ret, at, signal_name(WTERMSIG(status), ret->word));
}

static const char *word_signal(size_t i, char buf[NAME_MAX_LEN])
{
	return i < 127 ? signal_name((int)i + 1, buf) : NULL;
}

static bool of_core_dumped(const struct field_ref *f, size_t *at, struct value *ret)
{
	int status = (int)get_u32(f);

	return value_one(ret, at, VALUE_BOOL, WIFSIGNALED(status) && WCOREDUMP(status));
}

#define ONE(name, type, words) const struct value_parts value_##name = { { { "@", type, false, words, of_##name, NULL } } }
#define ARRAY(name, words) const struct value_parts value_##name = { { { "@", VALUE_BYTES, true, words, of_##name, NULL } } }
#define STRING_FLAGS                                                                                     \
	{ "@_truncated", VALUE_BOOL, false, NULL, of_str_truncated, "whether it was cut" },              \
	{ "@_unreadable", VALUE_BOOL, false, NULL, of_str_unreadable, "whether it could not be read" },  \
	{ "@_outside", VALUE_BOOL, false, NULL, of_str_outside, "whether it is not below the process's root" }

const struct value_parts value_none = {};
ONE(u32, VALUE_NUMBER, NULL);
ONE(s32, VALUE_NUMBER, NULL);
ONE(u64, VALUE_NUMBER, NULL);
ONE(bool, VALUE_BOOL, NULL);
ONE(u64_known, VALUE_NUMBER, NULL);
ONE(known, VALUE_NUMBER, NULL);
ONE(args_of, VALUE_BYTES, word_args_of);
ONE(mount_op, VALUE_BYTES, word_mount_op);
ONE(ns_type, VALUE_BYTES, word_ns);
ONE(ns_by, VALUE_BYTES, word_ns_by);
ONE(error, VALUE_BYTES, word_error);
ARRAY(clone_flags, word_clone_flags);
ARRAY(mount_flags, word_mount_flags);
ARRAY(umount_flags, word_umount_flags);
ARRAY(move_mount_flags, word_move_mount_flags);
ARRAY(fsopen_flags, word_fsopen_flags);
ARRAY(fsmount_flags, word_fsmount_flags);
ARRAY(fspick_flags, word_fspick_flags);
ARRAY(open_tree_flags, word_open_tree_flags);
ARRAY(setattr_flags, word_setattr_flags);
ARRAY(mount_attr_flags, word_mount_attr_flags);
ARRAY(propagation_flags, word_propagation_flags);
ONE(context, VALUE_NUMBER, NULL);
ONE(result_fd, VALUE_NUMBER, NULL);
ONE(fsconfig_cmd, VALUE_BYTES, word_fsconfig_cmd);
ARRAY(new_ns, word_ns);
ARRAY(ns_kept, word_ns_kept);
ONE(ns_processes, VALUE_NUMBER, NULL);
const struct value_parts value_entered = { {
	{ "@.type", VALUE_BYTES, true, word_ns, of_entered_type, "their kinds" },
	{ "@.inum", VALUE_NUMBER, true, NULL, of_entered_inum, "their inums" },
} };
const struct value_parts value_str = { { { "@", VALUE_BYTES, false, NULL, of_str, NULL }, STRING_FLAGS } };
const struct value_parts value_target_host = { {
	{ "@", VALUE_BYTES, false, NULL, of_str, NULL },
	{ "@_reason", VALUE_BYTES, false, NULL, of_target_host_reason, "why it is null, in words" },
	STRING_FLAGS,
} };
const struct value_parts value_argv = { {
	{ "@", VALUE_BYTES, true, NULL, of_argv, NULL },
	{ "@_truncated", VALUE_BOOL, false, NULL, of_argv_truncated, "whether they were cut" },
	{ "@_unreadable", VALUE_BOOL, false, NULL, of_str_unreadable, "whether they could not be read" },
} };
const struct value_parts value_parent = { {
	{ "@.host_pid", VALUE_NUMBER, false, NULL, of_parent_host, "its PID on the host" },
	{ "@.inside_pid", VALUE_NUMBER, false, NULL, of_parent_inside, "its PID inside; 0: the child cannot see it" },
} };
const struct value_parts value_status = { {
	{ "code", VALUE_NUMBER, false, NULL, of_code, "exit status; null: ended by a signal" },
	{ "signal", VALUE_BYTES, false, word_signal, of_signal, "that ended it, or null" },
	{ "core_dumped", VALUE_BOOL, false, NULL, of_core_dumped, "whether the signal left a core dump" },
} };
const struct value_parts value_reach = { {
	{ "@", VALUE_BYTES, false, word_reach, of_reach, "the verdict of a call that did not fail" },
	{ "@.verdict", VALUE_BYTES, false, word_verdict, of_verdict, "the verdict; none: the call failed" },
	{ "@.total", VALUE_NUMBER, false, NULL, of_reach_total, "how many other mount namespaces" },
	{ "@.ns", VALUE_NUMBER, true, NULL, of_reach_ns, "their inums" },
	{ "@.cut", VALUE_BOOL, false, NULL, of_reach_cut, "whether there are more" },
} };

bool value_is_open(const struct value_part *part)
{
	return part->is_array || part == value_fsconfig_cmd.part;
}
