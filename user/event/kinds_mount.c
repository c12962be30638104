/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of calls that mount, and how they ended. */
#include <linux/mount.h>
#include <string.h>

#include "event/format.h"
#include "event/names.h"
#include "event/reach.h"
#include "event/values.h"
#include "event/writers.h"

void json_mount_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &mount_flag_table, mount_flags_clean(get_u64(f)));
}

void text_mount_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &mount_flag_table, mount_flags_clean(get_u64(f)) & ~(uint64_t)MS_SILENT);
}

void json_umount_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &umount_flag_table, get_u64(f));
}

void text_umount_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &umount_flag_table, get_u64(f));
}

void json_move_mount_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &move_mount_flag_table, get_u64(f));
}

void text_move_mount_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &move_mount_flag_table, get_u64(f));
}

void json_args_of(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, get_u32(f) == NSS_ARGS_KERNEL ? "kernel" : "caller");
}

static uint64_t mount_flags_of(const struct field_ref *f)
{
	return ((const struct nss_mount *)f->event->payload)->flags;
}

void json_mount_op(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, mount_op_names[mount_op(get_u64(f))]);
}

void text_mount_op(struct buf *b, const struct field_ref *f)
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
void text_mount_source(struct buf *b, const struct field_ref *f)
{
	enum mount_op op = mount_op(mount_flags_of(f));

	if (op != MOUNT_OP_REMOUNT && op != MOUNT_OP_PROPAGATION)
		text_str(b, f);
}

void text_mount_fstype(struct buf *b, const struct field_ref *f)
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

void json_target_host(struct buf *b, const struct field_ref *f)
{
	const char *reason = target_host_reason(f->event);

	json_str(b, f);
	json_key(b, f->field, "_reason");
	buf_addf(b, reason ? "\"%s\"," : "null,", reason);
}

void json_reach(struct buf *b, const struct field_ref *f)
{
	struct reach r;

	event_reach(f->event, &r);
	json_key(b, f->field, "");
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
void text_reach(struct buf *b, const struct field_ref *f)
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

void json_error(struct buf *b, const struct field_ref *f)
{
	int32_t result = (int32_t)get_u32(f);
	char name[NAME_MAX_LEN];

	json_name(b, f, result < 0 ? error_name((int)-(uint32_t)result, name) : NULL);
}

void text_error(struct buf *b, const struct field_ref *f)
{
	int32_t result = (int32_t)get_u32(f);
	char name[NAME_MAX_LEN];

	if (result < 0)
		buf_addf(b, " failed: %s", error_name((int)-(uint32_t)result, name));
}
