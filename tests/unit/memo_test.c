/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was put is found by its bytes and by no others, whatever came between;
 * room is bounded.
 */
#include "decoders/memo.h"

#include <string.h>

#include "tests/test.h"

#define MANY (10 * MEMO_PLACES)

static uint8_t bytes[MEMO_KEY_MAX + 1];

static struct slice
key_of(unsigned n, size_t len)
{
	memset(bytes, 'k', sizeof(bytes));
	memcpy(bytes + len / 2, &n, sizeof(n));
	return (struct slice){bytes, len};
}

TEST(only_the_same_bytes_are_known)
{
	static struct memo m;
	unsigned v = 1, got = 7;
	struct slice k = key_of(5, 300);

	CHECK(!memo_get(&m, k, &got, sizeof(got)));
	CHECK_INT(got, 7);
	memo_put(&m, k, &v, sizeof(v));
	CHECK(memo_get(&m, k, &got, sizeof(got)));
	CHECK_INT(got, 1);
	for (size_t i = 0; i < k.len; i++) { /* samples or not */
		bytes[i] ^= 1;
		CHECK(!memo_get(&m, k, &got, sizeof(got)));
		bytes[i] ^= 1;
	}
	CHECK(!memo_get(&m, (struct slice){bytes, 299}, &got, sizeof(got)));
	CHECK(memo_get(&m, k, &got, sizeof(got)));
}

TEST(what_is_known_is_right_and_bounded)
{
	static struct memo m;
	unsigned held = 0;

	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < MANY; i++) {
			unsigned got;
			struct slice k = key_of(i, 64);

			if (memo_get(&m, k, &got, sizeof(got)))
				CHECK_INT(got, i);
			else
				memo_put(&m, k, &i, sizeof(i));
		}
	for (unsigned i = 0; i < MANY; i++) {
		unsigned got;

		held += memo_get(&m, key_of(i, 64), &got, sizeof(got));
	}
	CHECK(held > MEMO_PLACES / 2 && held <= MEMO_PLACES);
}

/* One that is asked for stays while others come and go. */
TEST(the_one_in_use_stays)
{
	static struct memo m;
	unsigned got, mine = MANY;

	memo_put(&m, key_of(mine, 64), &mine, sizeof(mine));
	for (unsigned i = 0; i < MANY; i++) {
		memo_put(&m, key_of(i, 64), &i, sizeof(i));
		CHECK(memo_get(&m, key_of(mine, 64), &got, sizeof(got)));
		CHECK_INT(got, mine);
	}
}

TEST(lengths_at_the_ends)
{
	static struct memo m;
	unsigned got, v = 3;
	const size_t kept[] = {4, 8, 9, 255, 256, 257, MEMO_KEY_MAX};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		memo_put(&m, key_of(v, kept[i]), &v, sizeof(v));
		CHECK(memo_get(&m, key_of(v, kept[i]), &got, sizeof(got)));
	}
	memo_put(&m, key_of(v, MEMO_KEY_MAX + 1), &v, sizeof(v));
	CHECK(!memo_get(&m, key_of(v, MEMO_KEY_MAX + 1), &got, sizeof(got)));
	memo_put(&m, (struct slice){NULL, 0}, &v, sizeof(v));
	CHECK(!memo_get(&m, (struct slice){NULL, 0}, &got, sizeof(got)));
}

TEST_MAIN
