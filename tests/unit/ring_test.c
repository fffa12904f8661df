/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue between processes: order, wrapping, a full queue, a writer that
 * dies at any moment, a writer that lies; and queues merged.
 */
#include "sensor/ring.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/merge.h"
#include "tests/test.h"

#define SIZE (1u << 20)

static uint8_t buf[RING_RECORD_MAX];

static struct ring *
make(void)
{
	char err[200];
	struct ring *r = ring_new(SIZE, err, sizeof(err));

	CHECK(r != NULL);
	return r;
}

static bool
put_at(struct ring *r, int64_t time, const void *p, size_t len)
{
	struct ring_record h = {.type = 1, .key.time = time};
	const struct slice part = {p, len};

	return ring_put(r, &h, &part, 1, 0);
}

TEST(what_is_put_comes_out_in_order_across_the_end)
{
	struct ring *r = make();
	struct ring_record h;
	uint32_t in = 0, out = 0;

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 37; i++) {
			memset(buf, (int)in, sizeof(buf));
			if (put_at(r, in, buf, in * 7919 % 20011))
				in++;
		}
		while (ring_peek(r, &h, buf)) {
			CHECK_INT(h.key.time, out);
			CHECK_INT(h.size, out * 7919 % 20011);
			CHECK(h.size == 0 || buf[h.size - 1] == (uint8_t)out);
			ring_take(r);
			out++;
		}
	}
	CHECK_INT(in, out);
	CHECK(in > 5000);
	CHECK_INT(ring_used(r), 0);
	CHECK_INT(ring_broken(r), 0);
	ring_free(r);
}

TEST(a_full_queue_refuses_and_loses_nothing)
{
	struct ring *r = make();
	struct ring_record h;
	unsigned in = 0, out = 0;

	while (put_at(r, in, buf, 1000))
		in++;
	CHECK(in > SIZE / 1100);
	CHECK(!put_at(r, in, buf, 1000));
	for (; ring_peek(r, &h, buf); ring_take(r))
		CHECK_INT(h.key.time, out++);
	CHECK_INT(in, out);
	ring_free(r);
}

TEST(a_reserve_is_kept_for_what_matters_more)
{
	struct ring *r = make();
	struct ring_record h = {.type = 1};
	const struct slice part = {buf, 1000};

	while (ring_put(r, &h, &part, 1, SIZE / 4))
		;
	CHECK(ring_used(r) >= SIZE / 4 * 3 - 2000);
	CHECK(ring_put(r, &h, &part, 1, 0));
	ring_free(r);
}

TEST(too_large_a_record_is_refused)
{
	struct ring *r = make();

	CHECK(put_at(r, 1, buf, RING_RECORD_MAX));
	CHECK(!put_at(r, 1, buf, RING_RECORD_MAX + 1));
	ring_free(r);
}

static void
write_for_ever(struct ring *r)
{
	for (int64_t i = 0;; i++)
		while (!put_at(r, i, &i, sizeof(i)))
			ring_wait_room(r, 10);
}

/* Killed in the middle of whatever it does: what is there is whole, and the
 * next writer goes on. */
TEST(writers_that_are_killed_leave_whole_records)
{
	struct ring *r = make();
	struct ring_record h;
	int64_t value;
	unsigned n = 0;

	for (unsigned round = 0; round < 20; round++) {
		pid_t pid = fork();

		if (pid == 0)
			write_for_ever(r);
		for (unsigned i = 0; i < 3000; i++) {
			if (!ring_peek(r, &h, buf)) {
				(void)ring_sleep(r);
				(void)usleep(100);
				ring_wake(r);
				continue;
			}
			memcpy(&value, buf, sizeof(value));
			CHECK_INT(h.key.time, value);
			ring_take(r);
			n++;
		}
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	CHECK(n > 0);
	CHECK_INT(ring_broken(r), 0);
	ring_free(r);
}

static bool
is_woken(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

/* For a record nobody is woken; for a quarter of the queue the reader is, and
 * the writer when half of it is free. */
TEST(in_batches_few_are_woken)
{
	struct ring *r = make();
	struct ring_record h;
	unsigned woken = 0;

	ring_in_batches(r);
	CHECK(ring_sleep(r));
	CHECK(put_at(r, 1, buf, 1000));
	CHECK(!is_woken(ring_data_fd(r)));
	ring_set_mark(r, &(struct ring_key){.time = 1});
	CHECK(!is_woken(ring_data_fd(r)));
	while (put_at(r, 2, buf, 1000)) {
		woken += is_woken(ring_data_fd(r));
		ring_wake(r);
		(void)ring_sleep(r);
	}
	CHECK_INT(woken, 3);
	ring_wait_room(r, 1); /* there is none: the reader is told */
	CHECK(is_woken(ring_data_fd(r)));
	ring_wake(r);
	while (ring_used(r) > SIZE / 2 && ring_peek(r, &h, buf))
		ring_take(r);
	ring_wait_room(r, 60000); /* there is: nobody waits */
	ring_free(r);
}

/* A writer that waits goes on long before its patience is over. */
TEST(in_batches_a_writer_is_woken)
{
	struct ring *r = make();
	struct ring_record h;
	pid_t pid;

	ring_in_batches(r);
	while (put_at(r, 1, buf, 1000))
		continue;
	pid = fork();
	if (pid == 0) {
		ring_wait_room(r, 3600000);
		if (!put_at(r, 2, buf, 1000))
			_exit(1);
		ring_show(r);
		_exit(0);
	}
	(void)usleep(20000);
	while (ring_peek(r, &h, buf) && h.key.time == 1)
		ring_take(r);
	CHECK_INT(waitpid(pid, NULL, 0), pid);
	CHECK(ring_peek(r, &h, buf));
	CHECK_INT(h.key.time, 2);
	ring_free(r);
}

/* ---- merging ---- */

TEST(merged_by_key_and_held_back_until_it_is_known)
{
	struct ring *r[2] = {make(), make()};
	struct merge *m = merge_new(r, 2, false);
	struct ring_record h;
	const uint8_t *bytes;
	struct ring_key mark = {.time = 15};
	unsigned from;

	CHECK(put_at(r[0], 10, "a", 1));
	CHECK(put_at(r[0], 20, "c", 1));
	CHECK(!merge_next(m, &h, &bytes, &from)); /* what of the other? */
	ring_set_mark(r[1], &mark);
	CHECK(merge_next(m, &h, &bytes, &from));
	CHECK_INT(bytes[0], 'a');
	CHECK(!merge_next(m, &h, &bytes, &from));
	CHECK(put_at(r[1], 17, "b", 1));
	CHECK(merge_next(m, &h, &bytes, &from));
	CHECK_INT(bytes[0], 'b');
	CHECK_INT(from, 1);
	CHECK(!merge_is_empty(m));
	CHECK(merge_end(m, 1));
	CHECK(!merge_end(m, 1));
	CHECK(merge_next(m, &h, &bytes, &from));
	CHECK_INT(bytes[0], 'c');
	CHECK(merge_is_empty(m));
	merge_free(m);
	ring_free(r[0]);
	ring_free(r[1]);
}

TEST(live_a_silent_queue_is_not_waited_for_long)
{
	struct ring *r[2] = {make(), make()};
	struct merge *m = merge_new(r, 2, true);
	struct ring_record h;
	const uint8_t *bytes;
	unsigned from, n = 0;
	int64_t start = ring_now_ms();

	for (unsigned i = 0; i < 100; i++)
		CHECK(put_at(r[0], i, "x", 1));
	while (n < 100 && ring_now_ms() - start < 30000) {
		if (merge_next(m, &h, &bytes, &from))
			CHECK_INT(h.key.time, n++);
		else
			(void)merge_wait(m, -1, 50);
	}
	CHECK_INT(n, 100);
	CHECK(ring_now_ms() - start >= MERGE_PATIENCE_MS);
	merge_free(m);
	ring_free(r[0]);
	ring_free(r[1]);
}

TEST(keys_compare_era_time_phase_tie)
{
	const struct ring_key k[] = {{0, 0, 5, 9}, {0, 1, 5, 1}, {0, 1, 5, 2},
	    {0, 0, 6, 0}, {1, 0, 0, 0}};

	for (unsigned i = 0; i + 1 < sizeof(k) / sizeof(k[0]); i++) {
		CHECK(ring_compare(&k[i], &k[i + 1]) < 0);
		CHECK(ring_compare(&k[i + 1], &k[i]) > 0);
		CHECK(ring_compare(&k[i], &k[i]) == 0);
	}
}

TEST_MAIN
