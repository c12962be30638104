/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/reach.h"

#include <string.h>

const char *const reach_verdict_names[REACH_MAX] = {
	[REACH_INSIDE] = "inside", [REACH_HOST] = "host",	[REACH_OTHERS] = "others",
	[REACH_NONE] = "none",	   [REACH_UNKNOWN] = "unknown",
};

static enum reach_verdict verdict_of(const struct event *e, const struct nss_reach *wire, const struct reach *r)
{
	const struct event_field *error = event_field(e->desc, "error", 5);
	int32_t result = 0;

	if (error)
		memcpy(&result, (const char *)e->payload + error->offset, sizeof(result));
	if (result < 0)
		return REACH_NONE;
	if (!(wire->flags & NSS_REACH_KNOWN))
		return REACH_UNKNOWN;
	for (uint32_t i = 0; i < r->total; i++)
		if (r->ns[i] == e->host_mnt_ns)
			return REACH_HOST;
	if (r->cut)
		return REACH_UNKNOWN;
	return r->total ? REACH_OTHERS : REACH_INSIDE;
}

bool event_reach(const struct event *e, struct reach *ret_reach)
{
	const struct event_field *reach = event_field(e->desc, "reach", 5);
	const struct event_field *receivers = event_field(e->desc, "receivers", 9);
	const struct event_str *str;
	struct nss_reach wire;

	if (!reach || !receivers)
		return false;
	memcpy(&wire, (const char *)e->payload + reach->offset, sizeof(wire));
	str = event_str(e, receivers);
	*ret_reach = (struct reach){
		.cut = wire.flags & NSS_REACH_CUT,
		.total = str->len / sizeof(uint32_t),
		.ns = (const void *)str->data, /* aligned by decode */
	};
	ret_reach->verdict = verdict_of(e, &wire, ret_reach);
	return true;
}
