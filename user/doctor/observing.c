/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be observed. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "doctor/exam.h"
#include "observe/backends.h"
#include "observe/kernel_btf.h"
#include "observe/observe.h"
#include "util/cleanup.h"

void check_ring_buffer(struct exam *x)
{
	int err = -kernel_try_ring_buffer();

	if (!err)
		tell(x, STATE_OK, NULL, "can be made");
	else if (err == EPERM)
		tell(x, STATE_MISSING, "see rights", "refused: %s", strerror(err));
	else if (err == ENOSYS)
		tell(x, STATE_MISSING, "a kernel with CONFIG_BPF_SYSCALL; and see seccomp", "no bpf(2): %s",
		     strerror(err));
	else
		tell(x, STATE_MISSING, "Linux 5.8 or later has it; and see RLIMIT_MEMLOCK", "refused: %s",
		     strerror(err));
}

static bool reads_memory(void)
{
	struct kernel_btf *btf;
	bool does;

	if (kernel_btf_open(&btf))
		return false;
	does = kernel_rdonly_cast(btf);
	kernel_btf_free(btf);
	return does;
}

void check_programs(struct exam *x)
{
	tell(x, STATE_OK, NULL, "those for Linux %s",
	     reads_memory() ? "6.18 and later" : kernel_has_atomics() ? "5.12 and later" : "before 5.12");
}

/* The first of those that give the same and work is used. -1: none. */
static int first_that_works(const int *errs, const char *gives)
{
	for (int i = 0; i < BACKENDS_MAX; i++)
		if (!strcmp(backends[i].gives, gives) && !errs[i])
			return i;
	return -1;
}

static void tell_working(struct exam *x, const char *name, const struct backend *b)
{
	tell_of(x, name, NULL, STATE_OK, NULL, "works, is used: %s; costs %s%s%s", b->hooks, b->costs,
		b->misses ? "; misses " : "", b->misses ? b->misses : "");
}

static void tell_backend(struct exam *x, const int *errs, int i)
{
	const struct backend *b = &backends[i];
	int used = first_that_works(errs, b->gives);
	char name[64];

	snprintf(name, sizeof(name), "%s: %s", b->gives, b->name);
	if (used == i)
		tell_working(x, name, b);
	else if (!errs[i])
		tell_of(x, name, NULL, STATE_OK, NULL, "works, but %s is better", backends[used].name);
	else if (used < 0)
		tell_of(x, name, NULL, STATE_MISSING, b->needs, "refused: %s", strerror(-errs[i]));
	else if (used < i)
		tell_of(x, name, NULL, STATE_OK, NULL, "refused: %s; but %s is better", strerror(-errs[i]),
			backends[used].name);
	else
		tell_of(x, name, NULL, STATE_LIMITED, b->needs, "refused: %s; %s is used", strerror(-errs[i]),
			backends[used].name);
}

void check_backends(struct exam *x)
{
	int errs[BACKENDS_MAX];

	for (int i = 0; i < BACKENDS_MAX; i++)
		errs[i] = backend_try((enum backend_id)i);
	for (int i = 0; i < BACKENDS_MAX; i++)
		tell_backend(x, errs, i);
}

/* As run opens it, the size of the buffer as well. */
void check_observer(struct exam *x)
{
	struct observe_settings settings = *x->observe;
	struct observe_error error = {};
	struct observer *o = NULL;

	settings.conf.only = NSS_ONLY_TRACKED;
	settings.leaves_nothing = true;
	x->observing = observe_open(&settings, &o, &error);
	if (!x->observing)
		x->observing = observe_prepare_look(o);
	if (x->observing) {
		snprintf(x->observing_text, sizeof(x->observing_text), "%s",
			 *error.text ? error.text : strerror(-x->observing));
		tell(x, STATE_MISSING, "mend what is missing here and under rights", "%s", x->observing_text);
	} else {
		tell(x, STATE_OK, NULL, "%s", observe_backend(o));
	}
	observe_close(o);
}
