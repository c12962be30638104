/* SPDX-License-Identifier: GPL-2.0-or-later */
#define HASH_NONFATAL_OOM 1
#include "model/timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "event/format.h"
#include "event/kinds.h"

void timeline_init(struct timeline *t)
{
	t->limit = TIMELINE_NODES;
}

/* At most TIMELINE_TEXT bytes of @words, whole characters; NULL: no memory. */
static char *short_words(const struct buf *words)
{
	size_t len = words->len;
	char *text;

	if (len <= TIMELINE_TEXT)
		return strndup(len ? words->data : "", len);
	for (len = TIMELINE_TEXT; len && ((unsigned char)words->data[len] & 0xc0) == 0x80; len--)
		;
	text = malloc(len + sizeof("..."));
	if (text) {
		memcpy(text, words->data, len);
		memcpy(text + len, "...", sizeof("..."));
	}
	return text;
}

static char *event_words(const struct event *e, bool with_name)
{
	struct buf words = {};
	char *text;

	if (with_name) {
		buf_adds(&words, e->desc->name);
		buf_addc(&words, ' ');
	}
	event_text(&words, e);
	text = words.failed ? NULL : short_words(&words);
	buf_free(&words);
	return text;
}

/* The string @name of @e in words. */
static char *string_words(const struct event *e, const char *name)
{
	const struct event_str *s = event_str(e, event_field(e->desc, name, strlen(name)));
	struct buf words = {};
	char *text;

	text_string(&words, s->data, s->len);
	text = short_words(&words);
	buf_free(&words);
	return text;
}

void timeline_append(struct timeline_node *parent, struct timeline_node *child)
{
	child->parent = parent;
	child->next = NULL;
	if (parent->last)
		parent->last->next = child;
	else
		parent->children = child;
	parent->last = child;
}

struct timeline_node *timeline_next(const struct timeline_node *n, size_t *ret_depth)
{
	if (n->children) {
		*ret_depth += n->parent ? 1 : 0;
		return n->children;
	}
	for (; n->parent; n = n->parent) {
		if (n->next)
			return n->next;
		*ret_depth -= n->parent->parent ? 1 : 0;
	}
	return NULL;
}

static void drop_notes(struct timeline_note **notes, size_t *n, uint64_t *more)
{
	*more += *n;
	for (; *n; --*n)
		free((*notes)[*n - 1].text);
	free(*notes);
	*notes = NULL;
}

void timeline_forget_notes(struct timeline *t, struct timeline_node *n)
{
	t->marks -= n->nmarks;
	drop_notes(&n->execs, &n->nexecs, &n->more_execs);
	drop_notes(&n->marks, &n->nmarks, &n->more_marks);
}

void timeline_node_free(struct timeline *t, struct timeline_node *n)
{
	t->nodes--;
	timeline_forget_notes(t, n);
	free(n->group);
	free(n->pids);
	free(n);
}

static struct timeline_node *find(const struct timeline *t, uint32_t pid)
{
	struct timeline_node *n;

	HASH_FIND(hh, t->live, &pid, sizeof(pid), n);
	return n;
}

/* The process is over; nothing more is told of it. */
static void end(struct timeline *t, struct timeline_node *n, enum timeline_end how, uint64_t at)
{
	n->end = how;
	n->ended = at > n->begin ? at : n->begin;
	n->live = false;
	HASH_DEL(t->live, n);
}

static int set_pids(struct timeline_node *n, const struct nss_pid *pids, uint32_t levels)
{
	struct nss_pid *copy = realloc(n->pids, levels * sizeof(*pids));

	if (!copy)
		return -ENOMEM;
	memcpy(copy, pids, levels * sizeof(*pids));
	n->pids = copy;
	n->levels = levels;
	return 0;
}

static struct timeline_inum *inum_of(struct timeline *t, uint32_t inum)
{
	struct timeline_inum *i;

	HASH_FIND(hh, t->inums, &inum, sizeof(inum), i);
	if (i)
		return i;
	i = calloc(1, sizeof(*i));
	if (!i)
		return NULL;
	i->inum = inum;
	HASH_ADD(hh, t->inums, inum, sizeof(i->inum), i);
	if (!i->hh.tbl) {
		free(i);
		return NULL;
	}
	return i;
}

/*
 * Which of the namespaces that have had the inum @n is in. Each has one process that is its number 1, before any other:
 * every kernel tells that, whichever events are asked for. 0 or -ENOMEM.
 */
static int set_ns_use(struct timeline *t, struct timeline_node *n)
{
	struct timeline_inum *i = inum_of(t, timeline_ns(n));

	if (!i)
		return -ENOMEM;
	if (n->pids[n->levels - 1].pid == 1 && n->start_ns != i->init_start_ns) {
		i->use += i->init_start_ns || !n->before;
		i->init_start_ns = n->start_ns;
	}
	i->use += !i->use;
	n->ns_use = i->use;
	return 0;
}

/* @forked: when; 0: it ran before it was seen. */
static struct timeline_node *add(struct timeline *t, struct timeline_node *parent, const struct nss_pid *pids,
				 uint32_t levels, const struct nss_task *task, uint64_t forked)
{
	struct timeline_node *old = find(t, pids[0].pid), *n;

	if (old) /* its exit was lost, or is not told: the number is used again */
		end(t, old, TIMELINE_END_UNKNOWN, t->latest);
	n = calloc(1, sizeof(*n));
	if (!n || set_pids(n, pids, levels))
		goto no_memory;
	n->pid = pids[0].pid;
	n->start_ns = task->start_ns;
	n->count = 1;
	n->before = !forked;
	n->begin = forked ? forked : t->origin;
	memcpy(n->comm, task->comm, sizeof(n->comm));
	if (set_ns_use(t, n))
		goto no_memory;
	HASH_ADD(hh, t->live, pid, sizeof(n->pid), n);
	if (!n->hh.tbl)
		goto no_memory;
	n->live = true;
	t->nodes++;
	t->processes++;
	timeline_append(parent, n);
	return n;

no_memory:
	if (n)
		free(n->pids);
	free(n);
	return NULL;
}

/* The node of the process @pid, which may have been there before the stream; the root: nothing is known of it. */
static struct timeline_node *parent_of(struct timeline *t, const struct model *m, uint32_t pid)
{
	struct timeline_node *n = find(t, pid);
	const struct process *p = n ? NULL : model_find(m, pid);

	if (n || !p || !p->levels)
		return n ? n : &t->root;
	return add(t, &t->root, p->pids, p->levels, &p->task, 0);
}

/* The node of the process of @e; NULL: no memory. */
static struct timeline_node *node_of(struct timeline *t, const struct event *e, const struct model *m)
{
	const struct nss_fork *fork = e->rec->type == NSS_EV_FORK ? e->payload : NULL;
	struct timeline_node *n = find(t, event_host(e)->pid), *parent;

	if (n && !fork && n->start_ns == e->task->start_ns)
		return n;
	parent = fork ? parent_of(t, m, fork->parent.host_pid) : &t->root;
	return parent ? add(t, parent, e->pids, e->rec->levels, e->task, fork ? e->rec->mono_ns : 0) : NULL;
}

static int note(struct timeline_note **notes, size_t *n, const struct event *e, char *text)
{
	const struct event_field *f = event_field(e->desc, "error", 5);
	struct timeline_note *at = text ? realloc(*notes, (*n + 1) * sizeof(*at)) : NULL;
	int32_t error = 0;

	if (!at) {
		free(text);
		return -ENOMEM;
	}
	if (f)
		memcpy(&error, (const char *)e->payload + f->offset, sizeof(error));
	*notes = at;
	at[(*n)++] = (struct timeline_note){ e->rec->mono_ns, e->desc->group, error < 0, text };
	return 0;
}

static int exec(struct timeline *t, struct timeline_node *n, const struct event *e, const struct model *m)
{
	memcpy(n->comm, e->task->comm, sizeof(n->comm));
	if (n->nexecs == TIMELINE_EXECS) {
		n->more_execs++;
		return 0;
	}
	if (note(&n->execs, &n->nexecs, e, event_words(e, false)))
		return -ENOMEM;
	if (!t->command && !m->snapshot)
		t->command = strdup(n->execs[0].text);
	return 0;
}

static int mark(struct timeline *t, struct timeline_node *n, const struct event *e)
{
	if (n->nmarks == TIMELINE_MARKS || t->marks == TIMELINE_MARKS_ALL) {
		n->more_marks++;
		return 0;
	}
	t->marks++;
	return note(&n->marks, &n->nmarks, e, event_words(e, true));
}

static int task_event(struct timeline *t, const struct event *e, const struct model *m, bool shown)
{
	struct timeline_node *n = node_of(t, e, m);

	if (!n)
		return -ENOMEM;
	n->shown = n->shown || shown;
	switch (e->rec->type) {
	case NSS_EV_FORK:
	case NSS_EV_NS_CREATE: /* stands beside the fork or the unshare that made it */
		break;
	case NSS_EV_EXEC:
		return exec(t, n, e, m);
	case NSS_EV_EXIT:
		n->status = ((const struct nss_exit *)e->payload)->status;
		end(t, n, TIMELINE_ENDED, e->rec->mono_ns);
		break;
	default:
		return shown ? mark(t, n, e) : 0;
	}
	return 0;
}

int timeline_event(struct timeline *t, const struct event *e, const struct model *m, bool shown)
{
	int err = 0;

	if (e->rec->type == NSS_EV_START && !t->begun) {
		t->begun = true;
		t->origin = t->latest = e->rec->mono_ns;
		t->kernel = string_words(e, "kernel");
		t->version = string_words(e, "version");
	}
	if (e->rec->type == NSS_EV_PROCESS || e->rec->type == NSS_EV_START)
		return 0;
	if (e->rec->mono_ns > t->latest)
		t->latest = e->rec->mono_ns;
	if (e->rec->type == NSS_EV_LOST && t->nlosses < TIMELINE_LOSSES)
		t->losses[t->nlosses++] = e->rec->mono_ns;
	if (e->rec->type == NSS_EV_END)
		t->complete = true;
	if (!e->task)
		return 0;
	err = task_event(t, e, m, shown);
	if (err || t->nodes <= t->limit)
		return err;
	err = timeline_reduce(t, t->limit / 4);
	if (t->nodes > t->limit / 2) /* they live */
		t->limit = t->nodes * 2;
	return err;
}

int timeline_finish(struct timeline *t, size_t nodes)
{
	struct timeline_node *n, *next;

	HASH_ITER(hh, t->live, n, next)
		end(t, n, TIMELINE_LIVES, t->latest);
	return timeline_reduce(t, nodes);
}

void timeline_free(struct timeline *t)
{
	struct timeline_node *n = t->root.children, *next;
	struct timeline_inum *i, *next_inum;

	HASH_CLEAR(hh, t->live);
	HASH_ITER(hh, t->inums, i, next_inum) {
		HASH_DEL(t->inums, i);
		free(i);
	}
	for (; n; n = next) { /* a list: the children of each go to its end */
		if (n->children) {
			t->root.last->next = n->children;
			t->root.last = n->last;
		}
		next = n->next;
		timeline_node_free(t, n);
	}
	free(t->command);
	free(t->kernel);
	free(t->version);
}
