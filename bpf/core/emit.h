/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The only way out: a record is begun, grown and sent here, and what cannot be sent is counted here. */
#ifndef NSS_EMIT_H
#define NSS_EMIT_H

#include "core/compat.h"

static __always_inline bool wanted(__u32 type)
{
	return conf.types & (1ULL << type);
}

static __always_inline void count_lost(__u32 type)
{
	__u64 at = type;

	KNOWN_BY_COMPARISON(at);
	if (at < NSS_EV_MAX)
		__sync_fetch_and_add(&lost[at], 1);
}

static __always_inline struct scratch *scratch_at(__u32 slot)
{
	return ELEMENT(scratches, struct scratch, slot, conf.all_scratches);
}

static __always_inline struct scratch *scratch_claim(void)
{
	for (__u32 i = 0; i < NSS_SCRATCHES && i < conf.scratches; i++) {
		__u32 key = bpf_get_smp_processor_id() * conf.scratches + i;
		struct scratch *s = scratch_at(key);

		if (!s)
			continue;
		s->slot = key; /* it is always that; read back, it is one number to the verifier, which would go on with each i */
		if (claim(&s->busy))
			return scratch_at(s->slot);
	}
	return NULL;
}

static __always_inline void scratch_release(struct scratch *s)
{
	*(volatile __u32 *)&s->busy = 0;
}

/* Begins a record of @size bytes: its scratch's slot; -1: none is to be had (counted). Not static, as others below. */
__noinline int begin(__u32 type, __u32 size)
{
	struct scratch *s = scratch_claim();

	if (!s) {
		count_lost(type);
		return -1;
	}
	s->rec.len = size;
	s->rec.type = type;
	s->rec.levels = 0;
	s->rec.mono_ns = bpf_ktime_get_ns();
	return s->slot;
}

/* The same: NULL if there is none. */
static __always_inline struct scratch *emit_begin(__u32 type, __u32 size)
{
	return scratch_at(begin(type, size));
}

/* Where the next @room bytes of the record go; NULL if it is full. */
static __always_inline void *emit_room(struct scratch *s, __u32 room)
{
	__u32 len = s->rec.len;

	if (len > NSS_RECORD_MAX - room)
		return NULL;
	return s->bytes + len;
}

/*
 * Sends the record and gives the scratch back. A wake-up of the reader for each event costs more than all else, so it
 * is woken only when much is queued; it looks by itself often enough for a live view.
 */
__noinline int scratch_send(__u32 slot)
{
	struct scratch *s = scratch_at(slot);
	__u64 flags = BPF_RB_NO_WAKEUP;
	__u32 type;
	__u64 len;
	int err = -1;

	if (!s)
		return -1;
	type = s->rec.type;
	len = s->rec.len;
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) >= conf.wake_bytes)
		flags = BPF_RB_FORCE_WAKEUP;
	KNOWN_BY_COMPARISON(len);
	if (len <= NSS_RECORD_MAX)
		err = bpf_ringbuf_output(&events, s->bytes, len, flags);
	scratch_release(s);
	if (err)
		count_lost(type);
	return err;
}

static __always_inline int emit_send(struct scratch *s)
{
	return scratch_send(s->slot);
}

/* Notes the string of @n bytes with its NUL (or an error) that was read to the record's tail, of at most @max. */
static __always_inline void emit_str(struct scratch *s, struct nss_str *str, long n, __u32 max)
{
	if (n <= 0)
		return;
	str->v = (n - 1) & NSS_STR_LEN;
	if (n == max)
		str->v |= NSS_STR_CUT;
	s->rec.len += (n - 1) & NSS_STR_LEN;
}

/* Reads a string of the kernel into the record's tail. @max is a constant. */
static __always_inline void emit_kernel_str(struct scratch *s, struct nss_str *str, const char *src, __u32 max)
{
	void *to = emit_room(s, max);

	str->v = NSS_STR_UNREADABLE;
	if (to)
		emit_str(s, str, bpf_probe_read_kernel_str(to, max, src), max);
}

/*
 * What follows is not static and has numbers for arguments: so the verifier looks at each once, not at each place that
 * uses it. They put bytes behind the record of scratch @slot and give the value of its struct nss_str.
 */

/* At most NSS_PATH_MAX bytes, with the NUL, of the string of the current process at @src. */
__noinline __u32 put_user_str(__u32 slot, __u64 src, __u32 max)
{
	struct scratch *s = scratch_at(slot);
	struct nss_str str = { .v = src ? NSS_STR_UNREADABLE : NSS_STR_NULL };
	void *to = s ? emit_room(s, NSS_PATH_MAX) : NULL;

	if (!s || !to || !src || max > NSS_PATH_MAX)
		return str.v;
	emit_str(s, &str, user_str_bytes(bpf_probe_read_user_str(to, max, (void *)src)), max);
	return str.v;
}

/* @len bytes, at most NSS_ARGS_PIECE, at @src in the kernel. */
__noinline __u32 put_bytes(__u32 slot, __u64 src, __u32 len)
{
	struct scratch *s = scratch_at(slot);
	void *to = s ? emit_room(s, NSS_ARGS_PIECE) : NULL;

	if (!s || !to || len > NSS_ARGS_PIECE || bpf_probe_read_kernel(to, len, (void *)src))
		return NSS_STR_UNREADABLE;
	s->rec.len += len;
	return len;
}

/* Reads a string of the current process into the record's tail, of at most @max bytes, at most NSS_PATH_MAX. */
static __always_inline void emit_user_str(struct scratch *s, struct nss_str *str, const char *src, __u32 max)
{
	str->v = put_user_str(s->slot, (__u64)src, max);
}

/* Reads @n bytes of the current process into the record's tail, at most NSS_ARGS_PIECE. */
static __always_inline void emit_user_bytes(struct scratch *s, struct nss_str *str, const void *src, __u32 n)
{
	void *to = emit_room(s, NSS_ARGS_PIECE);

	if (n > NSS_ARGS_PIECE)
		n = NSS_ARGS_PIECE;
	str->v = NSS_STR_UNREADABLE;
	if (!to || bpf_probe_read_user(to, n, src))
		return;
	str->v = n;
	s->rec.len += n;
}

#endif
