/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may map which IDs into a user namespace. */
#include <errno.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "doctor/exam.h"
#include "util/cleanup.h"

/* Where execvp(3) would find @name. False: nowhere. */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");

	for (dirs = dirs ? dirs : "/usr/bin:/bin"; *dirs; dirs += strspn(dirs, ":")) {
		size_t len = strcspn(dirs, ":");

		if ((size_t)snprintf(path, size, "%.*s/%s", (int)len, dirs, name) < size && !access(path, X_OK))
			return true;
		dirs += len;
	}
	return false;
}

/* What is in the way of its gaining rights when it is executed; NULL: nothing. */
static const char *what_stops(const struct exam *x, const char *path)
{
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) || statvfs(path, &fs))
		return "it cannot be looked at";
	if (!((st.st_mode & S_ISUID) && !st.st_uid) && getxattr(path, "security.capability", NULL, 0) <= 0)
		return "it is neither setuid root nor has capabilities";
	if (fs.f_flag & ST_NOSUID)
		return "its file system is mounted nosuid";
	if (span_is(parse_status(x->ground.status.data, "NoNewPrivs"), "1"))
		return "no_new_privs is set on nsscope";
	return NULL;
}

void check_id_tools(struct exam *x)
{
	static const char *const names[] = { "newuidmap", "newgidmap" };
	bool privileged = ground_capable(&x->ground, CAP_SETUID) && ground_capable(&x->ground, CAP_SETGID);
	enum state bad = privileged ? STATE_OK : STATE_LIMITED;
	char path[4096];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		bool there = find_program(names[i], path, sizeof(path));
		const char *stops = there ? what_stops(x, path) : NULL;

		if (!there)
			tell_of(x, names[i], NULL, bad, privileged ? NULL : "install it (Debian: uidmap)",
				"not installed%s", privileged ? ", nor needed with these rights" : "");
		else if (stops)
			tell_of(x, names[i], NULL, bad, privileged ? NULL : "install it again, where setuid works",
				"%s: %s", path, stops);
		else
			tell_of(x, names[i], NULL, STATE_OK, NULL, "%s", path);
	}
}

static void tell_ranges(struct exam *x, const char *path, const struct passwd *user)
{
	bool privileged = ground_capable(&x->ground, CAP_SETUID) && ground_capable(&x->ground, CAP_SETGID);
	const char *mend = "usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER";
	struct buf text = {};
	int err = read_text(path, &text);
	uint64_t n = err ? 0 : parse_subids(text.data, user ? user->pw_name : NULL, getuid());

	if (err && err != -ENOENT)
		tell_of(x, path, NULL, STATE_UNKNOWN, NULL, "cannot be read: %s", strerror(-err));
	else if (n)
		tell_of(x, path, NULL, STATE_OK, NULL, "%llu IDs for %s", (unsigned long long)n,
			user ? user->pw_name : "this user");
	else if (privileged)
		tell_of(x, path, NULL, STATE_OK, NULL, "none, nor needed with these rights");
	else
		tell_of(x, path, NULL, STATE_LIMITED, mend, "none for %s", user ? user->pw_name : "this user");
	buf_free(&text);
}

void check_id_ranges(struct exam *x)
{
	const struct passwd *user = getpwuid(getuid());

	tell_ranges(x, "/etc/subuid", user);
	tell_ranges(x, "/etc/subgid", user);
}
