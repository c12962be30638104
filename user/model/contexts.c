/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uthash ends the program when there is no memory, unless it is told what to do instead. */
#define HASH_NONFATAL_OOM 1
#include "model/contexts.h"

#include <errno.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>

#include "event/names.h"

/* So many are remembered; so long may the options of one be, bytes. */
#define CONTEXTS_MAX 1024
#define OPTIONS_MAX 4096

#define NAMESPACE_FLAG 2 /* OPEN_TREE_NAMESPACE, FSMOUNT_NAMESPACE */
#define RECURSIVE_FLAG 0x8000 /* AT_RECURSIVE */

static void context_free(struct context *x)
{
	buf_free(&x->steps.fstype);
	buf_free(&x->steps.source);
	buf_free(&x->steps.path);
	buf_free(&x->steps.options);
	free(x->pids);
	free(x);
}

/* Puts @x on the list of those that are left, unless it has nothing to tell. */
static void leave(struct contexts *c, struct context *x)
{
	if (x->took_effect || x->told || !x->held)
		return;
	x->told = true;
	x->next_left = c->left;
	c->left = x;
}

static void evict_oldest(struct contexts *c)
{
	struct context *x = c->by_number;

	HASH_DEL(c->by_number, x);
	leave(c, x);
	c->evicted = x;
}

static struct context *add(struct contexts *c, uint64_t number, uint16_t by)
{
	struct context *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->number = number;
	x->steps.by = by;
	if (HASH_COUNT(c->by_number) >= CONTEXTS_MAX)
		evict_oldest(c);
	HASH_ADD(hh, c->by_number, number, sizeof(x->number), x);
	if (!x->hh.tbl) {
		free(x);
		return NULL;
	}
	return x;
}

/* The member @name of the payload, which may not be aligned; 0 where the event has none. */
static uint64_t number_of(const struct event *e, const char *name, size_t size)
{
	const struct event_field *field = event_field(e->desc, name, strlen(name));
	uint64_t wide = 0;
	uint32_t narrow = 0;

	if (!field)
		return 0;
	memcpy(size == sizeof(wide) ? (void *)&wide : (void *)&narrow, (const char *)e->payload + field->offset, size);
	return size == sizeof(wide) ? wide : narrow;
}

static const struct event_str *str_of(const struct event *e, const char *name)
{
	return event_str(e, event_field(e->desc, name, strlen(name)));
}

static void set(struct buf *b, const struct event_str *s)
{
	b->len = 0;
	buf_add(b, s->data, s->len);
}

static void add_option(struct steps *steps, const char *key, size_t len, const struct event_str *value)
{
	if (steps->options.len + len + (value ? value->len : 0) + 2 > OPTIONS_MAX) {
		steps->cut = true;
		return;
	}
	buf_add(&steps->options, key, len);
	if (value) {
		buf_addc(&steps->options, '=');
		buf_add(&steps->options, value->data, value->len);
	}
	buf_addc(&steps->options, 0);
}

static void add_flags(struct steps *steps, const struct flag_table *t, uint64_t flags)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct flag_name *f = &t->names[i];

		if ((flags & f->value) != f->value)
			continue;
		flags &= ~f->value;
		if (f->brief)
			add_option(steps, f->brief, strlen(f->brief), NULL);
	}
}

static void take_setting(struct steps *steps, const struct event *e)
{
	uint32_t cmd = ((const struct nss_fsconfig *)e->payload)->cmd;
	const struct event_str *key = str_of(e, "key"), *value = str_of(e, "value");

	set(&steps->fstype, str_of(e, "fstype"));
	if (cmd > FSCONFIG_CMD_SET_FD)
		return;
	if (cmd == FSCONFIG_CMD_SET_STRING && key->len == 6 && !memcmp(key->data, "source", 6))
		set(&steps->source, value);
	else
		add_option(steps, key->data, key->len, value->flags & NSS_STR_NULL ? NULL : value);
}

static void take_attr(struct steps *steps, const struct event *e)
{
	uint64_t set = number_of(e, "attr_set", 8), clear = number_of(e, "attr_clr", 8);

	add_flags(steps, &mount_attr_flag_table, set);
	/* atime is cleared so that another can be set: nothing stands for relatime */
	add_flags(steps, &cleared_attr_flag_table, set & MOUNT_ATTR__ATIME ? clear & ~(uint64_t)MOUNT_ATTR__ATIME : clear);
	add_flags(steps, &propagation_flag_table, number_of(e, "propagation", 8));
}

/* Adds what the call @e did, which did not fail. */
static void take_step(struct steps *steps, const struct event *e)
{
	switch (e->rec->type) {
	case NSS_EV_FSOPEN:
		set(&steps->fstype, str_of(e, "fsname"));
		break;
	case NSS_EV_FSPICK:
		set(&steps->path, str_of(e, "path"));
		set(&steps->fstype, str_of(e, "fstype"));
		break;
	case NSS_EV_FSCONFIG:
		take_setting(steps, e);
		break;
	case NSS_EV_FSMOUNT:
		add_flags(steps, &mount_attr_flag_table, number_of(e, "attr_flags", 8));
		break;
	case NSS_EV_OPEN_TREE:
	case NSS_EV_OPEN_TREE_ATTR:
		set(&steps->path, str_of(e, "path"));
		if (number_of(e, "flags", 8) & RECURSIVE_FLAG)
			add_option(steps, "recursive", 9, NULL);
		take_attr(steps, e);
		break;
	case NSS_EV_MOUNT_SETATTR:
		take_attr(steps, e);
	}
}

/* Whether it makes a number of its own. */
static bool begins(const struct event *e)
{
	return e->rec->type == NSS_EV_FSOPEN || e->rec->type == NSS_EV_FSPICK || e->rec->type == NSS_EV_OPEN_TREE ||
	       e->rec->type == NSS_EV_OPEN_TREE_ATTR;
}

/* Whether the call is what makes the steps of @x take effect, if it works. */
static bool is_effect(const struct context *x, const struct event *e)
{
	switch (e->rec->type) {
	case NSS_EV_MOVE_MOUNT:
		return x->steps.by != NSS_EV_FSPICK;
	case NSS_EV_FSMOUNT:
		return x->steps.by == NSS_EV_FSOPEN && number_of(e, "flags", 8) & NAMESPACE_FLAG;
	case NSS_EV_FSCONFIG:
		return x->steps.by == NSS_EV_FSPICK && ((const struct nss_fsconfig *)e->payload)->cmd == FSCONFIG_CMD_REMAKE;
	}
	return false;
}

/* The kernel had something to say of it. */
static bool has_log(const struct event *e)
{
	const struct event_field *log = event_field(e->desc, "log", 3);

	return log && event_str(e, log)->len;
}

static int note_actor(struct context *x, const struct event *e)
{
	size_t size = e->rec->levels * sizeof(*e->pids);
	struct nss_pid *pids = realloc(x->pids, size);

	if (!pids)
		return -ENOMEM;
	memcpy(pids, e->pids, size);
	x->pids = pids;
	x->levels = e->rec->levels;
	return 0;
}

/* A file system that was changed can be changed once more, by further steps. */
static void begin_anew(struct context *x)
{
	x->took_effect = x->told = x->steps.cut = false;
	x->steps.options.len = 0;
	x->held = 0;
}

static int step(struct contexts *c, struct event *e, uint64_t number)
{
	bool failed = (int32_t)number_of(e, "error", 4) < 0;
	struct context *x;

	HASH_FIND(hh, c->by_number, &number, sizeof(number), x);
	if (!x)
		x = add(c, number, begins(e) ? e->rec->type : NSS_EV_MAX);
	if (!x)
		return -ENOMEM;
	if (x->steps.by == NSS_EV_MAX) /* what led to it was not seen: it is told as it is */
		return 0;
	if (x->took_effect && x->steps.by == NSS_EV_FSPICK)
		begin_anew(x);
	if (x->took_effect)
		return 0;
	if (is_effect(x, e)) {
		e->steps = &x->steps;
		x->took_effect = !failed;
		c->held += failed ? 0 : x->held;
	} else if (!failed && e->rec->type != NSS_EV_MOVE_MOUNT) {
		take_step(&x->steps, e);
		e->held = !has_log(e);
		x->held += e->held;
	}
	if (x->steps.fstype.failed || x->steps.source.failed || x->steps.path.failed || x->steps.options.failed)
		return -ENOMEM;
	return note_actor(x, e);
}

/* Those whose last step was made by the process that has ended, or all: nobody goes on with them, as far as is known. */
static void leave_all(struct contexts *c, const struct event *e)
{
	struct context *x, *next;

	HASH_ITER(hh, c->by_number, x, next)
		if (!e->task || (x->levels && x->pids[0].pid == event_host(e)->pid))
			leave(c, x);
}

int contexts_update(struct contexts *c, struct event *e)
{
	uint64_t number = e->desc->group == GROUP_MOUNT ? number_of(e, "context", 8) : 0;

	c->left = NULL;
	if (c->evicted)
		context_free(c->evicted);
	c->evicted = NULL;
	if (e->rec->type == NSS_EV_EXIT || e->rec->type == NSS_EV_END)
		leave_all(c, e);
	return number ? step(c, e, number) : 0;
}

void contexts_free(struct contexts *c)
{
	struct context *x, *next;

	if (c->evicted)
		context_free(c->evicted);
	HASH_ITER(hh, c->by_number, x, next) {
		HASH_DEL(c->by_number, x);
		context_free(x);
	}
}
