/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * By recursive descent, in one pass: each part of an expression gives the place where it begins and the jumps that it
 * leaves open, for when it holds and when it does not. What is put around it fills them in.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "event/format.h"
#include "util/cleanup.h"
#include "view/filter_code.h"
#include "view/filter_lex.h"

/* Parentheses and nots in one another. */
#define DEPTH_MAX 100

struct parser {
	struct filter_lex lex;
	struct filter *filter;
	int depth;
};

/* Jumps left open: 2 * test + result, chained by what stands in their place; -1: none. */
struct open {
	int first, last;
};

struct part {
	int begin;
	struct open on[2]; /* when it fails, when it holds */
};

static int *jump(struct parser *p, int hole)
{
	return &p->filter->tests[hole / 2].next[hole % 2];
}

static void fill(struct parser *p, struct open open, int to)
{
	while (open.first >= 0) {
		int *at = jump(p, open.first);

		open.first = *at;
		*at = to;
	}
}

static struct open join(struct parser *p, struct open a, struct open b)
{
	if (a.first < 0)
		return b;
	if (b.first < 0)
		return a;
	*jump(p, a.last) = b.first;
	return (struct open){ a.first, b.last };
}

/* Makes room for one more: the array is doubled whenever its length is a power of two, since chains may be long. */
static int grow_tests(struct filter *f)
{
	size_t n = f->ntests;
	struct filter_test *tests;

	if (n & (n - 1))
		return 0;
	tests = n < INT_MAX / 4 ? reallocarray(f->tests, n ? 2 * n : 1, sizeof(*tests)) : NULL;
	if (!tests)
		return -ENOMEM;
	f->tests = tests;
	return 0;
}

static int add_test(struct parser *p, struct filter_test **ret_test, struct part *ret_part)
{
	struct filter *f = p->filter;
	int at = (int)f->ntests, err = grow_tests(f);

	if (err)
		return err;
	f->ntests++;
	f->tests[at] = (struct filter_test){ .next = { -1, -1 } };
	*ret_part = (struct part){ at, { { 2 * at, 2 * at }, { 2 * at + 1, 2 * at + 1 } } };
	*ret_test = &f->tests[at];
	return 0;
}

/* Names that were perhaps meant */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many bytes must be put in, taken out, changed or swapped with their neighbour to make @b of @a. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][65], n = strlen(b);

	if (n > 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *two = rows[(i + 1) % 3];

		now[0] = i;
		for (size_t j = 1; j <= n; j++) {
			now[j] = least(least(now[j - 1], before[j]) + 1, before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], two[j - 2] + 1);
		}
	}
	return rows[strlen(a) % 3][n];
}

#define NEAR_MAX 4

/* The nearest of the names that were offered, in their order. */
struct near {
	const char *word;
	size_t best, n;
	char names[NEAR_MAX][64];
};

static void offer(struct near *near, const char *name, size_t d)
{
	if (d > near->best || d > strlen(near->word) / 2)
		return;
	if (d < near->best)
		near->n = 0;
	near->best = d;
	for (size_t i = 0; i < near->n; i++)
		if (!strcmp(near->names[i], name))
			return;
	if (near->n < NEAR_MAX)
		memccpy(near->names[near->n++], name, 0, sizeof(near->names[0]) - 1);
}

static void write_near(const struct near *near, char *to, size_t size, const char *otherwise)
{
	struct buf b = {};

	for (size_t i = 0; i < near->n; i++)
		buf_addf(&b, "%s%s", i ? ", " : "; did you mean ", near->names[i]);
	buf_adds(&b, near->n ? "?" : otherwise);
	buf_addc(&b, 0);
	if (b.failed)
		*to = 0;
	else
		strncpy(to, b.data, size - 1)[size - 1] = 0;
	buf_free(&b);
}

static int no_field(struct parser *p)
{
	const char *word = p->lex.bytes.data;
	struct near near = { .word = word, .best = SIZE_MAX };
	struct filter_name name;
	char after[200];

	for (size_t i = 0; strlen(word) <= 64 && filter_field_nth(i, &name); i++) {
		const char *dot = strchr(name.name, '.');
		size_t d = distance(word, name.name);

		if (dot && !strcmp(dot + 1, word))
			d = 0;
		offer(&near, name.name, d);
		if (name.event && dot)
			offer(&near, dot + 1, distance(word, dot + 1));
	}
	write_near(&near, after, sizeof(after), "; nsscope --man lists them");
	return filter_lex_wrong(&p->lex, p->lex.start, "no field", word, p->lex.bytes.len, after);
}

/* What a field may be is known of some: a name that can never come would be an error in silence. */
static int check_word(struct parser *p, const struct filter_field *f)
{
	const char *text = p->lex.bytes.data, *word;
	struct near near = { .word = text, .best = SIZE_MAX };
	struct filter_word_at at = {};
	char buf[NAME_MAX_LEN], after[200];
	uint32_t ns;
	bool any = true;

	if (filter_field_known(f, &ns) == FILTER_COMM && p->lex.bytes.len >= NSS_COMM_LEN)
		return filter_lex_wrong(&p->lex, p->lex.start, "the kernel keeps only 15 bytes of a name", NULL, 0, "");
	if (f->is_open && !strncmp(text, "0x", 2))
		return 0;
	while ((word = filter_field_word(f, &at, buf))) {
		any = false;
		if (!strcmp(word, text) && strlen(text) == p->lex.bytes.len)
			return 0;
		if (strlen(text) <= 64 && !(word[0] >= '0' && word[0] <= '9'))
			offer(&near, word, distance(text, word));
	}
	if (any)
		return 0;
	write_near(&near, after, sizeof(after), "");
	return filter_lex_wrong(&p->lex, p->lex.start, "it is never", text, p->lex.bytes.len, after);
}

/* Values */

static int read_literal(struct parser *p, const struct filter_test *t, struct filter_literal *ret)
{
	struct filter_lex *lex = &p->lex;
	bool keyword = (lex->token == TOKEN_AND || lex->token == TOKEN_OR || lex->token == TOKEN_NOT) && lex->bytes.len;
	bool glob = t->op == FILTER_LIKE || t->op == FILTER_NOT_LIKE;

	if (lex->token != TOKEN_WORD && lex->token != TOKEN_QUOTED && !keyword)
		return filter_lex_expected(lex, "a value (in quotes where it is not one plain word)");
	if ((t->op == FILTER_IS || t->op == FILTER_IS_NOT) && filter_lex_is(lex, "null")) {
		ret->is_null = true;
		return 0;
	}
	switch (t->field.type) {
	case VALUE_NUMBER:
		if (!filter_lex_number(lex, &ret->number))
			return filter_lex_wrong(lex, lex->start, "the field is a number, not", lex->bytes.data, lex->bytes.len,
						"");
		return 0;
	case VALUE_BOOL:
		ret->number = filter_lex_is(lex, "true");
		if (!ret->number && !filter_lex_is(lex, "false"))
			return filter_lex_wrong(lex, lex->start, "the field is true or false, not", lex->bytes.data,
						lex->bytes.len, "");
		return 0;
	case VALUE_BYTES:
	case VALUE_NULL:
		break;
	}
	ret->len = lex->bytes.len;
	ret->bytes = malloc(lex->bytes.len + 1);
	if (!ret->bytes)
		return -ENOMEM;
	memcpy(ret->bytes, lex->bytes.data, lex->bytes.len);
	return glob ? 0 : check_word(p, &t->field);
}

static int add_literal(struct parser *p, struct filter_test *t)
{
	struct filter_literal *l = reallocarray(t->literals, t->nliterals + 1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	t->literals = l;
	l[t->nliterals] = (struct filter_literal){};
	return read_literal(p, t, &l[t->nliterals++]);
}

/* (a, b) or a, b */
static int read_list(struct parser *p, struct filter_test *t)
{
	bool open = p->lex.token == TOKEN_OPEN;
	int err = open ? filter_lex_next(&p->lex) : 0;

	while (!err) {
		err = add_literal(p, t);
		if (!err)
			err = filter_lex_next(&p->lex);
		if (err || p->lex.token != TOKEN_COMMA)
			break;
		err = filter_lex_next(&p->lex);
	}
	if (err || !open)
		return err;
	return p->lex.token == TOKEN_CLOSE ? filter_lex_next(&p->lex) : filter_lex_expected(&p->lex, "a comma or )");
}

/* Tests */

static int read_field(struct parser *p, struct filter_field *ret_field)
{
	struct filter_lex *lex = &p->lex;
	int err;

	if (lex->token != TOKEN_WORD)
		return filter_lex_expected(lex, "a field, not or (");
	err = filter_field_find(lex->bytes.data, lex->bytes.len, ret_field);
	if (err == -ENOENT)
		return no_field(p);
	if (err == -EISDIR)
		return filter_lex_wrong(lex, lex->start, "name a member of", lex->bytes.data, lex->bytes.len,
					"; nsscope --man lists them");
	if (err == -EINVAL)
		return filter_lex_wrong(lex, lex->start, "events have different fields", lex->bytes.data, lex->bytes.len,
					"; put the name of the event before it");
	return err ? err : filter_lex_next(lex);
}

static int read_has(struct parser *p, struct filter_test *t)
{
	int err = filter_lex_next(&p->lex);

	if (!err)
		err = read_field(p, &t->field);
	if (err)
		return err;
	return p->lex.token == TOKEN_CLOSE ? filter_lex_next(&p->lex) : filter_lex_expected(&p->lex, ")");
}

static const struct {
	enum filter_token token;
	enum filter_op op;
} operators[] = {
	{ TOKEN_EQUAL, FILTER_IS },	 { TOKEN_NOT_EQUAL, FILTER_IS_NOT },  { TOKEN_LIKE, FILTER_LIKE },
	{ TOKEN_LESS, FILTER_LESS },	 { TOKEN_NOT_LIKE, FILTER_NOT_LIKE }, { TOKEN_AT_MOST, FILTER_AT_MOST },
	{ TOKEN_MORE, FILTER_MORE }, { TOKEN_AT_LEAST, FILTER_AT_LEAST },
};

/* Whether the operator of @t, at @at, suits its field. */
static int check_operator(struct parser *p, const struct filter_test *t, size_t at)
{
	if (t->field.is_event)
		return filter_lex_wrong(&p->lex, at, "an event has no value; name a member of it, such as mount.target", NULL, 0,
					"");
	if ((t->op == FILTER_LIKE || t->op == FILTER_NOT_LIKE) && t->field.type != VALUE_BYTES)
		return filter_lex_wrong(&p->lex, at, "~ is for strings, and the field is none", NULL, 0, "");
	if (t->op >= FILTER_LESS && t->field.type != VALUE_NUMBER)
		return filter_lex_wrong(&p->lex, at, "< and > are for numbers, and the field is none", NULL, 0, "");
	return 0;
}

/* What stands behind the field: an operator and a value, in and a list, or nothing. */
static int read_comparison(struct parser *p, struct filter_test *t)
{
	size_t start = p->lex.start;
	bool negated = p->lex.token == TOKEN_NOT;
	int err = negated ? filter_lex_next(&p->lex) : 0;

	if (err)
		return err;
	if (filter_lex_is(&p->lex, "in")) {
		t->op = negated ? FILTER_IS_NOT : FILTER_IS;
		err = check_operator(p, t, start);
		if (!err)
			err = filter_lex_next(&p->lex);
		return err ? err : read_list(p, t);
	}
	if (negated)
		return filter_lex_expected(&p->lex, "in");
	for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
		if (operators[i].token != p->lex.token)
			continue;
		t->op = operators[i].op;
		err = check_operator(p, t, start);
		if (!err)
			err = filter_lex_next(&p->lex);
		if (!err)
			err = add_literal(p, t);
		return err ? err : filter_lex_next(&p->lex);
	}
	return 0;
}

static int read_test(struct parser *p, struct part *ret)
{
	bool has = filter_lex_is(&p->lex, "has");
	struct filter_test *t;
	int err;

	if (p->lex.token != TOKEN_WORD)
		return filter_lex_expected(&p->lex, "a field, not or (");
	err = add_test(p, &t, ret);
	if (!err && has) {
		err = filter_lex_next(&p->lex);
		if (!err && p->lex.token != TOKEN_OPEN)
			err = filter_lex_expected(&p->lex, "(");
		return err ? err : read_has(p, t);
	}
	if (!err)
		err = read_field(p, &t->field);
	return err ? err : read_comparison(p, t);
}

/* Around them */

static int read_or(struct parser *p, struct part *ret);

static int read_not(struct parser *p, struct part *ret)
{
	bool negated = p->lex.token == TOKEN_NOT, open = p->lex.token == TOKEN_OPEN;
	struct open fails;
	int err;

	if (!negated && !open)
		return read_test(p, ret);
	if (p->depth == DEPTH_MAX)
		return filter_lex_wrong(&p->lex, p->lex.start, "there are too many ( and not in one another", NULL, 0, "");
	p->depth++;
	err = filter_lex_next(&p->lex);
	if (!err)
		err = negated ? read_not(p, ret) : read_or(p, ret);
	p->depth--;
	if (err)
		return err;
	if (open)
		return p->lex.token == TOKEN_CLOSE ? filter_lex_next(&p->lex) : filter_lex_expected(&p->lex, "and, or or )");
	fails = ret->on[0];
	ret->on[0] = ret->on[1];
	ret->on[1] = fails;
	return 0;
}

/* @a, and behind it @b where @a gives @go. */
static void chain(struct parser *p, struct part *a, const struct part *b, bool go)
{
	fill(p, a->on[go], b->begin);
	a->on[go] = b->on[go];
	a->on[!go] = join(p, a->on[!go], b->on[!go]);
}

/* What @read reads, as often as @between stands between; the next where the one before gives @go. */
static int read_chain(struct parser *p, int (*read)(struct parser *, struct part *), enum filter_token between, bool go,
		      struct part *ret)
{
	int err = read(p, ret);

	while (!err && p->lex.token == between) {
		struct part next;

		err = filter_lex_next(&p->lex);
		if (!err)
			err = read(p, &next);
		if (!err)
			chain(p, ret, &next, go);
	}
	return err;
}

static int read_and(struct parser *p, struct part *ret)
{
	return read_chain(p, read_not, TOKEN_AND, true, ret);
}

static int read_or(struct parser *p, struct part *ret)
{
	return read_chain(p, read_and, TOKEN_OR, false, ret);
}

int filter_parse(const char *text, struct filter **ret_filter, struct filter_error *ret_error)
{
	struct parser p = { .lex = { .text = text, .error = ret_error }, .filter = calloc(1, sizeof(struct filter)) };
	struct part whole;
	int err = p.filter ? filter_lex_next(&p.lex) : -ENOMEM;

	if (!err)
		err = read_or(&p, &whole);
	if (!err && p.lex.token != TOKEN_END)
		err = filter_lex_expected(&p.lex, "an operator, and, or, or the end,");
	buf_free(&p.lex.bytes);
	if (err) {
		filter_free(p.filter);
		return err;
	}
	fill(&p, whole.on[0], FILTER_NO);
	fill(&p, whole.on[1], FILTER_YES);
	*ret_filter = p.filter;
	return 0;
}
