/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of namespaces: who is in them, what keeps them, how old they are. */
#include "test.h"

#include <string.h>

#include "model/nstable.h"

#define SECOND 1000000000ULL

static void add(struct nstable *t, uint32_t pid, uint64_t start, uint32_t pid_ns, uint32_t pid_children, uint32_t net)
{
	struct ns_process p = { .pid = pid, .start_ns = start, .levels = 1 };

	p.ns[NSS_NS_PID] = pid_ns;
	p.ns[NSS_NS_PID_FOR_CHILDREN] = pid_children;
	p.ns[NSS_NS_NET] = net;
	p.pids = calloc(1, sizeof(*p.pids));
	p.pids->pid = pid;
	assert_int_equal(nstable_add_process(t, &p), 0);
}

static void test_links(void **state)
{
	static const char *const bad[] = { "", "mnt", "mnt:", "mnt:[]", "mnt:[1", "mnt:[1]x", "mnt:[-1]", "mnt:[+1]",
					   "mnt:[4294967296]", "socket:[5]", "mn:[5]", "mnt:[0]" };
	uint32_t type = 99, inum = 99;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(ns_link_parse(bad[i], &type, &inum));
	assert_int_equal(type, 99);
	assert_true(ns_link_parse("mnt:[4026531832]", &type, &inum));
	assert_int_equal(type, NSS_NS_MNT);
	assert_int_equal(inum, 4026531832U);
}

static void test_processes(void **state)
{
	struct nstable t = {};
	struct ns *ns;

	(void)state;
	add(&t, 20, 7 * SECOND, 100, 100, 300);
	add(&t, 10, 9 * SECOND, 100, 200, 300);
	assert_int_equal(nstable_finish(&t), 0);
	ns = nstable_find(&t, 100);
	assert_int_equal(ns->type, NSS_NS_PID);
	assert_int_equal(ns->nprocs, 2);
	assert_int_equal(ns->leader->pid, 10);
	assert_int_equal(ns->age, NS_AGE_AT_LEAST);
	assert_int_equal(ns->since_ns, 7 * SECOND);
	/* Only children of 10 will be in it: it is no member. */
	ns = nstable_find(&t, 200);
	assert_int_equal(ns->type, NSS_NS_PID);
	assert_int_equal(ns->nprocs, 0);
	assert_null(ns->leader);
	assert_int_equal(ns->count[KEEPER_FOR_CHILDREN], 1);
	assert_int_equal(ns->keepers->by, 10);
	assert_int_equal(ns->age, NS_AGE_UNKNOWN);
	/* A process may have begun before the network namespace that it is in. */
	ns = nstable_find(&t, 300);
	assert_int_equal(ns->age, NS_AGE_ABOUT);
	assert_int_equal(ns->since_ns, 7 * SECOND);
	nstable_free(&t);
}

static struct ns *make(struct nstable *t, uint32_t type, uint32_t inum, uint64_t id, uint32_t owner, uint64_t seen)
{
	struct ns *ns = nstable_get(t, type, inum);

	ns->id = id;
	ns->owner = owner;
	ns->seen_ns = seen;
	return ns;
}

/* What owns is older; what has the lower id of one batch is older; other batches say nothing. */
static void test_age_is_proven(void **state)
{
	struct nstable t = {};
	struct ns *init, *user, *mnt, *earlier, *other, *later;

	(void)state;
	init = make(&t, NSS_NS_USER, 1, 3, 0, 0);
	user = make(&t, NSS_NS_USER, 2, 5000, 1, 0);
	user->parent = 1;
	mnt = make(&t, NSS_NS_MNT, 3, 5002, 2, 5 * SECOND);
	earlier = make(&t, NSS_NS_NET, 4, 5001, 1, 8 * SECOND);
	later = make(&t, NSS_NS_NET, 5, 5003, 1, 9 * SECOND);
	other = make(&t, NSS_NS_UTS, 6, 4000, 1, 8 * SECOND);
	assert_int_equal(nstable_finish(&t), 0);
	assert_int_equal(mnt->since_ns, 5 * SECOND);
	assert_int_equal(user->since_ns, 5 * SECOND);
	assert_int_equal(init->since_ns, 5 * SECOND);
	assert_int_equal(earlier->since_ns, 5 * SECOND);
	assert_int_equal(later->since_ns, 9 * SECOND);
	assert_int_equal(other->since_ns, 8 * SECOND);
	assert_int_equal(user->age, NS_AGE_AT_LEAST);
	assert_int_equal(user->count[KEEPER_OWNED], 1);
	assert_int_equal(init->count[KEEPER_CHILD], 1); /* told once, though it is the owner as well */
	assert_int_equal(init->count[KEEPER_OWNED], 3);
	nstable_free(&t);
}

static void test_order(void **state)
{
	struct nstable t = {};
	uint32_t inums[4], n = 0;

	(void)state;
	make(&t, NSS_NS_UTS, 1, 0, 0, 0);
	make(&t, NSS_NS_MNT, 9, 0, 0, 0);
	make(&t, NSS_NS_MNT, 7, 0, 0, 0);
	assert_null(nstable_get(&t, NSS_NS_MAX, 5));
	assert_int_equal(nstable_finish(&t), 0);
	for (const struct ns *ns = t.all; ns; ns = ns->hh.next)
		inums[n++] = ns->inum;
	assert_int_equal(n, 3);
	assert_int_equal(inums[0], 7);
	assert_int_equal(inums[1], 9);
	assert_int_equal(inums[2], 1);
	nstable_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_links),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_age_is_proven),
		cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
