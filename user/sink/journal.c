/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry of the system's journal for each event, by journald's native protocol: a datagram of NAME=value lines, or,
 * for bytes of any kind, NAME, a newline, the length as 64 bits little-endian, the bytes and a newline.
 * (sd_journal_sendv(3) would do it too, but returns 0 where there is no journald: events would be lost in silence.)
 */
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "event/kinds.h"
#include "event/names.h"
#include "event/reach.h"
#include "sink/sinks.h"
#include "util/cleanup.h"
#include "view/sentence.h"

#define SOCKET "/run/systemd/journal/socket"
/* A journald that takes nothing for so long, s, holds up no event after the first; they are missing until it does. */
#define PATIENCE 1

struct journal {
	int fd;
	bool is_behind; /* it has taken nothing for too long */
};

static int reach_journald(struct journal *j)
{
	static const struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = SOCKET };
	const struct timeval patience = { .tv_sec = PATIENCE };
	_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    connect(fd, (const struct sockaddr *)&to, sizeof(to)))
		return -errno;
	if (j->fd >= 0)
		close(j->fd);
	j->fd = TAKE_FD(fd);
	return 0;
}

static int journal_open(struct sink *s)
{
	struct journal *j = calloc(1, sizeof(*j));
	int err;

	if (!j)
		return -ENOMEM;
	*j = (struct journal){ .fd = -1 };
	err = reach_journald(j);
	if (err) {
		s->why = "no systemd-journald takes entries at " SOCKET;
		free(j);
		return err;
	}
	s->priv = j;
	return 0;
}

static void journal_close(struct sink *s)
{
	struct journal *j = s->priv;

	close(j->fd);
	free(j);
}

/* What is larger than a datagram may be: as a file that nobody can change any more, whose descriptor is sent. */
static int send_file(const struct journal *j, const struct buf *entry, int flags)
{
	_close_ int file = memfd_create("nsscope", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} control = {};
	struct msghdr message = { .msg_control = &control, .msg_controllen = sizeof(control) };
	size_t done;
	int err;

	if (file < 0)
		return -errno;
	err = buf_write(entry, file, &done);
	if (err)
		return err;
	if (fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL))
		return -errno;
	control.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
	memcpy(CMSG_DATA(&control.header), &file, sizeof(int));
	return sendmsg(j->fd, &message, flags) < 0 ? -errno : 0;
}

static int send_once(const struct journal *j, const struct buf *entry)
{
	int flags = MSG_NOSIGNAL | (j->is_behind ? MSG_DONTWAIT : 0);

	if (send(j->fd, entry->data, entry->len, flags) >= 0)
		return 0;
	return errno == EMSGSIZE || errno == ENOBUFS ? send_file(j, entry, flags) : -errno;
}

static int send_entry(struct journal *j, const struct buf *entry)
{
	int err = entry->failed ? -ENOMEM : send_once(j, entry);

	if (err == -ECONNREFUSED || err == -ECONNRESET || err == -ENOTCONN) { /* journald was started anew */
		err = reach_journald(j);
		if (!err)
			err = send_once(j, entry);
	}
	j->is_behind = err == -EAGAIN;
	return err == -EAGAIN ? -ETIMEDOUT : err;
}

/* Any bytes: the entry cannot be made to hold another field. */
static void add_bytes(struct buf *b, const char *name, const char *data, size_t len)
{
	uint64_t le = htole64(len);

	buf_adds(b, name);
	buf_addc(b, '\n');
	buf_add(b, &le, sizeof(le));
	buf_add(b, data, len);
	buf_addc(b, '\n');
}

static void add_number(struct buf *b, const char *name, uint64_t v)
{
	buf_adds(b, name);
	buf_addu(b, v);
	buf_addc(b, '\n');
}

static void add_task(struct buf *b, const struct event *e)
{
	add_number(b, "NSSCOPE_HOST_PID=", event_host(e)->pid);
	add_number(b, "NSSCOPE_INSIDE_PID=", event_inside(e)->pid);
	add_bytes(b, "NSSCOPE_COMM", e->task->comm, strlen(e->task->comm));
	for (size_t i = 0; i < NSS_NS_MAX; i++) {
		if (!e->task->ns[i])
			continue;
		buf_adds(b, "NSSCOPE_");
		for (const char *c = ns_names[i]; *c; c++)
			buf_addc(b, (char)toupper((unsigned char)*c));
		add_number(b, "_NS=", e->task->ns[i]);
	}
}

static void add_payload(struct buf *b, const struct event *e)
{
	const struct event_field *error = event_field(e->desc, "error", 5), *target = event_field(e->desc, "target", 6);
	const struct event_str *path = target && target->is_str ? event_str(e, target) : NULL;
	char name[NAME_MAX_LEN];
	int32_t result = 0;

	if (error)
		memcpy(&result, (const char *)e->payload + error->offset, sizeof(result));
	if (result < 0)
		buf_addf(b, "NSSCOPE_ERROR=%s\n", error_name((int)-(uint32_t)result, name));
	if (path && !(path->flags & (NSS_STR_NULL | NSS_STR_UNREADABLE)))
		add_bytes(b, "NSSCOPE_TARGET", path->data, path->len);
}

static int priority_of(const struct event *e, const struct reach *reach)
{
	if (e->alert)
		return LOG_ERR;
	if (e->rec->type == NSS_EV_LOST || (reach && (reach->verdict == REACH_HOST || reach->verdict == REACH_UNKNOWN)))
		return LOG_WARNING;
	return reach && reach->verdict == REACH_OTHERS ? LOG_NOTICE : LOG_INFO;
}

static void add_message(struct buf *b, struct buf *words, const struct sink *s, const struct event *e, const struct model *m)
{
	if (e->rec->type == NSS_EV_START)
		buf_adds(words, "start of observation");
	else if (e->rec->type == NSS_EV_END)
		buf_adds(words, "end of observation: "), text_summary(words, s, m);
	else
		event_sentence(words, e);
	add_bytes(b, "MESSAGE", words->data, words->len);
}

void journal_entry(struct buf *b, const struct sink *s, const struct event *e, const struct model *m)
{
	struct buf value = { .ascii = s->buf.ascii };
	struct reach reach;
	bool has_reach = event_reach(e, &reach);

	add_message(b, &value, s, e, m);
	add_number(b, "PRIORITY=", (uint64_t)priority_of(e, has_reach ? &reach : NULL));
	buf_addf(b, "SYSLOG_IDENTIFIER=nsscope\nNSSCOPE_TYPE=%s\n", e->desc->name);
	if (e->seq)
		add_number(b, "NSSCOPE_SEQ=", e->seq);
	if (e->alert)
		buf_adds(b, "NSSCOPE_ALERT=1\n");
	if (has_reach)
		buf_addf(b, "NSSCOPE_REACH=%s\n", reach_verdict_names[reach.verdict]);
	if (e->task)
		add_task(b, e);
	if (e->desc->class != CLASS_META)
		add_payload(b, e);
	value.len = 0;
	json_line(&value, s, e, m);
	add_bytes(b, "NSSCOPE_JSON", value.data, value.len ? value.len - 1 : 0); /* without its newline */
	b->failed |= value.failed;
	buf_free(&value);
}

static int journal_event(struct sink *s, const struct event *e, const struct model *m)
{
	int err;

	if (e->rec->type == NSS_EV_PROCESS) /* thousands of them, as in the text */
		return 0;
	journal_entry(&s->buf, s, e, m);
	err = send_entry(s->priv, &s->buf);
	s->buf.len = 0;
	s->buf.failed = false;
	return err;
}

const struct sink_ops sink_journal = {
	.name = "journal",
	.doc = "the system's journal: an entry for each event, with fields",
	.open = journal_open,
	.event = journal_event,
	.close = journal_close,
	.no_file = true,
};
