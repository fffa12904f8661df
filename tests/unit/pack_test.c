/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is packed comes out as it was, in no more room than is promised. */
#include "decoders/pack.h"

#include <stdbool.h>
#include <stdlib.h>

#include "tests/test.h"

#define MAX 700 /* words: more than any state has */

/* n words, of which about one in `every` is not zero. */
static void
round_trip(size_t n, unsigned every)
{
	static uint64_t in[MAX], out[MAX + 1], packed[PACK_ROOM(MAX)];
	size_t there = 0, used;

	for (size_t i = 0; i < n; i++) {
		bool set = every != 0 && (unsigned)rand() % every == 0;

		in[i] = set ? (uint64_t)rand() + 1 : 0;
		there += set;
	}
	out[n] = 42;
	used = pack_words(packed, in, n);
	CHECK_INT(used, there + (n + 63) / 64);
	CHECK(used <= PACK_ROOM(n));
	CHECK_INT(unpack_words(out, n, packed), used);
	CHECK(memcmp(in, out, n * 8) == 0);
	CHECK_INT(out[n], 42);
}

TEST(any_length_and_density)
{
	srand(1);
	for (size_t n = 0; n <= 200; n++)
		for (unsigned every = 0; every <= 9; every++)
			round_trip(n, every);
	round_trip(MAX, 1);
	round_trip(MAX, 10);
}

TEST(one_word_at_each_place)
{
	uint64_t in[130] = {0}, out[130], packed[PACK_ROOM(130)];

	for (size_t at = 0; at < 130; at++) {
		in[at] = at + 1;
		CHECK_INT(pack_words(packed, in, 130), 4);
		CHECK_INT(unpack_words(out, 130, packed), 4);
		CHECK(memcmp(in, out, sizeof(in)) == 0);
		in[at] = 0;
	}
}

TEST_MAIN
