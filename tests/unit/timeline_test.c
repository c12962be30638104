/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree of a timeline: what is put together, that nobody is lost by it, and that its memory does not grow. */
#include <locale.h>
#include <stdio.h>

#include "check_xml.h"
#include "event/decode.h"
#include "model/timeline.h"
#include "records.h"
#include "test.h"
#include "view/timelineview.h"

#define MS 1000000ULL

struct stream {
	struct timeline t;
	struct model m;
	struct decoder *d;
	uint64_t now;
	size_t most; /* nodes at a time */
	bool hide; /* the events that come are left out by a filter */
};

static void feed(struct stream *s, struct record *r)
{
	struct event e;

	record_head(r)->mono_ns = s->now;
	assert_int_equal(decoder_feed(s->d, r->bytes, r->len, &e), 1);
	assert_int_equal(model_update(&s->m, &e), 0);
	assert_int_equal(timeline_event(&s->t, &e, &s->m, !s->hide), 0);
	s->most = s->t.nodes > s->most ? s->t.nodes : s->most;
}

static struct record *record(enum nss_type type, uint32_t pid, const char *comm)
{
	static struct record kept[NSS_EV_MAX], *r = NULL;

	r = &kept[type];
	if (!r->len) /* the rest is the same each time */
		record_make(r, type, 1, pid);
	for (size_t i = 0; i < 2; i++) /* pid and tid */
		memcpy((char *)r->bytes + r->len - (i + 1) * sizeof(pid), &pid, sizeof(pid));
	memset(record_task(r)->comm, 0, NSS_COMM_LEN);
	strncpy(record_task(r)->comm, comm, NSS_COMM_LEN - 1);
	record_task(r)->start_ns = pid;
	return r;
}

static void begin(struct stream *s)
{
	struct record r;

	*s = (struct stream){ .now = 10000 * MS };
	assert_int_equal(decoder_new(&s->d), 0);
	timeline_init(&s->t);
	record_start(&r);
	feed(s, &r);
}

static void fork_at(struct stream *s, uint64_t ms, uint32_t pid, uint32_t parent, const char *comm)
{
	struct record *r = record(NSS_EV_FORK, pid, comm);

	((struct nss_fork *)record_payload(r))->parent = (struct nss_parent){ parent, 0 };
	s->now = (10000 + ms) * MS;
	feed(s, r);
}

static void exit_at(struct stream *s, uint64_t ms, uint32_t pid, const char *comm, uint32_t status)
{
	struct record *r = record(NSS_EV_EXIT, pid, comm);

	((struct nss_exit *)record_payload(r))->status = status;
	s->now = (10000 + ms) * MS;
	feed(s, r);
}

/* All processes are in some node still, the tree is one, and the picture is well-formed. */
static void finish(struct stream *s, size_t nodes)
{
	const struct timeline_node *n = &s->t.root;
	size_t depth = 0, count = 0;
	struct buf b = {};
	uint64_t processes;

	assert_int_equal(timeline_finish(&s->t, nodes), 0);
	processes = s->t.left_out;
	while ((n = timeline_next(n, &depth))) {
		count++;
		processes += n->count;
		assert_true(depth || n->parent == &s->t.root);
		assert_true(n->begin <= n->ended);
	}
	assert_int_equal(count, s->t.nodes);
	assert_int_equal(processes, s->t.processes);
	assert_true(count <= nodes);
	assert_int_equal(timelineview(&b, &s->t, &s->m), 0);
	assert_true(check_svg(b.data, b.len));
	assert_true(b.len < 2000000);
	buf_free(&b);
}

static void over(struct stream *s)
{
	timeline_free(&s->t);
	assert_int_equal(s->t.nodes, 0);
	assert_int_equal(s->t.marks, 0);
	model_free(&s->m);
	decoder_free(s->d);
}

static void few_stand_alone(void **state)
{
	struct stream s;
	const struct timeline_node *sh;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 1, 0, "sh");
	for (uint32_t i = 0; i < 50; i++) {
		fork_at(&s, 1 + i, 100 + i, 1, "true");
		exit_at(&s, 2 + i, 100 + i, "true", 0);
	}
	exit_at(&s, 60, 1, "sh", 0);
	finish(&s, 120);
	sh = s.t.root.children;
	assert_int_equal(s.t.nodes, 51);
	assert_null(sh->next);
	assert_int_equal(sh->ended - sh->begin, 60 * MS);
	assert_int_equal(sh->children->pid, 100);
	assert_null(sh->children->group);
	over(&s);
}

/* 300 times: a sh that makes a cc, for 1 ms to 300 ms; ten fail. */
static void repeats_are_put_together(void **state)
{
	const struct timeline_node *sh, *cc;
	struct stream s;
	uint64_t busy = 0;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 1, 0, "make");
	for (uint32_t i = 1; i <= 300; i++) {
		fork_at(&s, 1000 * i, 1000 + i, 1, "sh");
		fork_at(&s, 1000 * i, 2000 + i, 1000 + i, "cc");
		exit_at(&s, 1000 * i + i, 2000 + i, "cc", i > 290 ? 9 : 0);
		exit_at(&s, 1000 * i + i, 1000 + i, "sh", 0);
	}
	finish(&s, 120);
	assert_int_equal(s.t.nodes, 3);
	sh = s.t.root.children->children;
	cc = sh->children;
	assert_int_equal(s.t.root.children->end, TIMELINE_LIVES);
	assert_int_equal(sh->count, 300);
	assert_int_equal(cc->count, 300);
	assert_int_equal(cc->group->failed, 10);
	assert_int_equal(sh->group->failed, 0);
	assert_int_equal(cc->group->min_ns, MS);
	assert_int_equal(cc->group->max_ns, 300 * MS);
	assert_in_range(timeline_median(cc->group), 150 * MS * 15 / 16, 150 * MS * 17 / 16);
	assert_int_equal(cc->begin - s.t.origin, 1000 * MS);
	assert_int_equal(cc->ended - s.t.origin, 300300 * MS);
	for (size_t i = 0; i < TIMELINE_BINS; i++)
		busy += (uint64_t)cc->group->busy[i];
	assert_in_range(busy, 45150 * MS * 999 / 1000, 45150 * MS * 1001 / 1000); /* 1 + 2 + ... + 300 */
	over(&s);
}

static void the_longest_stay(void **state)
{
	struct stream s;
	size_t found = 0;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 1, 0, "sh");
	for (uint32_t i = 0; i < 1000; i++) {
		char comm[NSS_COMM_LEN];

		snprintf(comm, sizeof(comm), "c%u", i);
		fork_at(&s, 1000 * i, 100 + i, 1, comm);
		exit_at(&s, 1000 * i + (i % 100 ? 1 : 500), 100 + i, comm, 0);
	}
	finish(&s, 120);
	for (const struct timeline_node *n = s.t.root.children->children; n; n = n->next)
		found += !n->group && n->ended - n->begin == 500 * MS;
	assert_int_equal(found, 10);
	over(&s);
}

/* Each makes the next, and ends. */
static void a_chain_is_cut(void **state)
{
	struct stream s;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 1, 0, "sh");
	for (uint32_t i = 1; i < 100000; i++) {
		fork_at(&s, i, i + 1, i, i % 2 ? "a" : "b");
		exit_at(&s, i, i, i % 2 ? "b" : "a", 0);
	}
	finish(&s, 120);
	assert_int_equal(s.t.processes, 100000);
	assert_true(s.most <= TIMELINE_NODES + 1);
	over(&s);
}

static void a_million_take_no_more_room(void **state)
{
	struct stream s;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 1, 0, "sh");
	for (uint32_t i = 2; i < 1000000; i++) {
		fork_at(&s, i, i, 1, i % 3 ? "true" : "false");
		exit_at(&s, i + 1, i, i % 3 ? "true" : "false", i % 3 ? 0 : 256);
	}
	finish(&s, 120);
	assert_int_equal(s.t.processes, 999999);
	assert_true(s.most <= TIMELINE_NODES + 1);
	over(&s);
}

/* Many that live at a time cannot be put together before they end. */
static void the_living_stay(void **state)
{
	struct stream s;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 1, 0, "sh");
	for (uint32_t i = 2; i < 20000; i++)
		fork_at(&s, i, i, i / 2, "sh");
	assert_int_equal(s.t.nodes, 19999);
	for (uint32_t i = 19999; i > 10; i--)
		exit_at(&s, 20000, i, "sh", 0);
	finish(&s, 120);
	over(&s);
}

static void filters_leave_only_theirs(void **state)
{
	struct stream s;

	(void)state;
	begin(&s);
	s.t.filtered = s.hide = true;
	fork_at(&s, 0, 1, 0, "sh");
	for (uint32_t i = 2; i < 1000; i++) {
		fork_at(&s, i, i, 1, "true");
		s.hide = i != 500;
		exit_at(&s, i + 1, i, "true", 0);
		s.hide = true;
	}
	finish(&s, 120);
	assert_int_equal(s.t.nodes, 1);
	assert_int_equal(s.t.root.children->pid, 500);
	assert_int_equal(s.t.root.children->ended - s.t.root.children->begin, MS);
	assert_int_equal(s.t.left_out, 998);
	over(&s);
}

/* The exit was lost, and the number is used again. */
static void a_number_is_used_again(void **state)
{
	struct stream s;

	(void)state;
	begin(&s);
	fork_at(&s, 0, 7, 0, "old");
	fork_at(&s, 5, 7, 0, "new");
	exit_at(&s, 9, 7, "new", 0);
	finish(&s, 120);
	assert_int_equal(s.t.nodes, 2);
	assert_int_equal(s.t.root.children->end, TIMELINE_END_UNKNOWN);
	assert_int_equal(s.t.root.children->next->end, TIMELINE_ENDED);
	over(&s);
}

/* A process by its own number in the PID namespace @ns below the host's. */
static void fork_inside(struct stream *s, uint64_t ms, uint32_t pid, uint32_t parent, uint32_t ns, uint32_t inside)
{
	const struct nss_pid in = { .ns = ns, .pid = inside, .tid = inside };
	struct record r;

	record_make(&r, NSS_EV_FORK, 1, pid);
	((struct nss_fork *)record_payload(&r))->parent = (struct nss_parent){ parent, 0 };
	record_task(&r)->start_ns = pid;
	record_add(&r, &in, sizeof(in));
	record_head(&r)->levels = 2;
	s->now = (10000 + ms) * MS;
	feed(s, &r);
}

/* The kernel gives a new namespace the number of one that has ended: only its first process tells. */
static void a_namespace_number_is_used_again(void **state)
{
	const struct timeline_node *first, *second;
	struct stream s;
	struct buf b = {};

	(void)state;
	begin(&s);
	fork_inside(&s, 1, 100, 0, 77, 1);
	fork_inside(&s, 2, 101, 100, 77, 2);
	fork_inside(&s, 3, 200, 0, 77, 1);
	fork_inside(&s, 4, 201, 200, 77, 2);
	fork_inside(&s, 5, 300, 0, 78, 5); /* its first process is not seen, that of the next is */
	fork_inside(&s, 6, 301, 0, 78, 1);
	assert_int_equal(timeline_finish(&s.t, 120), 0);
	first = s.t.root.children;
	second = first->next;
	assert_true(timeline_same_ns(first, first->children));
	assert_true(timeline_same_ns(second, second->children));
	assert_false(timeline_same_ns(first, second));
	assert_false(timeline_same_ns(second->next, second->next->next));
	assert_int_equal(timelineview(&b, &s.t, &s.m), 0);
	buf_addc(&b, 0);
	assert_non_null(strstr(b.data, ">77 (2)<"));
	assert_non_null(strstr(b.data, ">77 #2 (2)<"));
	buf_free(&b);
	over(&s);
}

/* A group of both is of several. */
static void groups_tell_namespaces_of_one_number_apart(void **state)
{
	struct stream s;

	(void)state;
	for (uint32_t each = 1; each <= 2; each++) {
		begin(&s);
		fork_at(&s, 0, 1, 0, "sh");
		for (uint32_t i = 0; i < 200; i++) {
			uint32_t pid = 100 + i;

			fork_inside(&s, 1, pid, 1, 77, each == 1 && i ? i + 1 : 1);
			exit_at(&s, 2, pid, "sh", 0);
		}
		finish(&s, 120);
		assert_int_equal(s.t.nodes, 2);
		assert_int_equal(s.t.root.children->children->group->several_ns, each == 2);
		over(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_stand_alone),
		cmocka_unit_test(repeats_are_put_together),
		cmocka_unit_test(the_longest_stay),
		cmocka_unit_test(a_chain_is_cut),
		cmocka_unit_test(a_million_take_no_more_room),
		cmocka_unit_test(the_living_stay),
		cmocka_unit_test(filters_leave_only_theirs),
		cmocka_unit_test(a_number_is_used_again),
		cmocka_unit_test(a_namespace_number_is_used_again),
		cmocka_unit_test(groups_tell_namespaces_of_one_number_apart),
	};

	if (!setlocale(LC_ALL, "C.UTF-8"))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
