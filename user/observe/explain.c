/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe/explain.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "observe/backends.h"

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

void explain_begin(void)
{
	*first_warning = 0;
	libbpf_set_print(keep_warning);
}

void explain_refused(const char *what)
{
	snprintf(first_warning, sizeof(first_warning), "the kernel refuses %s", what);
}

void explain(struct observe_error *e, const char *backend, int err, const char *what)
{
	if (err == -EPERM || err == -EACCES)
		snprintf(e->text, sizeof(e->text),
			 "cannot %s: %s; observing needs root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN%s%s", what,
			 strerror(-err), backend ? "; or this is refused: the backend " : "",
			 backend ? backend : "");
	else if (backend)
		snprintf(e->text, sizeof(e->text), "cannot %s for the backend %s: %s; see nsscope doctor for what works here",
			 what, backend, strerror(-err));
	else if (err == -ENOMEM)
		snprintf(e->text, sizeof(e->text), "cannot %s: out of memory; try a smaller --buffer", what);
	else
		snprintf(e->text, sizeof(e->text),
			 "cannot %s: %s%s%s%s; it needs Linux 5.10 or later with BPF and BTF, see nsscope doctor", what,
			 strerror(-err), *first_warning ? " (" : "", first_warning, *first_warning ? ")" : "");
}

int explain_ground(struct observe_error *e)
{
	if (access("/sys/kernel/btf/vmlinux", R_OK)) {
		int err = -errno;

		snprintf(e->text, sizeof(e->text),
			 "cannot read /sys/kernel/btf/vmlinux: %s; %s", strerror(-err),
			 err == -ENOENT ? "the kernel must be built with CONFIG_DEBUG_INFO_BTF=y, and /sys be mounted" :
					  "observing needs root");
		return err;
	}
	if (kernel_try_ring_buffer() == -EINVAL) {
		snprintf(e->text, sizeof(e->text), "the kernel has no BPF ring buffer; it needs Linux 5.10 or later");
		return -EINVAL;
	}
	return 0;
}
