/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the locale wants text to be. */
#ifndef UTIL_UTF8LOCALE_H
#define UTIL_UTF8LOCALE_H

#include <stdbool.h>

/* Whether it is UTF-8 (LC_ALL, LC_CTYPE, LANG; locale(7)). Read when it is first asked: JSON need not wait for its files. */
bool locale_is_utf8(void);

#endif
