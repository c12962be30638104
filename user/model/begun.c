/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/begun.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/spans.h"

static int by_group(const void *a, const void *b)
{
	const struct nss_life *x = a, *y = b;

	return memcmp(&x->group, &y->group, sizeof(x->group));
}

struct telling {
	struct nss_span_entry **entries;
	size_t *n;
	size_t from; /* the entries of this group begin */
};

/* A duration of one of the group: into its entry, made if it is not there. 0 or -ENOMEM. */
static int tell(struct telling *t, const struct nss_life *life, uint32_t phase, uint32_t made, uint64_t ns)
{
	struct nss_span_entry *e;
	size_t i = t->from;

	while (i < *t->n && ((*t->entries)[i].key.phase != phase || (*t->entries)[i].key.made != made))
		i++;
	if (i == *t->n) {
		e = reallocarray(*t->entries, i + 1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		*t->entries = e;
		e[(*t->n)++] = (struct nss_span_entry){ .key = { .group = life->group, .phase = phase, .made = made } };
	}
	span_add(&(*t->entries)[i].span, ns);
	return 0;
}

int begun_tell(struct nss_life *lives, size_t nlives, struct nss_span_entry **entries, size_t *n)
{
	struct telling t = { entries, n, *n };
	int err = 0;

	if (nlives)
		qsort(lives, nlives, sizeof(*lives), by_group);
	for (size_t i = 0; !err && i < nlives; i++) {
		const struct nss_life *life = &lives[i];

		if (i && by_group(life, life - 1))
			t.from = *n;
		if (life->begun)
			err = tell(&t, life, NSS_PHASE_FORK, 0, life->forked > life->begun ? life->forked - life->begun : 0);
		if (!err && life->run_queue)
			err = tell(&t, life, NSS_PHASE_RUN_QUEUE, 0, life->run_queue - 1);
		if (!err && life->cloned)
			err = tell(&t, life, NSS_PHASE_CLONE, life->made, life->cloned);
	}
	return err;
}
