/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <string.h>

#include "cli/table.h"
#include "cli/version.h"
#include "event/event.h"
#include "observe/backends.h"
#include "util/cleanup.h"
#include "view/filter_field.h"
#include "view/statview.h"

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

/* A term, and what it is. */
static void put_term(FILE *out, const char *term, const char *doc)
{
	fprintf(out, ".TP\n.B %s\n", term);
	put(out, doc);
	fputc('\n', out);
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

/* "array of strings", "number", "inside, host or others". */
static void put_sort(FILE *out, const struct filter_name *name)
{
	static const char *const sorts[] = {
		[VALUE_NULL] = "null", [VALUE_BOOL] = "true or false", [VALUE_NUMBER] = "number", [VALUE_BYTES] = "string"
	};
	char buf[NAME_MAX_LEN], words[256] = "";
	struct filter_word_at at = {};
	struct filter_field f;
	const char *word;
	size_t n = 0;

	if (!filter_field_find(name->name, strlen(name->name), &f)) {
		while (strlen(words) < 128 && (word = filter_field_word(&f, &at, buf)))
			n += (size_t)snprintf(words + n, sizeof(words) - n, "%s%s", n ? ", " : "", word);
	}
	fprintf(out, "%s%s%s%s%s", name->is_array ? "array, " : "", sorts[name->type], n ? ": " : "", words,
		strlen(words) < 128 ? "" : ", ...");
}

/* One of those that stand beside each string. */
static bool is_string_flag(const struct filter_name *name)
{
	static const char *const ends[] = { "_truncated", "_unreadable", "_outside" };
	size_t len = strlen(name->name);

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		if (len > strlen(ends[i]) && !strcmp(name->name + len - strlen(ends[i]), ends[i]))
			return true;
	return false;
}

static void put_expressions(FILE *out)
{
	static const char *const paragraphs[] = {
		"--filter, --alert and --exit-on take an expression over the fields that JSON has.",
		"FIELD == VALUE (or =), !=, and for numbers <, <=, >, >=. FIELD in (VALUE, ...), FIELD not in (VALUE, ...). "
		"FIELD ~ GLOB (or =~), FIELD !~ GLOB: * is any bytes, also /; ? one; [a-z], [!a-z] one of a set; \\ makes the "
		"next plain. FIELD alone, or has(FIELD): it is there and neither null nor false nor an empty array; so error "
		"alone holds of what failed, and mount alone of each mount event. not (!), and (&&), or (||), in this order of "
		"binding, and parentheses.",
		"A VALUE is a number (decimal, 0x..., with ns, us, ms, s, m, h: in ns; with K, M, G), true, false, null, or a "
		"string: one word, or in quotes, where \\n \\t \\r \\\\ \\\" \\' and \\xHH stand for bytes. Strings are compared "
		"byte by byte.",
		"A test of a field that the event does not have is false, != and !~ too; null is a value: error != EPERM holds "
		"of what succeeded. A test of an array holds if it holds of any element; != and !~ if == or ~ holds of none.",
		"Short forms: target means the target of whichever event has one, and so on; where a field of that name is something "
		"else in another event, that of the mount calls (so setns.target must be named). reach alone is the verdict of a call "
		"that did not fail: reach != inside holds of what reached the host or others, or where that is not known; "
		"reach == host or reach == others (reach in host, others) only of what did reach out. reach.verdict is none of "
		"what failed.",
		"--filter leaves out what it does not hold of, also of the processes that ran before; the summary is of all, "
		"and the end record of JSON says how many were left out. Where no output needs the others (a recording, the picture and the "
		"table do), the kernel side does not send groups of events (process, ns, mount) that can never match, nor those "
		"of processes of another comm, host.uid or namespace where the expression demands one by ==; these then do not "
		"count. --alert marks events with ! before their name, and with alert in JSON. --exit-on ends a run as if "
		"nsscope ended: the command and its descendants are killed. What these two hold of is shown whatever --filter "
		"says; they look at what happens, not at what ran before.",
		"An unknown field, and a word that a field never is, are errors.",
	};
	struct filter_name name;

	fputs(".SH EXPRESSIONS\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(paragraphs); i++) {
		fputs(".PP\n", out);
		put(out, paragraphs[i]);
		fputc('\n', out);
	}
	fputs(".SS Fields\nBeside a string x stand x_truncated, x_unreadable and x_outside, as in JSON.\n", out);
	for (size_t i = 0; filter_field_nth(i, &name); i++) {
		if (is_string_flag(&name))
			continue;
		fprintf(out, ".TP\n.B %s\n", name.name);
		put(out, name.doc);
		fprintf(out, "%s%s. (", name.more ? "; " : "", name.more ? name.more : "");
		put_sort(out, &name);
		fputs(")\n", out);
	}
}

/* The tables and objects of ns and mounts: they are no events. */
static void put_listings(FILE *out)
{
	static const struct {
		const char *term, *text;
	} rows[] = {
		{ "ns: text",
		  "PROCS processes are in it; PID is the lowest of theirs, INSIDE what it is in the namespaces below the host's; "
		  "OWNER is the user namespace that owns it, or that a user namespace is nested in; OWNER_UID whose that user "
		  "namespace is, or who made the user namespace; USER is of process PID. AGE: >= proven; ~ the age of its oldest "
		  "process, which may have entered it later, or have made it later; boot: the kernel began with it; ? not known. "
		  "Last, the command of PID, and what else keeps it: bound to a path (in which mount namespace), a file "
		  "descriptor, a socket, a thread, children to come, namespaces nested in it or owned by it." },
		{ "ns: JSON",
		  "One object: type (namespaces), schema, host (pid_ns, mnt_ns), missing (how many processes, mounts, files, "
		  "lines could not be looked at), namespaces. Of each: type, inum, id (64 bits, never used again; or null), nprocs, "
		  "pid, inside_pid, pids (ns and pid at each level), uid, command, parent and owner (inums, or null), owner_uid, "
		  "creator (uid; null: not proven, as of all but user namespaces), age (ns, and is: at_least, about or boot; or "
		  "null), kept_by: processes (how many), binds (mnt_ns, path), fds and sockets (pid, fd), threads (pid, tid), "
		  "for_children (PIDs), children and owned (inums)." },
		{ "ns --watch",
		  "The table or the object, then the stream of ns_create and ns_destroy as watch tells them, until a signal ends "
		  "it. What came to be while the table was made is in both. --json is one object a line. lifetime_ns is null of what "
		  "was there before. The first 8192 namespaces are watched for their end; more are counted as lost." },
		{ "mounts: text",
		  "ID, TARGET (from the root of the namespace), SOURCE (and which part of it), FSTYPE, OPTIONS, PROPAGATION as in "
		  "/proc/PID/mountinfo. Last: covered, if no path leads there; peers and slaves: the namespaces with mounts in its "
		  "peer group, and those that receive from it; slave of: whom it receives from; and what a mount under here would "
		  "do: stay inside, or reach these namespaces, some (only below ./x) of the place. host is nsscope's own mount "
		  "namespace." },
		{ "mounts: JSON",
		  "One object: type (mounts), schema, ns (inum), host, missing, mounts, namespaces (of those named: inum, id, owner, "
		  "pid, inside_pid, nprocs). Of each mount: id, unique_id (or null), parent, device, target, root, source, fstype, "
		  "options, super_options, shared, master, propagate_from (peer groups, or null), unbindable, covered; peers, slaves, "
		  "masters (ns, and how many mounts of it); reach: verdict (inside, host, others; unknown: not all namespaces "
		  "could be looked at), ns, total, only_below (ns, path)." },
	};

	fputs(".SH NAMESPACES AND MOUNTS\nStrings in JSON are as in events: x_raw beside x where that is not UTF-8. On a "
	      "terminal that is too narrow, columns are left out, lists are folded and commands cut, unless --wide; JSON is "
	      "whole. What could not be looked at is told in one line on standard error.\n", out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put_term(out, rows[i].term, rows[i].text);
}

static void put_stat(FILE *out)
{
	fputs(".SH STAT\nWithout a command stat measures until INT, TERM or HUP. A command runs in the namespaces that nsscope is in, and "
	      "what it leaves behind stays; the table goes to standard error then, unless \\-o names a file. All is added up in the kernel, "
	      "from the moment that stat is ready: of a process that was there before, only its programs from the next on, and its end. "
	      "\\-\\-comm and \\-u take a process as it is at each moment: of one that gets the name or the user later, what began "
	      "before is not told, nor is that missed.\n.PP\n"
	      "Durations are of CLOCK_MONOTONIC. fork, fork_exec, exec_exec (if any), exec_exit and exit_reaped follow one another "
	      "without a gap; of a process that executes nothing fork, fork_exit and exit_reaped. The other phases are parts of "
	      "these. Percentiles are as far from the truth as the bucket of the histogram is wide: 1/16 at most. MAX and SUM are "
	      "exact. \\-\\-by image: the path that exec was given; of one of more than 47 bytes \"...\" and its end.\n", out);
	for (size_t i = 0; i < NSS_PHASE_CALLS; i++)
		put_term(out, phase_descs[i].name, phase_descs[i].doc);
	fputs(".TP\n.B unshare, unshare_failed, mount, mount_failed, ...\nthe system calls that are told as events, from their entry to their "
	      "return, and those that failed\n.PP\n"
	      "A process belongs to the group (\\-\\-by) that it is in when it executes or ends: what came before its first exec is told "
	      "with that, and until then with the group that made it. A cgroup that is gone has its last name, without a path. \"#2\" is the "
	      "second namespace or parent of this number. A group for which there was no room (8192 groups times phases) is in the group \"(the rest)\"; so "
	      "many as 65536 processes are in MOST SPAWNING. With \\-i, rates are of the time since the table before, all else of the whole "
	      "time; in the last table rates too.\n.PP\n"
	      "JSON: type (stat), schema, time, final (no other follows), elapsed_ns, backend, by, counts, per_second, groups, most_spawning "
	      "(made, pid: null if it is outside nsscope's PID namespace, start_ns, comm), shortest_lived (by comm). Of each group: is (all, one or "
	      "rest), id (ns: inum; cgroup; parent: PID), start_ns (CLOCK_BOOTTIME, of the parent or of the namespace's init: the "
	      "same number later is another group), name, phases: phase, made (of clone: only those that made exactly these "
	      "namespaces), count, sum_ns, p50_ns, p90_ns, p99_ns, max_ns, histogram (from_ns, to_ns, count). counts:\n", out);
	for (size_t i = 0; i < NSS_COUNTS; i++)
		put_term(out, stat_count_descs[i].name, stat_count_descs[i].doc);
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
	put_expressions(out);
	put_listings(out);
	put_stat(out);
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
	      "The command and all its descendants die with nsscope, also with SIGKILL. What the command of run leaves behind "
	      "when it ends is killed too, also without a new PID namespace; what that of enter leaves stays in the target, as "
	      "nsenter(1) has it.\n"
	      ".SH EXIT STATUS\n"
	      "run, enter and stat: the command's own; 128+N if signal N killed it; 126 if it could not be executed; 127 if it was not "
	      "found; 124 if the time limit ended it. 125: nsscope itself failed, and said why in one line on standard error; also where the output "
	      "could not be written. 123: --exit-on held of an event, whatever became of the command; unshare has it too. unshare: the "
	      "command's own; ended by the signal that killed it; 126 and 127; that of newuidmap(1) or newgidmap(1) if "
	      "one of these failed; 1 for all else. watch, stat without a command, ps, ns, mounts and replay: 0, or 125. doctor: 0 if run works here, 1 if it "
	      "does not, 125 if doctor itself failed.\n"
	      ".SH LOSS\n"
	      "Events that the ring buffer could not take are counted by type in the kernel; a lost record stands where "
	      "the gap was noticed, and the end record has the totals. Strings that were cut or could not be read are "
	      "marked. If any were lost, \\-\\-exit\\-on could not look at them: the status is 125, not 0.\n.PP\n"
	      "While an output takes nothing, a disk that is busy or a reader that stands still, up to 512 MiB of events (or 1/16 of "
	      "the machine's memory, if that is less) wait beside the ring buffer (\\-\\-buffer).\n.PP\n"
	      "A file that cannot be written to is told of once, and the other outputs go on. On a full disk up to 1 MiB "
	      "waits for room; what finds none is counted, on standard error and as not_written in the end record.\n"
	      ".SH DELAY\n"
	      "An event is shown within 50 ms. While many come, and all outputs are files, they are written each 0.2 s.\n"
	      ".SH FILES\n"
	      ".TP\n.B FILE, FILE.1, FILE.2 ...\nWith \\-\\-rotate\\-size: FILE.1 is newer than FILE.2. FILE is appended to, and "
	      "renamed, never cut, before it is larger than SIZE; each file begins with a start record (text: the heading). FILE must "
	      "be a regular file, no link, in a directory that can be written to. Recordings and tables cannot be rotated.\n"
	      ".TP\n.B /run/systemd/journal/socket\n\\-o journal: one entry per event; MESSAGE is its line. PRIORITY is 3 if "
	      "\\-\\-alert holds, 4 for what reached the host or no one knows where and for lost events, 5 for what reached others, else 6. "
	      "NSSCOPE_TYPE, NSSCOPE_SEQ, NSSCOPE_ALERT, NSSCOPE_HOST_PID, NSSCOPE_INSIDE_PID, NSSCOPE_COMM, NSSCOPE_MNT_NS and so on, "
	      "NSSCOPE_REACH, NSSCOPE_ERROR and NSSCOPE_TARGET are fields to search by; NSSCOPE_JSON is the whole event.\n"
	      ".TP\n.B /var/cache/nsscope/programs\nThe BPF programs as libbpf has fitted them to the running kernel, written by "
	      "a command other than stat and doctor that observes and finds none for this kernel and this nsscope: the next one starts in "
	      "two thirds of the time. It may be removed at any time. It is only read if it and its directory belong to the caller, and "
	      "nobody else can write to them; where it cannot be written, starts go on without it.\n"
	      ".SH REQUIREMENTS\n"
	      "Linux 5.10 or later (arm64: 6.1) with CONFIG_DEBUG_INFO_BTF; root, or CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN. "
	      "replay needs neither.\n"
	      ".SH ENVIRONMENT\n"
	      ".TP\n.B NO_COLOR\nNot empty: no colour, unless \\-\\-color says so (no-color.org).\n"
	      ".TP\n.B NSSCOPE_BACKEND\nAs \\-\\-backend, where that is not given.\n"
	      ".TP\n.B CACHE_DIRECTORY\nThe directory of the file programs, in place of /var/cache/nsscope; empty: none is read or "
	      "written. systemd sets it for a unit with CacheDirectory=. Not looked at where nsscope has file capabilities.\n"
	      ".TP\n.B COLUMNS\nThe width that lines are fitted to, on a terminal.\n"
	      ".SH SEE ALSO\nunshare(1), nsenter(1), lsns(8), strace(1), namespaces(7), pid_namespaces(7), "
	      "mount_namespaces(7)\n",
	      out);
}
