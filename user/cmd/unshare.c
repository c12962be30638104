/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope unshare: unshare(1), in this very process; observed if an output is named. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cmd/cmd.h"
#include "cmd/launching.h"
#include "launch/unshare.h"

int unshare_complain(const struct launch_event *f)
{
	const char *open = *f->hint ? " (" : "", *close = *f->hint ? ")" : "";

	if (f->helper && f->error)
		fprintf(stderr,
			"nsscope unshare: cannot %s: newuidmap or newgidmap cannot be executed: %s (Debian: package uidmap; "
			"without it and without root only one's own ID can be mapped)\n",
			f->stage, strerror(f->error));
	else if (f->helper)
		fprintf(stderr, "nsscope unshare: cannot %s: newuidmap or newgidmap refused\n", f->stage);
	else if (!*f->stage)
		fprintf(stderr, "nsscope unshare: %s\n", f->hint);
	else if (!f->error)
		fprintf(stderr, "nsscope unshare: cannot %s: %s\n", f->stage, f->hint);
	else
		fprintf(stderr, "nsscope unshare: cannot %s: %s%s%s%s\n", f->stage, strerror(f->error), open, f->hint,
			close);
	return unshare_status(f);
}

int cmd_unshare(const struct settings *s)
{
	struct settings in_place = *s;
	struct unshare_end end;

	in_place.launch.in_place = &in_place.unshare;
	if (s->dry_run)
		return dry_run(&in_place);
	if (s->noutputs)
		return run_launched(&in_place, &in_place.launch, NULL);
	unshare_run(&in_place.launch, &end);
	if (end.what == UNSHARE_FAILED)
		return unshare_complain(&end.failure);
	if (WIFSIGNALED(end.status))
		unshare_die_of(WTERMSIG(end.status));
	return WEXITSTATUS(end.status);
}
