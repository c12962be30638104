/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Something for each of some PIDs. PIDs are small numbers that lie close together: they are an index, which costs the same
 * however many there are.
 */
#ifndef MODEL_PIDTABLE_H
#define MODEL_PIDTABLE_H

#include <stddef.h>
#include <stdint.h>

struct pidtable {
	struct pidtable_page **pages; /* NULL as long as there is nothing */
	struct pidtable_page *spare; /* empty: where a process ends before the next begins, a page would come and go each time */
	size_t count;
};

/* What stands at @pid, or NULL. */
void *pidtable_get(const struct pidtable *t, uint32_t pid);

/* Puts @what, not NULL, at @pid, where nothing stands. 0, -ENOMEM, or -ERANGE: no process can have that number. */
int pidtable_put(struct pidtable *t, uint32_t pid, void *what);

/* Takes away what stands at @pid, if anything does. */
void pidtable_take(struct pidtable *t, uint32_t pid);

/* What stands at *@pid, or else at the next PID where something does; *@pid is then behind that. NULL: no more. */
void *pidtable_next(const struct pidtable *t, uint32_t *pid);

/* Empties the table. */
void pidtable_free(struct pidtable *t);

#endif
