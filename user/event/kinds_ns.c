/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of processes and namespaces. */
#include <linux/sched.h>
#include <string.h>
#include <sys/wait.h>

#include "event/format.h"
#include "event/names.h"
#include "event/writers.h"

void json_clone_flags(struct buf *b, const struct field_ref *f)
{
	json_flag_names(b, f, &clone_flag_table, get_u64(f));
}

void text_clone_flags(struct buf *b, const struct field_ref *f)
{
	text_flag_names(b, &clone_flag_table, get_u64(f));
}

void json_new_ns(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field, "");
	buf_addc(b, '[');
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		if (get_u64(f) & ns_flags[i])
			buf_addf(b, "\"%s\",", ns_names[i]);
	json_close(b, ']');
	buf_addc(b, ',');
}

void text_new_ns(struct buf *b, const struct field_ref *f)
{
	const char *between = "";

	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		if (get_u64(f) & ns_flags[i]) {
			buf_addf(b, "%s%s", between, ns_names[i]);
			between = " ";
		}
	}
}

void text_fork_style(struct buf *b, const struct field_ref *f)
{
	uint64_t flags = get_u64(f);

	if (flags & CLONE_VFORK)
		buf_adds(b, "vfork");
	else if (flags & CLONE_VM)
		buf_adds(b, "shares memory");
}

void json_parent(struct buf *b, const struct field_ref *f)
{
	struct nss_parent p;

	memcpy(&p, f->at, sizeof(p));
	json_key(b, f->field, "");
	buf_adds(b, "{\"host_pid\":");
	buf_addu(b, p.host_pid);
	buf_adds(b, ",\"inside_pid\":");
	buf_addu(b, p.inside_pid);
	buf_adds(b, "},");
}

void text_parent(struct buf *b, const struct field_ref *f)
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

void json_host(struct buf *b, const struct field_ref *f)
{
	struct nss_host host;

	memcpy(&host, f->at, sizeof(host));
	json_key(b, f->field, "");
	buf_addf(b, "{\"pid_ns\":%u,\"mnt_ns\":%u},", host.pid_ns, host.mnt_ns);
}

void json_ns_type(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, ns_names[get_u32(f)]);
}

void text_ns_type(struct buf *b, const struct field_ref *f)
{
	buf_adds(b, ns_names[get_u32(f)]);
}

void json_ns_by(struct buf *b, const struct field_ref *f)
{
	json_name(b, f, ns_by_names[get_u32(f)]);
}

void text_ns_by(struct buf *b, const struct field_ref *f)
{
	buf_adds(b, ns_by_names[get_u32(f)]);
}

void text_copied(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		buf_addf(b, "%u mount%s copied", get_u32(f), get_u32(f) == 1 ? "" : "s");
}

void text_gone(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f))
		buf_addf(b, "%u mount%s with it", get_u32(f), get_u32(f) == 1 ? "" : "s");
}

void json_entered(struct buf *b, const struct field_ref *f)
{
	struct nss_entered entered;

	memcpy(&entered, f->at, sizeof(entered));
	json_key(b, f->field, "");
	buf_addc(b, '[');
	for (size_t i = 0; i < NSS_NS_MAX; i++)
		if (entered.inum[i])
			buf_addf(b, "{\"type\":\"%s\",\"inum\":%u},", ns_names[i], entered.inum[i]);
	json_close(b, ']');
	buf_addc(b, ',');
}

void text_entered(struct buf *b, const struct field_ref *f)
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

void json_ns_kept(struct buf *b, const struct field_ref *f)
{
	json_key(b, f->field, "");
	buf_addc(b, '[');
	if (get_u32(f) & NSS_KEPT_MOUNT)
		buf_adds(b, "\"bind mount\",");
	if (get_u32(f) & NSS_KEPT_FILE)
		buf_adds(b, "\"file descriptor\",");
	json_close(b, ']');
	buf_addc(b, ',');
}

void text_ns_kept(struct buf *b, const struct field_ref *f)
{
	if (get_u32(f) & NSS_KEPT_MOUNT)
		buf_adds(b, "kept by a bind mount");
	else if (get_u32(f) & NSS_KEPT_FILE)
		buf_adds(b, "kept by a file descriptor");
}

void json_ns_processes(struct buf *b, const struct field_ref *f)
{
	if (f->event->processes == NSS_UNKNOWN)
		json_name(b, f, NULL);
	else
		json_number(b, f, f->event->processes);
}

void text_ns_processes(struct buf *b, const struct field_ref *f)
{
	if (f->event->processes != NSS_UNKNOWN)
		buf_addf(b, "%llu process%s", (unsigned long long)f->event->processes, f->event->processes == 1 ? "" : "es");
}

void json_status(struct buf *b, const struct field_ref *f)
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

void text_status(struct buf *b, const struct field_ref *f)
{
	int status = (int)get_u32(f);
	char name[NAME_MAX_LEN];

	if (!WIFSIGNALED(status))
		buf_addf(b, "%d", WEXITSTATUS(status));
	else
		buf_addf(b, "%s%s", signal_name(WTERMSIG(status), name), WCOREDUMP(status) ? " (core dumped)" : "");
}
