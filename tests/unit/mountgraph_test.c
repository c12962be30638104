/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What would reach where, and what is covered: the model against mount_namespaces(7). */
#include "test.h"

#include <string.h>

#include "model/mountgraph.h"

struct given {
	uint32_t ns;
	uint64_t id, parent;
	const char *target, *root;
	uint32_t shared, master;
};

static void make(struct mountgraph *g, const struct given *given, size_t n)
{
	*g = (struct mountgraph){};
	for (size_t i = 0; i < n; i++) {
		struct mountinfo m = { .id = given[i].id, .parent = given[i].parent, .root = given[i].root,
				       .target = given[i].target, .options = "rw", .fstype = "tmpfs", .source = "t",
				       .super = "rw", .shared = given[i].shared, .master = given[i].master };

		assert_int_equal(mountgraph_add(g, given[i].ns, &m), 0);
	}
	assert_int_equal(mountgraph_finish(g), 0);
}

/* "1 2 3/x": namespaces, and what of the mount gets there if not all. */
static void assert_reach(struct mountgraph *g, size_t index, const char *want)
{
	const struct mount_receivers *r;
	struct buf b = {};

	assert_int_equal(mountgraph_reach(g, g->mounts[index], &r), 0);
	for (size_t i = 0; i < r->n; i++)
		buf_addf(&b, "%s%u%s", i ? " " : "", r->at[i].ns, r->at[i].below ? r->at[i].below : "");
	assert_buf(&b, want);
	buf_free(&b);
}

static void test_shared_slave_private(void **state)
{
	static const struct given given[] = {
		{ 1, 10, 1, "/", "/", 5, 0 }, { 2, 20, 2, "/", "/", 5, 0 }, { 3, 30, 3, "/", "/", 0, 5 },
		{ 4, 40, 4, "/", "/", 0, 0 },
	};
	struct mountgraph g;

	(void)state;
	make(&g, given, 4);
	assert_reach(&g, 0, "1 2 3");
	assert_reach(&g, 1, "1 2 3");
	assert_reach(&g, 2, ""); /* a slave gives nothing back */
	assert_reach(&g, 3, "");
	assert_int_equal(mountgraph_group(&g, 5)->members.n, 2);
	assert_int_equal(mountgraph_group(&g, 5)->slaves.n, 1);
	assert_null(mountgraph_group(&g, 6));
	mountgraph_free(&g);
}

/* A slave that is shared passes on to its peers and to their slaves; nothing goes up. */
static void test_slaves_of_slaves(void **state)
{
	static const struct given given[] = {
		{ 1, 10, 1, "/", "/", 5, 0 }, { 2, 20, 2, "/", "/", 6, 5 }, { 3, 30, 3, "/", "/", 6, 5 },
		{ 4, 40, 4, "/", "/", 7, 6 }, { 5, 50, 5, "/", "/", 0, 7 },
	};
	struct mountgraph g;

	(void)state;
	make(&g, given, 5);
	assert_reach(&g, 0, "1 2 3 4 5");
	assert_reach(&g, 1, "2 3 4 5");
	assert_reach(&g, 3, "4 5");
	mountgraph_free(&g);
}

/* A bind of a part gets what is mounted in that part, and one of the whole gets what is mounted in the part. */
static void test_parts(void **state)
{
	static const struct given given[] = {
		{ 1, 10, 1, "/", "/", 5, 0 },	    { 2, 20, 2, "/a", "/sub", 5, 0 },	  { 3, 30, 3, "/b", "/sub/deep", 0, 5 },
		{ 4, 40, 4, "/c", "/subway", 5, 0 }, { 5, 50, 5, "/d", "/gone//deleted", 5, 0 }, { 2, 21, 2, "/e", "/sub", 5, 0 },
	};
	struct mountgraph g;

	(void)state;
	make(&g, given, 6);
	assert_reach(&g, 0, "1 2/sub 3/sub/deep 4/subway");
	assert_reach(&g, 1, "1 2 3/deep");
	assert_reach(&g, 3, "1 4");
	mountgraph_free(&g);
}

static void test_covered(void **state)
{
	static const struct given given[] = {
		{ 1, 10, 1, "/", "/", 0, 0 },	   { 1, 11, 10, "/a", "/", 0, 0 }, { 1, 12, 11, "/a", "/", 0, 0 },
		{ 1, 13, 11, "/a/x", "/", 0, 0 },  { 1, 14, 13, "/a/x/y", "/", 0, 0 }, { 1, 15, 10, "/a-b", "/", 0, 0 },
		{ 1, 16, 10, "/a/later", "/", 0, 0 }, { 2, 20, 2, "/", "/", 0, 0 }, { 2, 21, 20, "/a", "/", 0, 0 },
		{ 1, 17, 12, "/a/z", "/", 0, 0 },
	};
	static const bool want[] = { false, true, false, true, true, false, true, false, false, false };
	struct mountgraph g;

	(void)state;
	make(&g, given, 10);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(g.mounts[i]->covered, want[i]);
	mountgraph_free(&g);
}

static void test_nothing(void **state)
{
	struct mountgraph g;

	(void)state;
	make(&g, NULL, 0);
	mountgraph_free(&g);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared_slave_private), cmocka_unit_test(test_slaves_of_slaves),
		cmocka_unit_test(test_parts),		     cmocka_unit_test(test_covered),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
