/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/filter.h"

#include <errno.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>

#include "event/decode.h"
#include "event/kinds.h"
#include "records.h"
#include "test.h"
#include "util/cleanup.h"
#include "util/glob.h"
#include "view/filter_field.h"

#define HOST_MNT_NS 77

/* Events made by hand, each with a decoder of its own: an event is valid until its decoder's next. */
struct made {
	struct record record;
	struct decoder *decoder;
	struct event event;
};

static void decode(struct made *m)
{
	struct record start;

	record_start(&start);
	((struct nss_start *)record_payload(&start))->host.mnt_ns = HOST_MNT_NS;
	assert_int_equal(decoder_new(&m->decoder), 0);
	assert_int_equal(decoder_feed(m->decoder, start.bytes, start.len, &m->event), 1);
	assert_int_equal(decoder_feed(m->decoder, m->record.bytes, m->record.len, &m->event), 1);
}

enum { MOUNT_HOST, MOUNT_INSIDE, MOUNT_FAILED, MOUNT_UNKNOWN, EXEC, EXIT_3, EXIT_KILLED, UNSHARE, SETNS, FORK, DESTROY, EVENTS };

static void make_mount(struct made *m, uint64_t flags, const char *target, int32_t error, uint32_t reach, uint32_t receiver)
{
	struct nss_mount *mount;

	record_mount(&m->record, flags, "src", target, "tmpfs");
	mount = record_payload(&m->record);
	mount->error = error;
	mount->reach.flags = reach;
	if (receiver) {
		mount->reach.bytes = sizeof(receiver);
		record_str(&m->record, &mount->receivers, &receiver, sizeof(receiver), 0);
	}
}

static void make_events(struct made made[EVENTS])
{
	static const char argv[] = "sh\0-c\0\xff\n";
	struct nss_unshare *unshare;
	struct nss_ns_destroy *destroy;
	struct nss_setns *setns;
	struct nss_fork *fork;
	struct nss_exit *exit;

	make_mount(&made[MOUNT_HOST], MS_NOSUID | MS_NODEV | 1ULL << 40, "/mnt/a b", 0, NSS_REACH_KNOWN, HOST_MNT_NS);
	make_mount(&made[MOUNT_INSIDE], 0, "/proc", 0, NSS_REACH_KNOWN, 0);
	make_mount(&made[MOUNT_FAILED], MS_BIND, "/\xff\x1b[2J", -EPERM, 0, 0);
	make_mount(&made[MOUNT_UNKNOWN], 0, "", 0, 0, 0);
	record_exec(&made[EXEC].record, 100, argv, sizeof(argv), sizeof(argv));
	memcpy(record_task(&made[EXEC].record)->comm, "\xff\n", 3);
	record_make(&made[EXIT_3].record, NSS_EV_EXIT, 1, 4711);
	exit = record_payload(&made[EXIT_3].record);
	exit->status = 3 << 8;
	exit->runtime_ns = 2000000;
	record_task(&made[EXIT_3].record)->uid = 1000;
	record_make(&made[EXIT_KILLED].record, NSS_EV_EXIT, 3, 4712);
	exit = record_payload(&made[EXIT_KILLED].record);
	exit->status = 9;
	exit->runtime_ns = ~0ULL - 1;
	record_make(&made[UNSHARE].record, NSS_EV_UNSHARE, 2, 4713);
	unshare = record_payload(&made[UNSHARE].record);
	unshare->flags = CLONE_NEWNS | CLONE_NEWPID;
	unshare->latency_ns = NSS_UNKNOWN;
	record_task(&made[UNSHARE].record)->ns[NSS_NS_MNT] = 4026531841;
	record_make(&made[SETNS].record, NSS_EV_SETNS, 2, 4714);
	setns = record_payload(&made[SETNS].record);
	setns->fd = -100;
	setns->error = -EBADF;
	setns->entered.inum[NSS_NS_UTS] = 9;
	setns->entered.inum[NSS_NS_PID] = 8;
	record_make(&made[FORK].record, NSS_EV_FORK, 2, 4715);
	fork = record_payload(&made[FORK].record);
	fork->flags = CLONE_NEWNET;
	fork->parent = (struct nss_parent){ .host_pid = 12 };
	record_make(&made[DESTROY].record, NSS_EV_NS_DESTROY, 0, 0);
	destroy = record_payload(&made[DESTROY].record);
	destroy->type = NSS_NS_NET;
	destroy->inum = 4026531999;
	destroy->id = NSS_UNKNOWN;
	destroy->lifetime_ns = 3000000000;
	destroy->kept = NSS_KEPT_FILE;
	for (int i = 0; i < EVENTS; i++)
		decode(&made[i]);
}

static void free_events(struct made made[EVENTS])
{
	for (int i = 0; i < EVENTS; i++)
		decoder_free(made[i].decoder);
}

static struct filter *parse(const char *text)
{
	struct filter_error error;
	struct filter *f = NULL;

	if (filter_parse(text, &f, &error))
		fail_msg("%s: column %zu: %s", text, error.column, error.text);
	return f;
}

/* A bit for each of the events that @text holds of. */
static unsigned matches(const struct made made[EVENTS], const char *text)
{
	struct filter *f = parse(text);
	unsigned found = 0;

	for (int i = 0; i < EVENTS; i++)
		found |= (unsigned)filter_match(f, &made[i].event) << i;
	filter_free(f);
	return found;
}

#define B(event) (1U << (event))
#define MOUNTS (B(MOUNT_HOST) | B(MOUNT_INSIDE) | B(MOUNT_FAILED) | B(MOUNT_UNKNOWN))
#define ALL (B(EVENTS) - 1)
#define OF_PROCESS (ALL & ~B(DESTROY))
#define EXITS (B(EXIT_3) | B(EXIT_KILLED))

static const struct {
	const char *text;
	unsigned matches;
} cases[] = {
	{ "type == mount", MOUNTS },
	{ "type = mount", MOUNTS },
	{ "type=='mount'", MOUNTS },
	{ "type != mount", ALL & ~MOUNTS },
	{ "type in (exec, exit)", B(EXEC) | EXITS },
	{ "type in exec,exit", B(EXEC) | EXITS },
	{ "type not in (exec,exit)", ALL & ~(B(EXEC) | EXITS) },
	{ "type ~ *e*", B(EXEC) | EXITS | B(UNSHARE) | B(SETNS) | B(DESTROY) },
	{ "mount", MOUNTS },
	{ "has(mount)", MOUNTS },
	{ "!mount", ALL & ~MOUNTS },
	/* missing and null */
	{ "reach != inside", B(MOUNT_HOST) | B(MOUNT_UNKNOWN) },
	{ "reach == host", B(MOUNT_HOST) },
	{ "not (reach == host)", ALL & ~B(MOUNT_HOST) },
	{ "reach in (host, unknown)", B(MOUNT_HOST) | B(MOUNT_UNKNOWN) },
	{ "reach.verdict == none", B(MOUNT_FAILED) },
	{ "mount.reach.verdict != inside", MOUNTS & ~B(MOUNT_INSIDE) },
	{ "mount.reach.total > 0", B(MOUNT_HOST) },
	{ "mount.reach.ns == 77", B(MOUNT_HOST) },
	{ "mount.reach.ns != 77", MOUNTS & ~B(MOUNT_HOST) },
	{ "reach.cut == false", MOUNTS },
	{ "reach.cut", 0 },
	{ "error", B(MOUNT_FAILED) | B(SETNS) },
	{ "has(error)", B(MOUNT_FAILED) | B(SETNS) },
	{ "error == null", B(MOUNT_HOST) | B(MOUNT_INSIDE) | B(MOUNT_UNKNOWN) | B(UNSHARE) },
	{ "error != null", B(MOUNT_FAILED) | B(SETNS) },
	{ "error == EPERM", B(MOUNT_FAILED) },
	{ "error != EPERM", B(MOUNT_HOST) | B(MOUNT_INSIDE) | B(MOUNT_UNKNOWN) | B(UNSHARE) | B(SETNS) },
	{ "setns.error ~ E*", B(SETNS) },
	{ "error !~ E*", B(MOUNT_HOST) | B(MOUNT_INSIDE) | B(MOUNT_UNKNOWN) | B(UNSHARE) },
	{ "error in (null, EBADF)", B(MOUNT_HOST) | B(MOUNT_INSIDE) | B(MOUNT_UNKNOWN) | B(UNSHARE) | B(SETNS) },
	{ "latency_ns == null", B(UNSHARE) },
	{ "latency_ns < 1us", B(SETNS) },
	{ "latency_ns <= 1us", MOUNTS | B(SETNS) },
	/* arrays */
	{ "flags == MS_NODEV", B(MOUNT_HOST) },
	{ "flags == 0x10000000000", B(MOUNT_HOST) },
	{ "mount.flags != MS_NODEV", MOUNTS & ~B(MOUNT_HOST) },
	{ "flags ~ *NEW*", B(UNSHARE) | B(FORK) },
	{ "flags in (CLONE_NEWPID, MS_BIND)", B(UNSHARE) | B(MOUNT_FAILED) },
	{ "not mount.flags", ALL & ~(B(MOUNT_HOST) | B(MOUNT_FAILED)) },
	{ "new_ns == net", B(FORK) },
	{ "argv == -c", B(EXEC) },
	{ "exec.argv == '\\xff\\n'", B(EXEC) },
	{ "argv == c", 0 },
	{ "pids.pid == 1", OF_PROCESS & ~B(EXIT_3) },
	/* numbers */
	{ "host.pid == 4711", B(EXIT_3) },
	{ "host.pid == 0x1267", B(EXIT_3) },
	{ "host.pid > 4711 and host.pid <= 4713", B(EXIT_KILLED) | B(UNSHARE) },
	{ "setns.fd == -100", B(SETNS) },
	{ "fd < 0", B(SETNS) },
	{ "runtime_ns >= 2ms", EXITS },
	{ "runtime_ns == 18446744073709551614", B(EXIT_KILLED) },
	{ "code == 3", B(EXIT_3) },
	{ "code != 3", B(EXIT_KILLED) },
	{ "exit.signal == SIGKILL", B(EXIT_KILLED) },
	{ "core_dumped == false", EXITS },
	{ "parent.host_pid == 12", B(FORK) },
	{ "fork.parent.inside_pid == 0", B(FORK) },
	{ "host.uid == 1000", B(EXIT_3) },
	{ "ns.mnt == 4026531841", B(UNSHARE) },
	{ "ns.mnt == null", OF_PROCESS & ~B(UNSHARE) },
	/* of no process */
	{ "comm != x", OF_PROCESS },
	{ "not has(host.pid)", B(DESTROY) },
	{ "mono_ns > 0", ALL },
	{ "kept == 'file descriptor'", B(DESTROY) },
	{ "kept == 'bind mount'", 0 },
	{ "lifetime_ns == 3s and ns_destroy.type == net and processes == null and ns_destroy.id == null", B(DESTROY) },
	{ "entered.type == pid and setns.entered.inum == 9", B(SETNS) },
	{ "entered.inum != 9", 0 },
	/* bytes */
	{ "comm == \"\\xff\\n\"", B(EXEC) },
	{ "comm ~ s?", OF_PROCESS & ~B(EXEC) },
	{ "target == '/mnt/a b'", B(MOUNT_HOST) },
	{ "target ~ /mnt/*", B(MOUNT_HOST) },
	{ "mount.target ~ '/\\xff\\x1b*'", B(MOUNT_FAILED) },
	{ "target == ''", B(MOUNT_UNKNOWN) },
	{ "setns.target == null", B(SETNS) },
	{ "target == null", 0 },
	{ "target !~ /*", B(MOUNT_UNKNOWN) },
	{ "fstype==tmpfs&&op==new", B(MOUNT_HOST) | B(MOUNT_INSIDE) | B(MOUNT_UNKNOWN) },
	{ "mount.target_host_reason == 'the call failed'", B(MOUNT_FAILED) },
	/* precedence: not, and, or */
	{ "exec or exit and code == 3", B(EXEC) | B(EXIT_3) },
	{ "(exec or exit) and code == 3", B(EXIT_3) },
	{ "not exec and not exit and not mount", B(UNSHARE) | B(SETNS) | B(FORK) | B(DESTROY) },
	{ "not exec or exit", ALL & ~B(EXEC) },
	{ "not (exec or exit)", ALL & ~(B(EXEC) | EXITS) },
	{ "!!exec || !( ! exit)", B(EXEC) | EXITS },
	{ "exec and exit or mount", MOUNTS },
	{ "mount or exec and exit", MOUNTS },
};

static void what_matches(void **state)
{
	struct made *made = test_calloc(EVENTS, sizeof(*made));

	(void)state;
	make_events(made);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned found = matches(made, cases[i].text);

		if (found != cases[i].matches)
			fail_msg("%s: %#x, not %#x", cases[i].text, found, cases[i].matches);
	}
	free_events(made);
	test_free(made);
}

/* Random expressions around tests whose matches are known, against the operators of C. */

static unsigned next_random(unsigned *seed, unsigned n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static unsigned random_expression(struct buf *b, unsigned *seed, int depth, int around)
{
	unsigned what = depth ? next_random(seed, 4) : 0, left;

	if (!what) {
		size_t i = next_random(seed, ARRAY_SIZE(cases));

		buf_addc(b, '(');
		buf_adds(b, cases[i].text);
		buf_addc(b, ')');
		return cases[i].matches;
	}
	if (what == 1) {
		buf_adds(b, next_random(seed, 2) ? "not " : "!");
		return ALL & ~random_expression(b, seed, depth - 1, 3);
	}
	/* or is 1, and 2, not 3: in parentheses where what is around binds more closely, and sometimes anyway */
	bool parens = around > (int)what - 1 || !next_random(seed, 4), is_and = what == 3;

	buf_adds(b, parens ? "(" : "");
	left = random_expression(b, seed, depth - 1, is_and ? 2 : 1);
	buf_adds(b, is_and ? (next_random(seed, 2) ? " and " : "&&") : next_random(seed, 2) ? "\tor " : " || ");
	unsigned right = random_expression(b, seed, depth - 1, is_and ? 2 : 1);

	buf_adds(b, parens ? ")" : "");
	return is_and ? left & right : left | right;
}

/* Whether the kernel side, with @conf, would tell @e. */
static bool is_told(const struct nss_config *conf, const struct event *e)
{
	const struct nss_task *t = e->task;

	if (!t)
		return conf->types & (1ULL << e->rec->type) && !conf->only;
	return conf->types & (1ULL << e->rec->type) &&
	       (!(conf->only & NSS_ONLY_COMM) || !strncmp(conf->comm, t->comm, NSS_COMM_LEN)) &&
	       (!(conf->only & NSS_ONLY_UID) || conf->uid == t->uid) &&
	       (!(conf->only & NSS_ONLY_NS) || conf->ns_inum == t->ns[conf->ns_type]);
}

/* Nothing that matches is kept back. */
static unsigned check_pushdown(const struct made made[EVENTS], const struct filter *const *f, size_t n)
{
	struct nss_config conf = { .types = ~0ULL };
	unsigned kept = 0;

	filter_pushdown(f, n, &conf);
	for (int i = 0; i < EVENTS; i++) {
		bool told = is_told(&conf, &made[i].event);

		for (size_t k = 0; k < n; k++)
			if (filter_match(f[k], &made[i].event))
				assert_true(told);
		kept += !told;
	}
	return kept;
}

static void random_expressions(void **state)
{
	struct made *made = test_calloc(EVENTS, sizeof(*made));
	struct filter *before = NULL;
	unsigned seed = 1, kept = 0;
	struct buf b = {};

	(void)state;
	make_events(made);
	for (int round = 0; round < 5000; round++) {
		unsigned wanted, found;

		b.len = 0;
		wanted = random_expression(&b, &seed, (int)next_random(&seed, 6), 0);
		buf_addc(&b, 0);
		found = matches(made, b.data);
		if (found != wanted)
			fail_msg("%s: %#x, not %#x", b.data, found, wanted);
		const struct filter *both[] = { parse(b.data), before };

		kept += check_pushdown(made, both, 1);
		if (before)
			check_pushdown(made, both, 2);
		filter_free(before);
		before = (struct filter *)both[0];
	}
	assert_true(kept > 5000);
	filter_free(before);
	buf_free(&b);
	free_events(made);
	test_free(made);
}

/* What is wrong, where, and what should be said of it. */
static void errors(void **state)
{
	static const struct {
		const char *text;
		size_t column;
		const char *says;
	} bad[] = {
		{ "", 1, "ends" },
		{ "   ", 4, "ends" },
		{ "tpye == mount", 1, "did you mean type?" },
		{ "mount.tagret == x", 1, "did you mean mount.target?" },
		{ "filname ~ x", 1, "filename" },
		{ "pid == 3", 1, "host.pid, inside.pid" },
		{ "nothing.of.this", 1, "--man" },
		{ "type == mout", 9, "did you mean mount?" },
		{ "type == start", 9, "never" },
		{ "reach == none", 10, "never" },
		{ "reach == 'outside'", 10, "did you mean inside?" },
		{ "error == EPREM", 10, "EPERM" },
		{ "mount.flags == MS_NOSIUD", 16, "MS_NOSUID" },
		{ "mount == 3", 7, "member" },
		{ "host == 3", 1, "member" },
		{ "host.pid == abc", 13, "number" },
		{ "host.pid == 1x", 13, "number" },
		{ "host.pid == 0x", 13, "number" },
		{ "host.pid == 99999999999999999999", 13, "number" },
		{ "host.pid ~ 1*", 10, "strings" },
		{ "comm < a", 6, "numbers" },
		{ "comm == abcdefghijklmnop", 9, "15 bytes" },
		{ "reach.cut == yes", 14, "true or false" },
		{ "comm ==", 8, "value" },
		{ "comm = = x", 8, "value" },
		{ "comm == &&", 9, "value" },
		{ "comm ~ null and", 16, "ends" },
		{ "runtime_ns > null", 14, "number" },
		{ "comm == 'x", 9, "quote" },
		{ "comm == 'x\\q'", 11, "\\xHH" },
		{ "comm == 'x\\x4'", 11, "\\xHH" },
		{ "(exec", 6, ")" },
		{ "exec)", 5, "should stand here" },
		{ "exec exit", 6, "should stand here" },
		{ "exec and", 9, "ends" },
		{ "not", 4, "ends" },
		{ "comm not x", 10, "in" },
		{ "comm in ()", 10, "value" },
		{ "comm in (a", 11, ")" },
		{ "comm in a,", 11, "value" },
		{ "has error", 5, "(" },
		{ "has(error", 10, ")" },
		{ "exec & exit", 6, "'&'" },
		{ "comm == '\xc3\xa9\xc3\xa9' ecec", 14, "should stand here" },
		{ "exec or \x1b[2J\n == 1", 9, "'\\x1b'" },
		{ "\xc2\x9b\xe2\x80\xae == 1", 1, "'\\u009b\\u202e'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct filter_error error = {};
		struct filter *f = NULL;
		int err = filter_parse(bad[i].text, &f, &error);

		if (err != -EINVAL || f || error.column != bad[i].column || !strstr(error.text, bad[i].says))
			fail_msg("%s: %d, column %zu: %s", bad[i].text, err, error.column, error.text);
		for (const char *c = error.text; *c; c++)
			assert_true((unsigned char)*c >= ' ' && *c != 0x7f);
	}
}

static void depth(void **state)
{
	struct filter_error error;
	struct filter *f;
	struct buf b = {};

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addc(&b, '(');
	buf_addc(&b, 0);
	assert_int_equal(filter_parse(b.data, &f, &error), -EINVAL);
	b.len = 0;
	for (int i = 0; i < 99; i++)
		buf_adds(&b, "not ");
	buf_adds(&b, "(exec)");
	for (int i = 0; i < 20000; i++)
		buf_adds(&b, " or host.pid == 5 and exec");
	buf_addc(&b, 0);
	filter_free(parse(b.data));
	buf_free(&b);
}

/* All names lead to a field of their sort; so do those that JSON has. */
static void names(void **state)
{
	struct filter_name name;
	size_t n = 0;

	(void)state;
	for (; filter_field_nth(n, &name); n++) {
		struct filter_field f;

		assert_int_equal(filter_field_find(name.name, strlen(name.name), &f), 0);
		assert_int_equal(f.type, name.type);
		assert_int_equal(f.is_array, name.is_array);
		assert_true(f.types);
		if (name.event)
			assert_int_equal(f.types, 1ULL << (name.event - event_descs));
	}
	assert_true(n > 100);
}

static void globs(void **state)
{
	static const struct {
		const char *glob, *text;
		bool match;
	} g[] = {
		{ "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "a/b", true }, { "?", "", false },
		{ "a*b*c", "a1b2b3c", true }, { "a*b*c", "a1b2b3", false }, { "*a", "aaab", false }, { "**a*", "ba", true },
		{ "[abc]x", "bx", true }, { "[!abc]x", "bx", false }, { "[^a]", "b", true }, { "[a-c]", "b", true },
		{ "[a-c]", "d", false }, { "[]a]", "]", true }, { "[!]a]", "]", false }, { "[a-]", "-", true },
		{ "[\\]]", "]", true }, { "[", "[", true }, { "[a", "[a", true }, { "\\*", "*", true }, { "\\*", "a", false },
		{ "\\", "\\", true }, { "a\\", "a\\", true }, { "[\x80-\xff]", "\xfe", true }, { "?", "\xff", true },
		{ "/proc/[0-9]*/ns/?*", "/proc/17/ns/mnt", true }, { "*.so", "a.so.1", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(g); i++)
		if (glob_match(g[i].glob, strlen(g[i].glob), g[i].text, strlen(g[i].text)) != g[i].match)
			fail_msg("%s on %s", g[i].glob, g[i].text);
	assert_true(glob_match("a?b", 3, "a\0b", 3));
}

static void check_conf(const char *text, uint64_t types, const struct nss_config *conditions)
{
	struct nss_config conf = { .types = ~0ULL }, wanted = *conditions;
	const struct filter *f = parse(text);

	wanted.types = types;
	filter_pushdown(&f, 1, &conf);
	if (memcmp(&conf, &wanted, sizeof(conf)))
		fail_msg("%s: types %#llx, not %#llx; only %#x, not %#x", text, (unsigned long long)conf.types,
			 (unsigned long long)types, conf.only, wanted.only);
	filter_free((struct filter *)f);
}

static uint64_t groups(unsigned wanted)
{
	uint64_t types = 0;

	for (uint32_t i = 0; i < NSS_EV_MAX; i++)
		if (wanted & 1U << event_descs[i].group)
			types |= 1ULL << i;
	return types;
}

static void pushdown(void **state)
{
	const unsigned process = 1U << GROUP_PROCESS, ns = 1U << GROUP_NS, mount = 1U << GROUP_MOUNT;
	const struct nss_config none = {}, comm = { .only = NSS_ONLY_COMM, .comm = "sh" },
				uid = { .only = NSS_ONLY_UID, .uid = 7 },
				both = { .only = NSS_ONLY_UID | NSS_ONLY_COMM, .uid = 7, .comm = "sh" },
				mnt = { .only = NSS_ONLY_NS, .ns_type = NSS_NS_MNT, .ns_inum = 9 };

	(void)state;
	check_conf("type == mount", groups(mount), &none);
	check_conf("type in (umount, exec)", groups(mount | process), &none);
	check_conf("type ~ *mount", groups(mount), &none);
	check_conf("reach == host", groups(mount), &none);
	check_conf("reach != inside", groups(mount), &none);
	check_conf("not (reach == host)", ~0ULL, &none);
	check_conf("not type in (fork, exec, exit)", ~0ULL, &none); /* ns_destroy needs them all */
	check_conf("not type in (fork, exec, exit, ns_destroy)", groups(mount | ns), &none);
	check_conf("lifetime_ns > 1s", ~0ULL, &none);
	check_conf("exit.code == 3 or type == setns and error", groups(process | ns), &none);
	check_conf("type == process", 0, &none);
	check_conf("type == exec and type == exit", 0, &none);
	check_conf("comm == sh", groups(mount | process | ns), &comm);
	check_conf("exec and comm == sh", groups(process), &comm);
	check_conf("(comm == sh) and (exec or exit)", groups(process), &comm);
	check_conf("comm == sh and host.uid == 7", groups(mount | process | ns), &both);
	check_conf("not (comm != sh or host.uid == 3) and host.uid == 7", groups(mount | process | ns), &uid);
	check_conf("comm == sh or exec", groups(mount | process | ns), &none);
	check_conf("not comm == sh", ~0ULL, &none);
	check_conf("comm in (sh, ls)", groups(mount | process | ns), &none);
	check_conf("host.uid == -1", groups(mount | process | ns), &none);
	check_conf("host.uid == 5000000000", groups(mount | process | ns), &none);
	check_conf("ns.mnt == 9 and mount", groups(mount), &mnt);
	check_conf("ns.mnt == 9", groups(mount | process | ns), &none); /* unshare and setns change it */
	check_conf("ns.mnt == null and mount", groups(mount), &none);
}

/* What the configuration has already is kept, and what only one of two filters wants is not taken. */
static void pushdown_of_several(void **state)
{
	const struct filter *f[] = { parse("mount and comm == sh and host.uid == 7"), parse("host.uid == 7 and exec") };
	struct nss_config conf = { .types = ~0ULL };

	(void)state;
	filter_pushdown(f, 2, &conf);
	assert_int_equal(conf.only, NSS_ONLY_UID);
	assert_int_equal(conf.uid, 7);
	assert_int_equal(conf.types, groups(1U << GROUP_PROCESS | 1U << GROUP_MOUNT));
	conf = (struct nss_config){ .types = 1ULL << NSS_EV_UMOUNT, .only = NSS_ONLY_UID | NSS_ONLY_TRACKED, .uid = 8 };
	filter_pushdown(f, 1, &conf);
	assert_int_equal(conf.types, 1ULL << NSS_EV_UMOUNT);
	assert_int_equal(conf.only, NSS_ONLY_UID | NSS_ONLY_TRACKED | NSS_ONLY_COMM);
	assert_int_equal(conf.uid, 8);
	filter_free((struct filter *)f[0]);
	filter_free((struct filter *)f[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_matches),
		cmocka_unit_test(random_expressions),
		cmocka_unit_test(errors),
		cmocka_unit_test(depth),
		cmocka_unit_test(names),
		cmocka_unit_test(globs),
		cmocka_unit_test(pushdown),
		cmocka_unit_test(pushdown_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
