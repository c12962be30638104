/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --dry-run: the plan, and the ID maps with their holes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cmd/common.h"
#include "cmd/launching.h"
#include "launch/idmap_write.h"
#include "launch/persist.h"
#include "launch/plan.h"
#include "launch/unshare.h"

/* Escaped as the text view does it: file names are anybody's. */
static void put_line(const char *words)
{
	for (; *words; words++) {
		unsigned char c = (unsigned char)*words;

		if (c < 0x20 || c == 0x7f)
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	putchar('\n');
}

static void put_map(const struct idmap *m, enum idmap_kind kind)
{
	uint64_t from = 0;
	uint32_t first, last;

	printf("%s:\n", idmap_files[kind]);
	for (size_t i = 0; i < m->n; i++)
		printf("%10u %10u %10u\n", m->ranges[i].inner, m->ranges[i].outer, m->ranges[i].count);
	for (; from < IDMAP_NO_ID && idmap_hole(m, (uint32_t)from, &first, &last); from = (uint64_t)last + 1)
		printf("%u..%u not mapped\n", first, last);
}

static int put_unshare(const struct settings *s)
{
	struct unshare_plan p;
	const char *why;
	char words[4200];

	if (unshare_plan(&s->launch, s->launch.argv ? NULL : unshare_shell(&s->launch), &p, &why)) {
		fprintf(stderr, "nsscope unshare: %s\n", why);
		return launching_failed(s);
	}
	for (size_t i = 0; i < p.n; i++) {
		unshare_describe(&p.steps[i], words, sizeof(words));
		put_line(words);
	}
	return 0;
}

static int put_run(const struct settings *s)
{
	struct plan p;
	char words[4200];
	int err = plan_make(&s->launch, s->launch.argv ? NULL : launch_shell(), &p);

	if (err) {
		complain("cannot plan this: %s", strerror(-err));
		return launching_failed(s);
	}
	persist_names(p.namespaces, words, sizeof(words));
	printf("clone into new namespaces: %s\n", words);
	for (size_t i = 0; i < p.n; i++) {
		plan_describe(&p.steps[i], words, sizeof(words));
		put_line(words);
	}
	return 0;
}

int dry_run(const struct settings *s)
{
	struct idmaps maps;
	struct idmap_error error;
	int status;

	if (idmap_load(&s->launch.maps, &maps, &error)) {
		complain("cannot map the IDs: %s", error.text);
		return launching_failed(s);
	}
	status = s->launch.in_place ? put_unshare(s) : put_run(s);
	for (enum idmap_kind kind = IDMAP_USERS; !status && kind <= IDMAP_GROUPS; kind++)
		if (maps.of[kind].n)
			put_map(&maps.of[kind], kind);
	if (fflush(stdout) || ferror(stdout)) {
		complain("cannot write to standard output: %s", strerror(errno));
		return launching_failed(s);
	}
	return status;
}
