/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/kinds.h"

#include <string.h>

#include "event/format.h"
#include "event/values.h"
#include "event/writers.h"

void json_lost(struct buf *b, const struct field_ref *f)
{
	struct nss_counts lost;
	uint64_t total = 0;

	memcpy(&lost, f->at, sizeof(lost));
	for (size_t i = 0; i < NSS_EV_MAX; i++)
		total += lost.count[i];
	json_key(b, f->field, "");
	buf_addf(b, "{\"total\":%llu,", (unsigned long long)total);
	for (size_t i = 0; i < NSS_EV_MAX; i++)
		if (lost.count[i])
			buf_addf(b, "\"%s\":%llu,", event_descs[i].name, (unsigned long long)lost.count[i]);
	json_close(b, '}');
	buf_addc(b, ',');
}

void text_lost(struct buf *b, const struct field_ref *f)
{
	struct nss_counts lost;
	const char *between = "";

	memcpy(&lost, f->at, sizeof(lost));
	for (size_t i = 0; i < NSS_EV_MAX; i++) {
		if (lost.count[i]) {
			buf_addf(b, "%s%llu %s", between, (unsigned long long)lost.count[i], event_descs[i].name);
			between = ", ";
		}
	}
}

/* "process=raw_tp calls=raw_tp" */
void json_backend(struct buf *b, const struct field_ref *f)
{
	const struct event_str *s = get_str(f);
	const char *at = s->data, *end = at + s->len;

	json_key(b, f->field, "");
	buf_addc(b, '{');
	while (at < end) {
		const char *space = memchr(at, ' ', (size_t)(end - at));
		const char *stop = space ? space : end;
		const char *equals = memchr(at, '=', (size_t)(stop - at));

		if (equals) {
			json_string(b, at, (size_t)(equals - at));
			buf_addc(b, ':');
			json_string(b, equals + 1, (size_t)(stop - equals - 1));
			buf_addc(b, ',');
		}
		at = stop + 1;
	}
	json_close(b, '}');
	buf_addc(b, ',');
}

const struct kind_ops kinds[KIND_MAX] = {
#define KIND(ID, jsonfn, textfn, parts, schema, needs) { jsonfn, textfn, &parts, schema, needs },
#include "event/kinds.def"
#undef KIND
};
