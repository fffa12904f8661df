/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is packed comes out as it was, in no more room than is promised. */
#include "decoders/pack.h"

#include <stdbool.h>
#include <stdlib.h>

#include "tests/test.h"

#define MAX 700 /* words: more than any state has */

/* n words, of which about one in `every` is not as in `like`. */
static void
round_trip(size_t n, unsigned every)
{
	static uint64_t in[MAX], like[MAX], out[MAX + 1];
	static uint8_t packed[PACK_BYTES_ROOM(MAX)];
	size_t used;

	for (size_t i = 0; i < n; i++) {
		bool set = every != 0 && (unsigned)rand() % every == 0;

		like[i] = (uint64_t)rand() << 32 | (uint64_t)rand();
		in[i] =
		    set ? like[i] ^ (uint64_t)rand() << rand() % 40 : like[i];
	}
	out[n] = 42;
	used = pack_bytes(packed, in, like, n);
	CHECK(used <= PACK_BYTES_ROOM(n));
	if (every == 0)
		CHECK_INT(used, (n + 63) / 64);
	CHECK_INT(unpack_bytes(out, like, n, packed), used);
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
}

TEST(a_word_takes_the_bytes_that_differ)
{
	uint64_t like[2] = {0x1122334455667788, 5}, in[2], out[2];
	uint8_t packed[PACK_BYTES_ROOM(2)];

	for (unsigned byte = 0; byte < 8; byte++) {
		in[0] = like[0] ^ UINT64_C(0xff) << 8 * byte;
		in[1] = 5;
		CHECK_INT(pack_bytes(packed, in, like, 2), 1 + 1 + 1 + 1);
		(void)unpack_bytes(out, like, 2, packed);
		CHECK(memcmp(in, out, sizeof(in)) == 0);
	}
	in[0] = ~like[0];
	CHECK_INT(pack_bytes(packed, in, like, 2), 1 + 1 + 1 + 8);
}

TEST_MAIN
