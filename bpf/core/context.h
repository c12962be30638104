/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the calls of the new mount API act on, and how those that belong together are known: a context of fsopen(2) or
 * fspick(2), and a mount that is not yet attached. Each gets a number, kept by its address: file descriptors may be copied,
 * inherited and sent. What is made of a context goes on under its number.
 */
#ifndef NSS_CONTEXT_H
#define NSS_CONTEXT_H

#include "core/mnt.h"

#define NSS_CONTEXTS 2048

struct numbered {
	__u64 number;
	__u64 id; /* of a mount: so it is known again from another that has its memory; of a context 0 */
};

/* The oldest goes when it is full: nothing tells that a context or a mount has gone. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NSS_CONTEXTS); /* if system calls are wanted */
	__type(key, __u64); /* address of struct fs_context or struct mount */
	__type(value, struct numbered);
} contexts SEC(".maps");

__u64 last_context;

/* What follows is not static and has numbers for arguments: so the verifier looks at each once. */

/* The number of what is at @address, by a call that went on with @number; 0: a new one. */
__noinline __u64 context_put(__u64 address, __u64 id, __u64 number)
{
	struct numbered c = { .number = number, .id = id };

	if (!address)
		return 0;
	if (!number)
		c.number = next_number(&last_context);
	bpf_map_update_elem(&contexts, &address, &c, BPF_ANY);
	return c.number;
}

/* The number of what is at @address; 0: it has none. */
__noinline __u64 context_get(__u64 address, __u64 id)
{
	struct numbered *c = bpf_map_lookup_elem(&contexts, &address);

	return c && c->id == id ? c->number : 0;
}

/* The context that file @fd is of, as include/linux/fs_context.h has it; 0: it is of none. */
__noinline __u64 fs_context_of_fd(__u32 fd)
{
	const struct file *file = (void *)file_of_fd(fd);
	char name[16] = {}; /* "[fscontext]" and a NUL */

	if (BPF_CORE_READ(file, f_inode, i_sb, s_magic) != NSS_ANON_INODE_FS_MAGIC)
		return 0;
	bpf_probe_read_kernel_str(name, sizeof(name), BPF_CORE_READ(file, f_path.dentry, d_name.name));
	if (*(__u64 *)name != *(__u64 *)"[fsconte" || *(__u32 *)(name + 8) != *(__u32 *)"xt]")
		return 0;
	return (__u64)BPF_CORE_READ(file, private_data);
}

/* The number of the context @fc; it gets one if it was made before it was seen. */
static __always_inline __u64 fs_context_number(__u64 fc)
{
	__u64 number = context_get(fc, 0);

	return number ? number : context_put(fc, 0, 0);
}

/* include/linux/fs.h: the file is of a mount that fsmount(2) or open_tree(2) made; it stays set when that is attached. */
#define NSS_FMODE_NEED_UNMOUNT 0x10000000

/* The mount that was made for file @fd; 0: it is of one that stood there, or of none. */
__noinline __u64 made_mount_of_fd(__u32 fd)
{
	const struct file *file = (void *)file_of_fd(fd);

	if (!(BPF_CORE_READ(file, f_mode) & NSS_FMODE_NEED_UNMOUNT))
		return 0;
	return (__u64)real_mount((__u64)BPF_CORE_READ(file, f_path.mnt));
}

/* What a mount is known by, of those that have the same memory one after the other. */
static __always_inline __u64 mount_identity(__u64 mount)
{
	const struct mount *m = (void *)mount;
	__u64 id = unique_id(mount);

	return id == NSS_UNKNOWN ? (__u64)BPF_CORE_READ(m, mnt_id) : id;
}

/* The number of the mount that was made for file @fd; 0: it has none. */
__noinline __u64 mount_number(__u32 fd)
{
	__u64 mount = made_mount_of_fd(fd);

	return mount ? context_get(mount, mount_identity(mount)) : 0;
}

/* A call has just made a mount for file @fd: it goes on as @number; 0: as a new one. Its number, 0: it has made none. */
__noinline __u64 mount_numbered(__u32 fd, __u64 number)
{
	__u64 mount = made_mount_of_fd(fd);

	return mount ? context_put(mount, mount_identity(mount), number) : 0;
}

/* How many messages the context has had, modulo 256. */
static __always_inline __u8 log_head(__u64 fc)
{
	const struct fs_context *context = (void *)fc;

	return fc ? BPF_CORE_READ(context, log.log, head) : 0;
}

/* Puts the string at @src in the kernel behind the record of scratch @slot, at most NSS_MESSAGE_MAX bytes with the NUL. */
__noinline __u32 put_kernel_str(__u32 slot, __u64 src)
{
	struct scratch *s = scratch_at(slot);
	struct nss_str str = { .v = NSS_STR_NULL };

	if (s && src)
		emit_kernel_str(s, &str, (void *)src, NSS_MESSAGE_MAX);
	return str.v;
}

/* Puts the message at @src with a NUL behind it, in place of the newline that the kernel gives each: NSS_STR_ flags. */
__noinline __u32 put_message(__u32 slot, __u64 src)
{
	struct scratch *s = scratch_at(slot);
	char *to = s ? emit_room(s, NSS_MESSAGE_MAX) : NULL;
	__u64 n, last;
	long len;

	if (!s || !to)
		return NSS_STR_CUT;
	len = bpf_probe_read_kernel_str(to, NSS_MESSAGE_MAX, (void *)src);
	if (len <= 0) {
		*to = 0;
		len = 1;
	}
	n = len;
	last = n - 2;
	KNOWN_BY_COMPARISON(last);
	if (last < NSS_MESSAGE_MAX && to[last] == '\n') {
		to[last] = 0;
		n--;
	}
	s->rec.len += n & (2 * NSS_MESSAGE_MAX - 1);
	return len == NSS_MESSAGE_MAX ? NSS_STR_CUT : 0;
}

struct logged {
	__u64 log;
	__u32 slot, flags;
	__u8 first, count;
};

static long log_body(__u64 i, struct logged *l)
{
	__u32 at = (l->first + i) & (NSS_LOG_MAX - 1);
	__u64 message = 0;

	if (i >= l->count)
		return 1;
	read_kernel(&message, sizeof(message), (void *)l->log + bpf_core_field_offset(struct fc_log, buffer) + at * sizeof(message));
	l->flags |= put_message(l->slot, message);
	return 0;
}

/*
 * Puts the messages that context @fc has got since it had had @since behind the record of scratch @slot, each with a NUL
 * behind it. It keeps the last NSS_LOG_MAX.
 */
__noinline __u32 put_log(__u32 slot, __u64 fc, __u32 since)
{
	const struct fs_context *context = (void *)fc;
	struct scratch *s = scratch_at(slot);
	struct logged l = { .slot = slot };
	struct fc_log *log;
	__u32 begin;
	__u8 head;

	if (!s || !fc)
		return 0;
	begin = s->rec.len;
	log = BPF_CORE_READ(context, log.log);
	head = BPF_CORE_READ(log, head);
	l.log = (__u64)log;
	l.count = head - since;
	if (l.count > NSS_LOG_MAX) {
		l.count = NSS_LOG_MAX;
		l.flags = NSS_STR_CUT;
	}
	l.first = head - l.count;
	LOOP(NSS_LOG_MAX, log_body, &l);
	return ((s->rec.len - begin) & NSS_STR_LEN) | l.flags;
}

#endif
