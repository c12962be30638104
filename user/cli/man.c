/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"
#include "cli/table.h"
#include "cli/version.h"
#include "event/event.h"
#include "observe/backends.h"

/* @text with what roff would read as its own made plain. */
static void put(FILE *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '-' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_option(FILE *out, const struct option_row *row)
{
	const char *argument = row->argument ? row->argument : "";

	fputs(".TP\n.B ", out);
	if (row->brief)
		fprintf(out, "\\-%c, ", row->brief);
	fputs("\\-\\-", out);
	put(out, row->name);
	if (*argument && *argument != '[')
		fputc(' ', out);
	put(out, argument);
	fputc('\n', out);
	put(out, row->help);
	fputs(".\n", out);
}

static void put_command(FILE *out, const struct command_row *command)
{
	fputs(".SS nsscope ", out);
	put(out, command->name);
	fputc(' ', out);
	put(out, command->operands);
	fputc('\n', out);
	put(out, command->help);
	fputs(".\n", out);
	for (size_t i = 0; i < option_count; i++)
		if (option_rows[i].commands & command->id)
			put_option(out, &option_rows[i]);
}

static void put_events(FILE *out)
{
	fputs(".SH EVENTS\n", out);
	for (size_t i = 0; i < NSS_EV_MAX; i++) {
		const struct event_desc *d = &event_descs[i];

		if (d->class == CLASS_PART)
			continue;
		fprintf(out, ".TP\n.B %s\n", d->name);
		put(out, d->doc);
		fputs(".\n", out);
	}
}

static void put_backends(FILE *out)
{
	fputs(".SH BACKENDS\nWhat can give each kind of event; of several, the first that works here is taken (see "
	      "nsscope doctor). The start record names it, and each mount, umount, move_mount, pivot_root and chroot says "
	      "in args whose copy of the arguments it shows: kernel, as the kernel acted on them, or caller, as the caller "
	      "had them.\n", out);
	for (size_t i = 0; i < BACKENDS_MAX; i++) {
		const struct backend *b = &backends[i];

		fprintf(out, ".TP\n.B %s: %s\n", b->gives, b->name);
		put(out, b->hooks);
		fputs(". Needs ", out);
		put(out, b->needs);
		fputs(". Costs ", out);
		put(out, b->costs);
		fputs(". Misses ", out);
		put(out, b->misses ? b->misses : "nothing");
		fputs(".\n", out);
	}
}

void cli_man(FILE *out)
{
	fprintf(out, ".TH NSSCOPE 1 \"\" \"nsscope %s\"\n.SH NAME\nnsscope \\- both sides of Linux namespaces, live\n",
		NSSCOPE_VERSION);
	fputs(".SH SYNOPSIS\n.B nsscope\n.I COMMAND\n[\\fIOPTION\\fR...]\n"
	      ".SH DESCRIPTION\n"
	      "Launches a program in new Linux namespaces, or watches the machine, and shows every process, "
	      "namespace and mount event from both sides at once: as the host sees it, and as the program inside "
	      "sees it.\n.PP\n"
	      "In the text view, HOST is the PID in nsscope's own PID namespace; INSIDE are the PIDs in the "
	      "namespaces below it, outermost first (5>1), or = where there is none below.\n"
	      ".SH COMMANDS AND OPTIONS\n",
	      out);
	for (size_t i = 0; i < command_count; i++)
		put_command(out, &command_rows[i]);
	put_events(out);
	put_backends(out);
	fputs(".SH UNSHARE\n"
	      "nsscope unshare does what unshare(1) of util-linux 2.43 does, with the same options, abbreviations, order "
	      "of steps and exit statuses, also where it is called by a link named unshare. It does so in its own process, "
	      "and observes nothing, unless an output is named (\\-o).\n.PP\n"
	      "It differs where that is of use. Namespaces with a FILE are bound before the command runs, and if the "
	      "command does not come to run, nothing stays bound. --kill-child outlasts \\-S and \\-G. --forward-signals loses "
	      "none, not even one that the kernel drops because the command is PID 1 of its namespace. With \\-f, a signal "
	      "other than INT and TERM that would end unshare goes to the command, so that it is not left behind (HUP, "
	      "say); and if the command stops, so does unshare. --setgroups=deny may be given together with maps. "
	      "Numbers that are no ID are refused.\n.PP\n"
	      "Maps: a single mapping (--map-user and the like) takes its ID out of the ranges: what is left of the inner "
	      "and the outer IDs of a range is paired again in order, and what has no partner then, the topmost, is not "
	      "mapped. --dry-run shows the maps and what is not mapped.\n"
	      ".SH SIGNALS\n"
	      "run passes each signal that it gets on to the command; what the terminal sends to the whole foreground "
	      "group is not sent twice. A signal that the kernel drops because the command is PID 1 of its namespace and "
	      "has the signal at its default action is carried out by nsscope: the command is killed or stopped. "
	      "The command and all its descendants die with nsscope, also with SIGKILL.\n"
	      ".SH EXIT STATUS\n"
	      "run and enter: the command's own; 128+N if signal N killed it; 126 if it could not be executed; 127 if it was not "
	      "found; 124 if the time limit ended it. 125: nsscope itself failed, and said why in one line on standard error; also where the output "
	      "could not be written. unshare: the "
	      "command's own; ended by the signal that killed it; 126 and 127; that of newuidmap(1) or newgidmap(1) if "
	      "one of these failed; 1 for all else. watch, ps and replay: 0, or 125. doctor: 0 if run works here, 1 if it "
	      "does not, 125 if doctor itself failed.\n"
	      ".SH LOSS\n"
	      "Events that the ring buffer could not take are counted by type in the kernel; a lost record stands where "
	      "the gap was noticed, and the end record has the totals. Strings that were cut or could not be read are "
	      "marked.\n"
	      ".SH REQUIREMENTS\n"
	      "Linux 5.10 or later (arm64: 6.1) with CONFIG_DEBUG_INFO_BTF; root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN. "
	      "replay needs neither.\n"
	      ".SH ENVIRONMENT\n"
	      ".TP\n.B NO_COLOR\nNot empty: no colour, unless \\-\\-color says so (no-color.org).\n"
	      ".TP\n.B NSSCOPE_BACKEND\nAs \\-\\-backend, where that is not given.\n"
	      ".TP\n.B COLUMNS\nThe width that lines are fitted to, on a terminal.\n"
	      ".SH SEE ALSO\nunshare(1), nsenter(1), lsns(8), strace(1), namespaces(7), pid_namespaces(7), "
	      "mount_namespaces(7)\n",
	      out);
}
