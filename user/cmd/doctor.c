/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nsscope doctor: what works here, what does not, why, and how to mend it. */
#include "doctor/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/version.h"
#include "cmd/cmd.h"
#include "cmd/common.h"
#include "util/utf8locale.h"
#include "view/columns.h"

/* As the text sink does it; no-color.org: present and not empty. */
static bool want_color(enum color_when when)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (when != COLOR_AUTO)
		return when == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
}

static int show(const struct settings *s, const struct report *report)
{
	struct buf b = { .ascii = !locale_is_utf8() };
	struct report_style style = {
		.color = want_color(s->style.color),
		.width = s->style.wide ? 0 : terminal_width(STDOUT_FILENO),
	};
	int err;

	if (s->json)
		report_json(report, NSSCOPE_VERSION, &b);
	else
		report_text(report, &style, &b);
	err = buf_flush(&b, STDOUT_FILENO);
	buf_free(&b);
	return err;
}

int cmd_doctor(const struct settings *s)
{
	struct report report;
	int err, status;

	signal(SIGCHLD, SIG_DFL); /* what waits for children must find them */
	doctor_examine(&s->observe, &report);
	err = report.failed ? -ENOMEM : show(s, &report);
	status = doctor_run_works(&report) ? 0 : STATUS_NOT_WORKING;
	report_free(&report);
	if (!err)
		return status;
	complain("cannot write what was found: %s", strerror(-err));
	return STATUS_FAILED;
}
