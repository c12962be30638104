/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "event/decode.h"

#include <errno.h>

#include "event/kinds.h"
#include "records.h"
#include "test.h"

static struct record r; /* too large for the stack of a test */
static char bytes[8 * NSS_ARGS_PIECE];

static int setup(void **state)
{
	struct decoder *d;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)('a' + (i / 7 + i / NSS_ARGS_PIECE) % 26);
	if (decoder_new(&d))
		return -1;
	*state = d;
	return 0;
}

static int teardown(void **state)
{
	decoder_free(*state);
	return 0;
}

/* The decoder reads a copy of exactly that size: the sanitizer sees what it reads beyond. */
static int feed(struct decoder *d, const struct record *rec, size_t len, struct event *e)
{
	static void *copy;
	int ret;

	free(copy); /* the event of the feed before pointed into it */
	copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, rec->bytes, len);
	ret = decoder_feed(d, copy, len, e);
	if (ret != 1) {
		free(copy);
		copy = NULL;
	}
	return ret;
}

/* It is refused, gives no event, and takes no number. */
static void assert_bad(struct decoder *d, const struct record *rec)
{
	static struct record good;
	struct event e = { .seq = 77 }, before, after;

	record_mount(&good, 0, "tmpfs", "/mnt", NULL);
	assert_int_equal(feed(d, &good, good.len, &before), 1);
	assert_int_equal(feed(d, rec, rec->len, &e), -EBADMSG);
	assert_int_equal(e.seq, 77);
	assert_null(e.desc);
	assert_int_equal(feed(d, &good, good.len, &after), 1);
	assert_int_equal(after.seq, before.seq + 1);
}

static void mount_is_taken_apart(void **state)
{
	struct event e;

	record_mount(&r, 0, "tmpfs", "/mnt", NULL);
	assert_int_equal(feed(*state, &r, r.len, &e), 1);
	assert_ptr_equal(e.desc, &event_descs[NSS_EV_MOUNT]);
	assert_int_equal(e.seq, 1);
	assert_int_equal(event_host(&e)->pid, 100);
	assert_int_equal(event_inside(&e)->pid, 1);
	assert_string_equal(e.task->comm, "sh");
	assert_int_equal(e.str[0].len, 5);
	assert_memory_equal(e.str[0].data, "tmpfs", 5);
	assert_int_equal(e.str[1].len, 4);
	assert_memory_equal(e.str[1].data, "/mnt", 4);
	assert_int_equal(e.str[2].flags, NSS_STR_NULL);
	assert_int_equal(e.str[3].flags, NSS_STR_NULL);
	assert_ptr_equal(event_str(&e, event_field(e.desc, "target", 6)), &e.str[1]);
	record_mount(&r, 0, "tmpfs", "/mnt", "tmpfs");
	assert_int_equal(feed(*state, &r, r.len, &e), 1);
	assert_int_equal(e.seq, 2);
}

/* One record of each type, with empty strings. */
static void each_type_is_taken(void **state)
{
	struct event e;

	for (int type = 0; type < NSS_EV_MAX; type++) {
		const struct event_desc *d = &event_descs[type];
		uint64_t seq = 0;

		if (d->class == CLASS_PART)
			continue;
		record_make(&r, type, d->class == CLASS_TASK ? NSS_LEVELS_MAX : 0, 1);
		assert_int_equal(feed(*state, &r, r.len, &e), 1);
		assert_ptr_equal(e.desc, d);
		assert_int_equal(!!e.task, d->class == CLASS_TASK);
		assert_int_equal(!!e.seq, d->group != GROUP_NONE);
		assert_true(e.seq > seq || d->group == GROUP_NONE);
	}
}

/* A record of each type, cut at each byte, with and without its length told so. */
static void truncated_is_refused(void **state)
{
	struct event e;

	for (int type = 0; type < NSS_EV_MAX; type++) {
		struct record cut;

		if (type == NSS_EV_MOUNT)
			record_mount(&r, 0, "tmpfs", "/mnt", "tmpfs");
		else if (type == NSS_EV_EXEC)
			record_exec(&r, 1, "sh\0-c", 6, 6);
		else if (type == NSS_EV_START)
			record_start(&r);
		else if (type == NSS_EV_ARGS)
			record_args(&r, 1, NSS_ARGS_PIECE, "abc", 3);
		else
			record_make(&r, type, event_descs[type].class == CLASS_TASK ? 3 : 0, 100);
		for (size_t len = 0; len < r.len; len++) {
			cut = r;
			assert_int_equal(feed(*state, &cut, len, &e), -EBADMSG);
			record_head(&cut)->len = (uint32_t)len;
			assert_int_equal(feed(*state, &cut, len, &e), -EBADMSG);
		}
		assert_true(feed(*state, &r, r.len, &e) >= 0);
		cut = r;
		record_add(&cut, "", 1);
		assert_bad(*state, &cut);
	}
}

static void wrong_type_is_refused(void **state)
{
	record_mount(&r, 0, "t", "/", NULL);
	for (uint32_t type = NSS_EV_MAX; type < 0x10000; type += type < 300 ? 1 : 997) {
		record_head(&r)->type = (uint16_t)type;
		assert_bad(*state, &r);
	}
}

static void wrong_levels_are_refused(void **state)
{
	struct event e;

	record_make(&r, NSS_EV_EXIT, 0, 100);
	assert_bad(*state, &r);
	record_make(&r, NSS_EV_EXIT, NSS_LEVELS_MAX + 1, 100);
	assert_bad(*state, &r);
	record_make(&r, NSS_EV_EXIT, 2, 100);
	record_head(&r)->levels = 0xffff;
	assert_bad(*state, &r);
	record_make(&r, NSS_EV_END, 1, 100);
	assert_bad(*state, &r);
	record_make(&r, NSS_EV_EXIT, NSS_LEVELS_MAX, 100);
	assert_int_equal(feed(*state, &r, r.len, &e), 1);
	assert_int_equal(event_inside(&e)->ns, 4026531836 + NSS_LEVELS_MAX - 1);
}

static void wrong_values_are_refused(void **state)
{
	struct nss_ns_create *c;

	record_make(&r, NSS_EV_NS_CREATE, 1, 100);
	c = record_payload(&r);
	c->type = NSS_NS_MAX;
	assert_bad(*state, &r);
	c->type = 0;
	c->by = NSS_BY_MAX;
	assert_bad(*state, &r);
	c->by = 0;
	memset(record_task(&r)->comm, 'x', NSS_COMM_LEN);
	assert_bad(*state, &r);
}

static void wrong_strings_are_refused(void **state)
{
	struct nss_mount *m;

	record_mount(&r, 0, "tmpfs", "/mnt", NULL);
	m = record_payload(&r);
	m->source.v++;
	assert_bad(*state, &r);
	m->source.v -= 2;
	assert_bad(*state, &r);
	m->source.v = NSS_STR_LEN;
	assert_bad(*state, &r);
	m->source.v = 5 | NSS_STR_NULL;
	assert_bad(*state, &r);
	m->source.v = 5 | NSS_STR_UNREADABLE;
	assert_bad(*state, &r);
	m->source.v = 5 | NSS_STR_CUT;
	assert_int_equal(feed(*state, &r, r.len, &(struct event){}), 1);
}

/* Feeds the pieces of [@from, @to) of @total bytes. */
static void feed_pieces(struct decoder *d, uint32_t tgid, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += NSS_ARGS_PIECE) {
		record_args(&r, tgid, at, bytes + at, to - at < NSS_ARGS_PIECE ? to - at : NSS_ARGS_PIECE);
		assert_int_equal(feed(d, &r, r.len, &(struct event){}), 0);
	}
}

/* Feeds the exec of @total bytes of arguments: it must come out with the first @shown, cut or not. */
static void assert_exec(struct decoder *d, uint32_t tgid, size_t total, size_t shown)
{
	struct event e;

	record_exec(&r, tgid, bytes, total < NSS_ARGS_PIECE ? total : NSS_ARGS_PIECE, total);
	assert_int_equal(feed(d, &r, r.len, &e), 1);
	assert_int_equal(e.str[1].len, shown);
	assert_memory_equal(e.str[1].data, bytes, shown);
	assert_int_equal(e.str[1].flags, shown < total ? NSS_STR_CUT : 0);
}

#define LONG (3 * NSS_ARGS_PIECE + 17)

static void short_arguments_stand_alone(void **state)
{
	assert_exec(*state, 5, 10, 10);
	assert_exec(*state, 5, NSS_ARGS_PIECE, NSS_ARGS_PIECE);
}

static void pieces_are_joined(void **state)
{
	feed_pieces(*state, 5, NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, LONG, LONG);
	/* and are gone then */
	assert_exec(*state, 5, LONG, NSS_ARGS_PIECE);
	feed_pieces(*state, 5, NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, LONG, LONG);
}

static void gap_is_told(void **state)
{
	assert_exec(*state, 5, LONG, NSS_ARGS_PIECE);
	feed_pieces(*state, 5, NSS_ARGS_PIECE, 2 * NSS_ARGS_PIECE);
	feed_pieces(*state, 5, 3 * NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, LONG, 2 * NSS_ARGS_PIECE);
}

static void lost_first_piece_is_told(void **state)
{
	feed_pieces(*state, 5, 2 * NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, LONG, NSS_ARGS_PIECE);
}

static void processes_are_kept_apart(void **state)
{
	for (size_t at = NSS_ARGS_PIECE; at < LONG; at += NSS_ARGS_PIECE)
		for (uint32_t tgid = 1; tgid <= 64; tgid++)
			feed_pieces(*state, tgid, at, at + NSS_ARGS_PIECE < LONG ? at + NSS_ARGS_PIECE : LONG);
	for (uint32_t tgid = 64; tgid; tgid--)
		assert_exec(*state, tgid, LONG, LONG);
}

/* Pieces whose exec never came give way to those of 64 others, and no exec is joined with another's. */
static void stale_pieces_give_way(void **state)
{
	for (uint32_t tgid = 1; tgid <= 1000; tgid++)
		feed_pieces(*state, tgid, NSS_ARGS_PIECE, 2 * NSS_ARGS_PIECE);
	feed_pieces(*state, 5000, NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5000, LONG, LONG);
	assert_exec(*state, 1, 2 * NSS_ARGS_PIECE, NSS_ARGS_PIECE);
	assert_exec(*state, 1000, 2 * NSS_ARGS_PIECE, 2 * NSS_ARGS_PIECE);
}

/* The first piece of the next exec of the same process makes an end of what was kept. */
static void next_exec_starts_anew(void **state)
{
	feed_pieces(*state, 5, NSS_ARGS_PIECE, 2 * NSS_ARGS_PIECE);
	feed_pieces(*state, 5, NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, LONG, LONG);
}

/* The pieces of an exec that was lost are not another exec's: a short exec of the process has come between. */
static void short_exec_drops_what_was_kept(void **state)
{
	feed_pieces(*state, 5, NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, 10, 10);
	assert_exec(*state, 5, LONG, NSS_ARGS_PIECE);
}

/* The same without one between: more than there was cannot be this exec's. */
static void never_more_than_there_was(void **state)
{
	feed_pieces(*state, 5, NSS_ARGS_PIECE, LONG);
	assert_exec(*state, 5, 2 * NSS_ARGS_PIECE, NSS_ARGS_PIECE);
}

/* Nor where they would fit: the nonce tells one exec of a process from the next. */
static void pieces_of_another_exec_do_not_fit(void **state)
{
	struct event e;

	for (uint32_t nonce = 7; nonce <= 8; nonce++) { /* the first exec's first piece, the second's last */
		size_t at = (nonce - 6) * NSS_ARGS_PIECE;

		record_args(&r, 5, at, bytes + at, NSS_ARGS_PIECE);
		((struct nss_args *)record_payload(&r))->nonce = nonce;
		assert_int_equal(feed(*state, &r, r.len, &e), 0);
	}
	record_exec(&r, 5, bytes, NSS_ARGS_PIECE, 3 * NSS_ARGS_PIECE);
	((struct nss_exec *)record_payload(&r))->nonce = 8;
	assert_int_equal(feed(*state, &r, r.len, &e), 1);
	assert_int_equal(e.str[1].len, NSS_ARGS_PIECE);
	assert_int_equal(e.str[1].flags, NSS_STR_CUT);
}

static void wrong_pieces_are_refused(void **state)
{
	static const size_t offsets[] = { 0, 1, NSS_ARGS_PIECE - 1, NSS_ARGS_PIECE + 1, NSS_ARGS_MAX + NSS_ARGS_PIECE };

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		record_args(&r, 5, offsets[i], "x", 1);
		assert_bad(*state, &r);
	}
	record_args(&r, 0, NSS_ARGS_PIECE, "x", 1);
	assert_bad(*state, &r);
	record_args(&r, 5, NSS_ARGS_PIECE, bytes, NSS_ARGS_PIECE + 1);
	assert_bad(*state, &r);
}

/* More than there was, a gap that a piece without bytes makes, a tgid of 0. */
static void odd_pieces_do_no_harm(void **state)
{
	struct event e;

	record_args(&r, 5, NSS_ARGS_PIECE, "", 0);
	assert_int_equal(feed(*state, &r, r.len, &e), 0);
	assert_exec(*state, 5, LONG, NSS_ARGS_PIECE);
	feed_pieces(*state, 5, NSS_ARGS_PIECE, 2 * NSS_ARGS_PIECE);
	assert_exec(*state, 0, LONG, NSS_ARGS_PIECE);
	assert_exec(*state, 5, 2 * NSS_ARGS_PIECE, 2 * NSS_ARGS_PIECE);
}

static void text_of(struct buf *b, const struct record *rec, struct decoder *d)
{
	struct event e;

	assert_int_equal(feed(d, rec, rec->len, &e), 1);
	event_text(b, &e);
}

static void templates_are_filled(void **state)
{
	struct buf b = {};
	struct nss_mount *m;

	record_mount(&r, 0, "t", "/mnt", "tmpfs");
	text_of(&b, &r, *state);
	assert_buf(&b, "t on /mnt type tmpfs: its reach is not known");
	m = record_payload(&r);
	m->reach.flags = NSS_REACH_KNOWN;
	record_task(&r)->ns[NSS_NS_MNT] = 7;
	text_of(&b, &r, *state);
	assert_buf(&b, "t on /mnt type tmpfs: stays inside");
	record_mount(&r, 1 << 18 | 1 << 14, "none", "/", NULL);
	text_of(&b, &r, *state);
	assert_buf(&b, "make private / (recursive): its reach is not known");
	record_mount(&r, 4096 | 1, "a b", "/x", NULL);
	m = record_payload(&r);
	m->error = -EPERM;
	text_of(&b, &r, *state);
	assert_buf(&b, "bind 'a b' on /x (ro) failed: EPERM");
	record_mount(&r, 0, NULL, "/x", "");
	text_of(&b, &r, *state);
	assert_buf(&b, "/x type '': its reach is not known");
	record_exec(&r, 9, "sh\0-c\0\0a b", 11, 11);
	text_of(&b, &r, *state);
	assert_buf(&b, "sh -c '' 'a b'");
	record_exec(&r, 9, "sh\0-c", 5, 6000);
	text_of(&b, &r, *state);
	assert_buf(&b, "sh -c (cut)");
	buf_free(&b);
}

/* Not what the kernel sends, but any bits are a valid number. */
static void extreme_numbers(void **state)
{
	struct buf b = {};
	struct nss_mount *m;

	record_mount(&r, ~0ULL, "t", "/", NULL);
	m = record_payload(&r);
	m->error = INT32_MIN;
	text_of(&b, &r, *state);
	buf_addc(&b, '\0');
	assert_non_null(strstr(b.data, "failed: "));
	buf_free(&b);
}

#define DECODE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DECODE_TEST(mount_is_taken_apart),
		DECODE_TEST(each_type_is_taken),
		DECODE_TEST(truncated_is_refused),
		DECODE_TEST(wrong_type_is_refused),
		DECODE_TEST(wrong_levels_are_refused),
		DECODE_TEST(wrong_values_are_refused),
		DECODE_TEST(wrong_strings_are_refused),
		DECODE_TEST(short_arguments_stand_alone),
		DECODE_TEST(pieces_are_joined),
		DECODE_TEST(gap_is_told),
		DECODE_TEST(lost_first_piece_is_told),
		DECODE_TEST(processes_are_kept_apart),
		DECODE_TEST(stale_pieces_give_way),
		DECODE_TEST(next_exec_starts_anew),
		DECODE_TEST(short_exec_drops_what_was_kept),
		DECODE_TEST(never_more_than_there_was),
		DECODE_TEST(pieces_of_another_exec_do_not_fit),
		DECODE_TEST(wrong_pieces_are_refused),
		DECODE_TEST(odd_pieces_do_no_harm),
		DECODE_TEST(templates_are_filled),
		DECODE_TEST(extreme_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
