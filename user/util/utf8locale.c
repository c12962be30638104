/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "util/utf8locale.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

bool locale_is_utf8(void)
{
	static bool is_read;

	if (!is_read)
		setlocale(LC_CTYPE, "");
	is_read = true;
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}
