/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The keyed hash: one value however cut, another one for any other byte, and
 * the same from the wide loop as from the plain one.
 */
#include "sensor/bulk_hash.h"
#include "tests/test.h"

#define LONG 5000

static struct bulk_key key;
static uint8_t bytes[LONG];

static void
fill(void)
{
	bulk_key_init(&key);
	for (uint32_t i = 0; i < LONG; i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
}

static uint64_t
in_pieces(size_t len, size_t piece)
{
	struct bulk_hash h = {0};

	for (size_t at = 0; at < len; at += piece) {
		size_t n = len - at < piece ? len - at : piece;

		bulk_hash_add(&key, &h, (struct slice){bytes + at, n});
	}
	return bulk_hash_end(&key, &h);
}

TEST(cut_anywhere)
{
	static const size_t pieces[] = {1, 3, 7, 8, 13, 64, 1000, 1024, 4999};

	fill();
	for (size_t len = 0; len < LONG; len += len < 80 ? 1 : 293) {
		uint64_t h = bulk_hash_of(&key, (struct slice){bytes, len});

		for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++)
			CHECK(in_pieces(len, pieces[i]) == h);
	}
}

/* Words alone never reach the wide loop. */
TEST(wide_as_plain)
{
	fill();
	for (size_t len = 64; len < LONG; len += 137)
		CHECK(in_pieces(len, 8) ==
		      bulk_hash_of(&key, (struct slice){bytes, len}));
}

TEST(each_byte_counts)
{
	struct slice all = {bytes, 2500};
	uint64_t h;

	fill();
	h = bulk_hash_of(&key, all);
	for (size_t i = 0; i < all.len; i++) {
		bytes[i] ^= (uint8_t)(1u << i % 8);
		CHECK(bulk_hash_of(&key, all) != h);
		bytes[i] ^= (uint8_t)(1u << i % 8);
	}
	CHECK(bulk_hash_of(&key, all) == h);
}

/* What callers keep are the low 32 bits, and who forges may change any. */
TEST(a_high_bit_shows_in_the_low_ones)
{
	uint8_t text[128] = {0};
	unsigned agree = 0;

	for (unsigned i = 0; i < 4000; i++) {
		uint32_t h;

		bulk_key_init(&key);
		text[i % sizeof(text)] = (uint8_t)i;
		h = (uint32_t)bulk_hash_of(&key, (struct slice){text, 128});
		text[3 + 4 * (i % 32)] ^= 0x80;
		agree += h == (uint32_t)bulk_hash_of(
				  &key, (struct slice){text, 128});
	}
	CHECK(agree <= 2);
}

TEST(blocks_do_not_change_places)
{
	struct slice all = {bytes, 2 * BULK_HASH_BLOCK};
	uint64_t h;

	fill();
	h = bulk_hash_of(&key, all);
	for (size_t i = 0; i < BULK_HASH_BLOCK; i++) {
		uint8_t b = bytes[i];

		bytes[i] = bytes[i + BULK_HASH_BLOCK];
		bytes[i + BULK_HASH_BLOCK] = b;
	}
	CHECK(bulk_hash_of(&key, all) != h);
}

TEST(another_key)
{
	struct slice all = {bytes, 100};
	uint64_t h;

	fill();
	h = bulk_hash_of(&key, all);
	bulk_key_init(&key);
	CHECK(bulk_hash_of(&key, all) != h);
}

TEST_MAIN
