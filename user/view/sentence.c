/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/sentence.h"

#include <string.h>

#include "event/format.h"
#include "event/kinds.h"
#include "view/columns.h"

void event_sentence(struct buf *b, const struct event *e)
{
	if (e->task) {
		text_string(b, e->task->comm, strlen(e->task->comm));
		buf_addf(b, " (%u", event_host(e)->pid);
		if (e->rec->levels > 1) {
			buf_adds(b, ", ");
			pid_chain(b, e->pids, e->rec->levels, true);
			buf_adds(b, " inside");
		}
		buf_adds(b, "): ");
	}
	buf_adds(b, e->desc->name);
	buf_addc(b, ' ');
	event_text(b, e);
}
