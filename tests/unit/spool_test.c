/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The queue of a writer that runs ahead: order, what is shown and when, a full
 * one, memory that is used again, a writer that dies, one that lies.
 */
#include "sensor/spool.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/test.h"

#define LONG 100000

static uint8_t buf[SPOOL_CHUNK];

static struct spool *
make(void)
{
	char err[200];
	struct spool *s = spool_new(SPOOL_CHUNKS, err, sizeof(err));

	CHECK(s != NULL);
	return s;
}

static bool
put_number(struct spool *s, uint32_t n, size_t len)
{
	const struct slice part[2] = {
	    {(const uint8_t *)&n, sizeof(n)}, {buf, len}};

	return spool_put(s, 7, part, 2);
}

/* What comes next is n, with so many bytes behind it. */
static bool
is_next(struct spool *s, uint32_t n, size_t len)
{
	struct spool_record h = {0};
	const uint8_t *p = spool_look(s, &h);
	uint32_t got = ~n;

	if (p == NULL)
		return false;
	memcpy(&got, p, sizeof(got));
	spool_take(s);
	return got == n && h.type == 7 && h.size == sizeof(n) + len;
}

TEST(what_is_put_comes_out_in_order)
{
	struct spool *s = make();
	uint32_t in = 0, out = 0;

	for (unsigned round = 0; round < 300; round++) {
		for (unsigned i = 0; i < 37; i++, in++)
			CHECK(put_number(s, in, in * 7919 % 20011));
		spool_show(s);
		for (; out < in; out++)
			CHECK(is_next(s, out, out * 7919 % 20011));
		CHECK(!is_next(s, out, 0));
	}
	CHECK(in > 10000);
	CHECK(!spool_is_broken(s));
	spool_free(s);
}

TEST(it_is_seen_when_a_chunk_is_full_or_shown)
{
	struct spool *s = make();
	struct spool_record h;

	CHECK(put_number(s, 0, 10));
	CHECK(spool_look(s, &h) == NULL);
	spool_show(s);
	CHECK(is_next(s, 0, 10));
	CHECK(put_number(s, 1, LONG));
	CHECK(put_number(s, 2, LONG));
	CHECK(spool_look(s, &h) == NULL);
	CHECK(put_number(s, 3, LONG)); /* not in the same one */
	CHECK(is_next(s, 1, LONG));
	CHECK(is_next(s, 2, LONG));
	CHECK(spool_look(s, &h) == NULL);
	spool_free(s);
}

TEST(records_of_all_sizes_up_to_a_chunk)
{
	struct spool *s = make();
	const struct slice most = {buf, SPOOL_RECORD_MAX};
	const struct slice more = {buf, SPOOL_RECORD_MAX + 1};
	struct spool_record h;

	CHECK(spool_put(s, 1, &most, 1));
	CHECK(!spool_put(s, 1, &more, 1));
	CHECK(spool_put(s, 2, NULL, 0));
	spool_show(s);
	CHECK(spool_look(s, &h) != NULL);
	CHECK_INT(h.size, SPOOL_RECORD_MAX);
	spool_take(s);
	CHECK(spool_look(s, &h) != NULL);
	CHECK_INT(h.size, 0);
	CHECK_INT(h.type, 2);
	spool_free(s);
}

static long
resident_kib(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* Read as it is written, hundreds of MiB take a few chunks. */
TEST(who_is_not_ahead_takes_little_memory)
{
	struct spool *s = make();
	long before = resident_kib();

	for (uint32_t i = 0; i < 5000; i++) {
		CHECK(put_number(s, i, LONG));
		spool_show(s);
		CHECK(is_next(s, i, LONG));
	}
	CHECK(resident_kib() - before < 8 * (SPOOL_CHUNK >> 10));
	spool_free(s);
}

TEST(a_full_one_refuses_and_loses_nothing)
{
	struct spool *s = make();
	uint32_t in = 0, out = 0;

	while (put_number(s, in, LONG))
		in++;
	CHECK_INT(in, 2 * SPOOL_CHUNKS);
	CHECK(is_next(s, out++, LONG));
	CHECK(!put_number(s, in, LONG)); /* its chunk is not over */
	CHECK(is_next(s, out++, LONG));
	CHECK(!put_number(s, in, LONG)); /* nor given back: look at the next */
	CHECK(is_next(s, out++, LONG));
	CHECK(put_number(s, in++, LONG));
	spool_show(s);
	for (; out < in; out++)
		CHECK(is_next(s, out, LONG));
	spool_free(s);
}

TEST(a_small_one)
{
	char err[200];
	struct spool *s = spool_new(2, err, sizeof(err));
	struct spool_record h;
	uint32_t in = 0, out = 0;

	CHECK(s != NULL);
	for (; in < 4; in++)
		CHECK(put_number(s, in, LONG));
	CHECK(!put_number(s, in, LONG));
	for (unsigned i = 0; i < 100; i++) {
		CHECK(is_next(s, out++, LONG));
		CHECK(is_next(s, out++, LONG));
		CHECK(spool_look(s, &h) != NULL); /* gives back */
		CHECK(put_number(s, in++, LONG));
		CHECK(put_number(s, in++, LONG));
		spool_show(s);
	}
	spool_free(s);
}

/* Both sleep and are woken: else this takes minutes. */
TEST(two_processes)
{
	struct spool *s = make();
	uint32_t n = 4000, out = 0;
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		for (uint32_t i = 0; i < n; i++)
			while (!put_number(s, i, LONG + i % 1000))
				spool_wait_room(s, 60000);
		spool_show(s);
		_exit(0);
	}
	(void)usleep(300000); /* it is full by now */
	while (out < n) {
		if (is_next(s, out, LONG + out % 1000))
			out++;
		else if (waitpid(pid, &status, WNOHANG) == pid)
			break;
		else
			spool_wait(s, 60000);
	}
	for (; is_next(s, out, LONG + out % 1000); out++)
		continue;
	CHECK_INT(out, n);
	if (status == -1)
		(void)waitpid(pid, &status, 0);
	CHECK_INT(status, 0);
	spool_free(s);
}

/* Killed anywhere: what is seen is whole. */
TEST(a_writer_that_is_killed_leaves_whole_records)
{
	for (unsigned round = 0; round < 20; round++) {
		struct spool *s = make();
		uint32_t out = 0;
		pid_t pid = fork();

		if (pid == 0)
			for (uint32_t i = 0;; i++)
				while (!put_number(s, i, 5000))
					spool_wait_room(s, 10);
		while (out < 500)
			if (is_next(s, out, 5000))
				out++;
			else
				spool_wait(s, 100);
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		for (; is_next(s, out, 5000); out++)
			continue;
		CHECK(out >= 500);
		CHECK(!spool_is_broken(s));
		spool_free(s);
	}
}

/* Lengths of a writer that was taken over: nothing behind them is looked at,
 * and nothing comes any more. */
TEST(a_writer_that_lies)
{
	static const uint32_t size[] = {SPOOL_CHUNK, SPOOL_CHUNK - 8,
	    UINT32_MAX, UINT32_MAX - 7, 0x80000000, 193};

	for (unsigned i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		struct spool *s = make();
		struct spool_record h;
		const uint8_t *p;

		CHECK(put_number(s, 0, 4));
		CHECK(put_number(s, 1, 180)); /* 192 bytes, the last ones */
		spool_show(s);
		p = spool_look(s, &h);
		memcpy((uint8_t *)(uintptr_t)(p + 8), &size[i], 4);
		spool_take(s);
		CHECK(spool_look(s, &h) == NULL);
		CHECK(spool_is_broken(s));
		CHECK(put_number(s, 2, 0));
		spool_show(s);
		CHECK(spool_look(s, &h) == NULL);
		spool_free(s);
	}
}

TEST_MAIN
