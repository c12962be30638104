/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's mounts: who stands where, in which namespace, and who is peer or slave of whom. */
#ifndef NSS_MNT_H
#define NSS_MNT_H

#include "core/work.h"

/* Levels of a tree of 2^19 mounts, if it is as deep as a red-black tree can be. */
#define NSS_TREE_LEVELS 40
/* MNT_UMOUNT of include/linux/mount.h: a macro before 6.17. */
#define NSS_MNT_UMOUNT 0x8000000
/* Masters above one another. */
#define NSS_MASTERS 64

static __always_inline struct mount *real_mount(__u64 vfsmount)
{
	return (void *)(vfsmount - bpf_core_field_offset(struct mount, mnt));
}

static __always_inline __u64 vfsmount_of(__u64 mount)
{
	return mount + bpf_core_field_offset(struct mount, mnt);
}

static __always_inline __u64 ns_of_mount(__u64 mount)
{
	const struct mount *m = (void *)mount;

	return (__u64)BPF_CORE_READ(m, mnt_ns);
}

/*
 * Whether @mount leaves its namespace, or has left it. The kernel marks all that an umount takes, also from others, before it
 * takes the first of them out of lists and namespaces.
 */
static __always_inline bool is_leaving(__u64 mount)
{
	const struct mount *m = (void *)mount;

	return BPF_CORE_READ(m, mnt.mnt_flags) & NSS_MNT_UMOUNT;
}

/* Whether @mount is in a namespace, and is to stay there. */
static __always_inline bool stands(__u64 mount)
{
	return ns_of_mount(mount) && !is_leaving(mount);
}

static __always_inline __u32 ns_inum(__u64 ns)
{
	const struct mnt_namespace *n = (void *)ns;

	return ns ? BPF_CORE_READ(n, ns.inum) : 0;
}

/* 6.18: the inum of all mount namespaces that nobody can enter, those of detached mounts; before, it was 0. */
#define NSS_ANON_INUM 0xeffffff7U

static __always_inline bool is_entered(__u64 ns)
{
	__u32 inum = ns_inum(ns);

	return inum && inum != NSS_ANON_INUM;
}

static __always_inline __u64 unique_id(__u64 mount)
{
	const struct mount___v6_8 *m = (void *)mount;

	return HAS_SINCE_6_18(bpf_core_field_exists(m->mnt_id_unique)) ? BPF_CORE_READ(m, mnt_id_unique) : NSS_UNKNOWN;
}

/* Whether the mounts of a namespace are a tree. */
static __always_inline bool has_tree(void)
{
	return HAS_SINCE_6_18(bpf_core_field_exists(((struct mnt_namespace___v6_8 *)0)->mounts));
}

static __always_inline __u64 mount_of_node(__u64 node)
{
	return has_tree() ? node - bpf_core_field_offset(struct mount___v6_8, mnt_node) : 0;
}

static __always_inline __u64 node_of_mount(__u64 mount)
{
	return has_tree() ? mount + bpf_core_field_offset(struct mount___v6_8, mnt_node) : 0;
}

static __always_inline __u64 mount_of_link(__u64 link)
{
	return link - bpf_core_field_offset(struct mount, mnt_list);
}

/* What the task that lets go of @mount last has in its task_works. */
static __always_inline __u64 mount_rcu(__u64 mount)
{
	return mount + bpf_core_field_offset(struct mount, mnt_rcu);
}

static __always_inline __u64 tree_root(__u64 ns)
{
	const struct mnt_namespace___v6_8 *n = (void *)ns;

	return (__u64)BPF_CORE_READ(n, mounts.rb_node);
}

static __always_inline __u64 list_head_of(__u64 ns)
{
	return ns + bpf_core_field_offset(struct mnt_namespace___before_6_8, list);
}

/* A side of the node: struct rb_node has not changed since 2.6. */
static __always_inline __u64 node_parent(__u64 node)
{
	const struct rb_node *n = (void *)node;

	return BPF_CORE_READ(n, __rb_parent_color) & ~3ULL;
}

static __always_inline __u64 node_left(__u64 node)
{
	const struct rb_node *n = (void *)node;

	return (__u64)BPF_CORE_READ(n, rb_left);
}

static __always_inline __u64 node_right(__u64 node)
{
	const struct rb_node *n = (void *)node;

	return (__u64)BPF_CORE_READ(n, rb_right);
}

struct descent {
	__u64 node;
	__u64 side; /* offset of rb_left or rb_right */
};

static long descend_body(__u64 i, struct descent *d)
{
	__u64 next = 0;

	read_kernel(&next, sizeof(next), (void *)(d->node + d->side));
	if (next)
		d->node = next;
	return !next;
}

/* The end of the tree below @node on the @side: it has no node on that side. */
static __always_inline __u64 descend(__u64 node, __u64 side)
{
	struct descent d = { node, side };

	if (node)
		LOOP(NSS_TREE_LEVELS, descend_body, &d);
	return d.node;
}

/* What is last in the namespace now: a later mount comes behind it. An id (6.8), or the address of a mount's link. */
static __always_inline __u64 ns_last(__u64 ns)
{
	const struct mnt_namespace___before_6_8 *before = (void *)ns;
	__u64 node;

	if (!has_tree())
		return (__u64)BPF_CORE_READ(before, list.prev);
	node = descend(tree_root(ns), offsetof(struct rb_node, rb_right));
	return node ? unique_id(mount_of_node(node)) : 0;
}

/* The first mount of @ns, or 0. */
static __always_inline __u64 ns_first(__u64 ns)
{
	const struct list_head *head = (void *)list_head_of(ns);
	__u64 node;

	if (!has_tree()) {
		node = (__u64)BPF_CORE_READ(head, next);
		return !node || node == (__u64)head ? 0 : mount_of_link(node);
	}
	node = descend(tree_root(ns), offsetof(struct rb_node, rb_left));
	return node ? mount_of_node(node) : 0;
}

struct search {
	__u64 node;
	__u64 last; /* looked for is the first behind this */
	__u64 best;
};

static long search_body(__u64 i, struct search *s)
{
	if (!s->node)
		return 1;
	if (unique_id(mount_of_node(s->node)) > s->last) {
		s->best = s->node;
		s->node = node_left(s->node);
	} else {
		s->node = node_right(s->node);
	}
	return 0;
}

/* The first mount of @ns behind what ns_last() said; 0: none. The root of a tree that came is the first of it. */
static __always_inline __u64 ns_first_behind(__u64 ns, __u64 last)
{
	const struct list_head *link = (void *)last;
	struct search s = { .last = last };

	if (!has_tree()) {
		s.node = (__u64)BPF_CORE_READ(link, next);
		return !s.node || s.node == list_head_of(ns) ? 0 : mount_of_link(s.node);
	}
	s.node = tree_root(ns);
	LOOP(NSS_TREE_LEVELS, search_body, &s);
	return s.best ? mount_of_node(s.best) : 0;
}

struct climb {
	__u64 node, parent;
};

static long climb_body(__u64 i, struct climb *c)
{
	c->parent = node_parent(c->node);
	if (!c->parent || node_right(c->parent) != c->node)
		return 1;
	c->node = c->parent;
	return 0;
}

/* The node behind @node, as rb_next() of lib/rbtree.c; 0: it is the last. */
__noinline __u64 node_next(__u64 node)
{
	struct climb c = { node, 0 };
	__u64 right = node_right(node);

	if (right)
		return descend(right, offsetof(struct rb_node, rb_left));
	LOOP(NSS_TREE_LEVELS, climb_body, &c);
	return c.parent;
}

/* The mount of @ns that follows @mount; 0: none. */
static __always_inline __u64 ns_next(__u64 ns, __u64 mount)
{
	const struct mount *m = (void *)mount;
	__u64 next;

	if (has_tree()) {
		next = node_next(node_of_mount(mount));
		return next ? mount_of_node(next) : 0;
	}
	next = (__u64)BPF_CORE_READ(m, mnt_list.next);
	return next == list_head_of(ns) ? 0 : mount_of_link(next);
}

struct mastery {
	__u64 mount;
	__u32 group;
	__u32 differs; /* bits of its group */
};

static long master_body(__u64 i, struct mastery *m)
{
	const struct mount *mount = (void *)m->mount;

	m->differs = (__u32)BPF_CORE_READ(mount, mnt_group_id) ^ m->group;
	m->mount = (__u64)BPF_CORE_READ(mount, mnt_master);
	return !m->differs || !m->mount;
}

/*
 * Whether what is mounted below the peer group @group comes to @mount too: it is of the group, or a slave of it, or a
 * slave of a slave (Documentation/filesystems/sharedsubtree.rst). A mount is shared if it has a group.
 */
__noinline int gets_from(__u64 mount, __u32 group)
{
	struct mastery m = { mount, group, 1 };

	LOOP(NSS_MASTERS, master_body, &m);
	return !m.differs;
}

/* The first of the mounts, of all namespaces, that stand on the same directory as @mount; as the address of its link. */
static __always_inline __u64 same_place_first(__u64 mount)
{
	const struct mount *m = (void *)mount;

	return (__u64)BPF_CORE_READ(m, mnt_mp, m_list.first);
}

static __always_inline __u64 same_place_mount(__u64 link)
{
	return link - bpf_core_field_offset(struct mount, mnt_mp_list);
}

static __always_inline __u64 same_place_next(__u64 link)
{
	const struct hlist_node *n = (void *)link;

	return (__u64)BPF_CORE_READ(n, next);
}

/*
 * Whether @other has left the list that @mount is in: then what was read as next to it may be the end, or of another list. Its
 * parent goes first, and nothing is written between its link and its place.
 */
static __always_inline bool left_place(__u64 other, __u64 mount)
{
	const struct mount *o = (void *)other, *m = (void *)mount;

	return o == BPF_CORE_READ(o, mnt_parent) || BPF_CORE_READ(o, mnt_mp) != BPF_CORE_READ(m, mnt_mp);
}

/* The mounts of a super block, one after the other: 0 behind the last. */
static __always_inline __u64 sb_first(__u64 sb)
{
	const struct super_block___v6_18 *s = (void *)sb;
	const struct super_block___before_6_18 *before = (void *)sb;
	const struct mount___v6_18 *m = NULL;

	if (HAS_SINCE_6_18(bpf_core_field_exists(m->mnt_next_for_sb)))
		return (__u64)BPF_CORE_READ(s, s_mounts);
	return (__u64)BPF_CORE_READ(before, s_mounts.next) - bpf_core_field_offset(struct mount___before_6_18, mnt_instance);
}

static __always_inline __u64 sb_next(__u64 sb, __u64 mount)
{
	const struct mount___v6_18 *m = (void *)mount;
	const struct mount___before_6_18 *before = (void *)mount;

	if (HAS_SINCE_6_18(bpf_core_field_exists(m->mnt_next_for_sb)))
		return (__u64)BPF_CORE_READ(m, mnt_next_for_sb);
	return (__u64)BPF_CORE_READ(before, mnt_instance.next) - bpf_core_field_offset(struct mount___before_6_18, mnt_instance);
}

/* Whether @mount is the end of the list of @sb. */
static __always_inline bool sb_end(__u64 sb, __u64 mount)
{
	const struct mount___v6_18 *m = NULL;

	if (HAS_SINCE_6_18(bpf_core_field_exists(m->mnt_next_for_sb)))
		return !mount;
	return mount + bpf_core_field_offset(struct mount___before_6_18, mnt_instance) ==
	       sb + bpf_core_field_offset(struct super_block___before_6_18, s_mounts);
}

#endif
