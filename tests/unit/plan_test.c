/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static char *argv_true[] = { "true", NULL };

#define ROOT { .of = { { .one = true }, { .one = true } } }

/* The plan in words, one step a line. */
static const char *words(const struct launch_settings *s)
{
	static char all[1024];
	struct plan p;
	size_t len = 0, i;

	assert_int_equal(plan_make(s, "/bin/zsh", &p), 0);
	all[0] = '\0';
	for (i = 0; i < p.n; i++) {
		plan_describe(&p.steps[i], all + len, sizeof(all) - len);
		len = strlen(all);
		assert_true(len + 1 < sizeof(all));
		strcpy(all + len++, "\n");
	}
	return all;
}

static uint64_t namespaces(const struct launch_settings *s)
{
	struct plan p;

	assert_int_equal(plan_make(s, NULL, &p), 0);
	return p.namespaces;
}

static void none_named_is_the_default_set(void **state)
{
	const struct launch_settings s = { .argv = argv_true };

	(void)state;
	assert_int_equal(namespaces(&s), PLAN_DEFAULT_NAMESPACES);
	assert_string_equal(words(&s), "make all mounts private\n"
				       "mount proc on /proc\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void named_alone_mounts_nothing(void **state)
{
	const struct launch_settings s = { .namespaces = CLONE_NEWUTS, .argv = argv_true };

	(void)state;
	assert_int_equal(namespaces(&s), CLONE_NEWUTS);
	assert_string_equal(words(&s), "restore the signal mask\nexecute true\n");
}

static void mount_namespace_is_made_private(void **state)
{
	const struct launch_settings s = { .namespaces = CLONE_NEWNS, .argv = argv_true };

	(void)state;
	assert_string_equal(words(&s), "make all mounts private\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void proc_implies_a_mount_namespace(void **state)
{
	const struct launch_settings s = {
		.namespaces = CLONE_NEWPID,
		.mount_proc = true,
		.proc_dir = "/p",
		.argv = argv_true,
	};

	(void)state;
	assert_int_equal(namespaces(&s), CLONE_NEWPID | CLONE_NEWNS);
	assert_string_equal(words(&s), "make all mounts private\n"
				       "mount proc on /p\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void map_root_implies_a_user_namespace(void **state)
{
	const struct launch_settings named = {
		.namespaces = CLONE_NEWUTS,
		.maps = ROOT,
		.argv = argv_true,
	};
	const struct launch_settings alone = { .maps = ROOT, .argv = argv_true };

	(void)state;
	assert_int_equal(namespaces(&named), CLONE_NEWUTS | CLONE_NEWUSER);
	assert_string_equal(words(&named), "setgroups(2): deny\n"
					   "write the map of users\n"
					   "write the map of groups\n"
					   "restore the signal mask\n"
					   "execute true\n");
	assert_int_equal(namespaces(&alone), PLAN_DEFAULT_NAMESPACES | CLONE_NEWUSER);
}

static void user_namespace_alone_maps_nothing(void **state)
{
	const struct launch_settings s = { .namespaces = CLONE_NEWUSER, .argv = argv_true };

	(void)state;
	assert_string_equal(words(&s), "restore the signal mask\nexecute true\n");
}

static void proc_is_mounted_in_the_new_root(void **state)
{
	const struct launch_settings s = { .root = "/r", .wd = "/w", .argv = argv_true };

	(void)state;
	assert_string_equal(words(&s), "make all mounts private\n"
				       "chroot to /r\n"
				       "change directory to /w\n"
				       "mount proc on /proc\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void root_alone_is_the_working_directory(void **state)
{
	const struct launch_settings s = {
		.namespaces = CLONE_NEWUTS,
		.root = "/r",
		.argv = argv_true,
	};

	(void)state;
	assert_string_equal(words(&s), "chroot to /r\n"
				       "change directory to /\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void working_directory_without_root(void **state)
{
	const struct launch_settings s = {
		.namespaces = CLONE_NEWUTS,
		.wd = "w",
		.argv = argv_true,
	};

	(void)state;
	assert_string_equal(words(&s), "change directory to w\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

/* Nothing that could change what is told comes behind it. */
static void announced_before_exec(void **state)
{
	const struct launch_settings s = { .root = "/r", .announce = true, .argv = argv_true };

	(void)state;
	assert_string_equal(words(&s), "make all mounts private\n"
				       "chroot to /r\n"
				       "change directory to /\n"
				       "mount proc on /proc\n"
				       "wait to be let go\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void no_command_is_the_shell(void **state)
{
	const struct launch_settings s = { .namespaces = CLONE_NEWUTS };

	(void)state;
	assert_string_equal(words(&s), "restore the signal mask\nexecute the shell /bin/zsh\n");
}

static void setgroups_is_denied_before_the_maps_and_allowed_after(void **state)
{
	struct launch_settings s = {
		.namespaces = CLONE_NEWUTS,
		.maps.of[IDMAP_GROUPS] = { .n = 1, .items = { { IDMAP_RANGE, { 0, 1000, 10 } } } },
		.argv = argv_true,
	};

	(void)state;
	assert_int_equal(namespaces(&s), CLONE_NEWUTS | CLONE_NEWUSER);
	assert_string_equal(words(&s), "write the map of groups\nrestore the signal mask\nexecute true\n");
	s.maps.setgroups = IDMAP_SETGROUPS_DENY;
	assert_string_equal(words(&s), "setgroups(2): deny\nwrite the map of groups\n"
				       "restore the signal mask\nexecute true\n");
	s.maps.setgroups = IDMAP_SETGROUPS_ALLOW;
	assert_string_equal(words(&s), "write the map of groups\nsetgroups(2): allow\n"
				       "restore the signal mask\nexecute true\n");
}

static void persistent_namespaces_stay_only_for_a_command(void **state)
{
	const struct launch_settings s = {
		.namespaces = CLONE_NEWUTS | CLONE_NEWNET,
		.persist = { [NSS_NS_UTS] = "/u", [NSS_NS_NET] = "/n" },
		.argv = argv_true,
	};

	(void)state;
	assert_string_equal(words(&s), "make a namespace persistent on /n\n"
				       "make a namespace persistent on /u\n"
				       "restore the signal mask\n"
				       "let the persistent namespaces stay\n"
				       "execute true\n");
}

/* As many steps as can be. */
static void all_at_once(void **state)
{
	const struct launch_settings s = {
		.namespaces = CLONE_NEWTIME | CLONE_NEWNET,
		.maps = ROOT,
		.mount_proc = true,
		.root = "/r",
		.argv = argv_true,
	};

	(void)state;
	assert_int_equal(namespaces(&s),
			 CLONE_NEWTIME | CLONE_NEWNET | CLONE_NEWUSER | CLONE_NEWNS);
	assert_string_equal(words(&s), "setgroups(2): deny\n"
					   "write the map of users\n"
					   "write the map of groups\n"
				       "make all mounts private\n"
				       "chroot to /r\n"
				       "change directory to /\n"
				       "mount proc on /proc\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

/* What is done outside comes before all else: the command is held meanwhile. */
static void outside_comes_first_and_exec_last(void **state)
{
	const struct launch_settings s = { .maps = ROOT, .root = "/", .argv = argv_true };
	enum plan_where where = PLAN_OUTSIDE;
	struct plan p;
	size_t i;

	(void)state;
	assert_int_equal(plan_make(&s, NULL, &p), 0);
	for (i = 0; i < p.n; i++) {
		assert_true(plan_where(p.steps[i].act) >= where);
		where = plan_where(p.steps[i].act);
		assert_int_equal(plan_is_exec(p.steps[i].act), i == p.n - 1);
	}
	assert_int_equal(where, PLAN_INSIDE);
}

static void refused(void **state)
{
	char *empty[] = { NULL };
	const struct launch_settings no_command = { .argv = empty };
	const struct launch_settings no_namespace = {
		.namespaces = CLONE_NEWPID | CLONE_VM,
		.argv = argv_true,
	};
	struct plan p = { .n = 42 };

	(void)state;
	assert_int_equal(plan_make(&no_command, NULL, &p), -EINVAL);
	assert_int_equal(plan_make(&no_namespace, NULL, &p), -EINVAL);
	assert_int_equal(p.n, 42);
}

static void words_are_cut(void **state)
{
	const struct plan_step s = { .act = PLAN_CHROOT, .arg = "/a/long/path" };
	char text[12];

	(void)state;
	plan_describe(&s, text, sizeof(text));
	assert_string_equal(text, "chroot to /");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_named_is_the_default_set),
		cmocka_unit_test(named_alone_mounts_nothing),
		cmocka_unit_test(mount_namespace_is_made_private),
		cmocka_unit_test(proc_implies_a_mount_namespace),
		cmocka_unit_test(map_root_implies_a_user_namespace),
		cmocka_unit_test(user_namespace_alone_maps_nothing),
		cmocka_unit_test(proc_is_mounted_in_the_new_root),
		cmocka_unit_test(root_alone_is_the_working_directory),
		cmocka_unit_test(working_directory_without_root),
		cmocka_unit_test(announced_before_exec),
		cmocka_unit_test(no_command_is_the_shell),
		cmocka_unit_test(setgroups_is_denied_before_the_maps_and_allowed_after),
		cmocka_unit_test(persistent_namespaces_stay_only_for_a_command),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(outside_comes_first_and_exec_last),
		cmocka_unit_test(refused),
		cmocka_unit_test(words_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
