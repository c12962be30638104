/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An expression, perhaps: what is wrong with it is told in a harmless line, or it holds or does not hold of events. */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/check_bytes.h"
#include "../unit/records.h"
#include "event/decode.h"
#include "util/cleanup.h"
#include "view/columns.h"
#include "view/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of each type one event of zeroes, and a mount with strings. */
static void match_all(const struct filter *f)
{
	struct nss_config conf = { .types = ~0ULL };
	static struct record r;
	struct decoder *d;
	struct event e;

	filter_pushdown(&f, 1, &conf);
	if (decoder_new(&d))
		abort();
	for (uint32_t type = 0; type <= NSS_EV_MAX; type++) {
		if (type < NSS_EV_MAX)
			record_make(&r, type, event_descs[type].class == CLASS_TASK ? 2 : 0, 100);
		else
			record_mount(&r, ~0ULL, NULL, "/mnt/\xff", "tmpfs");
		if (type < NSS_EV_MAX && (event_descs[type].class == CLASS_META || event_descs[type].class == CLASS_PART))
			continue;
		if (decoder_feed(d, r.bytes, r.len, &e) != 1)
			abort();
		if (filter_match(f, &e) && event_descs[e.rec->type].group != GROUP_NONE &&
		    !(conf.types & (1ULL << e.rec->type)))
			abort();
	}
	decoder_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	_free_ char *text = malloc(size + 1);
	struct filter_error error = {};
	struct filter *f;
	int err;

	if (!text || (!ready && !setlocale(LC_ALL, "C.UTF-8")))
		abort();
	ready = true;
	memcpy(text, data, size);
	text[size] = 0;
	err = filter_parse(text, &f, &error);
	if (!err) {
		match_all(f);
		filter_free(f);
	} else if (err != -EINVAL || !error.column || error.column > text_columns(text, strlen(text)) + 1 ||
		   !*error.text || !check_harmless(error.text, strlen(error.text), false)) {
		abort();
	}
	return 0;
}
