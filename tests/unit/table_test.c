/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of processes, from the snapshot to the end record. */
#include <locale.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check_bytes.h"
#include "records.h"
#include "sink/sink.h"
#include "test.h"

#define HEAD "    HOST     PPID   INSIDE     PID_NS     UID  COMMAND\n"

static struct record r;

struct one {
	uint32_t pid, ppid;
	uint16_t levels;
	const char *comm;
};

static void feed(struct output *o)
{
	assert_int_equal(output_feed(o, r.bytes, r.len), 0);
}

/* The table of @n processes; to be freed. */
static char *table(const struct one *all, size_t n, bool tree, bool levels)
{
	const struct sink_style style = { .color = COLOR_NEVER, .tree = tree, .levels = levels };
	int fd = memfd_create("table", MFD_CLOEXEC);
	char *text = calloc(1, 65536);
	struct output *o;

	assert_true(fd >= 0 && text);
	assert_int_equal(output_new(&o), 0);
	assert_int_equal(output_add(o, "table", &style, fd), 0);
	record_start(&r);
	feed(o);
	for (size_t i = 0; i < n; i++) {
		record_make(&r, NSS_EV_PROCESS, all[i].levels, all[i].pid);
		record_task(&r)->ppid = all[i].ppid;
		record_task(&r)->ns[NSS_NS_PID] = 4026531835 + all[i].levels;
		strncpy(record_task(&r)->comm, all[i].comm, NSS_COMM_LEN - 1);
		((struct nss_process *)record_payload(&r))->kthread = all[i].ppid == 2;
		feed(o);
	}
	record_make(&r, NSS_EV_END, 0, 0);
	feed(o);
	assert_int_equal(output_free(o), 0);
	assert_true(pread(fd, text, 65535, 0) > 0);
	close(fd);
	return text;
}

static void assert_table(const struct one *all, size_t n, bool tree, bool levels, const char *expected)
{
	char *text = table(all, n, tree, levels);

	assert_true(check_harmless(text, strlen(text), true));
	assert_string_equal(text, expected);
	free(text);
}

static const struct one processes[] = {
	{ 30, 20, 2, "in" }, { 1, 0, 1, "init" }, { 20, 1, 1, "sh" }, { 2, 0, 1, "kthreadd" },
	{ 7, 2, 1, "kworker" }, { 40, 30, 3, "\033[2J\xff" "\xe2\x80\xae" "\n" }, { 25, 1, 1, "x" }, { 99, 98, 1, "orphan" },
};
#define N (sizeof(processes) / sizeof(processes[0]))

static void rows_are_in_order(void **state)
{
	(void)state;
	assert_table(processes, N, false, false,
		     HEAD "       1        0        = 4026531836       0  init\n"
			  "       2        0        = 4026531836       0  kthreadd\n"
			  "       7        2        = 4026531836       0  [kworker]\n"
			  "      20        1        = 4026531836       0  sh\n"
			  "      25        1        = 4026531836       0  x\n"
			  "      30       20        1 4026531837       0  in\n"
			  "      40       30      1>1 4026531838       0  \\x1b[2J\\xff\\u202e\\n\n"
			  "      99       98        = 4026531836       0  orphan\n");
}

static void tree_is_by_parent(void **state)
{
	(void)state;
	assert_table(processes, N, true, false,
		     HEAD "       1        0        = 4026531836       0  init\n"
			  "      20        1        = 4026531836       0  \\_ sh\n"
			  "      30       20        1 4026531837       0     \\_ in\n"
			  "      40       30      1>1 4026531838       0        \\_ \\x1b[2J\\xff\\u202e\\n\n"
			  "      25        1        = 4026531836       0  \\_ x\n"
			  "       2        0        = 4026531836       0  kthreadd\n"
			  "       7        2        = 4026531836       0  \\_ [kworker]\n"
			  "      99       98        = 4026531836       0  orphan\n");
}

static void levels_of_one(void **state)
{
	const struct one p = { 40, 30, 3, "x" };

	(void)state;
	assert_table(&p, 1, false, true,
		     "     PID_NS      PID\n 4026531836       40  host\n 4026531837        1\n 4026531838        1\n");
}

static size_t lines(const char *text)
{
	size_t n = 0;

	while ((text = strchr(text, '\n')))
		n++, text++;
	return n;
}

static void assert_lines(const struct one *all, size_t n)
{
	char *text = table(all, n, true, false);

	assert_int_equal(lines(text), n + 1);
	free(text);
}

/* Each process is in the tree once, however deep. */
static void deep_tree(void **state)
{
	struct one chain[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		chain[i] = (struct one){ i + 1, i, 1, "x" };
	assert_lines(chain, 100);
}

/* ppid is of the time of the last event: a number used again can make a ring of parents. */
static void ring_of_parents(void **state)
{
	static const struct one ring[] = { { 1, 0, 1, "init" }, { 100, 200, 1, "a" }, { 200, 100, 1, "b" } };

	(void)state;
	assert_lines(ring, 3);
}

/* A host PID of 0: not in the host's PID namespace; only a damaged or forged recording has it. */
static void process_without_a_number(void **state)
{
	static const struct one odd[] = { { 0, 0, 1, "none" }, { 1, 0, 1, "init" }, { 2, 0, 1, "x" } };

	(void)state;
	assert_lines(odd, 3);
}

static int setup(void **state)
{
	(void)state;
	return !setlocale(LC_ALL, "C.UTF-8");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_are_in_order),
		cmocka_unit_test(tree_is_by_parent),
		cmocka_unit_test(levels_of_one),
		cmocka_unit_test(deep_tree),
		cmocka_unit_test(ring_of_parents),
		cmocka_unit_test(process_without_a_number),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
