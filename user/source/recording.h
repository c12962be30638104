/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The format of a recording:
 *
 *	struct recording_header		who wrote it, and the sizes of all payloads of its list of events
 *	uint16_t payload[types]		padded with zeroes to a multiple of 8 bytes
 *	records, each:
 *		uint32_t crc		CRC-32 of the record, as gzip's (RFC 1952)
 *		uint32_t len		of the record, bytes; the same as in struct nss_rec
 *		the record		as abi.h describes it, padded with zeroes to a multiple of 8 bytes
 *
 * In the writer's byte order. A whole recording ends with a record of type end; one that was cut is read up to its
 * last whole record.
 */
#ifndef SOURCE_RECORDING_H
#define SOURCE_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "util/buf.h"

#define RECORDING_MAGIC "NSSCOPE\n"
#define RECORDING_VERSION 1
#define RECORDING_ORDER 0x01020304U
/* The longest record that there can be, bytes: a program's scratch (bpf/core/maps.h). */
#define RECORD_MAX 32768

struct recording_header {
	char magic[8];
	uint32_t order; /* RECORDING_ORDER */
	uint32_t version;
	uint32_t types; /* NSS_EV_MAX of the writer */
	uint32_t crc; /* of payload[] */
};

struct recording_frame {
	uint32_t crc;
	uint32_t len;
};

/* Adds the head of a recording. */
void recording_add_header(struct buf *b);
/* Adds one record. */
void recording_add(struct buf *b, const struct nss_rec *rec);

/* Gets one record, aligned to 8 bytes. Returns 0 to go on, or -errno, which ends the reading. */
typedef int (*record_fn)(void *arg, const void *record, size_t len);

enum recording_end {
	RECORDING_WHOLE, /* with its end record */
	RECORDING_CUT, /* it stops in the middle of a record, or without an end record */
	RECORDING_DAMAGED, /* a checksum is wrong, or a length impossible */
};

/*
 * Reads the recording from @fd and gives each record to @fn. 0 and *@ret_end, *@ret_good (bytes up to the last whole
 * record); -EINVAL if it is no recording, -EPROTONOSUPPORT if it is one of another version, order or list of events;
 * -errno of read(2); or what @fn returned.
 */
int recording_read(int fd, record_fn fn, void *arg, enum recording_end *ret_end, uint64_t *ret_good);

#endif
