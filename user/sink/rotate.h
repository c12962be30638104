/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that is followed by new ones of its name: FILE becomes FILE.1, FILE.1 becomes FILE.2 ... by rename(2), so nothing
 * of what was written is cut, and who reads on in the old one misses nothing.
 *
 * nsscope is privileged, and others may be able to write into the directory. So the directory is opened once, no link
 * is followed from there, and a new file is one that nsscope itself has made (O_EXCL).
 */
#ifndef SINK_ROTATE_H
#define SINK_ROTATE_H

#include <stdbool.h>
#include <stdint.h>

/* FILE.NNN */
#define ROTATE_KEEP_MAX 999

struct rotation {
	uint64_t size; /* of a file, bytes, from which on it is rotated; 0: never */
	unsigned keep; /* old files, at least 1 */
};

struct rotate;

/*
 * Opens @path for appending: it is made if it is not there. A last line without an end gets one. 0, *@ret_fd and
 * *@ret_size (what it holds, bytes); or -errno, and in *@ret_why what is wrong in words, or NULL: the errno says it.
 */
int rotate_open(const char *path, unsigned keep, struct rotate **ret_rotate, int *ret_fd, uint64_t *ret_size,
		const char **ret_why);

/*
 * Renames what *@fd writes to, and its predecessors, and puts a new file of the same owner and mode in its place, which
 * *@fd then is. 0, or -errno: *@fd is as it was, nothing is lost, and it can be tried again.
 */
int rotate_next(struct rotate *r, int *fd);

/* Gives up the lock of @fd, and frees @r. @fd stays open. */
void rotate_free(struct rotate *r, int fd);

#endif
