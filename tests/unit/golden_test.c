/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replays each tests/golden/NAME.rec and compares byte for byte with NAME.txt, NAME.json and NAME.svg. UPDATE_GOLDEN=1 writes
 * those anew, and brings the recordings up to a list of events that has grown at its end.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_bytes.h"
#include "check_xml.h"
#include "event/event.h"
#include "sink/sink.h"
#include "source/recording.h"
#include "test.h"
#include "util/cleanup.h"

#define GOLDEN "tests/golden/*.rec"
#define TESTS_MAX 64
#define PADDED(n) (((n) + 7) & ~(size_t)7)

static bool updating(void)
{
	const char *update = getenv("UPDATE_GOLDEN");

	return update && *update && strcmp(update, "0");
}

static void read_whole(int fd, struct buf *b)
{
	ssize_t n;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while ((n = read(fd, buf_room(b, 65536), 65536)) > 0)
		b->len += (size_t)n;
	assert_int_equal(n, 0);
}

static void write_whole(const char *path, struct buf *b)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(buf_flush(b, fd), 0);
	assert_int_equal(close(fd), 0);
}

static int feed(void *arg, const void *record, size_t len)
{
	return output_feed(arg, record, len);
}

/* What the sink @format makes of the recording at @path. */
static void replay(const char *path, const char *format, struct buf *out)
{
	const struct sink_style style = { .color = COLOR_NEVER };
	_close_ int rec = open(path, O_RDONLY | O_CLOEXEC);
	_close_ int to = memfd_create("golden", MFD_CLOEXEC);
	enum recording_end end = RECORDING_CUT;
	struct output *o;
	uint64_t good;

	assert_true(rec >= 0 && to >= 0);
	assert_int_equal(output_new(&o), 0);
	assert_int_equal(output_add(o, format, &style, to), 0);
	assert_int_equal(recording_read(rec, feed, o, &end, &good), 0);
	assert_int_equal(end, RECORDING_WHOLE);
	assert_int_equal(output_free(o), 0);
	read_whole(to, out);
}

static void assert_same(const char *path, const struct buf *expected, const struct buf *got)
{
	size_t i = 0, line = 1, start = 0;

	while (i < expected->len && i < got->len && expected->data[i] == got->data[i]) {
		if (expected->data[i++] == '\n') {
			line++;
			start = i;
		}
	}
	if (i < expected->len || i < got->len)
		fail_msg("%s:%zu differs (UPDATE_GOLDEN=1 writes it anew)\n-%.*s\n+%.*s", path, line,
			 (int)strcspn(expected->data + start, "\n"), expected->data + start,
			 (int)strcspn(got->data + start, "\n"), got->data + start);
}

static void compare(const char *recording, const char *format, const char *suffix)
{
	struct buf expected = {}, got = {};
	char path[256];

	snprintf(path, sizeof(path), "%.*s.%s", (int)(strlen(recording) - 4), recording, suffix);
	replay(recording, format, &got);
	assert_true(got.len > 1000);
	assert_true(check_harmless(got.data, got.len, true));
	if (!strcmp(format, "json"))
		assert_true(check_json_lines(got.data, got.len));
	if (!strcmp(format, "svg"))
		assert_true(check_svg(got.data, got.len));
	if (updating()) {
		write_whole(path, &got);
	} else {
		_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			fail_msg("%s: %s", path, strerror(errno));
		read_whole(fd, &expected);
		buf_addc(&expected, '\0'), expected.len--;
		buf_addc(&got, '\0'), got.len--;
		assert_same(path, &expected, &got);
	}
	buf_free(&expected);
	buf_free(&got);
}

static void text_is_golden(void **state)
{
	compare(*state, "text", "txt");
}

static void json_is_golden(void **state)
{
	compare(*state, "json", "json");
}

static void svg_is_golden(void **state)
{
	compare(*state, "svg", "svg");
}

/* A recording of the recording is the same. */
static void recording_is_kept(void **state)
{
	struct buf expected = {}, got = {};
	_close_ int fd = open(*state, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	read_whole(fd, &expected);
	replay(*state, "record", &got);
	assert_int_equal(got.len, expected.len);
	assert_memory_equal(got.data, expected.data, got.len);
	buf_free(&expected);
	buf_free(&got);
}

/* The record with its payload as long as it is now: members are only ever added at the end. */
static void add_grown(struct buf *out, const char *rec, uint16_t old)
{
	const struct nss_rec *head = (const void *)rec;
	const struct event_desc *d = &event_descs[head->type];
	size_t at = sizeof(*head) + (d->class == CLASS_TASK ? sizeof(struct nss_task) : 0) + old;
	char *grown = calloc(1, head->len + d->payload);

	assert_non_null(grown);
	assert_true(d->payload >= old);
	memcpy(grown, rec, at);
	memcpy(grown + at + d->payload - old, rec + at, head->len - at);
	((struct nss_rec *)grown)->len += d->payload - old;
	recording_add(out, (struct nss_rec *)grown);
	free(grown);
}

/* Brings the recording at @path up to today's list of events. */
static void migrate(const char *path)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct buf old = {}, new = {};
	const struct recording_header *h;
	const uint16_t *sizes;
	size_t at;

	assert_true(fd >= 0);
	read_whole(fd, &old);
	assert_true(old.len > sizeof(*h));
	h = (const void *)old.data;
	sizes = (const void *)(h + 1);
	assert_true(h->types <= NSS_EV_MAX);
	recording_add_header(&new);
	for (at = sizeof(*h) + PADDED(h->types * sizeof(*sizes)); at < old.len;) {
		const char *rec = old.data + at + sizeof(struct recording_frame);

		add_grown(&new, rec, sizes[((const struct nss_rec *)rec)->type]);
		at += sizeof(struct recording_frame) + PADDED(((const struct nss_rec *)rec)->len);
	}
	assert_int_equal(at, old.len);
	if (new.len != old.len || memcmp(new.data, old.data, new.len))
		write_whole(path, &new);
	buf_free(&old);
	buf_free(&new);
}

static void migrated(void **state)
{
	if (updating())
		migrate(*state);
}

int main(void)
{
	static struct CMUnitTest tests[TESTS_MAX];
	static char names[TESTS_MAX][128];
	static const struct {
		const char *name;
		CMUnitTestFunction fn;
	} kinds[] = {
		{ "brought up to date", migrated },
		{ "as text", text_is_golden },
		{ "as JSON", json_is_golden },
		{ "as a picture", svg_is_golden },
		{ "as a recording", recording_is_kept },
	};
	size_t n = 0;
	glob_t found;
	int ret;

	if (!setlocale(LC_ALL, "C.UTF-8") || glob(GOLDEN, 0, NULL, &found)) {
		fprintf(stderr, "no locale C.UTF-8, or no %s here\n", GOLDEN);
		return 1;
	}
	for (size_t i = 0; i < found.gl_pathc; i++) {
		for (size_t k = updating() ? 0 : 1; k < ARRAY_SIZE(kinds) && n < TESTS_MAX; k++, n++) {
			snprintf(names[n], sizeof(names[n]), "%s %s", found.gl_pathv[i], kinds[k].name);
			tests[n] = (struct CMUnitTest){ names[n], kinds[k].fn, NULL, NULL, found.gl_pathv[i] };
		}
	}
	ret = _cmocka_run_group_tests("golden", tests, n, NULL, NULL);
	globfree(&found);
	return ret;
}
