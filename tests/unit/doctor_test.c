/* SPDX-License-Identifier: GPL-2.0-or-later */
/* doctor: what files say, and how findings are shown. */
#include <string.h>

#include "check_bytes.h"
#include "doctor/checks.h"
#include "doctor/parse.h"
#include "doctor/report.h"
#include "test.h"

#define assert_span(part, text) assert_true(span_is((part), (text)))
#define assert_none(span) assert_null((span).s)

static void releases(void **state)
{
	unsigned major, minor;

	(void)state;
	assert_true(parse_release("6.1.0-18-amd64", &major, &minor));
	assert_int_equal(major * 1000 + minor, 6001);
	assert_true(parse_release("5.12", &major, &minor));
	assert_int_equal(major * 1000 + minor, 5012);
	assert_true(parse_release("7.0-rc1", &major, &minor));
	assert_false(parse_release("", &major, &minor));
	assert_false(parse_release("linux-5.1", &major, &minor));
	assert_false(parse_release("5", &major, &minor));
	assert_false(parse_release("5.99999", &major, &minor));
}

static void configurations(void **state)
{
	static const char text[] = "# CONFIG_BPF_LSM is not set\nCONFIG_BPF=y\nCONFIG_HZ=250\n"
				   "CONFIG_LSM=\"a,b\"\nCONFIG_IKCONFIG=m\nCONFIG_LAST=y";

	(void)state;
	assert_span(parse_config(text, "BPF"), "y");
	assert_span(parse_config(text, "HZ"), "250");
	assert_span(parse_config(text, "LSM"), "\"a,b\"");
	assert_span(parse_config(text, "IKCONFIG"), "m");
	assert_span(parse_config(text, "LAST"), "y");
	assert_none(parse_config(text, "BPF_LSM"));
	assert_none(parse_config(text, "BP"));
	assert_none(parse_config(text, "BPF_SYSCALL"));
	assert_none(parse_config("", "BPF"));
}

static void status_fields(void **state)
{
	static const char text[] = "Name:\tSeccomp:\nNoNewPrivs:\t1\nSeccomp:\t2\nSeccomp_filters:\t3\n";

	(void)state;
	assert_span(parse_status(text, "NoNewPrivs"), "1");
	assert_span(parse_status(text, "Seccomp"), "2");
	assert_span(parse_status(text, "Seccomp_filters"), "3");
	assert_none(parse_status(text, "CapEff"));
}

static void chosen_words(void **state)
{
	(void)state;
	assert_span(parse_chosen("none [integrity] confidentiality\n"), "integrity");
	assert_span(parse_chosen("[none] integrity confidentiality\n"), "none");
	assert_none(parse_chosen("none integrity\n"));
	assert_none(parse_chosen("none [integrity\n"));
	assert_none(parse_chosen(""));
}

static void numbers(void **state)
{
	long long v;

	(void)state;
	assert_true(parse_number("0\n", &v) && v == 0);
	assert_true(parse_number("-1\n", &v) && v == -1);
	assert_true(parse_number("4294967296", &v) && v == 4294967296);
	assert_false(parse_number("", &v));
	assert_false(parse_number("\n", &v));
	assert_false(parse_number("-", &v));
	assert_false(parse_number(" 1", &v));
	assert_false(parse_number("1x", &v));
	assert_false(parse_number("1\n2\n", &v));
	assert_false(parse_number("99999999999999999999", &v));
}

static struct span all(const char *text)
{
	return (struct span){ text, strlen(text) };
}

static void words(void **state)
{
	(void)state;
	assert_true(parse_has_word(all("lockdown,yama,bpf"), ",", "bpf"));
	assert_false(parse_has_word(all("lockdown,yama,ebpf"), ",", "bpf"));
	assert_true(parse_has_word(all("cpuset cpu io memory pids\n"), " \n", "cpu"));
	assert_true(parse_has_word(all("cpuset pids\n"), " \n", "pids"));
	assert_false(parse_has_word(all("cpuset\n"), " \n", "cpu"));
	assert_false(parse_has_word(all(""), " ", "cpu"));
}

static void options(void **state)
{
	(void)state;
	assert_span(parse_option(all("rw,hidepid=invisible,gid=4"), "hidepid"), "invisible");
	assert_span(parse_option(all("rw,hidepid=2"), "hidepid"), "2");
	assert_span(parse_option(all("rw,relatime"), "rw"), "");
	assert_none(parse_option(all("rw,nohidepid=2,hidepidx=1"), "hidepid"));
	assert_none(parse_option(all(""), "subset"));
}

static const char host[] = "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
			   "23 27 0:22 / /sys rw,relatime shared:5 master:1 - sysfs sysfs rw\n"
			   "24 22 0:30 / /proc/sys/fs/binfmt_misc rw - binfmt_misc none rw\n"
			   "31 23 0:28 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
			   "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n";
static const char container[] = "27 1 254:0 /images/x / rw - overlay overlay rw\n"
				"22 27 0:21 / /proc rw - proc proc rw,hidepid=ptraceable,subset=pid\n"
				"40 22 0:21 /sys /proc/sys ro - proc proc rw\n"
				"41 22 0:33 / /proc/a\\040b\\134 ro - tmpfs tmpfs ro\n"
				"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
				"32 31 0:29 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
				"33 31 0:30 /docker/x /sys/fs/cgroup/uni\\040fied rw - cgroup2 cgroup2 rw\n"
				"34 31 0:30 / /second rw - cgroup2 cgroup2 rw\n";

static void mounts(void **state)
{
	const char *at = "not a line\n1 2 3 4 5 6\n23 27 0:22 /r /p ro shared:5 x:1 - fs dev,1 o,p\n";
	struct mount_line m;

	(void)state;
	assert_true(parse_mount(&at, &m));
	assert_span(m.root, "/r");
	assert_span(m.point, "/p");
	assert_span(m.options, "ro");
	assert_span(m.fstype, "fs");
	assert_span(m.super, "o,p");
	assert_false(parse_mount(&at, &m));
	assert_true(parse_mount_at(container, "/proc", &m));
	assert_span(parse_option(m.super, "hidepid"), "ptraceable");
	assert_span(parse_option(m.super, "subset"), "pid");
	assert_false(parse_mount_at(host, "/pro", &m));
}

static void covers(void **state)
{
	struct buf b = {};

	(void)state;
	assert_int_equal(parse_proc_covers(host, &b), 0);
	assert_int_equal(parse_proc_covers(container, &b), 2);
	assert_buf(&b, "/proc/sys, /proc/a b\\");
	assert_int_equal(parse_proc_covers("", &b), 0);
	buf_free(&b);
}

static void cgroups(void **state)
{
	struct mount_line v2;
	struct buf b = {};

	(void)state;
	assert_int_equal(parse_cgroup_layout(host, &v2), CGROUP_V2);
	assert_true(parse_cgroup_dir(&b, &v2, parse_cgroup_path("0::/\n")));
	assert_string_equal(b.data, "/sys/fs/cgroup/");
	b.len = 0;
	assert_int_equal(parse_cgroup_layout(container, &v2), CGROUP_HYBRID);
	assert_true(parse_cgroup_dir(&b, &v2, parse_cgroup_path("8:pids:/y\n0::/docker/x/in\n")));
	assert_string_equal(b.data, "/sys/fs/cgroup/uni fied/in");
	b.len = 0;
	assert_true(parse_cgroup_dir(&b, &v2, all("/docker/x")));
	assert_string_equal(b.data, "/sys/fs/cgroup/uni fied");
	b.len = 0;
	assert_false(parse_cgroup_dir(&b, &v2, all("/docker/xy")));
	assert_false(parse_cgroup_dir(&b, &v2, all("/../y")));
	assert_false(parse_cgroup_dir(&b, &v2, all("/other")));
	assert_false(parse_cgroup_dir(&b, &v2, parse_cgroup_path("8:pids:/y\n")));
	assert_int_equal(b.len, 0);
	assert_int_equal(parse_cgroup_layout("32 31 0:29 / /c rw - cgroup cgroup rw\n", &v2), CGROUP_V1);
	assert_int_equal(parse_cgroup_layout("", &v2), CGROUP_NONE);
	buf_free(&b);
}

static void subids(void **state)
{
	static const char text[] =
		"ann:100000:65536\n\nbob:1:1:1\nann:300000:10\n1000:500000:5\nbob:7\nbob:8:x\nbob:9:-1\nx:1:2";

	(void)state;
	assert_int_equal(parse_subids(text, "ann", 1), 65546);
	assert_int_equal(parse_subids(text, "ann", 1000), 65551);
	assert_int_equal(parse_subids(text, NULL, 1000), 5);
	assert_int_equal(parse_subids(text, "bob", 2), 0);
	assert_int_equal(parse_subids(text, "x", 2), 2);
	assert_int_equal(parse_subids("", "ann", 1), 0);
}

/* Whatever is cut off, no parser reads behind the end (the sanitisers see it: each copy is as long as its text). */
static void cut_texts(void **state)
{
	struct mount_line m;
	struct buf b = {};

	(void)state;
	for (size_t len = 0; len < sizeof(container); len++) {
		char *text = strndup(container, len);

		parse_proc_covers(text, &b);
		if (parse_cgroup_layout(text, &m) >= CGROUP_HYBRID)
			parse_cgroup_dir(&b, &m, all("/docker/x/y"));
		parse_subids(text, "x", 1);
		parse_status(text, "22 27 0");
		parse_config(text, "X");
		parse_chosen(text);
		free(text);
	}
	buf_free(&b);
}

static void add(struct report *r, const char *check, const char *name, enum state state, const char *found,
		const char *mend)
{
	const struct finding f = { "subject", check, (char *)name, state, (char *)found, "because", mend };

	report_add(r, &f);
}

static void text_is_a_table(void **state)
{
	static const char check[] = "check";
	const struct report_style plain = { .color = false, .width = 0 };
	struct report r = {};
	struct buf b = {};

	(void)state;
	add(&r, "alone", "alone", STATE_OK, "here", NULL);
	add(&r, check, "one", STATE_OK, "same", NULL);
	add(&r, check, "two", STATE_OK, "other", NULL);
	add(&r, check, "three", STATE_OK, "same", NULL);
	add(&r, check, "four", STATE_MISSING, "same", "do it");
	add(&r, check, "five", STATE_MISSING, "same", "do it");
	add(&r, check, "six", STATE_MISSING, "same", "do that");
	add(&r, check, "seven", STATE_UNKNOWN, "what?", NULL);
	add(&r, CHECK_COMMANDS, "run", STATE_MISSING, "no", NULL);
	add(&r, CHECK_COMMANDS, "ps", STATE_OK, "yes", NULL);
	report_text(&r, &plain, &b);
	assert_buf(&b, "SUBJECT\n"
		       "  ok       alone                    here\n"
		       "  ok       check                    one, three: same\n"
		       "  ok       two                      other\n"
		       "  missing  check                    four, five: same\n"
		       "           why   because\n"
		       "           mend  do it\n"
		       "  missing  six                      same\n"
		       "           why   because\n"
		       "           mend  do that\n"
		       "  unknown  seven                    what?\n"
		       "           why   because\n"
		       "  missing  run                      no\n"
		       "           why   because\n"
		       "  ok       ps                       yes\n"
		       "run: does not work; ps: works\n");
	report_json(&r, "1", &b);
	assert_true(check_harmless(b.data, b.len, true));
	assert_non_null(strstr(b.data, "\"commands\":{\"run\":\"missing\",\"ps\":\"ok\"}"));
	assert_non_null(strstr(
		b.data,
		"\"name\":\"seven\",\"state\":\"unknown\",\"found\":\"what?\",\"why\":\"because\",\"mend\":null}"));
	buf_free(&b);
	report_free(&r);
}

static void hostile_text_is_harmless(void **state)
{
	const struct report_style narrow = { .color = false, .width = 40 };
	struct report r = {};
	struct buf b = {};

	(void)state;
	add(&r, "check", "\033[2J", STATE_LIMITED,
	    "a\nb\xff\xe2\x80\xae \033]0;x\007 and more words, so that it is wrapped", "m");
	report_text(&r, &narrow, &b);
	assert_true(check_harmless(b.data, b.len, true));
	assert_null(memchr(b.data, 033, b.len));
	b.len = 0;
	report_json(&r, "1", &b);
	assert_true(check_harmless(b.data, b.len, true));
	buf_addc(&b, 0);
	assert_non_null(strstr(b.data, "\"found_raw\":\""));
	assert_null(strstr(b.data, "\"name_raw\":"));
	buf_free(&b);
	report_free(&r);
}

static void findings_are_found(void **state)
{
	struct report r = {};

	(void)state;
	assert_null(report_find(&r, "a", "b"));
	add(&r, "a", "b", STATE_OK, "", NULL);
	assert_ptr_equal(report_find(&r, "a", "b"), &r.findings[0]);
	assert_null(report_find(&r, "b", "b"));
	report_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(releases),
		cmocka_unit_test(configurations),
		cmocka_unit_test(status_fields),
		cmocka_unit_test(chosen_words),
		cmocka_unit_test(numbers),
		cmocka_unit_test(words),
		cmocka_unit_test(options),
		cmocka_unit_test(mounts),
		cmocka_unit_test(covers),
		cmocka_unit_test(cgroups),
		cmocka_unit_test(subids),
		cmocka_unit_test(cut_texts),
		cmocka_unit_test(text_is_a_table),
		cmocka_unit_test(hostile_text_is_harmless),
		cmocka_unit_test(findings_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
