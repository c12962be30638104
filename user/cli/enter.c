/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of enter: nsenter(1)'s, and who else can be the target. */
#include "cli/number.h"
#include "cli/enter.h"

#include <linux/sched.h>
#include <string.h>

#include "cli/table.h"

/* nsenter takes -m=FILE as well as --mount=FILE. */
static const char *without_equals(const char *argument)
{
	return argument && *argument == '=' ? argument + 1 : argument;
}

/* @value: enum nss_ns. */
const char *set_enter_ns(struct settings *s, const char *argument, uint64_t value)
{
	static const uint64_t flags[NSS_NS_MAX] = {
#define NAMESPACE(ID, name, flag, doc) [NSS_NS_##ID] = flag,
#include "abi/namespaces.def"
#undef NAMESPACE
	};

	s->enter.files[value] = without_equals(argument);
	if (argument)
		s->enter.of_target &= ~flags[value];
	else
		s->enter.of_target |= flags[value];
	return argument && !*s->enter.files[value] ? "no file name" : NULL;
}

const char *set_enter_target(struct settings *s, const char *argument, uint64_t value)
{
	size_t len = strcspn(argument, ":");
	char pid[16] = "";

	if (s->enter.target)
		return "a second target: give one";
	if (len < sizeof(pid))
		memcpy(pid, argument, len);
	if (!number(pid, NSS_PID_LIMIT, &value) || !value)
		return "not a process ID";
	s->enter.target = (unsigned)value;
	if (argument[len] && (!number(argument + len + 1, UINT64_MAX, &s->enter.target_inode) || !s->enter.target_inode))
		return "not PID:INODE, the inode of a pidfd";
	return NULL;
}

const char *set_enter_in(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, UINT32_MAX, &value) || !value)
		return "not the inum of a PID namespace; see readlink /proc/PID/ns/pid";
	s->enter.in = (unsigned)value;
	return NULL;
}

const char *set_enter_ref(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return ref_parse(argument, &s->enter.ref) ? "not a reference, as --info-fd gives it" : NULL;
}

const char *set_enter_run(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, NSS_PID_LIMIT, &value) || !value)
		return "not a process ID";
	s->enter.run = (unsigned)value;
	return NULL;
}

const char *set_enter_socket(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, INT32_MAX, &value))
		return "not a file descriptor";
	s->enter.socket = (int)value;
	return NULL;
}

const char *set_enter_root(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->enter.root = !argument;
	s->enter.root_dir = without_equals(argument);
	return NULL;
}

const char *set_enter_wd(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->enter.wd = !argument;
	s->enter.wd_dir = without_equals(argument);
	return NULL;
}

const char *set_enter_wdns(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->enter.wdns = without_equals(argument);
	return NULL;
}

static const char *set_id(const char *argument, enum enter_id *how, uint32_t *ret_id)
{
	uint64_t id = 0;

	*how = strcmp(argument, "follow") ? ENTER_ID_SET : ENTER_ID_FOLLOW;
	if (*how == ENTER_ID_SET && !number(argument, UINT32_MAX - 1, &id))
		return "neither a number nor follow; names mean nothing in another user namespace";
	*ret_id = (uint32_t)id;
	return NULL;
}

const char *set_enter_uid(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return set_id(argument, &s->enter.uid_how, &s->enter.uid);
}

const char *set_enter_gid(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return set_id(argument, &s->enter.gid_how, &s->enter.gid);
}

const char *enter_check(const struct enter_settings *e)
{
	unsigned targets = !!e->target + !!e->ref.pid + !!e->run;
	bool needs = e->all || e->of_target || e->socket >= 0 || e->user_parent || e->root || e->wd || e->env ||
		     e->join_cgroup || e->uid_how == ENTER_ID_FOLLOW || e->gid_how == ENTER_ID_FOLLOW;
	bool files = false;

	for (size_t i = 0; i < NSS_NS_MAX; i++)
		files = files || e->files[i];
	if (targets > 1)
		return "give one of --target, --ref and --run";
	if (!targets && (needs || !files))
		return "no target: give --target PID, --ref or --run, or only files such as --net=FILE";
	if (e->in && !e->target)
		return "--in needs --target: the number to translate";
	if ((e->wd || e->wd_dir) && e->wdns)
		return "--wd and --wdns: give one of them";
	if (e->preserve_credentials && (e->uid_how || e->gid_how))
		return "--preserve-credentials and --setuid or --setgid: give one of them";
	return NULL;
}
