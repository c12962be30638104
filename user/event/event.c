/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/event.h"

#include <string.h>

#define IS_STR(ctype) __builtin_types_compatible_p(ctype, struct nss_str)
#define KEY(name) "\"" name "\":", sizeof(name) + 2

#define EVENT(ID, name, class, group, text, doc) static const struct event_field fields_##ID[] = {
#define FIELD(event, ctype, name, kind, doc) \
	{ #name, KEY(#name), KIND_##kind, offsetof(struct nss_##event, name), false, IS_STR(ctype), doc },
#define VIEW(event, name, kind, field, doc) \
	{ #name, KEY(#name), KIND_##kind, offsetof(struct nss_##event, field), true, false, doc },
#define END(ID) \
	}       \
	;
#include "abi/events.def"
#undef EVENT
#undef FIELD
#undef VIEW
#undef END

const struct event_desc event_descs[NSS_EV_MAX] = {
#define EVENT(ID, evname, evclass, evgroup, evtext, evdoc) \
	{ .name = #evname,                                 \
	  .class = CLASS_##evclass,                        \
	  .group = GROUP_##evgroup,                        \
	  .payload = sizeof(struct nss_##evname),          \
	  .nfields = sizeof(fields_##ID) / sizeof(fields_##ID[0]), \
	  .fields = fields_##ID,                           \
	  .text = evtext,                                  \
	  .doc = evdoc },
#define FIELD(event, ctype, name, kind, doc)
#define VIEW(event, name, kind, field, doc)
#define END(ID)
#include "abi/events.def"
#undef EVENT
#undef FIELD
#undef VIEW
#undef END
};

const char *const ns_names[NSS_NS_MAX] = {
#define NAMESPACE(ID, name, flag, doc) #name,
#include "abi/namespaces.def"
#undef NAMESPACE
};

const uint64_t ns_flags[NSS_NS_MAX] = {
#define NAMESPACE(ID, name, flag, doc) flag,
#include "abi/namespaces.def"
#undef NAMESPACE
};

const struct event_str *event_str(const struct event *e, const struct event_field *field)
{
	const struct event_str *str = e->str;

	for (const struct event_field *f = e->desc->fields; f != field; f++)
		str += f->is_str;
	return str;
}

const struct event_field *event_field(const struct event_desc *desc, const char *name, size_t len)
{
	for (uint16_t i = 0; i < desc->nfields; i++) {
		const char *own = desc->fields[i].name;

		if (*own == *name && !strncmp(own, name, len) && !own[len]) /* most differ at once */
			return &desc->fields[i];
	}
	return NULL;
}
