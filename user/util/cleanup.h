/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ownership inside one function: what a variable owns is released when it goes out of scope. */
#ifndef UTIL_CLEANUP_H
#define UTIL_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define _free_ __attribute__((cleanup(cleanup_free)))
#define _close_ __attribute__((cleanup(cleanup_close)))
#define _fclose_ __attribute__((cleanup(cleanup_fclose)))

/* Hands over what @p owns: its value, and it owns nothing any more. */
#define TAKE_PTR(p)                           \
	({                                    \
		__typeof__(p) _taken_ = (p);  \
		(p) = NULL;                   \
		_taken_;                      \
	})
#define TAKE_FD(fd)                 \
	({                          \
		int _taken_ = (fd); \
		(fd) = -1;          \
		_taken_;            \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
