/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of the journal, of recordings with hostile names. */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_bytes.h"
#include "event/decode.h"
#include "sink/sinks.h"
#include "source/recording.h"
#include "util/cleanup.h"

struct state {
	struct decoder *decoder;
	struct model model;
	struct sink sink;
	size_t entries, targets;
};

static void check_target(struct state *s, const struct event *e, const char *value, size_t len)
{
	const struct event_field *field = event_field(e->desc, "target", 6);
	const struct event_str *str;

	assert_non_null(field);
	str = event_str(e, field);
	assert_int_equal(len, str->len);
	assert_memory_equal(value, str->data, len);
	s->targets++;
}

static int feed(void *arg, const void *record, size_t len)
{
	const char *at, *end, *name = "", *value = "";
	struct state *s = arg;
	struct event e;
	size_t n = 0, size = 0;

	if (decoder_feed(s->decoder, record, len, &e) != 1)
		return 0;
	assert_int_equal(model_update(&s->model, &e), 0);
	s->sink.buf.len = 0;
	journal_entry(&s->sink.buf, &s->sink, &e, &s->model);
	assert_true(check_journal_entry(s->sink.buf.data, s->sink.buf.len));
	for (at = s->sink.buf.data, end = at + s->sink.buf.len; at < end;) {
		assert_true(check_journal_field(&at, end, &name, &n, &value, &size));
		if (n == strlen("NSSCOPE_TARGET") && !memcmp(name, "NSSCOPE_TARGET", n))
			check_target(s, &e, value, size);
		if (n == strlen("NSSCOPE_COMM") && !memcmp(name, "NSSCOPE_COMM", n)) {
			assert_int_equal(size, strlen(e.task->comm));
			assert_memory_equal(value, e.task->comm, size);
		}
	}
	s->entries++;
	return 0;
}

static void entries(void **arg)
{
	static const char *const recordings[] = { "hostile", "mount", "nested" };

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(recordings); i++) {
		struct state s = {};
		enum recording_end end;
		char path[64];
		uint64_t good;
		int fd;

		snprintf(path, sizeof(path), "tests/golden/%s.rec", recordings[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		assert_true(fd >= 0);
		assert_int_equal(decoder_new(&s.decoder), 0);
		assert_int_equal(recording_read(fd, feed, &s, &end, &good), 0);
		assert_true(s.entries > 5 && (strcmp(recordings[i], "mount") || s.targets));
		buf_free(&s.sink.buf);
		model_free(&s.model);
		decoder_free(s.decoder);
		close(fd);
	}
}

static void wrong_entries(void **arg)
{
	static const char *const wrong[] = {
		"", "MESSAGE=x\n", "NSSCOPE_JSON={}\n", "MESSAGE=x\nNSSCOPE_JSON={}", "MESSAGE=x\nMESSAGE=y\nNSSCOPE_JSON={}\n",
		"MESSAGE=x\ny\nNSSCOPE_JSON={}\n", "MESSAGE=\033\nNSSCOPE_JSON={}\n", "MESSAGE=x\nNSSCOPE_JSON={\n", "_MESSAGE=x\n",
	};
	static const char right[] = "MESSAGE=x\nNSSCOPE_JSON\n\2\0\0\0\0\0\0\0{}\n";

	(void)arg;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(check_journal_entry(wrong[i], strlen(wrong[i])));
	assert_true(check_journal_entry(right, sizeof(right) - 1));
	for (size_t len = 0; len < sizeof(right) - 1; len++)
		assert_false(check_journal_entry(right, len));
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(entries), cmocka_unit_test(wrong_entries) };

	setlocale(LC_ALL, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
