/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The page: title, legend, time axis, and the rows. */
#include "view/timelineview.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "event/format.h"
#include "util/cleanup.h"
#include "view/columns.h"
#include "view/timelinerow.h"

#define TOP 1700 /* of the first row */
#define FOOT 420 /* below the last */
#define TICKS 10 /* about */
#define TITLE_COLUMNS 110

/* Fills of COLORS namespaces; then of more, and of several at once. */
static const char style[] =
	"text{font:11px 'DejaVu Sans','Noto Sans',Verdana,sans-serif;fill:#24292f}"
	".title{font-size:18px;font-weight:600}.sub{fill:#57606a;font-size:12px}.red{fill:#c1121f}"
	".head{fill:#57606a;font-size:10px;font-weight:600;letter-spacing:.06em}.n,.h{text-anchor:end}"
	".n{font-family:'DejaVu Sans Mono','Noto Sans Mono',monospace;font-size:10.5px;fill:#57606a}.in{fill:#24292f;font-weight:600}"
	".many{font-weight:600}.copy{font-style:italic;fill:#6e7781}.t,.tick{font-size:10px;fill:#57606a}"
	".tick{text-anchor:middle}.t.red{fill:#c1121f}.e{text-anchor:end}"
	".over{paint-order:stroke;stroke:#fff;stroke-width:3px;stroke-linejoin:round}"
	".page{fill:#fff}.hit{fill:#000;fill-opacity:0}.p:hover .hit{fill-opacity:.06}.odd{fill:#f6f8fa}"
	".grid{stroke:#d8dee4;stroke-width:1}.by{stroke:#afb8c1;stroke-width:8;fill:none}"
	".lost{stroke:#c1121f;stroke-width:1;stroke-dasharray:3 3}.bad{fill:#c1121f}.cut{fill:#fff}"
	".fork{fill-opacity:.4}.mnt{fill:#ffd33d;stroke:#7a5c00;stroke-width:8}.nsm{fill:#fff;stroke:#6f42c1;stroke-width:14}"
	".no{fill:#c1121f}"
	".c0{fill:#7d8ca0}.c1{fill:#2f7ed8}.c2{fill:#e07b28}.c3{fill:#3a9d5d}.c4{fill:#9b5fc0}.c5{fill:#1f9aa5}"
	".c6{fill:#c2557f}.c7{fill:#8a6d3b}.c8{fill:#7a9a01}.c9{fill:#5661b3}.c10{fill:#a9a9a9}.c11{fill:#6b6b6b}";

static void note_color(struct timeline_page *p, uint32_t ns, uint32_t use, uint64_t processes)
{
	for (size_t i = 0; i < p->ncolors; i++) {
		if (p->colors[i].ns == ns && p->colors[i].use == use) {
			p->colors[i].processes += processes;
			return;
		}
	}
	if (p->ncolors < COLORS)
		p->colors[p->ncolors++] = (struct timeline_color){ ns, use, processes };
	else
		p->more_ns += processes;
}

/* Makes room for the PIDs of @n, behind the gap that stands between HOST and INSIDE. */
static void note_pids(struct timeline_page *p, const struct timeline_node *n)
{
	int64_t right;

	pid_chain(&p->words, n->pids, n->levels, false);
	right = HOST_AT + 80 + (int64_t)p->words.len * LETTER;
	p->inside_at = right > p->inside_at ? right : p->inside_at;
	p->words.len = 0;
}

static void survey(struct timeline_page *p)
{
	const struct timeline_node *n = &p->t->root;
	size_t depth = 0;

	note_color(p, p->model->host.pid_ns, 1, 0);
	while ((n = timeline_next(n, &depth))) {
		p->rows++;
		note_pids(p, n);
		if (n->group && n->group->several_ns)
			p->several += n->count;
		else
			note_color(p, timeline_ns(n), n->ns_use, n->count);
	}
}

static void line(struct timeline_page *p, const char *class, int64_t y)
{
	svg_label(p->b, class, MARGIN, y);
	svg_text(p->b, p->words.data, p->words.len);
	buf_adds(p->b, "</text>\n");
	p->words.len = 0;
}

static void add_date(struct buf *w, uint64_t wall_ns)
{
	time_t s = (time_t)(wall_ns / 1000000000);
	struct tm tm;
	char text[64];

	gmtime_r(&s, &tm);
	buf_add(w, text, strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm));
}

static void add_n(struct buf *w, uint64_t n, const char *one, const char *many)
{
	buf_addu(w, n);
	buf_adds(w, n == 1 ? one : many);
}

static void add_title(struct timeline_page *p)
{
	const char *command = p->t->command ? p->t->command : "Processes, as they were observed";

	svg_label(p->b, "title", MARGIN, 340);
	svg_text_cut(p->b, command, TITLE_COLUMNS);
	buf_adds(p->b, "<title>");
	svg_texts(p->b, command);
	buf_adds(p->b, "</title></text>\n");
}

/* Which system, when, how long, and how much was told. */
static void add_source(struct timeline_page *p)
{
	const struct timeline *t = p->t;
	struct buf *w = &p->words;

	buf_addf(w, "Linux %s, ", t->kernel ? t->kernel : "?");
	add_date(w, t->origin + p->model->wall_offset_ns);
	buf_addf(w, ", nsscope %s: ", t->version ? t->version : "?");
	add_n(w, p->model->events, " event, ", " events, ");
	buf_addf(w, "%llu lost; ", (unsigned long long)model_lost(p->model));
	add_n(w, t->processes, " process", " processes");
	if (t->left_out)
		buf_addf(w, ", %llu of them without an event that is shown", (unsigned long long)t->left_out);
	if (t->processes - t->left_out > p->rows) {
		buf_addf(
			w,
			"; in %zu rows: many of one command by one parent (\xc3\x97) and the shortest (others) are put together",
			p->rows);
	}
	line(p, "sub", 560);
}

/* What is not as it should be. */
static void add_warning(struct timeline_page *p)
{
	const struct model *m = p->model;
	struct buf *w = &p->words;

	if (!p->t->complete)
		buf_adds(w, "The stream has no end record: what came after this is not known. ");
	if (model_lost(m))
		buf_adds(w, "Events were lost: processes, phases and ends may be missing. ");
	if (m->events && !m->by_type[NSS_EV_FORK] && !m->by_type[NSS_EV_EXEC] && !m->by_type[NSS_EV_EXIT])
		buf_adds(w, "No process events were told: when processes began and ended is not known. ");
	if (w->len)
		line(p, "sub red", 1450);
}

static int64_t legend_words(struct timeline_page *p, int64_t x, int64_t y, const char *words)
{
	svg_label(p->b, "sub", x, y);
	svg_texts(p->b, words);
	buf_adds(p->b, "</text>\n");
	return x + (int64_t)svg_columns(words, strlen(words)) * 66 + 220;
}

static int64_t legend_box(struct timeline_page *p, int64_t x, int64_t y, size_t color, const char *phase,
			  const char *words)
{
	buf_addf(p->b, "<g class=\"c%zu\">", color);
	svg_rect(p->b, phase, x, y - 95, 220, 110);
	buf_adds(p->b, "/></g>");
	return legend_words(p, x + 290, y, words);
}

static int64_t legend_mark(struct timeline_page *p, int64_t x, int64_t y, const char *class, const char *words)
{
	buf_addf(p->b, "<path class=\"%s\" d=\"M%lld %lldl45 50l-45 50l-45 -50z\" transform=\"scale(.1)\"/>", class,
		 (long long)x + 50, (long long)y - 90);
	return legend_words(p, x + 150, y, words);
}

static void add_phases(struct timeline_page *p)
{
	int64_t x = MARGIN, y = 820;

	x = legend_box(p, x, y, 1, "fork", "from fork to exec, or to the end");
	x = legend_box(p, x, y, 1, "run", "running a program");
	svg_rect(p->b, "bad", x + 40, y - 115, 25, 150);
	buf_adds(p->b, "/>");
	x = legend_words(p, x + 130, y, "ended by a signal or with a status that is not 0");
	x = legend_mark(p, x, y, "mnt", "mount call");
	x = legend_mark(p, x, y, "nsm", "unshare, setns");
	legend_mark(p, x, y, "mnt no", "call that failed");
}

static void add_namespaces(struct timeline_page *p)
{
	int64_t x, y = 1060;
	bool again = false;

	for (size_t i = 0; i < p->ncolors; i++)
		again = again || p->colors[i].use > 1;
	x = legend_words(p, MARGIN, y, again ? "PID namespaces (#2: the second of this number):" : "PID namespaces:");
	for (size_t i = 0; i < p->ncolors; i++) {
		if (!p->colors[i].processes)
			continue;
		if (x > PAGE_WIDTH - 2400) {
			x = MARGIN;
			y += 200;
		}
		p->words.len = 0;
		buf_addu(&p->words, p->colors[i].ns);
		if (p->colors[i].use > 1)
			buf_addf(&p->words, " #%u", p->colors[i].use);
		buf_addf(&p->words, "%s (%llu)", p->colors[i].ns == p->model->host.pid_ns ? ", the host's" : "",
			 (unsigned long long)p->colors[i].processes);
		buf_addc(&p->words, 0);
		x = legend_box(p, x, y, i, "run", p->words.data ? p->words.data : "");
	}
	p->words.len = 0;
	if (p->more_ns)
		x = legend_box(p, x, y, COLOR_MORE, "run", "further ones");
	if (p->several)
		legend_box(p, x, y, COLOR_SEVERAL, "run", "several in one row");
}

static const struct unit {
	uint64_t ns;
	uint64_t least; /* span from which it is taken */
	const char *name;
} units[] = {
	{ 3600000000000, 10800000000000, "h" },
	{ 60000000000, 180000000000, "min" },
	{ 1000000000, 2000000000, "s" },
	{ 1000000, 2000000, "ms" },
	{ 1000, 2000, "us" },
	{ 1, 0, "ns" },
};

/* From one line of the grid to the next: 1, 2 or 5 of a decimal place of @u; thousandths of @u. */
static uint64_t step_of(uint64_t span, const struct unit *u)
{
	static const uint64_t steps[] = { 1, 2, 5 };
	uint64_t place = 1;

	for (;; place *= 10)
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
			if ((double)steps[i] * (double)place * (double)u->ns / 1000 * TICKS >= (double)span ||
			    place > 1000000000000)
				return steps[i] * place;
}

/* From above the rows to below them, without its end. */
static void add_vertical(struct timeline_page *p, const char *class, int64_t x, int64_t bottom)
{
	buf_addf(p->b, "<line class=\"%s\"", class);
	svg_number(p->b, "x1", x);
	svg_number(p->b, "y1", TOP - 30);
	svg_number(p->b, "x2", x);
	svg_number(p->b, "y2", bottom + 30);
}

static void add_tick(struct timeline_page *p, int64_t x, uint64_t thousandths, const char *unit, int64_t bottom)
{
	struct buf *w = &p->words;

	add_vertical(p, "grid", x, bottom);
	buf_adds(p->b, "/>");
	buf_addu(w, thousandths / 1000);
	if (thousandths % 1000) {
		buf_addf(w, ".%03u", (unsigned)(thousandths % 1000));
		while (w->len && w->data[w->len - 1] == '0')
			w->len--;
	}
	buf_addf(w, " %s", unit);
	for (size_t i = 0; i < (p->rows > 20 ? 2 : 1); i++) {
		svg_label(p->b, "tick", x, i ? bottom + 150 : TOP - 60);
		svg_text(p->b, w->data, w->len);
		buf_adds(p->b, "</text>\n");
	}
	w->len = 0;
}

static void add_axis(struct timeline_page *p, int64_t bottom)
{
	const struct unit *u = units;
	uint64_t step;

	while (u->least > p->span)
		u++;
	step = step_of(p->span, u);
	for (uint64_t i = 0; i <= TICKS; i++) {
		double at = (double)i * (double)step * (double)u->ns / 1000;

		if (at <= (double)p->span)
			add_tick(p, timeline_x(p, p->t->origin + (uint64_t)at), i * step, u->name, bottom);
	}
	for (size_t i = 0; i < p->t->nlosses; i++) {
		add_vertical(p, "lost", timeline_x(p, p->t->losses[i]), bottom);
		buf_adds(p->b, "><title>events were lost before this</title></line>\n");
	}
}

static void add_heads(struct timeline_page *p)
{
	svg_label(p->b, "head h", HOST_AT, TOP - 60);
	buf_adds(p->b, "HOST</text>");
	svg_label(p->b, "head h", p->inside_at, TOP - 60);
	buf_adds(p->b, "INSIDE</text>");
	svg_label(p->b, "head", p->inside_at + COMMAND_BEHIND, TOP - 60);
	buf_adds(p->b, "COMMAND</text>\n");
}

/* From the row of a process down to those of its children, below all the bars. */
static int add_lines(struct timeline_page *p)
{
	_free_ size_t *rows = malloc((p->rows + 1) * sizeof(*rows)); /* of the parents, by depth */
	const struct timeline_node *n = &p->t->root;
	size_t depth = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t row = 0; (n = timeline_next(n, &depth)); row++) {
		rows[depth] = row;
		if (depth)
			buf_addf(p->b, "<path class=\"by\" d=\"M%lld %lldV%lld\" transform=\"scale(.1)\"/>\n",
				 (long long)timeline_x(p, n->begin),
				 (long long)(p->top + (int64_t)rows[depth - 1] * ROW_HEIGHT +
					     (ROW_HEIGHT + BAR_HEIGHT) / 2),
				 (long long)(p->top + (int64_t)row * ROW_HEIGHT + ROW_HEIGHT / 2));
	}
	return 0;
}

static int add_rows(struct timeline_page *p)
{
	const struct timeline_node *n = &p->t->root;
	size_t depth = 0, row;
	int err;

	for (row = 1; row < p->rows; row += 2) {
		svg_rect(p->b, "odd", MARGIN / 2, p->top + (int64_t)row * ROW_HEIGHT, PAGE_WIDTH - MARGIN, ROW_HEIGHT);
		buf_adds(p->b, "/>\n");
	}
	add_axis(p, p->top + (int64_t)p->rows * ROW_HEIGHT);
	err = add_lines(p);
	for (row = 0; !err && (n = timeline_next(n, &depth)); row++)
		timeline_row(p, n, row, depth);
	return err;
}

int timelineview(struct buf *b, const struct timeline *t, const struct model *m)
{
	struct timeline_page p = { .b = b, .t = t, .model = m, .top = TOP, .inside_at = INSIDE_AT };
	int64_t height;
	int err;

	p.span = t->latest > t->origin ? t->latest - t->origin : 1;
	survey(&p);
	height = TOP + (int64_t)p.rows * ROW_HEIGHT + FOOT;
	buf_adds(b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"");
	svg_number(b, "width", PAGE_WIDTH);
	svg_number(b, "height", height);
	buf_addf(b, " viewBox=\"0 0 %d %lld\" data-start=\"%llu\" data-end=\"%llu\" data-complete=\"%d\">\n<style>",
		 PAGE_WIDTH / 10, (long long)(height + 9) / 10, (unsigned long long)t->origin,
		 (unsigned long long)t->latest, t->complete);
	buf_adds(b, style);
	buf_adds(b, "</style>\n");
	svg_rect(b, "page", 0, 0, PAGE_WIDTH, height);
	buf_adds(b, "/>\n");
	add_title(&p);
	add_source(&p);
	add_phases(&p);
	add_namespaces(&p);
	add_warning(&p);
	add_heads(&p);
	err = add_rows(&p);
	buf_adds(b, "</svg>\n");
	if (p.words.failed)
		err = -ENOMEM;
	buf_free(&p.words);
	return err;
}
