/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libnids behind its contract: order, holes, limits that its defaults would
 * hit, and streams that end and begin again.
 */
#include "sensor/stream.h"

#include "tests/test.h"

#define KEEP (1u << 21)

struct sink {
	uint8_t bytes[2][KEEP];
	size_t len[2];
	uint32_t slot;
};

static struct sink got;

static void
on_bytes(void *ctx, uint32_t slot, enum dir dir, struct slice b)
{
	struct sink *s = ctx;

	s->slot = slot;
	if (s->len[dir] + b.len <= KEEP)
		memcpy(s->bytes[dir] + s->len[dir], b.p, b.len);
	s->len[dir] += b.len;
}

static struct stream *
make(uint32_t streams)
{
	struct stream_config cfg = {
	    .capacity = 70000, .streams = streams, .fn = on_bytes, .ctx = &got};
	char err[256] = "";
	struct stream *s = stream_new(&cfg, err, sizeof(err));

	CHECK_STR(err, "");
	got.len[0] = got.len[1] = 0;
	return s;
}

static void
push(struct stream *s, uint32_t slot, enum dir dir, uint64_t at,
    const char *text)
{
	stream_push(s, slot, dir, at,
	    (struct slice){(const uint8_t *)text, strlen(text)});
}

static bool
is(enum dir dir, const char *want)
{
	return got.len[dir] == strlen(want) &&
	       memcmp(got.bytes[dir], want, got.len[dir]) == 0;
}

TEST(out_of_order_comes_out_in_order)
{
	static const uint64_t next[2] = {0, 0};
	struct stream *s = make(16);

	CHECK_INT(stream_open(s, 5, 1, next), 0);
	push(s, 5, DIR_C2S, 6, "world");
	push(s, 5, DIR_S2C, 3, "def");
	CHECK_INT(got.len[DIR_C2S], 0);
	push(s, 5, DIR_C2S, 0, "hello ");
	push(s, 5, DIR_S2C, 0, "abc");
	CHECK(is(DIR_C2S, "hello world"));
	CHECK(is(DIR_S2C, "abcdef"));
	CHECK_INT(got.slot, 5);
	CHECK_INT(stream_counters(s)->warnings, 0);
	stream_free(s);
}

TEST(begins_anywhere_also_across_the_wrap)
{
	static const uint64_t next[2] = {0xfffffff0ull, 0x1fffffffffull};
	struct stream *s = make(16);

	CHECK_INT(stream_open(s, 0, 1, next), 0);
	push(s, 0, DIR_C2S, 0xfffffff8ull, "12345678abcdefgh");
	push(s, 0, DIR_S2C, 0x2000000000ull, "yz");
	push(s, 0, DIR_C2S, 0xfffffff0ull, "........");
	push(s, 0, DIR_S2C, 0x1fffffffffull, "x");
	CHECK(is(DIR_C2S, "........12345678abcdefgh"));
	CHECK(is(DIR_S2C, "xyz"));
	stream_free(s);
}

TEST(a_hole_is_skipped_whatever_its_size)
{
	static const uint64_t next[2] = {0, 0};
	struct stream *s = make(16);
	uint64_t far = 500u << 20;

	CHECK_INT(stream_open(s, 1, 1, next), 0);
	push(s, 1, DIR_C2S, 1, "b");
	push(s, 1, DIR_C2S, far, "far");
	stream_skip(s, 1, DIR_C2S, 1);
	CHECK(is(DIR_C2S, "b"));
	stream_skip(s, 1, DIR_C2S, far - 2);
	CHECK(is(DIR_C2S, "bfar"));
	push(s, 1, DIR_C2S, far + 3, "!");
	CHECK(is(DIR_C2S, "bfar!"));
	stream_skip(s, 1, DIR_C2S, 10);
	push(s, 1, DIR_C2S, far + 14, "?");
	CHECK(is(DIR_C2S, "bfar!?"));
	stream_free(s);
}

/* With libnids' own limit all of this would be lost. */
TEST(a_mebibyte_of_small_segments_waits_behind_a_hole)
{
	static const uint64_t next[2] = {0, 0};
	struct stream *s = make(16);
	char byte[2] = "";
	size_t wrong = 0;

	CHECK_INT(stream_open(s, 1, 1, next), 0);
	for (uint64_t i = 1; i < 3000; i++) {
		byte[0] = (char)('A' + i % 26);
		push(s, 1, DIR_C2S, i, byte);
	}
	push(s, 1, DIR_C2S, 0, "A");
	CHECK_INT(got.len[DIR_C2S], 3000);
	for (size_t i = 0; i < 3000; i++)
		wrong += got.bytes[DIR_C2S][i] != 'A' + i % 26;
	CHECK_INT(wrong, 0);
	CHECK_INT(stream_counters(s)->warnings, 0);
	stream_free(s);
}

TEST(large_segments_are_split_and_wait_whole)
{
	static const uint64_t next[2] = {0, 0};
	static uint8_t big[200000];
	struct stream *s = make(16);

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7 + i / 251);
	CHECK_INT(stream_open(s, 1, 1, next), 0);
	for (unsigned i = 0; i < 5; i++)
		stream_push(s, 1, DIR_S2C, 1 + i * sizeof(big),
		    (struct slice){big, sizeof(big)});
	CHECK_INT(got.len[DIR_S2C], 0);
	push(s, 1, DIR_S2C, 0, "x");
	CHECK_INT(got.len[DIR_S2C], 1 + 5 * sizeof(big));
	CHECK(memcmp(got.bytes[DIR_S2C] + 1 + 4 * sizeof(big), big,
		  sizeof(big)) == 0);
	CHECK_INT(stream_counters(s)->warnings, 0);
	stream_free(s);
}

TEST(five_gigabytes_pass)
{
	static const uint64_t next[2] = {0, 0};
	static uint8_t big[1 << 20];
	struct stream *s = make(16);
	uint64_t at = 0;

	CHECK_INT(stream_open(s, 1, 1, next), 0);
	while (at < 5ull << 30) {
		if (at % (256u << 20) == 0) { /* out of order now and then */
			stream_push(s, 1, DIR_C2S, at + sizeof(big) - 5,
			    (struct slice){big, 5});
			stream_push(s, 1, DIR_C2S, at,
			    (struct slice){big, sizeof(big) - 5});
		} else
			stream_push(s, 1, DIR_C2S, at,
			    (struct slice){big, sizeof(big)});
		at += sizeof(big);
	}
	CHECK_INT(got.len[DIR_C2S], at);
	push(s, 1, DIR_S2C, 0, "ok");
	CHECK(is(DIR_S2C, "ok"));
	stream_free(s);
}

TEST(the_pool_refuses_and_recovers)
{
	static const uint64_t next[2] = {0, 0};
	struct stream *s = make(3072);

	for (uint32_t i = 0; i < 3072; i++)
		CHECK_INT(stream_open(s, i, 1, next), 0);
	CHECK_INT(stream_open(s, 4000, 1, next), -1);
	CHECK_INT(stream_counters(s)->refused, 1);
	stream_close(s, 17);
	CHECK(!stream_is_open(s, 17));
	CHECK_INT(stream_open(s, 4000, 1, next), 0);
	for (uint32_t i = 0; i < 3072; i++)
		if (i != 17) {
			push(s, i, DIR_C2S, 1, "b");
			push(s, i, DIR_C2S, 0, "a");
		}
	CHECK_INT(got.len[DIR_C2S], 2 * 3071);
	CHECK_INT(stream_counters(s)->warnings, 0);
	stream_free(s);
}

/* libnids ignores a SYN on a tuple it knows, for an hour. */
TEST(a_slot_used_again_is_a_new_stream)
{
	static const uint64_t next[2] = {0, 0};
	struct stream *s = make(16);

	for (uint32_t g = 1; g < 70000; g += 7) {
		CHECK_INT(stream_open(s, 2, g, next), 0);
		push(s, 2, DIR_C2S, 1, "b");
		if (g % 2)
			stream_close(s, 2);
	}
	CHECK_INT(stream_open(s, 2, 1, next), 0);
	push(s, 2, DIR_C2S, 0, "a");
	CHECK(is(DIR_C2S, "a"));
	stream_free(s);
}

TEST(address_like_its_own_servers_and_zero)
{
	static const uint64_t next[2] = {0, 0};
	struct stream *s = make(16);

	CHECK_INT(stream_open(s, 0, 0, next), 0);
	CHECK_INT(stream_open(s, 65535, 25, next), 0);
	push(s, 65535, DIR_S2C, 0, "one");
	push(s, 0, DIR_S2C, 0, "two");
	CHECK(is(DIR_S2C, "onetwo"));
	stream_free(s);
}

TEST(one_at_a_time)
{
	struct stream_config cfg = {.capacity = 1, .streams = 1};
	struct stream *s = make(16);
	char err[256] = "";

	CHECK(stream_new(&cfg, err, sizeof(err)) == NULL);
	CHECK(err[0] != '\0');
	stream_free(s);
	s = make(16);
	stream_free(s);
}

TEST_MAIN
