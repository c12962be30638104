/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel side and the user side share: the layout of records, the configuration, the counters.
 *
 * A record on the ring buffer and in a recording:
 *
 *	struct nss_rec				every record
 *	struct nss_task				class TASK only
 *	struct nss_<event>			the payload, from events.def
 *	struct nss_pid [rec.levels]		class TASK only; [0] is the host's level
 *	bytes of the nss_str fields		in the order of the fields, no padding, no NUL
 *
 * Native byte order; all members are naturally aligned within 4 bytes (structs are packed to 4).
 */
#ifndef NSS_ABI_H
#define NSS_ABI_H

#ifndef __BPF__
#include <linux/types.h>
#endif

/* Nested PID namespaces: MAX_PID_NS_LEVEL of kernel/pid_namespace.c is 32, and the initial one. */
#define NSS_LEVELS_MAX 33
#define NSS_COMM_LEN 16
#define NSS_RECORD_MAX 32768 /* bytes */
#define NSS_PATH_MAX 4096
#define NSS_FSTYPE_MAX 256
#define NSS_DATA_MAX 4096
/* Messages that the kernel keeps of a context of fsopen(2), and a bound for one (it has none). */
#define NSS_LOG_MAX 8
#define NSS_MESSAGE_MAX 512
/* Arguments in one record; longer ones are sent in pieces ahead of it. */
#define NSS_ARGS_PIECE 16384
/* The kernel's limit on arguments and environment together (3/4 of _STK_LIM, fs/exec.c). */
#define NSS_ARGS_MAX (6 << 20)
/* PROC_PID_INIT_INO of include/linux/proc_ns.h: the inum of the initial PID namespace. */
#define NSS_PID_NS_INITIAL 0xEFFFFFFCU
/* A duration or an id that is not known. */
#define NSS_UNKNOWN (~0ULL)

/*
 * Stands for a call of the kernel's function bpf_rdonly_cast() until its number is known: see core/compat.h. No helper has
 * this number.
 */
#define NSS_CALL_RDONLY_CAST 0x7f00

enum nss_ns {
#define NAMESPACE(ID, name, flag, doc) NSS_NS_##ID,
#include "namespaces.def"
#undef NAMESPACE
	NSS_NS_MAX,
};

enum nss_type {
#define EVENT(ID, name, class, group, text, doc) NSS_EV_##ID,
#define FIELD(event, ctype, name, kind, doc)
#define VIEW(event, name, kind, field, doc)
#define END(ID)
#include "events.def"
#undef EVENT
#undef FIELD
#undef VIEW
#undef END
	NSS_EV_MAX,
};

/* A string's length and how it was read; its bytes stand at the end of the record. */
#define NSS_STR_LEN 0x0fffffffU
#define NSS_STR_NULL 0x80000000U /* the caller gave no string */
#define NSS_STR_CUT 0x40000000U /* there was more */
#define NSS_STR_UNREADABLE 0x20000000U /* the bytes could not be read */
#define NSS_STR_OUTSIDE 0x10000000U /* a path that does not lead to the process's root */

struct nss_str {
	__u32 v;
};

struct nss_parent {
	__u32 host_pid;
	__u32 inside_pid; /* 0: the child cannot see it */
};

/*
 * How far an operation on a mount reached: which namespaces other than the caller's. Their inums, one for each mount, are
 * a string field called receivers; what of them exceeds NSS_ARGS_PIECE goes ahead in ARGS records.
 */
struct nss_reach {
	__u32 flags; /* NSS_REACH_ */
	__u32 bytes; /* of all receivers */
	__u32 tid; /* with nonce: joins the pieces */
	__u32 nonce;
};

#define NSS_REACH_KNOWN 1U /* the walk was made */
#define NSS_REACH_CUT 2U /* and ended early: there are more */

struct nss_host {
	__u32 pid_ns; /* inums */
	__u32 mnt_ns;
};

/* The namespaces of a setns(2), by their inums; 0: not of this kind. */
struct nss_entered {
	__u32 inum[NSS_NS_MAX];
};

/* Events lost, by enum nss_type. */
struct nss_counts {
	__u64 count[NSS_EV_MAX];
};

struct nss_pid {
	__u32 ns; /* inum of the PID namespace */
	__u32 pid; /* thread group ID in it */
	__u32 tid;
};

struct nss_rec {
	__u32 len; /* of the whole record, bytes */
	__u16 type; /* enum nss_type */
	__u16 levels; /* of struct nss_pid */
	__u64 mono_ns; /* CLOCK_MONOTONIC */
};

#pragma pack(push, 4)

struct nss_task {
	__u64 start_ns; /* of the process, CLOCK_BOOTTIME */
	__u64 cgroup_id; /* in the v2 hierarchy */
	__u32 uid, gid; /* effective, in the initial user namespace */
	__u32 inside_uid, inside_gid; /* effective, in the process's own user namespace */
	__u32 ppid; /* in the host's PID namespace; 0: not visible */
	__u32 inside_ppid; /* in the process's own; 0: not visible */
	__u32 ns[NSS_NS_MAX]; /* inums; 0: none any more */
	char comm[NSS_COMM_LEN];
};

#define EVENT(ID, name, class, group, text, doc) struct nss_##name {
#define FIELD(event, ctype, name, kind, doc) ctype name;
#define VIEW(event, name, kind, field, doc)
#define END(ID) \
	}             \
	;
#include "events.def"
#undef EVENT
#undef FIELD
#undef VIEW
#undef END

#pragma pack(pop)

/* Where a place of the mount tree is, seen from nsscope's own root. */
enum nss_place {
	NSS_PLACE_UNKNOWN,
	NSS_PLACE_THERE,
	NSS_PLACE_NOT_MOUNTED, /* its file system is not mounted in nsscope's mount namespace */
	NSS_PLACE_NOT_PART, /* that part of the file system is not */
	NSS_PLACE_COVERED, /* something else is mounted above it */
	NSS_PLACE_OUTSIDE, /* not below nsscope's root */
	NSS_PLACE_DETACHED, /* the mount is attached nowhere */
	NSS_PLACE_MAX,
};

/* What holds a namespace that no process is in. */
#define NSS_KEPT_MOUNT 1U /* a bind mount of its file */
#define NSS_KEPT_FILE 2U /* its file is open */

enum nss_ns_by {
	NSS_BY_CLONE,
	NSS_BY_UNSHARE,
	NSS_BY_OPEN_TREE, /* or open_tree_attr */
	NSS_BY_FSMOUNT,
	NSS_BY_MAX,
};

/* Cookie of a kprobe: enum nss_type, and whether it is on the function that the kernel calls with its own copies. */
#define NSS_COOKIE_KEEP 0x100ULL
/* With enum nss_ns, or alone: the kernel gives up a reference to a namespace, or the number of one that has ended. */
#define NSS_COOKIE_END 0x200ULL
#define NSS_COOKIE_INUM (NSS_COOKIE_END | NSS_NS_MAX)

/* Tracepoints: of a link of bpf/shared.bpf.c. */
enum nss_hook { NSS_HOOK_NEWTASK, NSS_HOOK_EXEC, NSS_HOOK_EXIT, NSS_HOOK_SYS_ENTER, NSS_HOOK_SYS_EXIT };

/* Whose copy of the arguments of a call is told. */
enum nss_args_of {
	NSS_ARGS_CALLER, /* the caller's memory, read at the end of the call */
	NSS_ARGS_KERNEL, /* what the kernel had copied and looked up, and acted on */
};

/* What to observe. All given conditions must hold; set before the programs are loaded. */
struct nss_config {
	__u64 types; /* bit per enum nss_type */
	__u64 cgroup_id; /* with NSS_ONLY_CGROUP: this cgroup or one below it */
	__u32 only; /* NSS_ONLY_ bits */
	__u32 cgroup_level;
	__u32 ns_type; /* with NSS_ONLY_NS: enum nss_ns */
	__u32 ns_inum;
	__u32 uid; /* with NSS_ONLY_UID: effective, in the initial user namespace */
	__u32 host_pid_ns; /* inum of nsscope's own PID namespace */
	__u32 level_mask; /* for the depth of that: 0 in the initial one, else all bits */
	__u32 wake_bytes; /* wake the reader when as much is queued */
	__u32 scratches; /* places that each CPU has to put a record together */
	__u32 all_scratches; /* of all CPUs */
	__u32 pids; /* bytes of the tracked set */
	/* Elements of maps; 1 where what needs them is not wanted. */
	__u32 all_works; /* else as many as all_scratches */
	__u32 stashes;
	__u32 told_ns;
	__u32 told_mounts;
	__u32 keeps; /* what the kernel is given in a call can be had */
	char comm[NSS_COMM_LEN]; /* with NSS_ONLY_COMM */
};

#define NSS_ONLY_TRACKED 1U
#define NSS_ONLY_CGROUP 2U
#define NSS_ONLY_NS 4U
#define NSS_ONLY_UID 8U
#define NSS_ONLY_COMM 16U

/* Places a CPU has at most to put a record together. */
#define NSS_SCRATCHES 12

/* Calls at a time that the mounts before can be noted of. */
#define NSS_STASHES 8

/* Namespaces, and mounts, at a time that the end can be told of. */
#define NSS_TOLD_NS 8192
#define NSS_TOLD_MOUNTS 8192

/* The tracked set: a byte for each PID of the initial PID namespace, in pages. */
#define NSS_TRACKED_PAGE 4096
#define NSS_PID_LIMIT (4U << 20) /* PID_MAX_LIMIT of include/linux/threads.h */

#endif
