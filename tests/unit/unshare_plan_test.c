/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "launch/unshare_plan.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>

static char *argv_true[] = { "true", NULL };

#define ROOT { .of = { { .one = true }, { .one = true } } }
#define RANGE { .n = 1, .items = { { IDMAP_RANGE, { 0, 100000, 10 } } } }
#define PRIVATE (MS_REC | MS_PRIVATE)

/* The plan in words, one step a line. */
static const char *words(const struct launch_settings *s)
{
	static char all[4096];
	struct unshare_plan p;
	const char *why;
	size_t len = 0, i;

	assert_int_equal(unshare_plan(s, "/bin/zsh", &p, &why), 0);
	assert_null(why);
	all[0] = '\0';
	for (i = 0; i < p.n; i++) {
		unshare_describe(&p.steps[i], all + len, sizeof(all) - len);
		len = strlen(all);
		assert_true(len + 1 < sizeof(all));
		strcpy(all + len++, "\n");
	}
	return all;
}

static void nothing_is_exec(void **state)
{
	const struct unshare_settings u = { .propagation = PRIVATE };
	const struct launch_settings s = { .argv = argv_true, .in_place = &u };
	const struct launch_settings shell = { .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "execute true\n");
	assert_string_equal(words(&shell), "execute the shell /bin/zsh\n");
}

static void mounts_are_private_only_in_a_new_namespace(void **state)
{
	struct unshare_settings u = { .propagation = PRIVATE };
	struct launch_settings s = { .namespaces = CLONE_NEWNS, .argv = argv_true, .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "unshare the namespaces mnt\n"
				       "change the propagation of all mounts: private\n"
				       "execute true\n");
	u.propagation = 0;
	assert_string_equal(words(&s), "unshare the namespaces mnt\nexecute true\n");
	u.propagation = MS_REC | MS_SLAVE;
	s.namespaces = CLONE_NEWUTS;
	assert_string_equal(words(&s), "unshare the namespaces uts\nexecute true\n");
}

static void own_ids_are_mapped_from_inside(void **state)
{
	const struct unshare_settings u = { .fork = true };
	const struct launch_settings s = { .maps = ROOT, .argv = argv_true, .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "unshare the namespaces user\n"
				       "fork\n"
				       "deny setgroups(2)\n"
				       "write the map of users\n"
				       "write the map of groups\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void ranges_are_mapped_from_outside_ahead_of_the_fork(void **state)
{
	const struct unshare_settings u = { .fork = true };
	struct launch_settings s = {
		.maps = { .of = { RANGE, RANGE }, .setgroups = IDMAP_SETGROUPS_DENY },
		.argv = argv_true,
		.in_place = &u,
	};

	(void)state;
	assert_string_equal(words(&s), "unshare the namespaces user\n"
				       "deny setgroups(2)\n"
				       "write the map of users\n"
				       "write the map of groups\n"
				       "fork\n"
				       "restore the signal mask\n"
				       "execute true\n");
	s.maps.of[IDMAP_GROUPS] = (struct idmap_request){ .one = true };
	s.maps.setgroups = IDMAP_SETGROUPS_AS_IS;
	assert_string_equal(words(&s), "unshare the namespaces user\n"
				       "write the map of users\n"
				       "fork\n"
				       "deny setgroups(2)\n"
				       "write the map of groups\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

/* After the owner's setuid(2) the files of the process in /proc are not its own. */
static void an_owner_maps_from_outside(void **state)
{
	const struct unshare_settings u = { .has_owner = true, .owner_uid = 7, .owner_gid = 8 };
	const struct launch_settings s = { .maps = ROOT, .argv = argv_true, .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "drop the supplementary groups (setgroups)\n"
				       "become the owner: set the group ID 8\n"
				       "become the owner: set the user ID 7\n"
				       "unshare the namespaces user\n"
				       "write the map of users\n"
				       "write the map of groups\n"
				       "execute true\n");
}

static void the_death_signal_is_asked_for_again_after_the_credentials(void **state)
{
	struct unshare_settings u = { .fork = true, .kill_child = SIGTERM, .has_uid = true, .uid = 5 };
	const struct launch_settings s = { .argv = argv_true, .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "fork\n"
				       "ask for a signal when the parent dies: 15\n"
				       "set the user ID 5\n"
				       "ask again, since new credentials cleared it, for a signal when the parent dies: 15\n"
				       "restore the signal mask\n"
				       "execute true\n");
	u.has_uid = false;
	assert_string_equal(words(&s), "fork\n"
				       "ask for a signal when the parent dies: 15\n"
				       "restore the signal mask\n"
				       "execute true\n");
}

static void a_fixed_interpreter_is_registered_ahead_of_the_chroot(void **state)
{
	struct unshare_settings u = { .mount_binfmt = true, .interpreter = ":a:M::b::c:F", .propagation = PRIVATE };
	struct launch_settings s = { .root = "/r", .argv = argv_true, .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "unshare the namespaces mnt,user\n"
				       "change the propagation of all mounts: private\n"
				       "mount binfmt_misc on /proc/sys/fs/binfmt_misc\n"
				       "register the interpreter :a:M::b::c:F\n"
				       "chroot to /r\n"
				       "change directory to /\n"
				       "mount proc on /proc\n"
				       "mount binfmt_misc on /proc/sys/fs/binfmt_misc\n"
				       "execute true\n");
	u.interpreter = ":a:M::b::c:";
	u.binfmt_dir = "/b";
	s.root = NULL;
	assert_string_equal(words(&s), "unshare the namespaces mnt,user\n"
				       "change the propagation of all mounts: private\n"
				       "mount binfmt_misc on /b\n"
				       "register the interpreter :a:M::b::c:\n"
				       "execute true\n");
}

static void proc_is_made_private_where_the_rest_is_not(void **state)
{
	struct unshare_settings u = { .propagation = 0 };
	struct launch_settings s = { .mount_proc = true, .argv = argv_true, .in_place = &u };

	(void)state;
	assert_string_equal(words(&s), "unshare the namespaces mnt\n"
				       "make private what is mounted on /proc\n"
				       "mount proc on /proc\n"
				       "execute true\n");
	s.root = "/r";
	assert_string_equal(words(&s), "unshare the namespaces mnt\n"
				       "chroot to /r\n"
				       "change directory to /\n"
				       "mount proc on /proc\n"
				       "execute true\n");
}

/* As many steps as can be: it must fit, and be in unshare(1)'s order. */
static void all_at_once(void **state)
{
	const struct unshare_settings u = {
		.fork = true,
		.kill_child = SIGKILL,
		.has_owner = true,
		.propagation = MS_REC | MS_SHARED,
		.mount_binfmt = true,
		.interpreter = ":F",
		.has_uid = true,
		.has_gid = true,
		.keep_caps = true,
		.has_boottime = true,
		.has_monotonic = true,
		.monotonic = -4,
		.clear_env = true,
	};
	struct launch_settings s = {
		.namespaces = CLONE_NEWTIME,
		.maps = { .of = { RANGE, RANGE }, .setgroups = IDMAP_SETGROUPS_DENY },
		.mount_proc = true,
		.root = "/r",
		.argv = argv_true,
		.in_place = &u,
	};
	const char *all;
	int ns;

	(void)state;
	for (ns = 0; ns < NSS_NS_MAX; ns++)
		s.persist[ns] = "/f";
	all = words(&s);
	assert_non_null(strstr(all, "set the offset of the boottime clock: 0\n"
				    "set the offset of the monotonic clock: -4\n"
				    "fork\n"
				    "make a namespace persistent: cgroup on /f\n"));
	assert_non_null(strstr(all, "make a namespace persistent: uts on /f\n"
				    "ask for a signal when the parent dies: 9\n"
				    "change the propagation of all mounts: shared\n"));
	assert_non_null(strstr(all, "register the interpreter :F\n"
				    "chroot to /r\n"));
	assert_non_null(strstr(all, "drop the supplementary groups (setgroups)\n"
				    "set the group ID 0\n"
				    "set the user ID 0\n"
				    "keep the capabilities (ambient set)\n"
				    "ask again, since new credentials cleared it, for a signal when the parent dies: 9\n"
				    "clear the environment\n"
				    "restore the signal mask\n"
				    "let the persistent namespaces stay\n"
				    "execute true\n"));
}

static void contradictions(void **state)
{
	const struct unshare_settings clock = { .has_boottime = true };
	const struct unshare_settings none = {};
	struct launch_settings s = { .namespaces = CLONE_NEWUTS, .argv = argv_true, .in_place = &clock };
	struct unshare_plan p = { .n = 42 };
	const char *why = NULL;

	(void)state;
	assert_int_equal(unshare_plan(&s, NULL, &p, &why), -EINVAL);
	assert_non_null(strstr(why, "-T"));
	s.in_place = &none;
	s.maps = (struct idmap_settings)ROOT;
	s.maps.setgroups = IDMAP_SETGROUPS_ALLOW;
	assert_int_equal(unshare_plan(&s, NULL, &p, &why), -EINVAL);
	assert_int_equal(p.n, 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_exec),
		cmocka_unit_test(mounts_are_private_only_in_a_new_namespace),
		cmocka_unit_test(own_ids_are_mapped_from_inside),
		cmocka_unit_test(ranges_are_mapped_from_outside_ahead_of_the_fork),
		cmocka_unit_test(an_owner_maps_from_outside),
		cmocka_unit_test(the_death_signal_is_asked_for_again_after_the_credentials),
		cmocka_unit_test(a_fixed_interpreter_is_registered_ahead_of_the_chroot),
		cmocka_unit_test(proc_is_made_private_where_the_rest_is_not),
		cmocka_unit_test(all_at_once),
		cmocka_unit_test(contradictions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
