/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/observe.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "nsscope.skel.h"
#include "observe/host.h"
#include "observe/probes.h"
#include "util/cleanup.h"

struct observer {
	struct nsscope_bpf *skel;
	struct bpf_link *links[PROBES_MAX];
	uint8_t *tracked;
	size_t tracked_size;
	bool nested; /* nsscope is not in the initial PID namespace */
	char backend[256];
};

/* libbpf's first warning of an attempt names what was refused; its callback takes no argument of ours. */
static char first_warning[256];

static int keep_warning(enum libbpf_print_level level, const char *fmt, va_list args)
{
	if (level == LIBBPF_WARN && !*first_warning) {
		vsnprintf(first_warning, sizeof(first_warning), fmt, args);
		first_warning[strcspn(first_warning, "\n")] = 0;
	}
	return 0;
}

static void explain(struct observe_error *e, int err, const char *what)
{
	if (err == -EPERM || err == -EACCES)
		snprintf(e->text, sizeof(e->text),
			 "cannot %s: %s; observing needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN", what,
			 strerror(-err));
	else if (err == -ENOMEM)
		snprintf(e->text, sizeof(e->text), "cannot %s: out of memory; try a smaller --buffer", what);
	else
		snprintf(e->text, sizeof(e->text),
			 "cannot %s: %s%s%s%s; it needs Linux 5.12 or later with BPF and BTF, see the manual", what,
			 strerror(-err), *first_warning ? " (" : "", first_warning, *first_warning ? ")" : "");
}

/* What makes a load impossible and would only be told in libbpf's words. */
static int check_ground(struct observe_error *e)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		int err = -errno;

		snprintf(e->text, sizeof(e->text),
			 "cannot read /sys/kernel/btf/vmlinux: %s; %s", strerror(-err),
			 err == -ENOENT ? "the kernel must be built with CONFIG_DEBUG_INFO_BTF=y, and /sys be mounted" :
					  "observing needs root");
		return err;
	}
	return 0;
}

static uint32_t pid_limit(void)
{
	_fclose_ FILE *f = fopen("/proc/sys/kernel/pid_max", "re");
	unsigned limit;

	return f && fscanf(f, "%u", &limit) == 1 && limit < NSS_PID_LIMIT ? limit : NSS_PID_LIMIT;
}

/* Sizes and settings that must stand before the load. */
static int configure(struct observer *o, const struct observe_settings *settings)
{
	struct nsscope_bpf *skel = o->skel;
	struct nss_config conf = settings->conf;
	struct host host;
	int err = host_read(&host);
	uint32_t pages = pid_limit() / NSS_TRACKED_PAGE + 1;

	if (err)
		return err;
	conf.host_pid_ns = host.pid_ns;
	o->nested = host.pid_ns != HOST_PID_NS_INITIAL;
	conf.wake_bytes = settings->buffer / 4;
	memcpy((void *)&skel->rodata->conf, &conf, sizeof(conf));
	for (size_t i = 0; i < PROBES_MAX; i++)
		bpf_program__set_autoload(probe_program(skel, i),
					  probe_needed(i, &conf) || (i == PROBE_TASKS && o->nested));
	err = bpf_map__set_max_entries(skel->maps.events, settings->buffer);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.tracked, pages);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.scratches, (uint32_t)libbpf_num_possible_cpus() * NSS_SCRATCHES);
	o->tracked_size = (size_t)pages * NSS_TRACKED_PAGE;
	return err;
}

static int map_tracked(struct observer *o)
{
	void *p = mmap(NULL, o->tracked_size, PROT_READ | PROT_WRITE, MAP_SHARED, bpf_map__fd(o->skel->maps.tracked), 0);

	if (p == MAP_FAILED)
		return -errno;
	o->tracked = p;
	return 0;
}

/*
 * The depth of this PID namespace cannot be asked for from inside it (NS_GET_PARENT ends at the own one, ioctl_ns(2)):
 * the iterator finds it.
 */
static int find_host_level(struct observer *o)
{
	char discarded[4096];
	_close_ int fd = o->nested ? observe_snapshot_fd(o) : -1;
	ssize_t n;

	if (!o->nested)
		return 0;
	if (fd < 0)
		return fd;
	while ((n = read(fd, discarded, sizeof(discarded))) > 0)
		;
	return n < 0 ? -errno : 0;
}

static int attach(struct observer *o, const struct nss_config *conf)
{
	size_t len = 0;

	for (size_t i = 0; i < PROBES_MAX; i++) {
		if (!probe_needed(i, conf) || !probes[i].gives)
			continue;
		o->links[i] = bpf_program__attach(probe_program(o->skel, i));
		if (!o->links[i])
			return -errno;
		len += (size_t)snprintf(o->backend + len, sizeof(o->backend) - len, "%s%s=%s", len ? " " : "",
					probes[i].gives, probes[i].hook);
	}
	return 0;
}

int observe_open(const struct observe_settings *settings, struct observer **ret_observer, struct observe_error *ret_error)
{
	struct observer *o;
	int err = check_ground(ret_error);

	if (err)
		return err;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	libbpf_set_print(keep_warning);
	*first_warning = 0;
	o->skel = nsscope_bpf__open();
	err = o->skel ? configure(o, settings) : -errno;
	if (err)
		explain(ret_error, err, "prepare the BPF programs");
	if (!err && (err = nsscope_bpf__load(o->skel)))
		explain(ret_error, err, "load the BPF programs");
	if (!err && (err = map_tracked(o)))
		explain(ret_error, err, "map the tracked set");
	if (!err && (err = find_host_level(o)))
		explain(ret_error, err, "find nsscope's own PID namespace");
	if (!err && (err = attach(o, &settings->conf)))
		explain(ret_error, err, "attach the BPF programs");
	if (err) {
		observe_close(o);
		return err;
	}
	*ret_observer = o;
	return 0;
}

void observe_cloner(struct observer *o, pid_t pid)
{
	__atomic_store_n(&o->skel->bss->cloner, (uint32_t)pid, __ATOMIC_SEQ_CST);
}

void observe_track(struct observer *o, uint32_t pid, bool tracked)
{
	if (pid < o->tracked_size)
		__atomic_store_n(&o->tracked[pid], tracked, __ATOMIC_SEQ_CST);
}

bool observe_is_tracked(const struct observer *o, uint32_t pid)
{
	return pid < o->tracked_size && __atomic_load_n(&o->tracked[pid], __ATOMIC_SEQ_CST);
}

int observe_events_fd(const struct observer *o)
{
	return bpf_map__fd(o->skel->maps.events);
}

struct nss_counts observe_lost(const struct observer *o)
{
	struct nss_counts lost;

	for (size_t i = 0; i < NSS_EV_MAX; i++)
		lost.count[i] = __atomic_load_n(&o->skel->bss->lost[i], __ATOMIC_RELAXED);
	return lost;
}

const char *observe_backend(const struct observer *o)
{
	return o->backend;
}

int observe_snapshot_fd(struct observer *o)
{
	struct bpf_link *link = bpf_program__attach_iter(o->skel->progs.on_task, NULL);
	int fd, err;

	if (!link)
		return errno == EPERM ? -EPERM : -EOPNOTSUPP;
	fd = bpf_iter_create(bpf_link__fd(link));
	err = fd < 0 ? -errno : 0;
	bpf_link__destroy(link);
	return err ? err : fd;
}

void observe_close(struct observer *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < PROBES_MAX; i++)
		bpf_link__destroy(o->links[i]);
	if (o->tracked)
		munmap(o->tracked, o->tracked_size);
	nsscope_bpf__destroy(o->skel);
	free(o);
}
