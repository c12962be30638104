/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "cli/table.h"
#include "cli/version.h"
#include "event/format.h"
#include "observe/backends.h"
#include "sink/schema.h"
#include "sink/sink.h"
#include "util/cleanup.h"

#define ROWS_MAX 256
/* getopt's value of a long option without a letter: its row, above all letters. */
#define LONG_ONLY 256
#define HELP (LONG_ONLY + ROWS_MAX)
#define VERSION (HELP + 1)

struct getopt_tables {
	char brief[3 * ROWS_MAX + 8];
	struct option names[ROWS_MAX + 3];
};

/*
 * unshare(1)'s options may be abbreviated, and what is nsscope's own must not make them ambiguous: so that is an option
 * only where it is spelled out.
 */
static bool is_spelled_out(const char *name, char **argv)
{
	size_t len = strlen(name);

	for (; *argv && strcmp(*argv, "--"); argv++)
		if (!strncmp(*argv, "--", 2) && !strncmp(*argv + 2, name, len) &&
		    (!(*argv)[2 + len] || (*argv)[2 + len] == '='))
			return true;
	return false;
}

static void make_tables(enum command_id command, char **argv, struct getopt_tables *t)
{
	size_t nbrief = 0, nnames = 0;

	t->brief[nbrief++] = '+'; /* options behind the command are the command's own */
	t->brief[nbrief++] = ':';
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_rows[i];
		int has = !row->argument ? no_argument : *row->argument == '[' ? optional_argument : required_argument;

		if (!(row->commands & command))
			continue;
		if (command != CMD_UNSHARE || row->group != OPT_OUTPUT || is_spelled_out(row->name, argv))
			t->names[nnames++] = (struct option){ row->name, has, NULL, LONG_ONLY + (int)i };
		if (!row->brief)
			continue;
		t->brief[nbrief++] = (char)row->brief;
		if (has == required_argument)
			t->brief[nbrief++] = ':';
		/* nsenter's letters take what is attached to them, unshare's do not. */
		if (has == optional_argument && command == CMD_ENTER)
			nbrief += (size_t)sprintf(t->brief + nbrief, "::");
	}
	t->brief[nbrief++] = 'h';
	t->names[nnames++] = (struct option){ "help", no_argument, NULL, HELP };
	if (command == CMD_UNSHARE) {
		t->brief[nbrief++] = 'V';
		t->names[nnames++] = (struct option){ "version", no_argument, NULL, VERSION };
	}
	t->brief[nbrief] = 0;
	t->names[nnames] = (struct option){};
}

static const struct option_row *row_of(enum command_id command, int c)
{
	if (c >= LONG_ONLY)
		return &option_rows[c - LONG_ONLY];
	for (size_t i = 0; i < option_count; i++)
		if ((option_rows[i].commands & command) && option_rows[i].brief == c)
			return &option_rows[i];
	return NULL;
}

static void option_words(const struct option_row *row, char *to, size_t size)
{
	char letter[8] = "    ";
	const char *argument = row->argument ? row->argument : "";

	if (row->brief)
		snprintf(letter, sizeof(letter), "-%c, ", row->brief);
	snprintf(to, size, "%s--%s%s%s", letter, row->name, *argument && *argument != '[' ? " " : "", argument);
}

static void help_command(const struct command_row *command)
{
	printf("usage: nsscope %s [OPTION...]%s%s\n\n%s.\n", command->name, *command->operands ? " " : "",
	       command->operands, command->help);
	for (int group = 0; group < OPT_GROUPS; group++) {
		bool first = true;

		for (size_t i = 0; i < option_count; i++) {
			const struct option_row *row = &option_rows[i];
			char words[64];

			if (!(row->commands & command->id) || (int)row->group != group)
				continue;
			if (first)
				printf("\n%s:\n", option_group_names[group]);
			first = false;
			option_words(row, words, sizeof(words));
			printf("  %-28s %s\n", words, row->help);
		}
	}
	printf("\n  -h, --help                   show this\n");
	if (command->id == CMD_UNSHARE)
		printf("  -V, --version                show the version\n");
}

static void help_all(void)
{
	printf("usage: nsscope COMMAND [OPTION...]\n\n"
	       "Shows every process, namespace and mount event from both sides at once: as the host\n"
	       "sees it, and as the program inside new namespaces sees it.\n\nCommands:\n");
	for (size_t i = 0; i < command_count; i++)
		printf("  %-8s %s\n", command_rows[i].name, command_rows[i].help);
	printf("\n  nsscope COMMAND --help    the command's options\n"
	       "  nsscope --json-schema     the JSON Schema of -o json, and of ns, mounts and stat --json\n"
	       "  nsscope --man             the manual page; --version, --help\n\n"
	       "Exit status: run, enter, stat: the command's own, 128+N if signal N killed it, 126 or 127 if it could\n"
	       "not be executed or found. 125: nsscope itself failed. unshare: as unshare(1): 1 for what\n"
	       "is 125 elsewhere, ended by the command's signal. doctor: 0 if run works here, else 1.\n"
	       "Others: 0, or 125. 123: --exit-on held of an event.\n");
}

/* nsscope's own options, which stand in the place of a command. */
static bool answer(const char *word)
{
	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		help_all();
	} else if (!strcmp(word, "--version") || !strcmp(word, "-V")) {
		printf("nsscope %s\n", NSSCOPE_VERSION);
	} else if (!strcmp(word, "--man")) {
		cli_man(stdout);
	} else if (!strcmp(word, "--json-schema")) {
		struct buf b = {};

		schema_write(&b);
		fwrite(b.data, 1, b.len, stdout);
		buf_free(&b);
	} else {
		return false;
	}
	return true;
}

static const struct command_row *find_command(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(command_rows[i].name, name))
			return &command_rows[i];
	return NULL;
}

/* The one that nsscope is called as by a link; NULL: none. */
static const struct command_row *command_of_link(const char *argv0)
{
	const char *base = argv0 ? strrchr(argv0, '/') : NULL;

	base = base ? base + 1 : argv0;
	return base && !strcmp(base, "unshare") ? find_command(base) : NULL;
}

static enum cli_result bad_option(const struct command_row *command, int c, char **argv)
{
	if (c == ':')
		fprintf(stderr, "nsscope %s: %s needs an argument; see nsscope %s --help\n", command->name,
			argv[optind - 1], command->name);
	else if (optopt && optopt < LONG_ONLY)
		fprintf(stderr, "nsscope %s: no option -%c; see nsscope %s --help\n", command->name, optopt,
			command->name);
	else
		fprintf(stderr, "nsscope %s: no such option, or not with this argument: %s; see nsscope %s --help\n",
			command->name, argv[optind - 1], command->name);
	return CLI_ERROR;
}

/* In one line, whatever the argument is. */
static void complain_argument(const struct command_row *command, const struct option_row *row, const char *wrong)
{
	struct buf b = {};

	if (optarg)
		text_string(&b, optarg, strlen(optarg));
	fprintf(stderr, "nsscope %s: --%s%s%.*s: %s\n", command->name, row->name, optarg ? "=" : "", (int)b.len,
		b.len ? b.data : "", wrong);
	buf_free(&b);
}

static enum cli_result parse_options(const struct command_row *command, int argc, char **argv, struct settings *s)
{
	struct getopt_tables t;
	int c;

	make_tables(command->id, argv, &t);
	optind = 0;
	opterr = 0;
	while ((c = getopt_long(argc, argv, t.brief, t.names, NULL)) >= 0) {
		const struct option_row *row;
		const char *wrong;

		if (c == 'h' || c == HELP) {
			help_command(command);
			return CLI_DONE;
		}
		if ((c == 'V' || c == VERSION) && command->id == CMD_UNSHARE) {
			printf("nsscope unshare %s (does what unshare of util-linux 2.43 does)\n", NSSCOPE_VERSION);
			return CLI_DONE;
		}
		if (c == '?' || c == ':')
			return bad_option(command, c, argv);
		row = row_of(command->id, c);
		wrong = row->set(s, optarg, row->value);
		if (wrong) {
			complain_argument(command, row, wrong);
			return CLI_ERROR;
		}
	}
	s->operands = argv + optind;
	return CLI_GO;
}

/* Whether an output goes to a file. */
static bool has_file(const struct settings *s)
{
	for (size_t i = 0; i < s->noutputs; i++)
		if (output_file(s->outputs[i]))
			return true;
	return false;
}

/* NULL, or what is wrong. */
static const char *stat_check(const struct settings *s)
{
	if (s->stat.samples && !s->stat.namespaces)
		return "--samples is for --namespaces";
	if (s->stat.namespaces && s->launch.argv)
		return "--namespaces measures by itself: give no command";
	if (s->stat.namespaces && (s->pid || s->cgroup || s->observe.conf.only || s->stat.by || s->stat.hist || s->stat.interval ||
				   s->noutputs))
		return "--namespaces measures by itself, once: with it only --samples and --json";
	if (s->pid && s->launch.argv)
		return "--pid and a command: give one of them";
	if (!s->stat.namespaces && s->observe.backend && !strcmp(s->observe.backend, backends[BACKEND_FENTRY].name))
		return "the backend fentry is not for stat: give kprobe or tracepoint";
	return NULL;
}

/* Options that exclude each other, or need another. */
static enum cli_result check_launch(const struct command_row *command, const struct settings *s)
{
	const char *wrong = NULL;

	if (s->no_observe && s->noutputs)
		wrong = "--no-observe and --output: there are no events to show";
	else if (s->command == CMD_UNSHARE && !s->noutputs && (s->filters.show || s->filters.alert || s->filters.exit_on))
		wrong = "--filter, --alert and --exit-on need --output: without it nothing is observed";
	else if (s->no_observe && (s->filters.show || s->filters.alert || s->filters.exit_on))
		wrong = "--no-observe: there are no events for --filter, --alert and --exit-on";
	else if (s->rotation.size && !has_file(s))
		wrong = "--rotate-size is for a file; give one: --output json=FILE";
	else if (s->rotation.keep && !s->rotation.size)
		wrong = "--rotate-keep needs --rotate-size";
	else if (s->info_fd >= 0 && s->info_file)
		wrong = "--info-fd and --info-file: give one of them";
	else if (s->mounts_ns && s->pid)
		wrong = "--ns and --pid: give one of them";
	else if (s->hold && s->hold_fd >= 0)
		wrong = "--hold and --hold-fd: give one of them";
	else if (s->command == CMD_STAT)
		wrong = stat_check(s);
	else if (s->command == CMD_ENTER)
		wrong = enter_check(&s->enter);
	if (!wrong)
		return CLI_GO;
	fprintf(stderr, "nsscope %s: %s; see nsscope %s --help\n", command->name, wrong, command->name);
	return CLI_ERROR;
}

static enum cli_result check_operands(const struct command_row *command, struct settings *s)
{
	if (s->command & (CMD_RUN | CMD_UNSHARE | CMD_ENTER | CMD_STAT)) {
		s->launch.argv = *s->operands ? s->operands : NULL;
	} else if (s->command == CMD_REPLAY) {
		if (!s->operands[0] || s->operands[1]) {
			fprintf(stderr, "nsscope replay: give one recording; see nsscope replay --help\n");
			return CLI_ERROR;
		}
	} else if (*s->operands) {
		fprintf(stderr, "nsscope %s: takes no operand: %s; see nsscope %s --help\n", command->name,
			*s->operands, command->name);
		return CLI_ERROR;
	}
	if (s->command == CMD_RUN && s->launch.maps.setgroups == IDMAP_SETGROUPS_ALLOW &&
	    idmap_is_single(&s->launch.maps.of[IDMAP_GROUPS])) {
		fprintf(stderr,
			"nsscope run: --setgroups=allow and --map-group, -r, -c exclude each other; see user_namespaces(7)\n");
		return CLI_ERROR;
	}
	if (s->in && !s->pid) {
		fprintf(stderr, "nsscope ps: --in needs --pid: the number to translate\n");
		return CLI_ERROR;
	}
	return CLI_GO;
}

static enum cli_result done(enum cli_result result)
{
	if (result == CLI_DONE && (fflush(stdout) || ferror(stdout))) {
		perror("nsscope: cannot write to standard output");
		return CLI_ERROR;
	}
	return result;
}

enum cli_result cli_parse(int argc, char **argv, struct settings *ret_settings)
{
	struct settings s = {
		.observe = { .buffer = OBSERVE_BUFFER_DEFAULT },
		.unshare = { .propagation = MS_REC | MS_PRIVATE },
		.info_fd = -1,
		.hold_fd = -1,
		.enter.socket = -1,
	};
	const struct command_row *command;
	enum cli_result result;

	for (uint32_t i = 0; i < NSS_EV_MAX; i++)
		if (event_descs[i].group != GROUP_NONE)
			s.observe.conf.types |= 1ULL << i;
	*ret_settings = s;
	command = command_of_link(argv[0]);
	if (!command) {
		if (argc < 2) {
			fprintf(stderr, "nsscope: no command; see nsscope --help\n");
			return CLI_ERROR;
		}
		if (answer(argv[1]))
			return done(CLI_DONE);
		command = find_command(argv[1]);
		if (!command) {
			fprintf(stderr, "nsscope: no command '%s'; see nsscope --help\n", argv[1]);
			return CLI_ERROR;
		}
		argc--;
		argv++;
	}
	s.command = ret_settings->command = command->id;
	s.observe.backend = getenv("NSSCOPE_BACKEND");
	if (s.observe.backend && !backend_is_choice(s.observe.backend)) {
		fprintf(stderr, "nsscope: NSSCOPE_BACKEND=%s: neither kprobe, fentry nor tracepoint\n",
			s.observe.backend);
		return CLI_ERROR;
	}
	/* It is for all commands, and stat has none of this kind. */
	if (command->id == CMD_STAT && s.observe.backend && !strcmp(s.observe.backend, backends[BACKEND_FENTRY].name))
		s.observe.backend = NULL;
	s.launch.sandbox.loopback = command->id == CMD_RUN;
	result = parse_options(command, argc, argv, &s);
	if (result == CLI_GO)
		result = check_operands(command, &s);
	if (result == CLI_GO)
		result = check_launch(command, &s);
	if (!s.rotation.keep)
		s.rotation.keep = ROTATE_KEEP_DEFAULT;
	*ret_settings = s;
	return done(result);
}
