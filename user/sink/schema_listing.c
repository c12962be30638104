/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The objects of ns, mounts and stat --json; view/nsview.c, view/mountview.c, view/statview.c and cmd/nscost.c write them.
 */
#include "sink/schema.h"

#include "abi/abi.h"
#include "event/event.h"
#include "model/nstable.h"
#include "model/spans.h"
#include "view/statview.h"

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

/* What the members are of a distribution of durations. */
#define SPAN_REQUIRED "\"count\",\"sum_ns\",\"p50_ns\",\"p90_ns\",\"p99_ns\",\"max_ns\",\"histogram\""
#define SPAN                                                                                                          \
	"\"count\":" UINT ",\"sum_ns\":" UINT ",\"p50_ns\":" UINT ",\"p90_ns\":" UINT ",\"p99_ns\":" UINT             \
	",\"max_ns\":" UINT ",\"histogram\":"                                                                         \
	LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"from_ns\",\"to_ns\",\"count\"]," \
		"\"properties\":{\"from_ns\":" UINT ",\"to_ns\":" UINT ",\"count\":" UINT "}}")

/* "name":{each count, of the type @type} */
static void add_counts(struct buf *b, const char *name, const char *doc, const char *type)
{
	buf_addf(b, "\"%s\":{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"%s\",\"required\":[", name, doc);
	for (size_t i = 0; i < NSS_COUNTS; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", stat_count_descs[i].name);
	buf_adds(b, "],\"properties\":{");
	for (size_t i = 0; i < NSS_COUNTS; i++)
		buf_addf(b, "%s\"%s\":{\"type\":\"%s\",\"minimum\":0,\"description\":\"%s\"}", i ? "," : "",
			 stat_count_descs[i].name, type, stat_count_descs[i].doc);
	buf_adds(b, "}},");
}

/* "phases":[a distribution of each] */
static void add_phases(struct buf *b)
{
	buf_adds(b, "\"phases\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
		    "\"required\":[\"phase\"," SPAN_REQUIRED "],\"properties\":{\"phase\":{\"oneOf\":[");
	for (size_t i = 0; i < NSS_PHASE_MAX; i++)
		buf_addf(b, "%s{\"const\":\"%s\",\"description\":\"%s\"}", i ? "," : "", phase_descs[i].name, phase_descs[i].doc);
	buf_adds(b, "]},\"made\":{\"type\":\"array\",\"items\":" NS ",\"description\":\"of the clone calls before it, only those that "
		    "made exactly these namespaces\"}," SPAN "}}}");
}

static void add_stat(struct buf *b)
{
	buf_addf(b, ",{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"nsscope stat: where the time goes\","
		    "\"required\":[\"type\",\"schema\",\"time\",\"final\",\"elapsed_ns\",\"backend\",\"by\",\"counts\","
		    "\"per_second\",\"groups\",\"most_spawning\",\"shortest_lived\"],\"properties\":{\"type\":{\"const\":\"stat\"},"
		    "\"schema\":{\"const\":%d},\"time\":{\"$ref\":\"#/$defs/time\"},\"final\":{\"type\":\"boolean\"},"
		    "\"elapsed_ns\":" UINT ",\"backend\":{\"enum\":[\"kprobe\",\"tracepoint\"]},\"by\":{\"enum\":[", SCHEMA_VERSION);
	for (size_t i = 0; i < STAT_BY_NAMES; i++)
		buf_addf(b, "%s\"%s\"", i ? "," : "", stat_by_names[i]);
	buf_adds(b, "]},");
	add_counts(b, "counts", "since the beginning", "integer");
	add_counts(b, "per_second", "since the object before; in the final one, since the beginning", "number");
	buf_adds(b, "\"groups\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"additionalProperties\":false,"
		    "\"required\":[\"is\",\"phases\"],\"properties\":{\"is\":{\"enum\":[\"all\",\"one\",\"rest\"],\"description\":"
		    "\"all together; one group; those that there was no room for\"},\"id\":" UINT ",\"start_ns\":" UINT "," STRING("name") ",");
	add_phases(b);
	buf_adds(b, "}}},\"most_spawning\":" LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"made\",\"pid\","
						       "\"start_ns\",\"comm\"],\"properties\":{\"made\":" UINT ",\"pid\":" UINT_NULL ","
						       "\"start_ns\":" UINT "," STRING("comm") "}}")
		    ",\"shortest_lived\":" LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"is\","
						     SPAN_REQUIRED "],\"properties\":{\"is\":{\"enum\":[\"one\",\"rest\"]}," STRING("comm") "," SPAN "}}")
		    "}}");
}

#define SPREAD                                                                                                      \
	"{\"type\":[\"object\",\"null\"],\"additionalProperties\":false,\"required\":[\"samples\",\"p50\",\"p90\",\"p99\"," \
	"\"max\"],\"properties\":{\"samples\":" UINT ",\"p50\":" UINT ",\"p90\":" UINT ",\"p99\":" UINT ",\"max\":" UINT "}}"
#define STRING_NULL "{\"type\":[\"string\",\"null\"]}"
#define MEASURED                                                                                                       \
	"{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"workers\",\"error\",\"make_ns\",\"end_ns\","      \
	"\"gone_ns\"],\"properties\":{\"workers\":" UINT ",\"error\":" STRING_NULL ",\"make_ns\":" SPREAD ",\"end_ns\":" SPREAD \
	",\"gone_ns\":" SPREAD "}}"

static void add_stat_namespaces(struct buf *b)
{
	buf_addf(b, ",{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"nsscope stat --namespaces: what they "
		    "cost\",\"required\":[\"type\",\"schema\",\"version\",\"release\",\"machine\",\"cpus\",\"cpu\",\"date\",\"uid\","
		    "\"in_user_ns\",\"sets\",\"kernel\"],\"properties\":{\"type\":{\"const\":\"stat_namespaces\"},"
		    "\"schema\":{\"const\":%d},\"version\":{\"type\":\"string\"},\"release\":{\"type\":\"string\"},", SCHEMA_VERSION);
	buf_adds(b, "\"machine\":{\"type\":\"string\"},\"cpus\":" UINT ",\"cpu\":" STRING_NULL ",\"date\":{\"type\":\"string\"},\"uid\":" UINT
		    ",\"in_user_ns\":{\"type\":\"boolean\",\"description\":\"each worker was in a user namespace of its own\"},"
		    "\"sets\":" LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"namespaces\","
					"\"alone\",\"parallel\"],\"properties\":{\"name\":{\"type\":\"string\"},\"namespaces\":"
					LIST_OF(NS) ",\"alone\":" MEASURED ",\"parallel\":" MEASURED "}}")
		    ",\"kernel\":{\"type\":\"object\",\"additionalProperties\":false,\"description\":\"time inside its functions\","
		    "\"required\":[\"error\",\"functions\"],\"properties\":{\"error\":" STRING_NULL ",\"functions\":"
		    LIST_OF("{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"name\",\"namespace\",\"time_ns\"],"
			    "\"properties\":{\"name\":{\"type\":\"string\"},\"namespace\":" NS ",\"time_ns\":" SPREAD "}}") "}}}}");
}

void schema_add_listings(struct buf *b)
{
	add_namespaces(b);
	add_mounts(b);
	add_stat(b);
	add_stat_namespaces(b);
}
