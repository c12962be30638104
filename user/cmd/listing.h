/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands that show a state, not events, have in common. */
#ifndef CMD_LISTING_H
#define CMD_LISTING_H

#include "cli/settings.h"
#include "inspect/namespaces.h"

struct listing {
	/* @width: of the terminal; 0: any. 0 or -errno. */
	int (*text)(struct buf *b, const void *arg, size_t width);
	int (*json)(struct buf *b, const void *arg);
	const void *arg;
	bool again; /* the text is one of several: it takes the place of the one before */
	bool passing; /* and another will take its place: a terminal is shown what it has room for */
};

struct listing_outputs {
	struct listing_output {
		int fd;
		bool json;
		const char *file; /* or NULL */
		bool failed; /* it could not be written to, and is left alone since */
	} at[OUTPUTS_MAX + 1];
	size_t n;
	unsigned rendered; /* how many times */
};

/*
 * Opens the outputs that @s names; those without a file, and if none is named the one that is taken then, go to
 * @default_fd. 0, or STATUS_FAILED: complained, nothing is open.
 */
int listing_open(const struct settings *s, int default_fd, struct listing_outputs *ret_outputs);

/* Writes it to all of them that have not failed. 0, or STATUS_FAILED: none is left; each was complained about. */
int listing_render(const struct settings *s, struct listing_outputs *outputs, const struct listing *listing);

/* 0, or STATUS_FAILED: one has failed, or a file may be incomplete; complained. */
int listing_close(struct listing_outputs *outputs);

/* All that for a listing that is written once; to standard output. 0, or STATUS_FAILED: complained. */
int listing_write(const struct settings *s, const struct listing *listing);

/* Complains in one line of what could not be looked at, if anything. */
void listing_complain(const struct inspect_gaps *gaps);

/* Adds the members "missing" and "host", a comma between them. */
void listing_json_common(struct buf *b, const struct inspect_gaps *gaps);

#endif
