/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/kinds.h"

#include <linux/mount.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/wait.h>

#include "event/format.h"
#include "event/names.h"
#include "event/reach.h"
#include "event/values.h"
#include "event/writers.h"
#include "util/cleanup.h"

struct field_ref field_beside(const struct field_ref *f, const char *name)
{
	const struct event_field *field = event_field(f->event->desc, name, strlen(name));

	return (struct field_ref){ f->event, field, (const char *)f->event->payload + field->offset };
}

static const struct event_str *get_str(const struct field_ref *f)
{
	return event_str(f->event, f->field);
}

void json_key(struct buf *b, const char *name, const char *suffix)
{
	size_t length = strlen(name), more = strlen(suffix);
	char *to = buf_room(b, length + more + 3);

	if (!to)
		return;
	*to++ = '"';
	to = mempcpy(to, name, length);
	to = mempcpy(to, suffix, more);
	memcpy(to, "\":", 2);
	b->len += length + more + 3;
}

void json_name(struct buf *b, const struct field_ref *f, const char *value)
{
	json_key(b, f->field->name, "");
	if (value) {
		buf_addc(b, '"');
		buf_adds(b, value);
		buf_adds(b, "\",");
	} else {
		buf_adds(b, "null,");
	}
}

/* Replaces the comma behind the last member or element by @close. */
static void json_close(struct buf *b, char close)
{
	if (b->len && b->data[b->len - 1] == ',')
		b->data[b->len - 1] = close;
	else
		buf_addc(b, close);
}

static void json_nothing(struct buf *b, const struct field_ref *f)
{
	(void)b;
	(void)f;
}

static void text_nothing(struct buf *b, const struct field_ref *f)
{
	(void)b;
	(void)f;
}

/* Numbers */

void json_number(struct buf *b, const struct field_ref *f, uint64_t v)
{
	json_key(b, f->field->name, "");
	buf_addu(b, v);
	buf_addc(b, ',');
}

static void json_u32(struct buf *b, const struct field_ref *f)
{
	json_number(b, f, get_u32(f));
}

static void json_u64(struct buf *b, const struct field_ref *f)
{
	json_number(b, f, get_u64(f));
}

static void json_s64(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field->name, "");
	buf_addi(b, (int64_t)get_u64(f));
	buf_addc(b, ',');
}

static void json_s32(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field->name, "");
	buf_addi(b, (int32_t)get_u32(f));
	buf_addc(b, ',');
}

static void json_u64_known(struct buf *b, const struct field_ref *f)
{
	if (get_u64(f) == NSS_UNKNOWN)
		json_name(b, f, NULL);
	else
		json_u64(b, f);
}

/* 0 is null. */
static void json_known(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		json_number(b, f, get_u32(f));
	else
		json_name(b, f, NULL);
}

static void json_bool(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field->name, "");
	buf_adds(b, get_u32(f) ? "true," : "false,");
}

static void text_u32(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		buf_addu(b, get_u32(f));
}

static void text_s32(struct buf *b, const struct field_ref *f)
{
	buf_addf(b, "%d", (int)get_u32(f));
}

static void text_u64(struct buf *b, const struct field_ref *f)
{
	buf_addu(b, get_u64(f));
}

static void text_duration(struct buf *b, const struct field_ref *f)
{
	if (get_u64(f) != NSS_UNKNOWN)
		text_span(b, get_u64(f));
}

/* Strings */

static void json_str_flags(struct buf *b, const struct field_ref *f, const struct event_str *s)
{
	if (s->flags & NSS_STR_UNREADABLE) {
		json_key(b, f->field->name, "_unreadable");
		buf_adds(b, "true,");
	}
	if (s->flags & NSS_STR_CUT) {
		json_key(b, f->field->name, "_truncated");
		buf_adds(b, "true,");
	}
	if (s->flags & NSS_STR_OUTSIDE) {
		json_key(b, f->field->name, "_outside");
		buf_adds(b, "true,");
	}
}

static void json_str(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);

	if (s->flags & (NSS_STR_NULL | NSS_STR_UNREADABLE)) {
		json_name(b, f, NULL);
	} else {
		json_key(b, f->field->name, "");
		json_string(b, s->data, s->len);
		buf_addc(b, ',');
		if (!utf8_valid(s->data, s->len)) {
			json_key(b, f->field->name, "_raw");
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

	json_key(b, f->field->name, "_raw");
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

static void json_argv(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);
	const char *at = s->data, *end = s->data + s->len;
	bool valid = true;
	ssize_t n;

	json_key(b, f->field->name, "");
	buf_addc(b, '[');
	for (; (n = next_arg(&at, end)) >= 0; at += n + 1) {
		json_string(b, at, (size_t)n);
		buf_addc(b, ',');
		valid = valid && utf8_valid(at, (size_t)n);
	}
	json_close(b, ']');
	buf_addc(b, ',');
	if (!valid)
		json_argv_raw(b, f, s);
	if (s->flags & NSS_STR_UNREADABLE) {
		json_key(b, f->field->name, "_unreadable");
		buf_adds(b, "true,");
	}
	json_key(b, f->field->name, "_truncated");
	buf_adds(b, s->flags & NSS_STR_CUT ? "true," : "false,");
}

static void text_argv(struct buf *b, const struct field_ref *f)
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
	json_key(b, f->field->name, "");
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

static void json_clone_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &clone_flag_table, get_u64(f));
}

static void text_clone_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &clone_flag_table, get_u64(f));
}

static void json_mount_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &mount_flag_table, mount_flags_clean(get_u64(f)));
}

static void text_mount_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &mount_flag_table, mount_flags_clean(get_u64(f)) & ~(uint64_t)MS_SILENT);
}

static void json_umount_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &umount_flag_table, get_u64(f));
}

static void text_umount_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &umount_flag_table, get_u64(f));
}

static void json_move_mount_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &move_mount_flag_table, get_u64(f));
}

static void text_move_mount_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &move_mount_flag_table, get_u64(f));
}

static void json_new_ns(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field->name, "");
	buf_addc(b, '[');
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		if (get_u64(f) & ns_flags[i])
			buf_addf(b, "\"%s\",", ns_names[i]);
	json_close(b, ']');
	buf_addc(b, ',');
}

static void text_new_ns(struct buf *b, const struct field_ref *f)
{
	const char *between = "";

	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		if (get_u64(f) & ns_flags[i]) {
			buf_addf(b, "%s%s", between, ns_names[i]);
			between = " ";
		}
	}
}

static void text_fork_style(struct buf *b, const struct field_ref *f)
{
	uint64_t flags = get_u64(f);

	if (flags & CLONE_VFORK)
		buf_adds(b, "vfork");
	else if (flags & CLONE_VM)
		buf_adds(b, "shares memory");
}

/* Processes and namespaces */

static void json_parent(struct buf *b, const struct field_ref *f)
{
	struct nss_parent p;

	memcpy(&p, f->at, sizeof(p));
	json_key(b, f->field->name, "");
	buf_adds(b, "{\"host_pid\":");
	buf_addu(b, p.host_pid);
	buf_adds(b, ",\"inside_pid\":");
	buf_addu(b, p.inside_pid);
	buf_adds(b, "},");
}

static void text_parent(struct buf *b, const struct field_ref *f)
{
	struct nss_parent p;

	memcpy(&p, f->at, sizeof(p));
	if (p.inside_pid) {
		buf_addu(b, p.inside_pid);
	} else if (p.host_pid) {
		buf_addu(b, p.host_pid);
		buf_adds(b, ", which it cannot see");
	} else {
		buf_adds(b, "a process out of sight");
	}
}

static void json_host(struct buf *b, const struct field_ref *f)
{
	struct nss_host host;

	memcpy(&host, f->at, sizeof(host));
	json_key(b, f->field->name, "");
	buf_addf(b, "{\"pid_ns\":%u,\"mnt_ns\":%u},", host.pid_ns, host.mnt_ns);
}

static void json_ns_type(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, ns_names[get_u32(f)]);
}

static void text_ns_type(struct buf *b, const struct field_ref *f)
{
	buf_adds(b, ns_names[get_u32(f)]);
}

static void json_ns_by(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, ns_by_names[get_u32(f)]);
}

static void text_ns_by(struct buf *b, const struct field_ref *f)
{
	buf_adds(b, ns_by_names[get_u32(f)]);
}

static void text_copied(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		buf_addf(b, "%u mount%s copied", get_u32(f), get_u32(f) == 1 ? "" : "s");
}

static void text_gone(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		buf_addf(b, "%u mount%s with it", get_u32(f), get_u32(f) == 1 ? "" : "s");
}

static void json_entered(struct buf *b, const struct field_ref *f)
{
	struct nss_entered entered;

	memcpy(&entered, f->at, sizeof(entered));
	json_key(b, f->field->name, "");
	buf_addc(b, '[');
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		if (entered.inum[i])
			buf_addf(b, "{\"type\":\"%s\",\"inum\":%u},", ns_names[i], entered.inum[i]);
	json_close(b, ']');
	buf_addc(b, ',');
}

static void text_entered(struct buf *b, const struct field_ref *f)
{
	struct nss_entered entered;
	const char *between = "";

	memcpy(&entered, f->at, sizeof(entered));
	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		if (entered.inum[i]) {
			buf_addf(b, "%s%s %u", between, ns_names[i], entered.inum[i]);
			between = ", ";
		}
	}
}

static void json_ns_kept(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field->name, "");
	buf_addc(b, '[');
	if (get_u32(f) & NSS_KEPT_MOUNT)
		buf_adds(b, "\"bind mount\",");
	if (get_u32(f) & NSS_KEPT_FILE)
		buf_adds(b, "\"file descriptor\",");
	json_close(b, ']');
	buf_addc(b, ',');
}

static void text_ns_kept(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f) & NSS_KEPT_MOUNT)
		buf_adds(b, "kept by a bind mount");
	else if (get_u32(f) & NSS_KEPT_FILE)
		buf_adds(b, "kept by a file descriptor");
}

static void json_ns_processes(struct buf *b, const struct field_ref *f)
{
	if (f->event->processes == NSS_UNKNOWN)
		json_name(b, f, NULL);
	else
		json_number(b, f, f->event->processes);
}

static void text_ns_processes(struct buf *b, const struct field_ref *f)
{
	if (f->event->processes != NSS_UNKNOWN)
		buf_addf(b, "%llu process%s", (unsigned long long)f->event->processes, f->event->processes == 1 ? "" : "es");
}

/* Mounts */

static void json_args_of(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, get_u32(f) == NSS_ARGS_KERNEL ? "kernel" : "caller");
}

static uint64_t mount_flags_of(const struct field_ref *f)
{
	return ((const struct nss_mount *)f->event->payload)->flags;
}

static void json_mount_op(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, mount_op_names[mount_op(get_u64(f))]);
}

static void text_mount_op(struct buf *b, const struct field_ref *f)
{
	uint64_t flags = get_u64(f);
	enum mount_op op = mount_op(flags);

	if (op != MOUNT_OP_PROPAGATION) {
		if (op != MOUNT_OP_NEW)
			buf_adds(b, mount_op_names[op]);
		return;
	}
	buf_adds(b, "make ");
	buf_adds(b, flags & MS_SHARED ? "shared" : flags & MS_PRIVATE ? "private" : flags & MS_SLAVE ? "slave" : "unbindable");
}

/* A remount and a change of propagation ignore the source: what stands there says nothing. */
static void text_mount_source(struct buf *b, const struct field_ref *f)
{
	enum mount_op op = mount_op(mount_flags_of(f));

	if (op != MOUNT_OP_REMOUNT && op != MOUNT_OP_PROPAGATION)
		text_str(b, f);
}

static void text_mount_fstype(struct buf *b, const struct field_ref *f)
{
	if (mount_op(mount_flags_of(f)) == MOUNT_OP_NEW)
		text_str(b, f);
}

bool event_failed(const struct event *e)
{
	const struct event_field *field = event_field(e->desc, "error", 5);
	int32_t error = 0;

	if (field)
		memcpy(&error, (const char *)e->payload + field->offset, sizeof(error));
	return error < 0;
}

const char *target_host_reason(const struct event *e)
{
	static const char *const reasons[NSS_PLACE_MAX] = {
		[NSS_PLACE_UNKNOWN] = "not known",
		[NSS_PLACE_NOT_MOUNTED] = "its file system is not mounted in the host's mount namespace",
		[NSS_PLACE_NOT_PART] = "that part of its file system is not mounted in the host's mount namespace",
		[NSS_PLACE_COVERED] = "on the host something else is mounted above it",
		[NSS_PLACE_OUTSIDE] = "not below the host's root directory",
		[NSS_PLACE_DETACHED] = "the mount is attached nowhere",
	};
	const struct event_field *field = event_field(e->desc, "place", 5);
	uint32_t place;

	memcpy(&place, (const char *)e->payload + field->offset, sizeof(place));
	return event_failed(e) ? "the call failed" : reasons[place];
}

static void json_target_host(struct buf *b, const struct field_ref *f)
{
	const char *reason = target_host_reason(f->event);

	json_str(b, f);
	json_key(b, f->field->name, "_reason");
	buf_addf(b, reason ? "\"%s\"," : "null,", reason);
}

static void json_reach(struct buf *b, const struct field_ref *f)
{
	struct reach r;

	event_reach(f->event, &r);
	json_key(b, f->field->name, "");
	buf_addf(b, "{\"verdict\":\"%s\",\"total\":%u,\"ns\":[", reach_verdict_names[r.verdict], r.total);
	for (uint32_t i = 0; i < r.total; i++)
		buf_addf(b, "%u,", r.ns[i]);
	json_close(b, ']');
	buf_addf(b, ",\"cut\":%s},", r.cut ? "true" : "false");
}

static void text_receivers(struct buf *b, const struct reach *r)
{
	uint32_t others = r->total - (r->verdict == REACH_HOST);

	if (r->verdict == REACH_HOST)
		buf_adds(b, others ? "the host and " : "the host");
	if (others)
		buf_addf(b, "%s%u other namespace%s", r->cut ? "at least " : "", others, others == 1 ? "" : "s");
}

/* Whether the call leaves all mounts where they are. */
static bool changes_only(const struct event *e)
{
	return e->desc == &event_descs[NSS_EV_MOUNT_SETATTR];
}

/* What changes only the mount that is there goes nowhere: nothing is said of that. */
static void text_reach(struct buf *b, const struct field_ref *f)
{
	const struct event *e = f->event;
	bool gone = e->desc == &event_descs[NSS_EV_UMOUNT];
	enum mount_op op = e->desc == &event_descs[NSS_EV_MOUNT] ? mount_op(mount_flags_of(f)) : MOUNT_OP_NEW;
	struct reach r;

	event_reach(e, &r);
	switch (r.verdict) {
	case REACH_INSIDE:
		if (op != MOUNT_OP_REMOUNT && op != MOUNT_OP_PROPAGATION && !changes_only(e) && e->task->ns[NSS_NS_MNT] != e->host_mnt_ns)
			buf_adds(b, gone ? "inside only" : "stays inside");
		break;
	case REACH_HOST:
	case REACH_OTHERS:
		buf_adds(b, gone ? "also gone from " : "reaches ");
		text_receivers(b, &r);
		break;
	case REACH_UNKNOWN:
		buf_adds(b, "its reach is not known");
		break;
	case REACH_NONE:
	case REACH_MAX:
		break;
	}
}

/* Results */

static void json_error(struct buf *b, const struct field_ref *f)
{
	int32_t result = (int32_t)get_u32(f);
	char name[NAME_MAX_LEN];

	json_name(b, f, result < 0 ? error_name((int)-(uint32_t)result, name) : NULL);
}

static void text_error(struct buf *b, const struct field_ref *f)
{
	int32_t result = (int32_t)get_u32(f);
	char name[NAME_MAX_LEN];

	if (result < 0)
		buf_addf(b, " failed: %s", error_name((int)-(uint32_t)result, name));
}

static void json_status(struct buf *b, const struct field_ref *f)
{
	int status = (int)get_u32(f);
	char name[NAME_MAX_LEN];

	if (WIFSIGNALED(status)) {
		buf_addf(b, "\"code\":null,\"signal\":\"%s\",", signal_name(WTERMSIG(status), name));
	} else {
		buf_adds(b, "\"code\":");
		buf_addu(b, WEXITSTATUS(status));
		buf_adds(b, ",\"signal\":null,");
	}
	buf_adds(b, WIFSIGNALED(status) && WCOREDUMP(status) ? "\"core_dumped\":true," : "\"core_dumped\":false,");
}

static void text_status(struct buf *b, const struct field_ref *f)
{
	int status = (int)get_u32(f);
	char name[NAME_MAX_LEN];

	if (!WIFSIGNALED(status))
		buf_addf(b, "%d", WEXITSTATUS(status));
	else
		buf_addf(b, "%s%s", signal_name(WTERMSIG(status), name), WCOREDUMP(status) ? " (core dumped)" : "");
}

/* The stream */

static void json_lost(struct buf *b, const struct field_ref *f)
{
	struct nss_counts lost;
	uint64_t total = 0;

	memcpy(&lost, f->at, sizeof(lost));
	for (size_t i = 0; i < NSS_EV_MAX; i++)
		total += lost.count[i];
	json_key(b, f->field->name, "");
	buf_addf(b, "{\"total\":%llu,", (unsigned long long)total);
	for (size_t i = 0; i < NSS_EV_MAX; i++)
		if (lost.count[i])
			buf_addf(b, "\"%s\":%llu,", event_descs[i].name, (unsigned long long)lost.count[i]);
	json_close(b, '}');
	buf_addc(b, ',');
}

static void text_lost(struct buf *b, const struct field_ref *f)
{
	struct nss_counts lost;
	const char *between = "";

	memcpy(&lost, f->at, sizeof(lost));
	for (size_t i = 0; i < NSS_EV_MAX; i++) {
		if (lost.count[i]) {
			buf_addf(b, "%s%llu %s", between, (unsigned long long)lost.count[i], event_descs[i].name);
			between = ", ";
		}
	}
}

/* "process=tp_btf calls=tp_btf" */
static void json_backend(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);
	const char *at = s->data, *end = at + s->len;

	json_key(b, f->field->name, "");
	buf_addc(b, '{');
	while (at < end) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));

		if (equals) {
			json_string(b, at, (size_t)(equals - at));
			buf_addc(b, ':');
			json_string(b, equals + 1, (size_t)(stop - equals - 1));
			buf_addc(b, ',');
		}
		at = stop + 1;
	}
	json_close(b, '}');
	buf_addc(b, ',');
}

const struct kind_ops kinds[KIND_MAX] = {
#define KIND(ID, jsonfn, textfn, parts, schema, needs) { jsonfn, textfn, &parts, schema, needs },
#include "event/kinds.def"
#undef KIND
};
