/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "doctor/report.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/checks.h"
#include "event/format.h"
#include "view/columns.h"

#define STATE_WIDTH 8
#define NAME_WIDTH 24
#define FOUND_AT (2 + STATE_WIDTH + 1 + NAME_WIDTH + 1)
/* Where the lines below a row stand, and what they say. */
#define NOTE_AT (2 + STATE_WIDTH + 1)
#define NOTE_WIDTH 6
#define WRAP_MIN 24

#define SGR_BOLD "\033[1m"
#define SGR_END "\033[0m"

const char *const state_names[STATES] = {
	[STATE_OK] = "ok",
	[STATE_LIMITED] = "limited",
	[STATE_MISSING] = "missing",
	[STATE_UNKNOWN] = "unknown",
};

static const char *const state_colors[STATES] = {
	[STATE_OK] = "\033[32m",
	[STATE_LIMITED] = "\033[33m",
	[STATE_MISSING] = "\033[31m",
	[STATE_UNKNOWN] = "\033[2m",
};

void report_add(struct report *r, const struct finding *f)
{
	struct finding *all = realloc(r->findings, (r->n + 1) * sizeof(*all)), *to;

	if (!all) {
		r->failed = true;
		return;
	}
	r->findings = all;
	to = &all[r->n];
	*to = *f;
	to->name = strdup(f->name);
	to->found = strdup(f->found);
	if (!to->name || !to->found) {
		free(to->name);
		free(to->found);
		r->failed = true;
		return;
	}
	r->n++;
}

void report_free(struct report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->findings[i].name);
		free(r->findings[i].found);
	}
	free(r->findings);
	*r = (struct report){};
}

const struct finding *report_find(const struct report *r, const char *check, const char *name)
{
	for (size_t i = 0; i < r->n; i++)
		if (!strcmp(r->findings[i].check, check) && !strcmp(r->findings[i].name, name))
			return &r->findings[i];
	return NULL;
}

static void add_colored(struct buf *b, const struct report_style *style, const char *sgr, const char *text)
{
	if (style->color)
		buf_adds(b, sgr);
	buf_adds(b, text);
	if (style->color)
		buf_adds(b, SGR_END);
}

static void add_blanks(struct buf *b, size_t n)
{
	while (n--)
		buf_addc(b, ' ');
}

/* To the end of the line, which is filled up to @at. */
static void add_wrapped(struct buf *b, const struct report_style *style, const struct buf *text, size_t at)
{
	size_t width = style->width > at + WRAP_MIN ? style->width - at : style->width ? WRAP_MIN : SIZE_MAX;

	if (text->len)
		wrap_text(b, text->data, text->len, width, at, SIZE_MAX);
	buf_addc(b, '\n');
}

static void add_note(struct buf *b, const struct report_style *style, const char *word, const char *text)
{
	struct buf cell = { .ascii = b->ascii };

	if (!text)
		return;
	add_blanks(b, NOTE_AT);
	add_colored(b, style, SGR_BOLD, word);
	add_blanks(b, NOTE_WIDTH - strlen(word));
	text_string(&cell, text, strlen(text));
	add_wrapped(b, style, &cell, NOTE_AT + NOTE_WIDTH);
	buf_free(&cell);
}

static void add_row(struct buf *b, const struct report_style *style, const struct finding *f, const char *name,
		    const struct buf *found)
{
	struct buf cell = { .ascii = b->ascii };
	size_t columns;

	add_blanks(b, 2);
	add_colored(b, style, state_colors[f->state], state_names[f->state]);
	add_blanks(b, STATE_WIDTH + 1 - strlen(state_names[f->state]));
	text_string(&cell, name, strlen(name));
	columns = text_columns(cell.data, cell.len);
	buf_add(b, cell.data, cell.len);
	add_blanks(b, columns < NAME_WIDTH ? NAME_WIDTH + 1 - columns : 1);
	add_wrapped(b, style, found, FOUND_AT);
	buf_free(&cell);
	if (f->state == STATE_OK)
		return;
	add_note(b, style, "why", f->why);
	add_note(b, style, "mend", f->mend);
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Whether they are one row of the text: two of one check about which the same is to be said. */
static bool are_alike(const struct finding *a, const struct finding *b)
{
	return a->state == b->state && a->check == b->check && a->subject == b->subject &&
	       is_same(a->found, b->found) &&
	       (a->state == STATE_OK || (is_same(a->why, b->why) && is_same(a->mend, b->mend)));
}

/* A row for the finding at @i and all that are alike: their names, then what was found. */
static void add_finding(struct buf *b, const struct report *r, const struct report_style *style, size_t i)
{
	const struct finding *f = &r->findings[i];
	struct buf cell = { .ascii = b->ascii };
	bool several = false;

	for (size_t k = 0; k < i; k++)
		if (are_alike(&r->findings[k], f))
			return;
	text_string(&cell, f->name, strlen(f->name));
	for (size_t k = i + 1; k < r->n; k++) {
		const char *name = r->findings[k].name;

		if (!are_alike(f, &r->findings[k]))
			continue;
		several = true;
		buf_adds(&cell, ", ");
		text_string(&cell, name, strlen(name));
	}
	if (several)
		buf_adds(&cell, ": ");
	else
		cell.len = 0;
	text_string(&cell, f->found, strlen(f->found));
	add_row(b, style, f, several ? f->check : f->name, &cell);
	buf_free(&cell);
}

static void add_subject(struct buf *b, const struct report_style *style, const char *subject)
{
	char words[64];
	size_t i;

	for (i = 0; subject[i] && i < sizeof(words) - 1; i++)
		words[i] = (char)toupper((unsigned char)subject[i]);
	words[i] = 0;
	add_colored(b, style, SGR_BOLD, words);
	buf_addc(b, '\n');
}

static void add_verdict(struct buf *b, const struct report *r, const struct report_style *style)
{
	static const char *const words[STATES] = {
		[STATE_OK] = "works",
		[STATE_LIMITED] = "works in part",
		[STATE_MISSING] = "does not work",
		[STATE_UNKNOWN] = "unknown",
	};
	bool first = true;

	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->findings[i];

		if (strcmp(f->check, CHECK_COMMANDS))
			continue;
		buf_adds(b, first ? "" : "; ");
		first = false;
		buf_addf(b, "%s: ", f->name);
		add_colored(b, style, state_colors[f->state], words[f->state]);
	}
	buf_addc(b, '\n');
}

void report_text(const struct report *r, const struct report_style *style, struct buf *b)
{
	const char *subject = NULL;

	for (size_t i = 0; i < r->n; i++) {
		if (r->findings[i].subject != subject)
			add_subject(b, style, r->findings[i].subject);
		subject = r->findings[i].subject;
		add_finding(b, r, style, i);
	}
	add_verdict(b, r, style);
}

/* "key":"text", or null; and the bytes in base64 where they are not UTF-8. */
static void add_string(struct buf *b, const char *key, const char *text)
{
	buf_addc(b, ',');
	if (text)
		json_member(b, key, text, strlen(text));
	else
		buf_addf(b, "\"%s\":null", key);
}

void report_json(const struct report *r, const char *version, struct buf *b)
{
	bool first = true;

	buf_adds(b, "{\"type\":\"doctor\",\"schema\":1");
	add_string(b, "version", version);
	buf_adds(b, ",\"commands\":{");
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->findings[i];

		if (strcmp(f->check, CHECK_COMMANDS))
			continue;
		buf_addf(b, "%s\"%s\":\"%s\"", first ? "" : ",", f->name, state_names[f->state]);
		first = false;
	}
	buf_adds(b, "},\"checks\":[");
	for (size_t i = 0; i < r->n; i++) {
		const struct finding *f = &r->findings[i];

		buf_addf(b, "%s{\"subject\":\"%s\",\"check\":\"%s\"", i ? "," : "", f->subject, f->check);
		add_string(b, "name", f->name);
		add_string(b, "state", state_names[f->state]);
		add_string(b, "found", f->found);
		add_string(b, "why", f->why);
		add_string(b, "mend", f->mend);
		buf_addc(b, '}');
	}
	buf_adds(b, "]}\n");
}
