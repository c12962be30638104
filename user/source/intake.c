/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/intake.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "abi/abi.h"
#include "util/cleanup.h"
#include "util/clock.h"
#include "util/thread.h"

#define CHUNK_SIZE (64U << 10)

/*
 * The caller is kept when it asks so much later than was to be expected, less what may have gone by since the timer was set;
 * then the ring buffer is emptied each so often.
 */
#define LATE_MS 20
#define SET_AGAIN_NS 10000000
#define AGAIN_NS 20000000

/* Records, each behind its length, in 8 bytes; and at a multiple of 8. */
struct chunk {
	struct chunk *next;
	size_t len;
	char data[CHUNK_SIZE - 2 * sizeof(void *)];
};

struct intake {
	int fd; /* of the ring buffer */
	struct aside mapping;
	struct ring_buffer *ring; /* when that is done; NULL: with @error */
	int error;
	struct chunk *now; /* what the caller is given the records of */
	size_t at; /* of these, the next */
	pthread_mutex_t lock; /* of ring, into, and the queue */
	struct chunk *into;
	struct chunk *first, **last; /* the queue: what was taken while the caller was kept */
	size_t queued, queued_max; /* bytes; pages of a chunk that are not used cost nothing */
	int timer; /* runs out when the caller is kept */
	int expected_ms; /* when it will ask again */
	uint64_t timer_set; /* CLOCK_MONOTONIC_COARSE */
	pthread_t thread;
	size_t taken; /* without a thread, bytes; */
	bool emptied; /* and then there were none */
	bool has_thread;
	bool ends; /* the thread shall */
};

static size_t room_of(size_t len)
{
	return sizeof(uint64_t) + ((len + 7) & ~(size_t)7);
}

/* Called by libbpf. The record is taken even if the answer is to stop: so it does that where another may not fit. */
static int put(void *arg, void *data, size_t len)
{
	struct intake *i = arg;
	struct chunk *c = i->into;
	uint64_t length = len;

	if (room_of(len) > sizeof(c->data) - c->len)
		return -EMSGSIZE; /* larger than any that there is */
	memcpy(c->data + c->len, &length, sizeof(length));
	memcpy(c->data + c->len + sizeof(length), data, len);
	c->len += room_of(len);
	return sizeof(c->data) - c->len < room_of(NSS_RECORD_MAX) ? -EAGAIN : 0;
}

int intake_ready(struct intake *i)
{
	aside_end(&i->mapping);
	return i->ring ? 0 : i->error;
}

/* Fills @c, which is empty. 1: there may be more; 0; or -errno. */
static int fill(struct intake *i, struct chunk *c)
{
	int n;

	n = intake_ready(i);
	if (n)
		return n;
	i->into = c;
	n = ring_buffer__consume(i->ring);
	return n == -EAGAIN ? 1 : n < 0 ? n : 0;
}

/* Not of the heap, so that it is the system's again when it is free. */
static struct chunk *new_chunk(void)
{
	struct chunk *c = mmap(NULL, sizeof(*c), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return c == MAP_FAILED ? NULL : c;
}

static void free_chunk(struct chunk *c)
{
	if (c)
		munmap(c, sizeof(*c));
}

/* Empties the ring buffer into the queue, while there is room. What is not taken is not lost yet. */
static void drain(struct intake *i)
{
	int more = 1;

	while (more > 0 && i->queued < i->queued_max) {
		struct chunk *c = new_chunk();

		if (!c)
			return;
		more = fill(i, c);
		if (!c->len) {
			free_chunk(c);
			return;
		}
		*i->last = c;
		i->last = &c->next;
		i->queued += c->len;
	}
}

static size_t find_queued_max(void)
{
	size_t part = (size_t)sysconf(_SC_PHYS_PAGES) / INTAKE_PART * (size_t)sysconf(_SC_PAGESIZE);

	return part < INTAKE_MAX ? part : INTAKE_MAX;
}

static void *run(void *arg)
{
	struct intake *i = arg;
	uint64_t expired;

	while (read(i->timer, &expired, sizeof(expired)) == sizeof(expired) && !__atomic_load_n(&i->ends, __ATOMIC_ACQUIRE)) {
		pthread_mutex_lock(&i->lock);
		drain(i);
		pthread_mutex_unlock(&i->lock);
	}
	return NULL;
}

static void set_timer(const struct intake *i, long ns)
{
	const struct itimerspec when = { { 0, AGAIN_NS }, { 0, ns } };

	timerfd_settime(i->timer, 0, &when, NULL);
}

/* From now on. */
static void expect_caller(struct intake *i)
{
	i->timer_set = clock_ns(CLOCK_MONOTONIC_COARSE);
	set_timer(i, (i->expected_ms + LATE_MS) * 1000000L);
}

void intake_expect(struct intake *i, int ms)
{
	if (ms == i->expected_ms)
		return;
	i->expected_ms = ms;
	expect_caller(i);
}

/* The caller asks. Setting the timer each time would take longer than reading the records that it then gets. */
static void put_off_timer(struct intake *i)
{
	if (clock_ns(CLOCK_MONOTONIC_COARSE) - i->timer_set >= SET_AGAIN_NS)
		expect_caller(i);
}

/*
 * So little, bytes, finds room in a pipe, even as JSON: until there has been more, or that has been written, no output can keep
 * the caller. So a short run does without a thread, which takes a part of a millisecond to come and go.
 */
#define LITTLE (16U << 10)

/* Without it, what finds no room in the ring buffer is lost, and counted, somewhat earlier. */
static void start_thread(struct intake *i)
{
	if (i->has_thread)
		return;
	i->taken += i->now->len;
	if (i->emptied || i->taken > LITTLE)
		i->has_thread = thread_start(&i->thread, run, i, false);
}

static void *map_ring(void *arg)
{
	struct intake *i = arg;

	i->ring = ring_buffer__new(i->fd, put, i, NULL);
	if (!i->ring)
		i->error = -errno;
	return NULL;
}

int intake_open(int fd, struct intake **ret)
{
	struct intake *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	*i = (struct intake){
		.fd = fd,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.last = &i->first,
		.queued_max = find_queued_max(),
	};
	i->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	i->now = new_chunk();
	if (i->timer < 0 || !i->now) {
		int err = errno;

		intake_close(i);
		return -err;
	}
	aside_begin(&i->mapping, map_ring, i, false); /* some MiB, page by page: half a millisecond */
	*ret = i;
	return 0;
}

/* The next records into ->now. 0 or -errno. */
static int next_chunk(struct intake *i)
{
	struct chunk *c = i->first;
	int err = 0;

	i->at = i->now->len = 0;
	if (c) {
		drain(i); /* or it would overflow while what was queued is worked off */
		i->first = c->next;
		i->last = i->first ? i->last : &i->first;
		i->queued -= c->len;
		free_chunk(i->now);
		i->now = c;
	} else {
		err = fill(i, i->now);
	}
	return err < 0 ? err : 0;
}

int intake_next(struct intake *i, const void **ret_record, size_t *ret_len)
{
	uint64_t length;
	int err;

	if (i->at == i->now->len) {
		put_off_timer(i);
		pthread_mutex_lock(&i->lock);
		err = next_chunk(i);
		pthread_mutex_unlock(&i->lock);
		if (err || !i->now->len) {
			i->emptied |= i->taken;
			return err;
		}
		start_thread(i);
	}
	memcpy(&length, i->now->data + i->at, sizeof(length));
	*ret_record = i->now->data + i->at + sizeof(length);
	*ret_len = length;
	i->at += room_of(length);
	return 1;
}

void intake_close(struct intake *i)
{
	if (!i)
		return;
	aside_end(&i->mapping);
	if (i->has_thread) {
		__atomic_store_n(&i->ends, true, __ATOMIC_RELEASE);
		set_timer(i, 1);
		pthread_join(i->thread, NULL);
	}
	while (i->first) {
		struct chunk *c = i->first;

		i->first = c->next;
		free_chunk(c);
	}
	free_chunk(i->now);
	ring_buffer__free(i->ring);
	if (i->timer >= 0)
		close(i->timer);
	free(i);
}
