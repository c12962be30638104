/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From bytes to a checked event. Pure: fed from the kernel, from a recording or from a fuzzer. */
#ifndef EVENT_DECODE_H
#define EVENT_DECODE_H

#include "event/event.h"

struct decoder;

/* 0 or -ENOMEM. */
int decoder_new(struct decoder **ret_decoder);
void decoder_free(struct decoder *d);

/*
 * Takes the record of @len bytes at @data (aligned to 8). Returns 1 and *@ret_event (valid until the next call, or
 * until @data goes), 0 if the record is a piece of a later event and is kept, -EBADMSG if it is not a record that
 * abi.h describes, -ENOMEM.
 */
int decoder_feed(struct decoder *d, const void *data, size_t len, struct event *ret_event);

#endif
