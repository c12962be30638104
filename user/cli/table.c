/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/table.h"

#include <errno.h>
#include <limits.h>
#include <linux/sched.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/launch_options.h"
#include "cli/number.h"
#include "cli/sandbox_options.h"
#include "event/event.h"
#include "launch/persist.h"
#include "observe/backends.h"
#include "util/cleanup.h"
#include "view/statview.h"

static const char *set_namespace(struct settings *s, const char *argument, uint64_t value)
{
	s->launch.namespaces |= value;
	if (argument)
		s->launch.persist[persist_of(value)] = argument;
	return NULL;
}

static const char *set_nothing(struct settings *s, const char *argument, uint64_t value)
{
	(void)s;
	(void)argument;
	(void)value;
	return NULL;
}

static const char *set_mount_proc(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.mount_proc = true;
	s->launch.proc_dir = argument;
	return NULL;
}

static const char *set_root(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.root = argument;
	return NULL;
}

static const char *set_wd(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->launch.wd = argument;
	return NULL;
}

/* @value: where in the settings the bool is. */
static const char *set_flag(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	*(bool *)((char *)s + value) = true;
	return NULL;
}

/* @value: where in the settings the descriptor goes. */
static const char *set_fd(struct settings *s, const char *argument, uint64_t value)
{
	uint64_t fd;

	if (!number(argument, INT_MAX, &fd))
		return "not a file descriptor";
	*(int *)((char *)s + value) = (int)fd;
	return NULL;
}

static const char *set_info_file(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->info_file = argument;
	return NULL;
}

static const char *set_pid(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, NSS_PID_LIMIT, &value) || !value)
		return "not a process ID";
	s->pid = (unsigned)value;
	return NULL;
}

static const char *set_ns(struct settings *s, const char *argument, uint64_t value)
{
	const char *colon = strchr(argument, ':');
	size_t len = colon ? (size_t)(colon - argument) : 0;

	for (uint32_t i = 0; i < NSS_NS_MAX; i++) {
		if (strlen(ns_names[i]) != len || memcmp(ns_names[i], argument, len))
			continue;
		if (!number(colon + 1, UINT32_MAX, &value))
			break;
		s->observe.conf.only |= NSS_ONLY_NS;
		s->observe.conf.ns_type = i;
		s->observe.conf.ns_inum = (uint32_t)value;
		return NULL;
	}
	return "not TYPE:INUM, such as pid:4026531836; see readlink /proc/PID/ns/*";
}

static const char *set_ns_type(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	for (uint32_t i = 0; i < NSS_NS_MAX; i++) {
		if (!ns_flags[i] || strcmp(ns_names[i], argument))
			continue;
		s->ns_types |= 1U << i;
		return NULL;
	}
	return "not a type: cgroup, ipc, mnt, net, pid, time, user or uts";
}

static const char *set_mounts_ns(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, UINT32_MAX, &value) || !value)
		return "not the inum of a mount namespace; see nsscope ns -t mnt";
	s->mounts_ns = (unsigned)value;
	return NULL;
}

static const char *set_cgroup(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->cgroup = argument;
	return NULL;
}

static const char *set_comm(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	if (strlen(argument) >= NSS_COMM_LEN)
		return "the kernel keeps only 15 bytes of a name";
	s->observe.conf.only |= NSS_ONLY_COMM;
	memset(s->observe.conf.comm, 0, NSS_COMM_LEN);
	memcpy(s->observe.conf.comm, argument, strlen(argument));
	return NULL;
}

static const char *set_uid(struct settings *s, const char *argument, uint64_t value)
{
	const struct passwd *user = getpwnam(argument);

	if (user)
		value = user->pw_uid;
	else if (!number(argument, UINT32_MAX - 1, &value))
		return "no such user";
	s->observe.conf.only |= NSS_ONLY_UID;
	s->observe.conf.uid = (uint32_t)value;
	return NULL;
}

static const char *set_no_snapshot(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->no_snapshot = true;
	return NULL;
}

static const char *set_interval(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, 86400, &value) || !value)
		return "not a number of seconds from 1 to 86400";
	s->stat.interval = (unsigned)value;
	return NULL;
}

static const char *set_samples(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, 1000, &value) || !value)
		return "not a number from 1 to 1000";
	s->stat.samples = (unsigned)value;
	return NULL;
}

static const char *set_by(struct settings *s, const char *argument, uint64_t value)
{
	for (value = NSS_BY_COMM; value < STAT_BY_NAMES; value++) {
		if (!strcmp(argument, stat_by_names[value])) {
			s->stat.by = (enum nss_by)value;
			return NULL;
		}
	}
	return "not comm, ns, cgroup, parent or image";
}

static const char *set_in(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, UINT32_MAX, &value) || !value)
		return "not the inum of a PID namespace; see readlink /proc/PID/ns/pid";
	s->in = (unsigned)value;
	return NULL;
}

static const char *set_tree(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->style.tree = true;
	return NULL;
}

static const char *set_watch(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->watch = true;
	return NULL;
}

static const char *set_snapshot(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->snapshot_proc = !strcmp(argument, "proc");
	return s->snapshot_proc || !strcmp(argument, "iter") ? NULL : "neither iter nor proc";
}

/* The events that @name, of @len bytes, stands for; 0 if none. */
static uint64_t types_of(const char *name, size_t len)
{
	static const char *const groups[] = { "", "process", "ns", "mount" };
	uint64_t types = 0;

	for (uint32_t i = 0; i < NSS_EV_MAX; i++) {
		const struct event_desc *d = &event_descs[i];
		const char *group = groups[d->group];

		if (d->group == GROUP_NONE)
			continue;
		if ((strlen(d->name) == len && !memcmp(d->name, name, len)) ||
		    (strlen(group) == len && !memcmp(group, name, len)))
			types |= 1ULL << i;
	}
	return types;
}

static const char *set_only(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->observe.conf.types = 0;
	while (true) {
		size_t len = strcspn(argument, ",");
		uint64_t types = types_of(argument, len);

		if (!types)
			return "not a list of process, ns, mount or names of events (fork, exec, exit, ...)";
		s->observe.conf.types |= types;
		if (!argument[len])
			return NULL;
		argument += len + 1;
	}
}

static const char *set_backend(struct settings *s, const char *argument, uint64_t value)
{
	(void)value;
	s->observe.backend = argument;
	return backend_is_choice(argument) ? NULL : "neither kprobe, fentry nor tracepoint";
}

/* @argument: bytes, with K, M or G behind it. */
static bool size_of(const char *argument, uint64_t *ret)
{
	static const char suffixes[] = "KMG";
	size_t digits = strspn(argument, "0123456789");
	const char *suffix = argument[digits] ? strchr(suffixes, argument[digits]) : NULL;
	_free_ char *text = strndup(argument, digits);
	uint64_t value;

	if (!text || !number(text, UINT32_MAX, &value) || (argument[digits] && (!suffix || argument[digits + 1])))
		return false;
	*ret = value << (suffix ? 10 * (unsigned)(suffix - suffixes + 1) : 0);
	return true;
}

static const char *set_buffer(struct settings *s, const char *argument, uint64_t value)
{
	if (!size_of(argument, &value))
		return "not a size, such as 512K or 4M";
	if (value < 4096 || value > 1U << 30 || (value & (value - 1)))
		return "not a power of two from 4K to 1G";
	s->observe.buffer = (uint32_t)value;
	return NULL;
}

static const char *set_rotate_size(struct settings *s, const char *argument, uint64_t value)
{
	if (!size_of(argument, &value) || value < 1024)
		return "not a size from 1K on, such as 100M";
	s->rotation.size = value;
	return NULL;
}

static const char *set_rotate_keep(struct settings *s, const char *argument, uint64_t value)
{
	if (!number(argument, ROTATE_KEEP_MAX, &value) || !value)
		return "not a number from 1 to 999";
	s->rotation.keep = (unsigned)value;
	return NULL;
}

static const char *set_output(struct settings *s, const char *argument, uint64_t value)
{
	size_t len = strcspn(argument, "=");
	_free_ char *name = strndup(argument, len);
	const struct sink_ops *sink = name ? sink_find(name) : NULL;

	(void)value;
	if (!sink)
		return "not a format: text, json, record, table, svg or journal";
	if (argument[len] && sink->no_file)
		return "it takes no FILE";
	if (argument[len] && !argument[len + 1])
		return "no file name behind the =";
	if (s->noutputs == OUTPUTS_MAX)
		return "too many outputs";
	s->outputs[s->noutputs++] = argument;
	return NULL;
}

/* @value: where in the settings the compiled expression goes. */
static const char *set_expression(struct settings *s, const char *argument, uint64_t value)
{
	static char wrong[sizeof(((struct filter_error *)0)->text) + 32];
	const struct filter **at = (const struct filter **)((char *)s + value);
	struct filter_error error;
	struct filter *filter;
	int err;

	if (*at)
		return "given twice; join them with and, or with or";
	err = filter_parse(argument, &filter, &error);
	if (err != -EINVAL) {
		*at = err ? NULL : filter;
		return err ? strerror(-err) : NULL;
	}
	snprintf(wrong, sizeof(wrong), "column %zu: %s", error.column, error.text);
	return wrong;
}

static const char *set_json(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->json = true;
	return NULL;
}

static const char *set_color(struct settings *s, const char *argument, uint64_t value)
{
	static const char *const names[] = { [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never" };

	for (value = 0; value < ARRAY_SIZE(names); value++) {
		if (!strcmp(argument, names[value])) {
			s->style.color = (enum color_when)value;
			return NULL;
		}
	}
	return "not auto, always or never";
}

static const char *set_wide(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->style.wide = true;
	return NULL;
}

static const char *set_dry_run(struct settings *s, const char *argument, uint64_t value)
{
	(void)argument;
	(void)value;
	s->dry_run = true;
	return NULL;
}

const struct option_row option_rows[] = {
#define OPTION(commands, group, brief, name, argument, setter, value, help) \
	{ commands, OPT_##group, brief, name, argument, set_##setter, value, help },
#include "cli/options.def"
#undef OPTION
};
const size_t option_count = ARRAY_SIZE(option_rows);

const struct command_row command_rows[] = {
#define COMMAND(ID, name, operands, help) { CMD_##ID, #name, operands, help },
#include "cli/commands.def"
#undef COMMAND
};
const size_t command_count = ARRAY_SIZE(command_rows);

const char *const option_group_names[OPT_GROUPS] = {
	[OPT_NAMESPACES] = "Namespaces (bound to FILE, one outlives the command; run, none named: pid mount uts ipc cgroup and /proc)",
	[OPT_TARGET] = "Target",
	[OPT_ENTER] = "What to enter (no namespace named: all)",
	[OPT_SANDBOX] = "Sandbox",
	[OPT_IDS] = "User and group IDs (each but --setgroups implies -U)",
	[OPT_WHICH] = "Which processes",
	[OPT_OUTPUT] = "Output",
};
