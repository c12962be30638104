/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ID maps of a new user namespace (user_namespaces(7)): arithmetic of ranges, and the texts that they are read from
 * and written as. Pure; idmap_write.h acts.
 */
#ifndef LAUNCH_IDMAP_H
#define LAUNCH_IDMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the kernel: UID_GID_MAP_MAX_EXTENTS, and a map is written by one write(2) of less than a page. */
#define IDMAP_RANGES_MAX 340
#define IDMAP_TEXT_MAX 4096
/* (uid_t)-1 is no ID: user IDs are 0..4294967294. */
#define IDMAP_NO_ID UINT32_MAX

enum idmap_kind { IDMAP_USERS, IDMAP_GROUPS };

/* @count IDs from @inner on, inside, are those from @outer on, outside. */
struct idmap_range {
	uint32_t inner;
	uint32_t outer;
	uint32_t count;
};

struct idmap {
	size_t n;
	struct idmap_range ranges[IDMAP_RANGES_MAX];
};

enum idmap_source {
	IDMAP_RANGE, /* as given */
	IDMAP_AUTO, /* the subordinate IDs of the user, from 0 on inside */
	IDMAP_SUBIDS, /* the same, and the same inside */
	IDMAP_ALL, /* all that the namespace of the caller has, the same inside */
};

struct idmap_item {
	enum idmap_source source;
	struct idmap_range range; /* IDMAP_RANGE */
};

/* What is asked for: of users, or of groups. */
struct idmap_request {
	bool one; /* the effective ID is mapped */
	uint32_t one_inner; /* to this */
	size_t n;
	struct idmap_item items[IDMAP_RANGES_MAX];
};

enum idmap_setgroups { IDMAP_SETGROUPS_AS_IS, IDMAP_SETGROUPS_ALLOW, IDMAP_SETGROUPS_DENY };

struct idmap_settings {
	struct idmap_request of[2]; /* by enum idmap_kind */
	enum idmap_setgroups setgroups; /* --setgroups */
};

/* What of the machine a request may refer to; an item that needs what is missing is an error. */
struct idmap_ground {
	uint32_t effective; /* the ID that is mapped by .one */
	bool has_subids;
	struct idmap_range subids; /* outer and count */
	const struct idmap *parent; /* /proc/self/uid_map, or NULL */
};

/* Why a map cannot be made, as a part of a sentence. */
struct idmap_error {
	char text[160];
};

static inline bool idmap_wanted(const struct idmap_request *r)
{
	return r->one || r->n;
}

/* Whether a process may write the map itself, from inside: it is its own ID alone. */
static inline bool idmap_is_single(const struct idmap_request *r)
{
	return r->one && !r->n;
}

bool idmap_needs(const struct idmap_request *r, enum idmap_source source);

/* Maps the effective ID to @inner; the last one counts. */
void idmap_ask_one(struct idmap_request *r, uint32_t inner);

/* 0, or -E2BIG: too many. */
int idmap_ask(struct idmap_request *r, enum idmap_source source, struct idmap_range range);

/*
 * "inner:outer:count", or "outer,inner,count" as util-linux had it up to 2.38. 0; -EINVAL: neither, or the count is 0;
 * -ERANGE: a number, or the end of a range, is past 4294967294.
 */
int idmap_parse_range(const char *text, struct idmap_range *ret_range);

/*
 * The first line of /etc/subuid or /etc/subgid that is @name's (may be NULL) or @uid's: subuid(5). 0, with inner 0;
 * -ENOENT: there is none; -EINVAL: it is there and cannot be understood.
 */
int idmap_parse_subids(const char *text, const char *name, uint32_t uid, struct idmap_range *ret_range);

/* The text of /proc/PID/uid_map or gid_map. 0 or -EINVAL. */
int idmap_parse_kernel(const char *text, struct idmap *ret_map);

/* 0, or -E2BIG: too many ranges. */
int idmap_add(struct idmap *m, struct idmap_range range);

/*
 * Makes room for the pair @inner:@outer, in all ranges: what is left of the inner and of the outer IDs of a range is
 * paired again in order, and what has no partner then, at most one ID, the topmost, is not mapped. That is unshare(1)'s
 * way. 0 or -E2BIG.
 */
int idmap_punch(struct idmap *m, uint32_t inner, uint32_t outer);

/* 0, or -EINVAL, which the kernel would say too: ranges overlap; *ret_error names them. */
int idmap_check(const struct idmap *m, struct idmap_error *ret_error);

/* From the request to the map. 0 or -errno with *ret_error. */
int idmap_make(const struct idmap_request *r, const struct idmap_ground *g, struct idmap *ret_map,
	       struct idmap_error *ret_error);

/* The text for the kernel. Its length, or -E2BIG: the kernel would not take it. */
int idmap_format(const struct idmap *m, char text[IDMAP_TEXT_MAX]);

/* The first run of inner IDs from @from on that are not mapped; false: none. */
bool idmap_hole(const struct idmap *m, uint32_t from, uint32_t *ret_first, uint32_t *ret_last);

#endif
