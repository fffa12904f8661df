/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The short ways of the tracker against the long one: the fuzz target's oracle
 * on dialogues that open, speak and close as most do, each spoilt at a few
 * places.
 */
#include "tests/test.h"

#include "tests/fuzz/segments.c"

#define DIALOGUES 1000
#define STEPS 60

static uint32_t x;

static uint32_t
any(uint32_t of)
{
	x = x * 1664525 + 1013904223;
	return (x >> 12) % of;
}

static void
spoil(uint8_t rec[RECORD])
{
	static const uint8_t flags[] = {0x08, 0x10, 0x20, 0x40, 0x54};
	uint32_t what = any(6);

	if (what == 0)
		rec[0] ^= flags[any(sizeof(flags))];
	else if (what < 3)
		rec[what] = (uint8_t)(64 + any(9) - 4);
	else if (what == 3)
		rec[5] = (uint8_t)(any(4) ? 10 + any(200) : 255);
	else
		rec[any(RECORD)] ^= (uint8_t)(1 << any(8));
}

static void
step(uint8_t rec[RECORD], unsigned i)
{
	static const uint8_t opening[] = {0x10, 0x54, 0x40};
	uint8_t flow = any(8) == 0, end = i + 8 > STEPS && any(2) ? 0x08 : 0;

	memset(rec, 0, RECORD);
	rec[0] =
	    i < 3 ? opening[i] : (uint8_t)(0x40 | any(2) << 2 | end | flow);
	rec[1] = rec[2] = 64;
	rec[3] = i < 3 || any(3) == 0 ? 0 : (uint8_t)any(200);
	rec[6] = 0x14;
	rec[7] = 9;
	if (any(10) == 0)
		spoil(rec);
}

TEST(the_short_ways_tell_what_the_long_one_tells)
{
	static uint8_t in[STEPS * RECORD];
	uint64_t told = 0;

	for (uint32_t seed = 1; seed < DIALOGUES; seed++) {
		x = seed;
		for (unsigned i = 0; i < STEPS; i++)
			step(in + i * RECORD, i);
		(void)LLVMFuzzerTestOneInput(in, sizeof(in));
		told += runs[0].count;
	}
	CHECK(told > DIALOGUES * 10);
}

/* Both have closed; a reset from elsewhere is waited for in vain; then one
 * packet more. Whose turn it is to go must not depend on the way taken. */
static void
reset_behind_an_end(uint8_t where, uint8_t wait)
{
	static const uint8_t flags[] = {0x10, 0x54, 0x40, 0x44, 0x40, 0x40,
	    0x44, 0x4c, 0x48, 0x44, 0x20, 0x44, 0x40};
	static uint8_t in[sizeof(flags) * RECORD];
	uint8_t *rst = in + 10 * RECORD;

	for (unsigned i = 0; i < sizeof(flags); i++) {
		uint8_t *rec = in + i * RECORD;

		memset(rec, 0, RECORD);
		rec[0] = flags[i];
		rec[1] = rec[2] = 64;
		rec[3] = i == 3 ? 14 : i == 5 ? 16 : 0; /* lines */
		rec[5] = i == 11 ? wait : 1;
		rec[6] = 0x14;
		rec[7] = 9;
	}
	rst[0] |= where & 1 ? 4 : 0;
	rst[1] = where & 128 ? (uint8_t)(where * 2) : 255;
	rst[4] = where;
	rst[6] = 0x1f;
	(void)LLVMFuzzerTestOneInput(in, sizeof(in));
}

TEST(a_forged_reset_behind_an_orderly_end)
{
	for (unsigned wait = 120; wait < 128; wait++) /* two seconds */
		for (unsigned where = 0; where < 256; where++)
			reset_behind_an_end((uint8_t)where, (uint8_t)wait);
	CHECK(runs[0].count > 0);
}

TEST_MAIN
