/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decoders/pack.h"

#include <string.h>

#define GROUP 64

/* A word that is not zero. */
static inline uint8_t *
pack_word(uint8_t *out, uint64_t word)
{
	uint8_t *mask = out++, there = 0;

	for (unsigned i = 0; i < 8; i++, word >>= 8) {
		*out = (uint8_t)word;
		there |= (uint8_t)(((word & 0xff) != 0) << i);
		out += (word & 0xff) != 0;
	}
	*mask = there;
	return out;
}

static inline const uint8_t *
unpack_word(uint64_t *word, const uint8_t *in)
{
	for (unsigned there = *in++; there != 0; there &= there - 1)
		*word |= (uint64_t)*in++ << __builtin_ctz(there) * 8;
	return in;
}

static inline uint64_t
difference(const uint8_t *a, const uint8_t *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x ^ y;
}

size_t
pack_bytes(uint8_t *dst, const void *src, const void *like, size_t n)
{
	const uint8_t *from = src, *as = like;
	uint8_t *out = dst;

	for (size_t at = 0; at < n; at += GROUP) {
		size_t some = n - at < GROUP ? n - at : GROUP;
		uint8_t *mask = out;
		uint64_t word, there = 0;

		out += sizeof(there);
		for (size_t i = 0; i < some; i++, from += 8, as += 8) {
			word = difference(from, as);
			if (word == 0)
				continue;
			there |= UINT64_C(1) << i;
			out = pack_word(out, word);
		}
		memcpy(mask, &there, sizeof(there));
	}
	return (size_t)(out - dst);
}

size_t
unpack_bytes(void *dst, const void *like, size_t n, const uint8_t *src)
{
	const uint8_t *in = src;
	uint8_t *to = dst;

	memcpy(dst, like, n * 8);
	for (size_t at = 0; at < n; at += GROUP, to += (size_t)GROUP * 8) {
		uint64_t there;

		memcpy(&there, in, sizeof(there));
		in += sizeof(there);
		for (; there != 0; there &= there - 1) {
			uint8_t *place = to + __builtin_ctzll(there) * 8;
			uint64_t word = 0, as;

			in = unpack_word(&word, in);
			memcpy(&as, place, sizeof(as));
			word ^= as;
			memcpy(place, &word, sizeof(word));
		}
	}
	return (size_t)(in - src);
}
