/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/launch_options.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mount.h>

#include "cli/number.h"
#include "util/cleanup.h"

/* As strtoul(3) takes it, with blanks and a plus in front, but nothing that does not fit. */
static bool id_number(const char *text, uint32_t *ret)
{
	uint64_t v;

	text += strspn(text, " \t");
	text += *text == '+';
	if (!number(text, IDMAP_NO_ID - 1, &v))
		return false;
	*ret = (uint32_t)v;
	return true;
}

SETTER(fork)
{
	(void)argument;
	(void)value;
	s->unshare.fork = true;
	return NULL;
}

/* RTMIN, RTMIN+3, RTMAX-3; 0: it is none of these. */
static int realtime_signal(const char *name)
{
	bool from_max = !strncasecmp(name, "RTMAX", 5);
	int base = from_max ? SIGRTMAX : SIGRTMIN;
	uint64_t off = 0;

	if (!from_max && strncasecmp(name, "RTMIN", 5))
		return 0;
	name += 5;
	if (*name && (*name != (from_max ? '-' : '+') || !number(name + 1, (uint64_t)(SIGRTMAX - SIGRTMIN), &off)))
		return 0;
	return from_max ? base - (int)off : base + (int)off;
}

SETTER(kill_child)
{
	static const struct {
		const char *name;
		int sig;
	} others[] = { { "CLD", SIGCHLD }, { "IO", SIGIO }, { "IOT", SIGABRT }, { "POLL", SIGPOLL } };
	const char *name = argument ? argument : "KILL";
	int sig;
	size_t i;

	(void)value;
	name += strncasecmp(name, "SIG", 3) ? 0 : 3;
	sig = realtime_signal(name);
	for (i = 1; i < 32 && !sig; i++)
		if (sigabbrev_np((int)i) && !strcasecmp(name, sigabbrev_np((int)i)))
			sig = (int)i;
	for (i = 0; i < ARRAY_SIZE(others) && !sig; i++)
		if (!strcasecmp(name, others[i].name))
			sig = others[i].sig;
	s->unshare.fork = true;
	s->unshare.kill_child = sig;
	return sig ? NULL : "not the name of a signal, such as TERM";
}

SETTER(forward_signals)
{
	(void)argument;
	(void)value;
	s->unshare.fork = true;
	s->unshare.forward_signals = true;
	return NULL;
}

SETTER(mount_binfmt)
{
	(void)value;
	s->unshare.mount_binfmt = true;
	s->unshare.binfmt_dir = argument;
	return NULL;
}

SETTER(load_interp)
{
	(void)value;
	s->unshare.mount_binfmt = true;
	s->unshare.interpreter = argument;
	return NULL;
}

SETTER(propagation)
{
	static const struct {
		const char *name;
		unsigned long flags;
	} modes[] = {
		{ "private", MS_REC | MS_PRIVATE },
		{ "shared", MS_REC | MS_SHARED },
		{ "slave", MS_REC | MS_SLAVE },
		{ "unchanged", 0 },
	};

	(void)value;
	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		if (!strcmp(argument, modes[i].name)) {
			s->unshare.propagation = modes[i].flags;
			return NULL;
		}
	}
	return "not private, shared, slave or unchanged";
}

SETTER(setuid)
{
	(void)value;
	s->unshare.has_uid = true;
	return id_number(argument, &s->unshare.uid) ? NULL : "not a user ID (a number)";
}

SETTER(setgid)
{
	(void)value;
	s->unshare.has_gid = true;
	return id_number(argument, &s->unshare.gid) ? NULL : "not a group ID (a number)";
}

SETTER(keep_caps)
{
	(void)argument;
	(void)value;
	s->unshare.keep_caps = true;
	return NULL;
}

static bool signed_seconds(const char *text, int64_t *ret)
{
	long long v;
	char *end;

	errno = 0;
	v = strtoll(text, &end, 10);
	if (errno || end == text || *end)
		return false;
	*ret = v;
	return true;
}

SETTER(monotonic)
{
	(void)value;
	s->unshare.has_monotonic = true;
	return signed_seconds(argument, &s->unshare.monotonic) ? NULL : "not a number of seconds";
}

SETTER(boottime)
{
	(void)value;
	s->unshare.has_boottime = true;
	return signed_seconds(argument, &s->unshare.boottime) ? NULL : "not a number of seconds";
}

SETTER(clear_env)
{
	(void)argument;
	(void)value;
	s->unshare.clear_env = true;
	return NULL;
}

SETTER(whitelist_env)
{
	(void)value;
	if (s->unshare.nkept_env == ARRAY_SIZE(s->unshare.kept_env))
		return "too many lists";
	s->unshare.kept_env[s->unshare.nkept_env++] = argument;
	return NULL;
}

SETTER(map_root)
{
	(void)argument;
	(void)value;
	idmap_ask_one(&s->launch.maps.of[IDMAP_USERS], 0);
	idmap_ask_one(&s->launch.maps.of[IDMAP_GROUPS], 0);
	return NULL;
}

SETTER(map_current)
{
	(void)argument;
	(void)value;
	idmap_ask_one(&s->launch.maps.of[IDMAP_USERS], geteuid());
	idmap_ask_one(&s->launch.maps.of[IDMAP_GROUPS], getegid());
	return NULL;
}

SETTER(map_user)
{
	const struct passwd *user = getpwnam(argument);
	uint32_t id;

	(void)value;
	if (user)
		id = user->pw_uid;
	else if (!id_number(argument, &id))
		return "no such user";
	idmap_ask_one(&s->launch.maps.of[IDMAP_USERS], id);
	return NULL;
}

SETTER(map_group)
{
	const struct group *group = getgrnam(argument);
	uint32_t id;

	(void)value;
	if (group)
		id = group->gr_gid;
	else if (!id_number(argument, &id))
		return "no such group";
	idmap_ask_one(&s->launch.maps.of[IDMAP_GROUPS], id);
	return NULL;
}

static const char *ask(struct settings *s, enum idmap_kind kind, enum idmap_source source, struct idmap_range range)
{
	return idmap_ask(&s->launch.maps.of[kind], source, range) ? "too many ranges: the kernel takes 340" : NULL;
}

SETTER(map_range)
{
	static const struct {
		const char *name;
		enum idmap_source source;
	} words[] = { { "auto", IDMAP_AUTO }, { "subids", IDMAP_SUBIDS }, { "all", IDMAP_ALL } };
	struct idmap_range range = {};
	int err;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(argument, words[i].name))
			return ask(s, (enum idmap_kind)value, words[i].source, range);
	err = idmap_parse_range(argument, &range);
	if (err == -ERANGE)
		return "IDs end at 4294967294";
	return err ? "not INNER:OUTER:COUNT, auto, subids or all" : ask(s, (enum idmap_kind)value, IDMAP_RANGE, range);
}

SETTER(map_both)
{
	const char *wrong = ask(s, IDMAP_USERS, (enum idmap_source)value, (struct idmap_range){});

	(void)argument;
	return wrong ? wrong : ask(s, IDMAP_GROUPS, (enum idmap_source)value, (struct idmap_range){});
}

SETTER(owner)
{
	const char *colon = strchr(argument, ':');
	_free_ char *user = colon ? strndup(argument, (size_t)(colon - argument)) : NULL;

	(void)value;
	s->unshare.has_owner = true;
	if (!user || !id_number(user, &s->unshare.owner_uid) || !id_number(colon + 1, &s->unshare.owner_gid))
		return "not UID:GID (numbers)";
	return NULL;
}

SETTER(setgroups)
{
	bool allow = !strcmp(argument, "allow");

	(void)value;
	s->launch.maps.setgroups = allow ? IDMAP_SETGROUPS_ALLOW : IDMAP_SETGROUPS_DENY;
	return allow || !strcmp(argument, "deny") ? NULL : "neither allow nor deny";
}
