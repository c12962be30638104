/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of the machine that watch and stat look at. */
#ifndef CMD_SUBTREE_H
#define CMD_SUBTREE_H

#include "cli/settings.h"

/*
 * Puts the process --pid and its descendants into @set. @o gives the snapshot; NULL: it is of /proc. 0 or -errno (-ESRCH:
 * there is no such process).
 */
int subtree_track(const struct settings *s, struct observer *o, struct tracked *set);

/*
 * Fills in what of @conf says that only the cgroup (v2) whose directory @path is counts: its id, which is the inode number, and
 * how far it is below the root. 0, or -errno.
 */
int subtree_find_cgroup(const char *path, struct nss_config *conf);

/* Complain of what these two returned. */
void subtree_complain_pid(const struct settings *s, int err);
void subtree_complain_cgroup(const struct settings *s, int err);

#endif
