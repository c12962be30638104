/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pidtable.h"

#include <errno.h>
#include <stdlib.h>

#include "abi/abi.h"
#include "util/cleanup.h"

#define PAGE_PIDS 512
#define PAGES (NSS_PID_LIMIT / PAGE_PIDS)

/* Goes when it is empty, so that the memory does not grow as numbers go up. */
struct pidtable_page {
	uint32_t count;
	void *at[PAGE_PIDS];
};

void *pidtable_get(const struct pidtable *t, uint32_t pid)
{
	struct pidtable_page *page = t->pages && pid < NSS_PID_LIMIT ? t->pages[pid / PAGE_PIDS] : NULL;

	return page ? page->at[pid % PAGE_PIDS] : NULL;
}

int pidtable_put(struct pidtable *t, uint32_t pid, void *what)
{
	struct pidtable_page **page;

	if (pid >= NSS_PID_LIMIT)
		return -ERANGE;
	if (!t->pages)
		t->pages = calloc(PAGES, sizeof(*t->pages));
	if (!t->pages)
		return -ENOMEM;
	page = &t->pages[pid / PAGE_PIDS];
	if (!*page)
		*page = t->spare ? TAKE_PTR(t->spare) : calloc(1, sizeof(**page));
	if (!*page)
		return -ENOMEM;
	(*page)->at[pid % PAGE_PIDS] = what;
	(*page)->count++;
	t->count++;
	return 0;
}

void pidtable_take(struct pidtable *t, uint32_t pid)
{
	struct pidtable_page **page;

	if (!pidtable_get(t, pid))
		return;
	page = &t->pages[pid / PAGE_PIDS];
	(*page)->at[pid % PAGE_PIDS] = NULL;
	t->count--;
	if (--(*page)->count)
		return;
	free(t->spare);
	t->spare = TAKE_PTR(*page);
}

void *pidtable_next(const struct pidtable *t, uint32_t *pid)
{
	void *what = NULL;

	while (t->pages && !what && *pid < NSS_PID_LIMIT) {
		if (t->pages[*pid / PAGE_PIDS])
			what = pidtable_get(t, (*pid)++);
		else
			*pid += PAGE_PIDS - *pid % PAGE_PIDS;
	}
	return what;
}

void pidtable_free(struct pidtable *t)
{
	for (size_t i = 0; t->pages && i < PAGES; i++)
		free(t->pages[i]);
	free(t->pages);
	free(t->spare);
	*t = (struct pidtable){};
}
