/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several calls of the new mount API did, one step each, to be told in one line. */
#ifndef EVENT_STEPS_H
#define EVENT_STEPS_H

#include "event/event.h"
#include "util/buf.h"

/* Gathered by the model from the events of one context. The bytes come from the sandbox. */
struct steps {
	uint16_t by; /* enum nss_type of the call that began it; NSS_EV_MAX: that was not seen */
	struct buf fstype, source; /* as the calls gave them; may be empty */
	struct buf path; /* of fspick and open_tree: what was picked or copied */
	struct buf options; /* each with a NUL behind it */
	bool cut; /* there were more */
};

/* Adds in words what became of @steps so far: "tmpfs (size=1m,ro)". */
void steps_text(struct buf *b, const struct steps *steps);

#endif
