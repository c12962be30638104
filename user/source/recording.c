/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/recording.h"

#include <errno.h>
#include <libdeflate.h>
#include <stdio.h>
#include <string.h>

#include "event/event.h"
#include "util/cleanup.h"

static const char padding[8];

#define PADDED(n) (((n) + 7) & ~(size_t)7)

struct payload_sizes {
	uint16_t size[PADDED(NSS_EV_MAX * sizeof(uint16_t)) / sizeof(uint16_t)];
};

static struct payload_sizes our_sizes(void)
{
	struct payload_sizes p = {};

	for (size_t i = 0; i < NSS_EV_MAX; i++)
		p.size[i] = event_descs[i].payload;
	return p;
}

static uint32_t crc_of(const void *data, size_t len)
{
	return libdeflate_crc32(0, data, len);
}

void recording_add_header(struct buf *b)
{
	struct payload_sizes sizes = our_sizes();
	struct recording_header h = {
		.order = RECORDING_ORDER,
		.version = RECORDING_VERSION,
		.types = NSS_EV_MAX,
		.crc = crc_of(&sizes, sizeof(sizes)),
	};

	memcpy(h.magic, RECORDING_MAGIC, sizeof(h.magic));
	buf_add(b, &h, sizeof(h));
	buf_add(b, &sizes, sizeof(sizes));
}

void recording_add(struct buf *b, const struct nss_rec *rec)
{
	struct recording_frame f = { .crc = crc_of(rec, rec->len), .len = rec->len };

	buf_add(b, &f, sizeof(f));
	buf_add(b, rec, rec->len);
	buf_add(b, padding, PADDED(rec->len) - rec->len);
}

static int read_header(FILE *in)
{
	struct payload_sizes ours = our_sizes(), theirs;
	struct recording_header h;

	if (fread(&h, sizeof(h), 1, in) != 1)
		return ferror(in) ? -errno : -EINVAL;
	if (memcmp(h.magic, RECORDING_MAGIC, sizeof(h.magic)))
		return -EINVAL;
	if (h.order != RECORDING_ORDER || h.version != RECORDING_VERSION || h.types != NSS_EV_MAX)
		return -EPROTONOSUPPORT;
	if (fread(&theirs, sizeof(theirs), 1, in) != 1)
		return -EINVAL;
	if (crc_of(&theirs, sizeof(theirs)) != h.crc)
		return -EINVAL;
	return memcmp(&ours, &theirs, sizeof(ours)) ? -EPROTONOSUPPORT : 0;
}

/* 1 and a record; 0 at the end of the file and *@end; -errno. */
static int read_record(FILE *in, char *record, struct recording_frame *f, enum recording_end *end)
{
	size_t n = fread(f, 1, sizeof(*f), in);

	if (n != sizeof(*f)) {
		if (ferror(in))
			return -errno;
		if (n)
			*end = RECORDING_CUT;
		return 0;
	}
	if (f->len < sizeof(struct nss_rec) || f->len > RECORD_MAX) {
		*end = RECORDING_DAMAGED;
		return 0;
	}
	if (fread(record, 1, PADDED(f->len), in) != PADDED(f->len)) {
		*end = RECORDING_CUT;
		return ferror(in) ? -errno : 0;
	}
	if (crc_of(record, f->len) != f->crc || memcmp(record + f->len, padding, PADDED(f->len) - f->len)) {
		*end = RECORDING_DAMAGED;
		return 0;
	}
	return 1;
}

int recording_read(int fd, record_fn fn, void *arg, enum recording_end *ret_end, uint64_t *ret_good)
{
	enum recording_end end = RECORDING_CUT;
	uint64_t good = sizeof(struct recording_header) + sizeof(struct payload_sizes);
	_free_ char *record = aligned_alloc(8, RECORD_MAX);
	_fclose_ FILE *in = NULL;
	struct recording_frame f;
	int n, copy = dup(fd);

	in = copy < 0 ? NULL : fdopen(copy, "r");
	if (!in || !record) {
		if (!in && copy >= 0)
			close(copy);
		return -ENOMEM;
	}
	n = read_header(in);
	if (n)
		return n;
	while ((n = read_record(in, record, &f, &end)) > 0) {
		int err = fn(arg, record, f.len);

		if (err)
			return err;
		good += sizeof(f) + PADDED(f.len);
		end = ((const struct nss_rec *)record)->type == NSS_EV_END ? RECORDING_WHOLE : RECORDING_CUT;
	}
	if (n < 0)
		return n;
	*ret_end = end;
	*ret_good = good;
	return 0;
}
