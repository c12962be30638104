/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel is and was built with. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "doctor/exam.h"
#include "util/cleanup.h"

#define BTF_PATH "/sys/kernel/btf/vmlinux"
#define BTF_MAGIC 0xEB9F

void check_release(struct exam *x)
{
	const struct ground *g = &x->ground;

	if (!g->major)
		tell(x, STATE_UNKNOWN, NULL, "%s", g->uts.release);
	else if (ground_is_before(g, 5, 10)) /* distributions carry newer BPF into older kernels: the trial decides */
		tell(x, STATE_LIMITED, "boot Linux 5.10 or later", "%s", g->uts.release);
	else
		tell(x, STATE_OK, NULL, "%s", g->uts.release);
}

void check_architecture(struct exam *x)
{
	tell(x, STATE_OK, NULL, "%s", x->ground.uts.machine);
}

static const struct config_row {
	const char *name;
	enum state without;
	const char *why;
} config_rows[] = {
	{ "BPF", STATE_MISSING, "the interpreter and verifier of BPF" },
	{ "BPF_SYSCALL", STATE_MISSING, "bpf(2): no observing without" },
	{ "BPF_JIT", STATE_MISSING, "programs of the kind tracing are attached through compiled code" },
	{ "BPF_EVENTS", STATE_MISSING, "BPF programs at tracepoints" },
	{ "DEBUG_INFO_BTF", STATE_MISSING, "the kernel's types, at " BTF_PATH },
	{ "TRACEPOINTS", STATE_MISSING, "where the kernel tells of processes and system calls" },
	{ "FTRACE_SYSCALLS", STATE_LIMITED, "tracepoints of single system calls" },
	{ "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", STATE_LIMITED, "hooks at kernel functions (fentry, fexit)" },
	{ "BPF_LSM", STATE_LIMITED, "hooks of the kind lsm" },
	{ "KPROBES", STATE_LIMITED, "hooks of the kind kprobe, and functions that may be hooked at all" },
	{ "NAMESPACES", STATE_MISSING, "namespaces at all" },
	{ "PID_NS", STATE_MISSING, "run makes a PID namespace where none is named" },
	{ "UTS_NS", STATE_MISSING, "run makes a UTS namespace where none is named" },
	{ "IPC_NS", STATE_MISSING, "run makes an IPC namespace where none is named" },
	{ "CGROUPS", STATE_MISSING, "run makes a cgroup namespace where none is named" },
	{ "NET_NS", STATE_LIMITED, "run -n" },
	{ "USER_NS", STATE_LIMITED, "run -U and -r, and launching without root" },
	{ "TIME_NS", STATE_LIMITED, "run -T" },
	{ "MEMCG", STATE_LIMITED, "the cgroup controller memory" },
	{ "CGROUP_PIDS", STATE_LIMITED, "the cgroup controller pids" },
	{ "CGROUP_SCHED", STATE_LIMITED, "the cgroup controller cpu" },
};

/* 0 or -errno of the last place that was looked at. */
static int read_config(const struct utsname *uts, struct buf *b, char *path, size_t size)
{
	static const char *const places[] = { "/proc/config.gz", "/boot/config-%s", "/lib/modules/%s/config",
					      "/usr/lib/modules/%s/config" };
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char *hole = strstr(places[i], "%s");

		if (hole)
			snprintf(path, size, "%.*s%s%s", (int)(hole - places[i]), places[i], uts->release, hole + 2);
		else
			snprintf(path, size, "%s", places[i]);
		err = read_text(path, b);
		if (!err)
			return 0;
	}
	return err;
}

void check_configuration(struct exam *x)
{
	struct buf text = {};
	char path[256], name[64];

	if (read_config(&x->ground.uts, &text, path, sizeof(path))) {
		tell(x, STATE_UNKNOWN, "modprobe configs, where the kernel has /proc/config.gz as a module",
		     "neither /proc/config.gz nor a file in /boot or /lib/modules tells it");
		buf_free(&text);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(config_rows); i++) {
		const struct config_row *row = &config_rows[i];
		struct span value = parse_config(text.data, row->name);
		bool set = span_is(value, "y") || span_is(value, "m");

		snprintf(name, sizeof(name), "CONFIG_%s", row->name);
		if (set)
			tell_of(x, name, row->why, STATE_OK, NULL, "set in %s", path);
		else
			tell_of(x, name, row->why, row->without, "use a kernel that is built with it", "not set in %s",
				path);
	}
	buf_free(&text);
}

void check_btf(struct exam *x)
{
	_close_ int fd = open(BTF_PATH, O_RDONLY | O_CLOEXEC);
	int err = fd < 0 ? errno : 0;
	uint16_t magic;

	if (err == ENOENT)
		tell(x, STATE_MISSING,
		     "mount sysfs on /sys, and uncover it if something is mounted there; else use a kernel with "
		     "CONFIG_DEBUG_INFO_BTF",
		     "there is no " BTF_PATH);
	else if (err)
		tell(x, STATE_MISSING, "let nsscope read it: as root, and see the policies below", BTF_PATH ": %s",
		     strerror(err));
	else if (read(fd, &magic, sizeof(magic)) != sizeof(magic) || magic != BTF_MAGIC)
		tell(x, STATE_MISSING, "use another kernel", BTF_PATH " is not BTF of this machine");
	else
		tell(x, STATE_OK, NULL, BTF_PATH);
}

/* The root of securityfs, mounted for us only and nowhere to be seen; or -errno. */
static int mount_securityfs(void)
{
	_close_ int fs = (int)syscall(SYS_fsopen, "securityfs", FSOPEN_CLOEXEC);
	int fd;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return -errno;
	fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	return fd < 0 ? -errno : fd;
}

/* A file of securityfs, mounted or not. 0 or -errno: -ENOENT says that the kernel has none. */
static int read_security(const char *name, struct buf *b)
{
	_close_ int mounted = open("/sys/kernel/security", O_PATH | O_DIRECTORY | O_CLOEXEC);
	_close_ int own = -1;
	int err = mounted < 0 ? -errno : read_text_at(mounted, name, b);

	if (err != -ENOENT)
		return err;
	own = mount_securityfs();
	if (own == -ENODEV)
		return -ENOENT;
	return own < 0 ? own : read_text_at(own, name, b);
}

void check_lockdown(struct exam *x)
{
	struct buf text = {};
	int err = read_security("lockdown", &text);
	struct span chosen = err ? (struct span){} : parse_chosen(text.data);

	if (err == -ENOENT)
		tell(x, STATE_OK, NULL, "the kernel has none");
	else if (!chosen.s)
		tell(x, STATE_UNKNOWN, "mount securityfs on /sys/kernel/security", "cannot be read: %s",
		     strerror(err ? -err : EBADMSG));
	else if (span_is(chosen, "confidentiality"))
		tell(x, STATE_MISSING, "boot without lockdown=confidentiality; or with secure boot off",
		     "confidentiality");
	else
		tell(x, STATE_OK, NULL, "%.*s", (int)chosen.len, chosen.s);
	buf_free(&text);
}

void check_lsm(struct exam *x)
{
	struct buf text = {};
	int err = read_security("lsm", &text);
	bool bpf = !err && parse_has_word((struct span){ text.data, strcspn(text.data, "\n") }, ",", "bpf");

	if (err == -ENOENT)
		tell(x, STATE_LIMITED, "use a kernel with CONFIG_SECURITY", "the kernel has none");
	else if (err)
		tell(x, STATE_UNKNOWN, "mount securityfs on /sys/kernel/security", "cannot be read: %s",
		     strerror(-err));
	else
		tell(x, bpf ? STATE_OK : STATE_LIMITED, bpf ? NULL : "boot with bpf in lsm=", "%.*s",
		     (int)strcspn(text.data, "\n"), text.data);
	buf_free(&text);
}
