/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "records.h"
#include "test.h"

static const char version[] = "1";

static struct record records[4];
static struct buf whole;
static size_t ends[5]; /* of the header and of each record */
static int fd = -1;

struct seen {
	size_t n;
	int ret; /* of the third record's call */
};

static int see(void *arg, const void *record, size_t len)
{
	struct seen *s = arg;

	assert_int_equal((uintptr_t)record % 8, 0);
	assert_true(s->n < 4);
	assert_int_equal(len, records[s->n].len);
	assert_memory_equal(record, records[s->n].bytes, len);
	return ++s->n == 3 ? s->ret : 0;
}

static int ignore(void *arg, const void *record, size_t len)
{
	(void)record;
	assert_in_range(len, sizeof(struct nss_rec), RECORD_MAX);
	++*(size_t *)arg;
	return 0;
}

static void put(const void *data, size_t len)
{
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, data, len, 0), len);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static int setup(void **state)
{
	(void)state;
	fd = memfd_create("recording", MFD_CLOEXEC);
	record_start(&records[0]);
	record_exec(&records[1], 100, "sh\0-c", 6, 6);
	record_mount(&records[2], 0, "t", "/mnt/xyz", "tmpfs");
	record_make(&records[3], NSS_EV_END, 0, 0);
	recording_add_header(&whole);
	ends[0] = whole.len;
	for (size_t i = 0; i < 4; i++) {
		recording_add(&whole, record_head(&records[i]));
		ends[i + 1] = whole.len;
	}
	return fd < 0 || whole.failed;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&whole);
	close(fd);
	return 0;
}

static void written_is_read(void **state)
{
	enum recording_end end = 42;
	struct seen s = {};
	uint64_t good = 42;

	(void)state;
	put(whole.data, whole.len);
	assert_int_equal(recording_read(fd, see, &s, &end, &good), 0);
	assert_int_equal(s.n, 4);
	assert_int_equal(end, RECORDING_WHOLE);
	assert_int_equal(good, whole.len);
	assert_int_equal(whole.len % 8, 0);
	assert_memory_equal(whole.data, RECORDING_MAGIC, 8);
}

static void error_of_the_reader_ends_it(void **state)
{
	enum recording_end end = 42;
	struct seen s = { .ret = -ENOSPC };
	uint64_t good = 42;

	(void)state;
	put(whole.data, whole.len);
	assert_int_equal(recording_read(fd, see, &s, &end, &good), -ENOSPC);
	assert_int_equal(s.n, 3);
	assert_int_equal(end, 42);
	assert_int_equal(good, 42);
}

static void truncated_gives_its_whole_records(void **state)
{
	(void)state;
	for (size_t len = 0; len < whole.len; len++) {
		enum recording_end end = 42;
		struct seen s = {};
		uint64_t good = 42;
		size_t n = 0;

		put(whole.data, len);
		if (len < ends[0]) {
			assert_int_equal(recording_read(fd, see, &s, &end, &good), -EINVAL);
			assert_int_equal(end, 42);
			continue;
		}
		while (n < 4 && ends[n + 1] <= len)
			n++;
		assert_int_equal(recording_read(fd, see, &s, &end, &good), 0);
		assert_int_equal(s.n, n);
		assert_int_equal(end, RECORDING_CUT);
		assert_int_equal(good, ends[n]);
	}
}

/* Each byte with each bit flipped: never a record that is not one of those that were written. */
static void damage_is_seen(void **state)
{
	char *copy = malloc(whole.len);

	(void)state;
	assert_non_null(copy);
	for (size_t at = ends[0]; at < whole.len; at++) {
		size_t n = 0;

		while (ends[n + 1] <= at)
			n++; /* the record that is hit */
		for (int bit = 0; bit < 8; bit++) {
			enum recording_end end = 42;
			struct seen s = {};
			uint64_t good = 42;

			memcpy(copy, whole.data, whole.len);
			copy[at] = (char)(copy[at] ^ 1 << bit);
			put(copy, whole.len);
			assert_int_equal(recording_read(fd, see, &s, &end, &good), 0);
			assert_int_equal(s.n, n);
			assert_int_equal(good, ends[n]);
			assert_true(end == RECORDING_DAMAGED || end == RECORDING_CUT);
		}
	}
	free(copy);
}

static int read_changed(size_t at, const void *data, size_t len)
{
	char *copy = malloc(whole.len);
	enum recording_end end;
	uint64_t good;
	size_t n = 0;
	int ret;

	assert_non_null(copy);
	memcpy(copy, whole.data, whole.len);
	memcpy(copy + at, data, len);
	put(copy, whole.len);
	free(copy);
	ret = recording_read(fd, ignore, &n, &end, &good);
	assert_true(ret == 0 || n == 0);
	return ret;
}

static void foreign_header(void **state)
{
	const uint32_t order = __builtin_bswap32(RECORDING_ORDER), newer = RECORDING_VERSION + 1, types = NSS_EV_MAX + 1;

	(void)state;
	assert_int_equal(read_changed(0, "\x7f" "ELF", 4), -EINVAL);
	assert_int_equal(read_changed(offsetof(struct recording_header, order), &order, 4), -EPROTONOSUPPORT);
	assert_int_equal(read_changed(offsetof(struct recording_header, version), &newer, 4), -EPROTONOSUPPORT);
	assert_int_equal(read_changed(offsetof(struct recording_header, types), &types, 4), -EPROTONOSUPPORT);
	assert_int_equal(read_changed(offsetof(struct recording_header, crc), &types, 4), -EINVAL);
	put(version, sizeof(version));
	assert_int_equal(recording_read(fd, ignore, &(size_t){ 0 }, &(enum recording_end){ 0 }, &(uint64_t){ 0 }), -EINVAL);
}

static void impossible_lengths(void **state)
{
	static const uint32_t lengths[] = { 0, sizeof(struct nss_rec) - 1, RECORD_MAX + 1, 0x80000000, 0xffffffff };

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		const struct recording_frame f = { .crc = 0, .len = lengths[i] };
		enum recording_end end = 42;
		struct seen s = {};
		uint64_t good = 42;
		struct buf b = {};

		buf_add(&b, whole.data, ends[2]);
		buf_add(&b, &f, sizeof(f));
		buf_add(&b, whole.data + ends[2], whole.len - ends[2]);
		put(b.data, b.len);
		assert_int_equal(recording_read(fd, see, &s, &end, &good), 0);
		assert_int_equal(s.n, 2);
		assert_int_equal(end, RECORDING_DAMAGED);
		assert_int_equal(good, ends[2]);
		buf_free(&b);
	}
}

static void longest_record(void **state)
{
	static struct record r;
	static char name[NSS_ARGS_PIECE];
	enum recording_end end;
	struct buf b = {};
	uint64_t good;
	size_t n = 0;

	(void)state;
	memset(name, 'x', sizeof(name));
	record_exec(&r, 1, name, sizeof(name), sizeof(name));
	record_add(&r, name, RECORD_MAX - r.len - 3); /* not a valid event: the recording does not care */
	recording_add_header(&b);
	recording_add(&b, record_head(&r));
	put(b.data, b.len);
	assert_int_equal(recording_read(fd, ignore, &n, &end, &good), 0);
	assert_int_equal(n, 1);
	assert_int_equal(end, RECORDING_CUT);
	assert_int_equal(good, b.len);
	buf_free(&b);
}

static void errors_of_read(void **state)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(recording_read(dir, ignore, &(size_t){ 0 }, &(enum recording_end){ 0 }, &(uint64_t){ 0 }), -EISDIR);
	close(dir);
	assert_true(recording_read(-1, ignore, &(size_t){ 0 }, &(enum recording_end){ 0 }, &(uint64_t){ 0 }) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_is_read),
		cmocka_unit_test(error_of_the_reader_ends_it),
		cmocka_unit_test(truncated_gives_its_whole_records),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(foreign_header),
		cmocka_unit_test(impossible_lengths),
		cmocka_unit_test(longest_record),
		cmocka_unit_test(errors_of_read),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
