/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording behind one byte that says what to do with it:
 *
 *	bit 0	0: the records go to the decoder, whatever the checksums and the header say; 1: recording_read reads all
 *	bit 1	lengths (bit 0 clear) or checksums (bit 0 set) are made right, so that what they guard is reached
 *	bit 2	the table of processes is a tree
 *
 * Whatever comes out must be harmless.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "../unit/check_bytes.h"
#include "../unit/check_xml.h"
#include "event/decode.h"
#include "event/kinds.h"
#include "sink/sink.h"
#include "sink/sinks.h"
#include "source/recording.h"
#include "util/cleanup.h"

#define PADDED(n) (((n) + 7) & ~(size_t)7)
#define HEADER_SIZE (sizeof(struct recording_header) + PADDED(NSS_EV_MAX * sizeof(uint16_t)))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok, const char *what, const struct buf *b)
{
	if (ok)
		return;
	fprintf(stderr, "%s:\n%.*s\n", what, (int)b->len, b->data);
	abort();
}

static void tell(struct sink *s, const struct event *e, const struct model *m)
{
	s->buf.len = 0;
	must(!s->ops->event(s, e, m) && !s->buf.failed, "a sink fails", &s->buf);
	must(check_harmless(s->buf.data, s->buf.len, true), "unsafe bytes", &s->buf);
	if (s->ops == &sink_json) {
		must(check_json_lines(s->buf.data, s->buf.len), "not JSON", &s->buf);
		must(memchr(s->buf.data, '\n', s->buf.len) == s->buf.data + s->buf.len - 1, "not one line", &s->buf);
	}
}

static void check_event(struct event *e, struct model *m, struct sink *json, struct sink *text)
{
	struct buf words = {};

	if (model_update(m, e))
		abort();
	event_text(&words, e);
	must(check_harmless(words.data, words.len, false), "unsafe bytes in words", &words);
	buf_free(&words);
	tell(json, e, m);
	tell(text, e, m);
	json->buf.len = 0;
	journal_entry(&json->buf, json, e, m);
	must(check_journal_entry(json->buf.data, json->buf.len), "not an entry of the journal", &json->buf);
}

/* Frame by frame; each record in memory of just its size. */
static void decode(const uint8_t *data, size_t size, bool mend)
{
	struct sink json = { .ops = &sink_json, .fd = -1, .style.color = COLOR_NEVER };
	struct sink text = { .ops = &sink_text, .fd = -1, .style.color = COLOR_NEVER };
	struct model model = {};
	struct recording_frame f;
	struct decoder *d;

	if (decoder_new(&d) || text.ops->open(&text))
		abort();
	while (size >= sizeof(f)) {
		struct event e;
		size_t len;
		char *record;

		memcpy(&f, data, sizeof(f));
		data += sizeof(f);
		size -= sizeof(f);
		len = f.len < size ? f.len : size;
		record = malloc(len ? len : 1);
		if (!record)
			abort();
		memcpy(record, data, len);
		if (mend && len >= sizeof(struct nss_rec))
			((struct nss_rec *)record)->len = (uint32_t)len;
		if (decoder_feed(d, record, len, &e) == 1)
			check_event(&e, &model, &json, &text);
		free(record);
		len = PADDED(len) < size ? PADDED(len) : size;
		data += len;
		size -= len;
	}
	text.ops->close(&text);
	buf_free(&text.buf);
	buf_free(&json.buf);
	model_free(&model);
	decoder_free(d);
}

static void mend_checksums(uint8_t *data, size_t size)
{
	struct recording_frame f;

	for (size_t at = HEADER_SIZE; at < size && size - at >= sizeof(f); at += sizeof(f) + PADDED(f.len)) {
		memcpy(&f, data + at, sizeof(f));
		if (f.len > size - at - sizeof(f))
			return;
		f.crc = (uint32_t)crc32(0, data + at + sizeof(f), f.len);
		memcpy(data + at, &f, sizeof(f));
	}
}

static int feed(void *arg, const void *record, size_t len)
{
	int err = output_feed(arg, record, len);

	return err == -EBADMSG ? 0 : err;
}

/*
 * All that write to a file (of the journal, decode() checks the entries): the recording of the recording goes to @record,
 * the picture to @svg, what else people and programs read to @shown.
 */
static void add_sinks(struct output *o, bool tree, int record, int svg, int shown)
{
	for (size_t i = 0; sink_name(i); i++) {
		const struct sink_style style = { .color = COLOR_NEVER, .wide = i % 2, .tree = tree };
		int to = !strcmp(sink_name(i), "record") ? record : !strcmp(sink_name(i), "svg") ? svg : shown;

		if (!sink_find(sink_name(i))->no_file && output_add(o, sink_name(i), &style, to))
			abort();
	}
}

static void check_shown(int fd, bool svg)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct buf b = {};
	char *to = buf_room(&b, (size_t)size + 1);

	if (!to || pread(fd, to, (size_t)size, 0) != size)
		abort();
	b.len = (size_t)size;
	must(check_harmless(b.data, b.len, true), "unsafe bytes", &b);
	must(!svg || !b.len || check_svg(b.data, b.len), "not a picture", &b);
	buf_free(&b);
}

static void replay(const uint8_t *data, size_t size, bool mend, bool tree)
{
	_close_ int in = memfd_create("fuzz", MFD_CLOEXEC), shown = memfd_create("shown", MFD_CLOEXEC);
	_close_ int svg = memfd_create("svg", MFD_CLOEXEC), null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	_free_ uint8_t *copy = malloc(size + 1);
	enum recording_end end = 42;
	uint64_t good = size + 1;
	struct output *o;

	if (in < 0 || shown < 0 || svg < 0 || null < 0 || !copy || output_new(&o))
		abort();
	memcpy(copy, data, size);
	if (mend)
		mend_checksums(copy, size);
	if (write(in, copy, size) != (ssize_t)size || lseek(in, 0, SEEK_SET))
		abort();
	add_sinks(o, tree, null, svg, shown);
	if (!recording_read(in, feed, o, &end, &good) && (end > RECORDING_DAMAGED || good > size))
		abort();
	if (output_free(o))
		abort();
	check_shown(shown, false);
	check_shown(svg, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;

	if (!ready && !setlocale(LC_ALL, "C.UTF-8"))
		abort();
	ready = true;
	if (!size)
		return 0;
	if (data[0] & 1)
		replay(data + 1, size - 1, data[0] & 2, data[0] & 4);
	else if (size > 1 + HEADER_SIZE)
		decode(data + 1 + HEADER_SIZE, size - 1 - HEADER_SIZE, data[0] & 2);
	return 0;
}
