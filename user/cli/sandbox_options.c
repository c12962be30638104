/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/sandbox_options.h"

#include <limits.h>
#include <string.h>

#include "launch/spec.h"

/* As long as the kernel takes: __NEW_UTS_LEN. */
#define HOSTNAME_LEN 64
#define TIME_LIMIT_MAX (UINT32_MAX / 2)
/* Some thousand CPUs. */
#define CPU_MAX 1000000

const char *set_new_root(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.sandbox.root = argument;
	return *argument ? NULL : "not a directory";
}

const char *set_overlay(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.sandbox.overlay = true;
	s->launch.sandbox.overlay_dir = argument;
	return argument && !*argument ? "not a directory" : NULL;
}

const char *set_mount(struct settings *s, const char *argument, uint64_t value)
{
	struct sandbox_settings *b = &s->launch.sandbox;
	struct spec_tmpfs tmpfs;
	struct spec_bind bind;

	if (value == SANDBOX_TMPFS && spec_tmpfs(argument, &tmpfs))
		return "not DST[:SIZE], with an absolute DST and a SIZE such as 64M or 10%";
	if (value != SANDBOX_TMPFS && spec_bind(argument, &bind))
		return "not SRC:DST, with an absolute DST (\\: is a colon in a path)";
	if (b->nmounts == SANDBOX_MOUNTS_MAX)
		return "too many";
	b->mounts[b->nmounts++] = (struct sandbox_mount){ (enum sandbox_mount_kind)value, argument };
	return NULL;
}

static const char *set_place(const char **place, const char *argument, const char *otherwise)
{
	*place = argument ? argument : otherwise;
	return **place == '/' ? NULL : "not an absolute path";
}

const char *set_dev(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return set_place(&s->launch.sandbox.dev, argument, "/dev");
}

const char *set_sys(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return set_place(&s->launch.sandbox.sys, argument, "/sys");
}

const char *set_hostname(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.sandbox.hostname = argument;
	return strlen(argument) > HOSTNAME_LEN ? "longer than 64 bytes" : NULL;
}

const char *set_no_loopback(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->launch.sandbox.loopback = false;
	return NULL;
}

const char *set_env(struct settings *s, const char *argument, uint64_t value)
{
	struct sandbox_settings *b = &s->launch.sandbox;

	if (value == SANDBOX_SETENV && spec_env(argument))
		return "not NAME=VALUE";
	if (value == SANDBOX_UNSETENV && (!*argument || strchr(argument, '=')))
		return "not the name of a variable";
	if (b->nenv == SANDBOX_ENV_MAX)
		return "too many";
	b->env[b->nenv++] = (struct sandbox_env){ (enum sandbox_env_kind)value, argument };
	return NULL;
}

static const char *set_id(const char **id, const char *argument)
{
	uint64_t number;

	*id = argument;
	return spec_number(argument, UINT32_MAX - 1, &number) ? "not a number from 0 to 4294967294" : NULL;
}

const char *set_sandbox_uid(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return set_id(&s->launch.sandbox.uid, argument);
}

const char *set_sandbox_gid(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	return set_id(&s->launch.sandbox.gid, argument);
}

/* The later one counts. */
const char *set_caps(struct settings *s, const char *argument, uint64_t value)
{
	struct sandbox_settings *b = &s->launch.sandbox;
	uint64_t *to = value ? &b->cap_add : &b->cap_drop, *from = value ? &b->cap_drop : &b->cap_add, set;

	if (spec_cap(argument, &set))
		return "not a capability, such as net_raw, nor ALL; see capabilities(7)";
	if (value && set == ~0ULL)
		return "name each; see capabilities(7)";
	*to |= set;
	*from &= ~set;
	return NULL;
}

const char *set_no_new_privs(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->launch.sandbox.no_new_privs = true;
	return NULL;
}

const char *set_seccomp(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.sandbox.seccomp = argument;
	return NULL;
}

const char *set_rlimit(struct settings *s, const char *argument, uint64_t value)
{
	struct sandbox_settings *b = &s->launch.sandbox;
	struct rlimit limit;
	int resource;

	(void)value;
	if (spec_rlimit(argument, &resource, &limit))
		return "not NAME=SOFT[:HARD], such as nofile=64:128 or core=unlimited; see prlimit(1)";
	if (b->nrlimits == SANDBOX_RLIMITS_MAX)
		return "too many";
	b->rlimits[b->nrlimits++] = argument;
	return NULL;
}

const char *set_memory(struct settings *s, const char *argument, uint64_t value)
{
	s->launch.sandbox.memory = argument;
	return spec_size(argument, &value) ? "not a size, such as 512M" : NULL;
}

const char *set_pids(struct settings *s, const char *argument, uint64_t value)
{
	s->launch.sandbox.pids = argument;
	return spec_number(argument, INT_MAX, &value) || !value ? "not a number of processes" : NULL;
}

const char *set_cpu(struct settings *s, const char *argument, uint64_t value)
{
	s->launch.sandbox.cpu = argument;
	return spec_number(argument, CPU_MAX, &value) || !value ? "not a percentage: 50 is half a CPU, 200 are two" :
								  NULL;
}

const char *set_time_limit(struct settings *s, const char *argument, uint64_t value)
{
	if (spec_number(argument, TIME_LIMIT_MAX, &value) || !value)
		return "not a number of seconds";
	s->launch.sandbox.time_limit = (unsigned)value;
	return NULL;
}
