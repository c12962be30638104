/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/model.h"

#include <errno.h>

#include "event/decode.h"
#include "records.h"
#include "test.h"

struct fixture {
	struct model model;
	struct decoder *decoder;
	struct record r;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	return !f || decoder_new(&f->decoder);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	model_free(&f->model);
	decoder_free(f->decoder);
	free(f);
	return 0;
}

static void take(struct fixture *f)
{
	struct event e;

	assert_int_equal(decoder_feed(f->decoder, f->r.bytes, f->r.len, &e), 1);
	assert_int_equal(model_update(&f->model, &e), 0);
	memset(&f->r, 0xee, sizeof(f->r)); /* the model keeps copies */
}

static void take_simple(struct fixture *f, enum nss_type type, uint16_t levels, uint32_t pid)
{
	record_make(&f->r, type, levels, pid);
	take(f);
}

static void start_is_kept(void **state)
{
	struct fixture *f = *state;
	struct nss_start *start;

	record_start(&f->r);
	start = record_payload(&f->r);
	start->host = (struct nss_host){ .pid_ns = 11, .mnt_ns = 12 };
	take(f);
	assert_int_equal(f->model.mono_start, 5000000);
	assert_int_equal(f->model.wall_offset_ns, 1700000000000000000);
	assert_int_equal(f->model.host.pid_ns, 11);
	assert_int_equal(f->model.host.mnt_ns, 12);
	assert_int_equal(f->model.events, 0);
}

static void process_from_fork_to_exit(void **state)
{
	struct fixture *f = *state;
	struct process *p;

	assert_null(model_find(&f->model, 100));
	take_simple(f, NSS_EV_FORK, 3, 100);
	p = model_find(&f->model, 100);
	assert_non_null(p);
	assert_int_equal(p->pid, 100);
	assert_int_equal(p->levels, 3);
	assert_int_equal(p->pids[0].pid, 100);
	assert_int_equal(p->pids[2].ns, 4026531838);
	assert_string_equal(p->task.comm, "sh");
	assert_null(model_find(&f->model, 101));
	take_simple(f, NSS_EV_EXIT, 3, 100);
	assert_null(model_find(&f->model, 100));
	assert_int_equal(f->model.events, 2);
	assert_int_equal(f->model.by_type[NSS_EV_FORK], 1);
	assert_int_equal(f->model.by_type[NSS_EV_EXIT], 1);
}

static void later_events_bring_it_up_to_date(void **state)
{
	struct fixture *f = *state;
	struct process *p;

	take_simple(f, NSS_EV_FORK, 1, 100);
	record_exec(&f->r, 100, "bash", 5, 5);
	memcpy(record_task(&f->r)->comm, "bash", 5);
	record_task(&f->r)->ns[NSS_NS_UTS] = 77;
	take(f);
	p = model_find(&f->model, 100);
	assert_non_null(p);
	assert_string_equal(p->task.comm, "bash");
	assert_int_equal(p->task.ns[NSS_NS_UTS], 77);
	assert_int_equal(p->levels, 2);
	assert_int_equal(f->model.processes.count, 1);
}

/* The exit of the first was lost. */
static void number_used_again_is_another_process(void **state)
{
	struct fixture *f = *state;
	struct process *p;

	record_make(&f->r, NSS_EV_PROCESS, 1, 100);
	record_task(&f->r)->start_ns = 1;
	((struct nss_process *)record_payload(&f->r))->kthread = 1;
	take(f);
	record_make(&f->r, NSS_EV_FORK, 2, 100);
	record_task(&f->r)->start_ns = 2;
	take(f);
	p = model_find(&f->model, 100);
	assert_non_null(p);
	assert_int_equal(p->start_ns, 2);
	assert_int_equal(p->levels, 2);
	assert_false(p->kthread);
}

static void snapshot_is_counted_apart(void **state)
{
	struct fixture *f = *state;

	record_make(&f->r, NSS_EV_PROCESS, 1, 2);
	((struct nss_process *)record_payload(&f->r))->kthread = 1;
	take(f);
	take_simple(f, NSS_EV_PROCESS, 1, 3);
	assert_int_equal(f->model.snapshot, 2);
	assert_int_equal(f->model.events, 0);
	assert_true(model_find(&f->model, 2)->kthread);
	assert_false(model_find(&f->model, 3)->kthread);
}

static void exit_of_the_unknown(void **state)
{
	struct fixture *f = *state;

	take_simple(f, NSS_EV_EXIT, 1, 100);
	assert_null(model_find(&f->model, 100));
	assert_int_equal(f->model.events, 1);
}

static void failed_calls_are_counted(void **state)
{
	struct fixture *f = *state;

	record_mount(&f->r, 0, "t", "/", NULL);
	((struct nss_mount *)record_payload(&f->r))->error = -EPERM;
	take(f);
	record_mount(&f->r, 0, "t", "/", NULL);
	take(f);
	take_simple(f, NSS_EV_EXIT, 1, 100);
	assert_int_equal(f->model.by_type[NSS_EV_MOUNT], 2);
	assert_int_equal(f->model.failed[NSS_EV_MOUNT], 1);
	assert_int_equal(f->model.failed[NSS_EV_EXIT], 0);
}

static void lost_adds_up_and_end_has_the_last_word(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		record_make(&f->r, NSS_EV_LOST, 0, 0);
		((struct nss_lost *)record_payload(&f->r))->lost.count[NSS_EV_FORK] = 3;
		((struct nss_lost *)record_payload(&f->r))->lost.count[NSS_EV_EXIT] = 1;
		take(f);
	}
	assert_int_equal(model_lost(&f->model), 8);
	assert_int_equal(f->model.lost.count[NSS_EV_FORK], 6);
	record_make(&f->r, NSS_EV_END, 0, 0);
	((struct nss_end *)record_payload(&f->r))->lost.count[NSS_EV_FORK] = 9;
	take(f);
	assert_int_equal(model_lost(&f->model), 9);
	assert_int_equal(f->model.events, 0);
}

static void many_processes(void **state)
{
	struct fixture *f = *state;

	for (uint32_t pid = 1; pid <= 2000; pid++)
		take_simple(f, NSS_EV_FORK, 1 + pid % NSS_LEVELS_MAX, pid);
	assert_int_equal(f->model.processes.count, 2000);
	for (uint32_t pid = 1; pid <= 2000; pid++)
		assert_int_equal(model_find(&f->model, pid)->levels, 1 + pid % NSS_LEVELS_MAX);
	for (uint32_t pid = 1; pid <= 2000; pid += 2)
		take_simple(f, NSS_EV_EXIT, 1, pid);
	assert_int_equal(f->model.processes.count, 1000);
	assert_null(model_find(&f->model, 1));
	assert_non_null(model_find(&f->model, 2));
}

/* In the order of their PIDs, however they came. */
static void processes_in_order(void **state)
{
	static const uint32_t came[] = { 70000, 3, NSS_PID_LIMIT - 1, 512, 511 }, order[] = { 3, 511, 512, 70000, NSS_PID_LIMIT - 1 };
	struct fixture *f = *state;
	struct process *p;
	uint32_t pid = 0;

	assert_null(pidtable_next(&f->model.processes, &pid));
	for (size_t i = 0; i < 5; i++)
		take_simple(f, NSS_EV_FORK, 1, came[i]);
	pid = 0;
	for (size_t i = 0; i < 5; i++) {
		p = pidtable_next(&f->model.processes, &pid);
		assert_non_null(p);
		assert_int_equal(p->pid, order[i]);
	}
	assert_null(pidtable_next(&f->model.processes, &pid));
}

/* A recording may hold anything. */
static void impossible_number(void **state)
{
	struct fixture *f = *state;

	take_simple(f, NSS_EV_FORK, 1, NSS_PID_LIMIT);
	take_simple(f, NSS_EV_EXIT, 1, 0xffffffff);
	assert_int_equal(f->model.processes.count, 0);
	assert_null(model_find(&f->model, NSS_PID_LIMIT));
	assert_int_equal(f->model.events, 2);
}

#define MODEL_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MODEL_TEST(start_is_kept),
		MODEL_TEST(process_from_fork_to_exit),
		MODEL_TEST(later_events_bring_it_up_to_date),
		MODEL_TEST(number_used_again_is_another_process),
		MODEL_TEST(snapshot_is_counted_apart),
		MODEL_TEST(exit_of_the_unknown),
		MODEL_TEST(failed_calls_are_counted),
		MODEL_TEST(lost_adds_up_and_end_has_the_last_word),
		MODEL_TEST(many_processes),
		MODEL_TEST(processes_in_order),
		MODEL_TEST(impossible_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
