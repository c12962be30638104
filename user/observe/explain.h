/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel side cannot be set up, in words. */
#ifndef OBSERVE_EXPLAIN_H
#define OBSERVE_EXPLAIN_H

/* One line without a newline, what and why and what to do. */
struct observe_error {
	char text[512];
};

/* Tells what makes a load impossible and would only be told in libbpf's words. 0, or -errno and *@ret_error. */
int explain_ground(struct observe_error *ret_error);

/* From here on the first thing that libbpf complains of is kept for explain(); it prints nothing. */
void explain_begin(void);

/* Keeps, in place of that, that the kernel refuses @what. */
void explain_refused(const char *what);

/* Says that @what cannot be done: @err (-errno). @backend: the only one that may be used for system calls, or NULL. */
void explain(struct observe_error *ret_error, const char *backend, int err, const char *what);

#endif
