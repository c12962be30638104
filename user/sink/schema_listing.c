/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The objects of ns --json and mounts --json; view/nsview.c and view/mountview.c write them. */
#include "sink/schema.h"

#include "abi/abi.h"
#include "event/event.h"
#include "model/nstable.h"

#define UINT "{\"$ref\":\"#/$defs/uint\"}"
#define UINT_NULL "{\"type\":[\"integer\",\"null\"],\"minimum\":0}"
#define NS "{\"enum\":[\"cgroup\",\"ipc\",\"mnt\",\"net\",\"pid\",\"time\",\"user\",\"uts\"]}"
#define LIST_OF(items) "{\"type\":\"array\",\"items\":" items "}"

/* A member that is a string, which stands in base64 as well where it is not UTF-8. */
#define STRING(name) "\"" name "\":{\"type\":\"string\"},\"" name "_raw\":{\"$ref\":\"#/$defs/base64\"}"

static void begin(struct buf *b, const char *type, const char *doc, const char *more)
{
	buf_addf(b, ",{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"%s\",\"required\":[\"type\",\"schema\",%s"
		    "\"host\",\"missing\"", doc, more);
	buf_addf(b, ",\"namespaces\"%s],\"properties\":{\"type\":{\"const\":\"%s\"},\"schema\":{\"const\":%d},",
		 *more ? ",\"mounts\"" : "", type, SCHEMA_VERSION);
	buf_adds(b, "\"host\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"pid_ns\",\"mnt_ns\"],"
		    "\"properties\":{\"pid_ns\":" UINT ",\"mnt_ns\":" UINT "}},"
		    "\"missing\":{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"what could not be looked into\","
		    "\"required\":[\"processes\",\"mounts\",\"files\",\"lines\"],\"properties\":{\"processes\":" UINT
		    ",\"mounts\":" UINT ",\"files\":" UINT ",\"lines\":" UINT "}},");
}

/* "name":[an item of the kind that keeps a namespace] */
static void add_keeper(struct buf *b, enum ns_keeper_type type)
{
	static const char *const items[KEEPER_MAX] = {
		[KEEPER_BIND] = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"mnt_ns\",\"path\"],"
				"\"properties\":{\"mnt_ns\":" UINT "," STRING("path") "}}",
		[KEEPER_FD] = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"pid\",\"fd\"],"
			      "\"properties\":{\"pid\":" UINT ",\"fd\":" UINT "}}",
		[KEEPER_SOCKET] = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"pid\",\"fd\"],"
				  "\"properties\":{\"pid\":" UINT ",\"fd\":" UINT "}}",
		[KEEPER_THREAD] = "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"pid\",\"tid\"],"
				  "\"properties\":{\"pid\":" UINT ",\"tid\":" UINT "}}",
	};

	buf_addf(b, ",\"%s\":{\"type\":\"array\",\"items\":%s}", ns_keeper_names[type], items[type] ? items[type] : UINT);
}

static void add_namespaces(struct buf *b)
{
	begin(b, "namespaces", "nsscope ns: what there is", "");
	buf_adds(b, "\"namespaces\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":["
		    "\"type\",\"inum\",\"id\",\"nprocs\",\"pid\",\"inside_pid\",\"pids\",\"uid\",\"command\",\"parent\",\"owner\","
		    "\"owner_uid\",\"creator\",\"age\",\"kept_by\"],\"properties\":{\"type\":" NS ",\"inum\":" UINT ",\"id\":" UINT_NULL
		    ",\"nprocs\":" UINT ",\"pid\":" UINT_NULL ",\"inside_pid\":" UINT_NULL ",\"pids\":"
		    LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"ns\",\"pid\"],\"properties\":{\"ns\":"
			    UINT ",\"pid\":" UINT "}}")
		    ",\"uid\":" UINT_NULL ",\"command\":{\"type\":[\"string\",\"null\"]},\"command_raw\":{\"$ref\":\"#/$defs/base64\"},"
		    "\"parent\":" UINT_NULL ",\"owner\":" UINT_NULL ",\"owner_uid\":" UINT_NULL
		    ",\"creator\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"properties\":{\"uid\":" UINT "}},"
		    "\"age\":{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"required\":[\"ns\",\"is\"],"
		    "\"properties\":{\"ns\":" UINT ",\"is\":{\"enum\":[");
	for (size_t i = NS_AGE_UNKNOWN + 1; i < NS_AGE_MAX; i++)
		buf_addf(b, "%s\"%s\"", i > NS_AGE_UNKNOWN + 1 ? "," : "", ns_age_names[i]);
	buf_adds(b, "]}}},\"kept_by\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"processes\"");
	for (enum ns_keeper_type type = 0; type < KEEPER_MAX; type++)
		buf_addf(b, ",\"%s\"", ns_keeper_names[type]);
	buf_adds(b, "],\"properties\":{\"processes\":" UINT);
	for (enum ns_keeper_type type = 0; type < KEEPER_MAX; type++)
		add_keeper(b, type);
	buf_adds(b, "}}}}}}}");
}

static void add_mounts(struct buf *b)
{
	static const char counts[] = LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"ns\",\"mounts\"],"
					     "\"properties\":{\"ns\":" UINT ",\"mounts\":" UINT "}}");

	begin(b, "mounts", "nsscope mounts: those of one namespace", "\"ns\",");
	buf_adds(b, "\"ns\":" UINT ",\"mounts\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":["
		    "\"id\",\"unique_id\",\"parent\",\"device\",\"target\",\"root\",\"source\",\"fstype\",\"options\",\"super_options\","
		    "\"shared\",\"master\",\"propagate_from\",\"unbindable\",\"covered\",\"peers\",\"slaves\",\"masters\",\"reach\"],"
		    "\"properties\":{\"id\":" UINT ",\"unique_id\":" UINT_NULL ",\"parent\":" UINT ",\"device\":{\"type\":\"string\"},"
		    STRING("target") "," STRING("root") "," STRING("source") "," STRING("fstype") "," STRING("options") ","
		    STRING("super_options") ",\"shared\":" UINT_NULL ",\"master\":" UINT_NULL ",\"propagate_from\":" UINT_NULL
		    ",\"unbindable\":{\"type\":\"boolean\"},\"covered\":{\"type\":\"boolean\"},");
	buf_addf(b, "\"peers\":%s,\"slaves\":%s,\"masters\":%s,", counts, counts, counts);
	buf_adds(b, "\"reach\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"verdict\",\"ns\",\"total\",\"only_below\"],"
		    "\"properties\":{\"verdict\":{\"enum\":[\"inside\",\"host\",\"others\"]},\"ns\":" LIST_OF(UINT) ",\"total\":" UINT
		    ",\"only_below\":" LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"ns\",\"path\"],"
					       "\"properties\":{\"ns\":" UINT "," STRING("path") "}}")
		    "}}}}},\"namespaces\":" LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"inum\",\"id\",\"owner\","
						     "\"pid\",\"inside_pid\",\"nprocs\"],\"properties\":{\"inum\":" UINT ",\"id\":" UINT_NULL
						     ",\"owner\":" UINT_NULL ",\"pid\":" UINT_NULL ",\"inside_pid\":" UINT_NULL
						     ",\"nprocs\":" UINT "}}")
		    "}}");
}

void schema_add_listings(struct buf *b)
{
	add_namespaces(b);
	add_mounts(b);
}
