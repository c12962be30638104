/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cmocka, with the headers that it wants ahead of it. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/buf.h"

/* Asserts what @b holds, and empties it. */
#define assert_buf(b, text)                                                                            \
	do {                                                                                           \
		buf_addc((b), '\0');                                                                   \
		assert_string_equal((b)->data, (text));                                                \
		assert_int_equal((b)->len, strlen(text) + 1);                                          \
		(b)->len = 0;                                                                          \
	} while (0)

#endif
