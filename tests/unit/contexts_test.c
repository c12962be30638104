/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Steps of the new mount API, joined by the number of their context. */
#include "model/contexts.h"

#include <errno.h>
#include <stdio.h>

#include "event/decode.h"
#include "event/kinds.h"
#include "event/names.h"
#include "model/model.h"
#include "records.h"
#include "test.h"

struct fixture {
	struct model model;
	struct decoder *decoder;
	struct record r;
	struct event e;
	struct buf text;
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
	buf_free(&f->text);
	free(f);
	return 0;
}

/* Feeds the record; what the event says is then in f->text. */
static void take(struct fixture *f)
{
	assert_int_equal(decoder_feed(f->decoder, f->r.bytes, f->r.len, &f->e), 1);
	assert_int_equal(model_update(&f->model, &f->e), 0);
	f->text.len = 0;
	event_text(&f->text, &f->e);
	buf_addc(&f->text, 0);
}

static void add_str(struct fixture *f, struct nss_str *at, const char *s)
{
	record_str(&f->r, at, s ? s : "", s ? strlen(s) : 0, s ? 0 : NSS_STR_NULL);
}

static void fsopen(struct fixture *f, uint64_t context, const char *name)
{
	struct nss_fsopen *p;

	record_make(&f->r, NSS_EV_FSOPEN, 2, 100);
	p = record_payload(&f->r);
	p->error = 3;
	p->context = context;
	add_str(f, &p->fsname, name);
	take(f);
}

static void fspick(struct fixture *f, uint64_t context, const char *path)
{
	struct nss_fspick *p;

	record_make(&f->r, NSS_EV_FSPICK, 2, 100);
	p = record_payload(&f->r);
	p->context = context;
	add_str(f, &p->path, path);
	add_str(f, &p->fstype, "tmpfs");
	take(f);
}

static void fsconfig(struct fixture *f, uint64_t context, uint32_t cmd, const char *key, const char *value, int32_t error,
		     const char *log)
{
	struct nss_fsconfig *p;

	record_make(&f->r, NSS_EV_FSCONFIG, 2, 100);
	p = record_payload(&f->r);
	p->context = context;
	p->cmd = cmd;
	p->error = error;
	add_str(f, &p->key, key);
	add_str(f, &p->value, value);
	add_str(f, &p->fstype, "tmpfs");
	record_str(&f->r, &p->log, log ? log : "", log ? strlen(log) + 1 : 0, 0);
	take(f);
}

static void fsmount(struct fixture *f, uint64_t context, uint64_t flags, uint64_t attr)
{
	struct nss_fsmount *p;

	record_make(&f->r, NSS_EV_FSMOUNT, 2, 100);
	p = record_payload(&f->r);
	p->context = context;
	p->flags = flags;
	p->attr_flags = attr;
	add_str(f, &p->fstype, "tmpfs");
	take(f);
}

static void open_tree(struct fixture *f, uint64_t context, uint64_t flags, const char *path)
{
	struct nss_open_tree *p;

	record_make(&f->r, NSS_EV_OPEN_TREE, 2, 100);
	p = record_payload(&f->r);
	p->context = context;
	p->flags = flags;
	add_str(f, &p->path, path);
	take(f);
}

static void setattr(struct fixture *f, uint64_t context, uint64_t set, uint64_t clear, uint64_t propagation)
{
	struct nss_mount_setattr *p;

	record_make(&f->r, NSS_EV_MOUNT_SETATTR, 2, 100);
	p = record_payload(&f->r);
	p->context = context;
	p->attr_set = set;
	p->attr_clr = clear;
	p->propagation = propagation;
	p->reach.flags = NSS_REACH_KNOWN;
	p->target.v = p->target_host.v = NSS_STR_NULL;
	add_str(f, &p->target_arg, "");
	take(f);
}

static void move_mount(struct fixture *f, uint64_t context, const char *to, int32_t error)
{
	struct nss_move_mount *p;

	record_make(&f->r, NSS_EV_MOVE_MOUNT, 2, 100);
	p = record_payload(&f->r);
	p->context = context;
	p->error = error;
	p->reach.flags = NSS_REACH_KNOWN;
	record_task(&f->r)->ns[NSS_NS_MNT] = 7;
	add_str(f, &p->from, "");
	add_str(f, &p->to, to);
	add_str(f, &p->target, error ? NULL : to);
	p->target_host.v = p->fstype.v = p->source.v = NSS_STR_NULL;
	take(f);
}

static void process_exit(struct fixture *f, uint32_t pid)
{
	record_make(&f->r, NSS_EV_EXIT, 2, pid);
	take(f);
}

static void new_file_system_is_one_line(void **state)
{
	struct fixture *f = *state;

	fsopen(f, 1, "tmpfs");
	assert_true(f->e.held);
	fsconfig(f, 1, FSCONFIG_CMD_SET_STRING, "source", "a b", 0, NULL);
	assert_true(f->e.held);
	fsconfig(f, 1, FSCONFIG_CMD_SET_STRING, "size", "1m\n", 0, NULL);
	fsconfig(f, 1, FSCONFIG_CMD_SET_FLAG, "ro", NULL, 0, NULL);
	fsconfig(f, 1, FSCONFIG_CMD_MAKE, NULL, NULL, 0, NULL);
	assert_true(f->e.held);
	fsmount(f, 1, 0, 2);
	assert_true(f->e.held);
	move_mount(f, 1, "/nowhere", -ENOENT);
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "new 'a b' on /nowhere type tmpfs ($'size=1m\\n',ro,nosuid) by fsopen failed: ENOENT");
	move_mount(f, 1, "/mnt", 0);
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "new 'a b' on /mnt type tmpfs ($'size=1m\\n',ro,nosuid) by fsopen: stays inside");
	assert_int_equal(f->model.contexts.held, 6);
	move_mount(f, 1, "/srv", 0); /* moved on: nothing but that */
	assert_string_equal(f->text.data, "'' to /srv: stays inside");
	process_exit(f, 100);
	assert_null(f->model.contexts.left);
}

static void failures_and_messages_are_told_at_once(void **state)
{
	struct fixture *f = *state;

	fsopen(f, 1, "tmpfs");
	fsconfig(f, 1, FSCONFIG_CMD_SET_STRING, "size", "x", -EINVAL, "e tmpfs: Bad\033 value");
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "tmpfs: set size=x failed: EINVAL: tmpfs: Bad\\x1b value");
	fsconfig(f, 1, FSCONFIG_CMD_MAKE, NULL, NULL, 0, "w tmpfs: beware");
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "tmpfs: create: tmpfs: beware");
	fsconfig(f, 2, 77, "k", NULL, 0, NULL); /* of a context that was made before */
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "tmpfs: command 0x4d k");
}

static void copies_are_one_line(void **state)
{
	struct fixture *f = *state;

	open_tree(f, 0, 0, "/etc"); /* no copy */
	assert_false(f->e.held);
	open_tree(f, 5, 0x8001, "/etc");
	assert_true(f->e.held);
	setattr(f, 5, 1, 0x70, 1 << 18);
	assert_true(f->e.held);
	setattr(f, 5, 0x10, 0x72, 0);
	move_mount(f, 5, "/mnt", 0);
	assert_string_equal(f->text.data,
			    "bind /etc on /mnt (recursive,ro,relatime,private,noatime,suid) by open_tree: stays inside");
	setattr(f, 5, 8, 0, 0);
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "the mount of fd 0 set noexec");
}

static void picked_one_is_told_with_each_change(void **state)
{
	struct fixture *f = *state;

	fspick(f, 9, "/mnt");
	fsconfig(f, 9, FSCONFIG_CMD_SET_STRING, "size", "1m", 0, NULL);
	fsconfig(f, 9, FSCONFIG_CMD_REMAKE, NULL, NULL, 0, NULL);
	assert_string_equal(f->text.data, "remount /mnt type tmpfs (size=1m) by fspick");
	fsconfig(f, 9, FSCONFIG_CMD_SET_FLAG, "ro", NULL, 0, NULL);
	assert_true(f->e.held);
	fsconfig(f, 9, FSCONFIG_CMD_REMAKE, NULL, NULL, -EBUSY, NULL);
	assert_string_equal(f->text.data, "remount /mnt type tmpfs (ro) by fspick failed: EBUSY");
	fsconfig(f, 9, FSCONFIG_CMD_REMAKE, NULL, NULL, 0, NULL);
	assert_string_equal(f->text.data, "remount /mnt type tmpfs (ro) by fspick");
}

static void namespace_of_its_own(void **state)
{
	struct fixture *f = *state;

	fsopen(f, 1, "tmpfs");
	fsmount(f, 1, 2, 0);
	assert_false(f->e.held);
	assert_string_equal(f->text.data, "new tmpfs type tmpfs in a namespace of its own, by fsopen (namespace)");
	process_exit(f, 100);
	assert_null(f->model.contexts.left);
}

/* Of those that nobody went on with, each once. */
static void what_came_to_nothing_is_left(void **state)
{
	struct fixture *f = *state;
	const struct context *left;

	fsopen(f, 1, "tmpfs");
	fsconfig(f, 1, FSCONFIG_CMD_SET_STRING, "size", "1m", 0, NULL);
	open_tree(f, 2, 1, "/etc");
	process_exit(f, 200);
	assert_null(f->model.contexts.left);
	process_exit(f, 100);
	left = f->model.contexts.left;
	assert_non_null(left);
	assert_non_null(left->next_left);
	assert_null(left->next_left->next_left);
	f->text.len = 0;
	steps_text(&f->text, &left->steps);
	buf_adds(&f->text, "; ");
	steps_text(&f->text, &left->next_left->steps);
	buf_addc(&f->text, 0);
	assert_string_equal(f->text.data, "copy of /etc; tmpfs (size=1m)");
	process_exit(f, 100);
	assert_null(f->model.contexts.left);
	move_mount(f, 2, "/mnt", 0); /* by one that had got the file descriptor */
	assert_string_equal(f->text.data, "bind /etc on /mnt by open_tree: stays inside");
}

/* Many contexts and long options: bounded, and what goes is told. */
static void memory_is_bounded(void **state)
{
	struct fixture *f = *state;
	char value[300];
	uint64_t told = 0;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = 0;
	for (uint64_t n = 1; n <= 3000; n++) {
		fsopen(f, n, "tmpfs");
		for (const struct context *x = f->model.contexts.left; x; x = x->next_left)
			told++;
	}
	assert_int_equal(HASH_COUNT(f->model.contexts.by_number) + told, 3000);
	assert_true(told > 0);
	for (int i = 0; i < 100; i++)
		fsconfig(f, 3000, FSCONFIG_CMD_SET_STRING, "key", value, 0, NULL);
	move_mount(f, 3000, "/mnt", 0);
	assert_true(f->e.steps->options.len < 8192);
	assert_non_null(strstr(f->text.data, ",more) by fsopen"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(new_file_system_is_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(failures_and_messages_are_told_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(copies_are_one_line, setup, teardown),
		cmocka_unit_test_setup_teardown(picked_one_is_told_with_each_change, setup, teardown),
		cmocka_unit_test_setup_teardown(namespace_of_its_own, setup, teardown),
		cmocka_unit_test_setup_teardown(what_came_to_nothing_is_left, setup, teardown),
		cmocka_unit_test_setup_teardown(memory_is_bounded, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
