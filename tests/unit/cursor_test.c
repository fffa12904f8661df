/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The checked reader: values, ends, and an error that sticks.
 */
#include "decoders/cursor.h"

#include "tests/test.h"

static const uint8_t bytes[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};

static struct cursor
cursor_of(size_t n)
{
	struct cursor c;

	cursor_init(&c, (struct slice){bytes, n});
	return c;
}

TEST(numbers_are_big_endian)
{
	struct cursor c = cursor_of(10);

	CHECK_INT(cursor_u8(&c), 0x01);
	CHECK_INT(cursor_u16(&c), 0x0203);
	CHECK_INT(cursor_u24(&c), 0x040506);
	CHECK_INT(cursor_u32(&c), 0x0708090a);
	CHECK(cursor_done(&c));
}

TEST(reading_past_the_end_sticks)
{
	struct cursor c = cursor_of(3);

	CHECK_INT(cursor_u32(&c), 0);
	CHECK(!cursor_ok(&c));
	CHECK_INT(cursor_u8(&c), 0); /* though a byte was there */
	CHECK_INT(cursor_take(&c, 0).len, 0);
	CHECK(!cursor_done(&c));
}

TEST(vectors)
{
	static const uint8_t v[] = {2, 'a', 'b', 0, 1, 'c', 0, 0, 0, 5, 'x'};
	struct cursor c;
	struct slice s;

	cursor_init(&c, (struct slice){v, sizeof(v)});
	s = cursor_vec8(&c);
	CHECK(s.len == 2 && memcmp(s.p, "ab", 2) == 0);
	s = cursor_vec16(&c);
	CHECK(s.len == 1 && s.p[0] == 'c');
	CHECK_INT(cursor_vec24(&c).len, 0);
	CHECK(cursor_ok(&c));
	CHECK_INT(cursor_vec8(&c).len, 0); /* five said, one there */
	CHECK(!cursor_ok(&c));
}

TEST(copy_gives_all_or_zeros)
{
	struct cursor c = cursor_of(3);
	uint8_t out[4] = {9, 9, 9, 9};

	cursor_copy(&c, out, 2);
	CHECK(out[0] == 1 && out[1] == 2 && out[2] == 9);
	cursor_copy(&c, out, 4);
	CHECK(out[0] == 0 && out[3] == 0);
	CHECK(!cursor_ok(&c));
}

TEST(an_empty_cursor_is_done)
{
	struct cursor c;

	cursor_init(&c, (struct slice){NULL, 0});
	CHECK(cursor_done(&c));
	cursor_skip(&c, 0);
	CHECK(cursor_done(&c));
	cursor_skip(&c, 1);
	CHECK(!cursor_ok(&c));
}

TEST(failing_on_purpose_sticks)
{
	struct cursor c = cursor_of(4);

	cursor_fail(&c);
	CHECK_INT(cursor_u8(&c), 0);
	CHECK(!cursor_done(&c));
}

TEST_MAIN
