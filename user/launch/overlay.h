/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef LAUNCH_OVERLAY_H
#define LAUNCH_OVERLAY_H

#include "launch/rootfs.h"

/* The detached mount of the directory @dir, which is made if it is missing, for rootfs.layers; or -errno. */
int overlay_hold(const char *dir);

/*
 * Makes @path, with an overlay over it, the top of @r. Changes go to @r->layers, in upper and work, which are made
 * if they are missing; -1: to a tmpfs that ends with the mount namespace. What is mounted below @path gets an
 * upper layer of its own (upper%2Fhome for /home) if it is a filesystem for files, else it is read-only. 0 or
 * -errno.
 */
int overlay_make(struct rootfs *r, const char *path);

#endif
