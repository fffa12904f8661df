/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decoders/pack.h"

#include <stdbool.h>
#include <string.h>

#define GROUP 64

/* Eight words at most, whose bits begin at `bit`. */
static inline uint64_t *
pack_some(
    uint64_t *out, const uint8_t *from, size_t n, unsigned bit, uint64_t *there)
{
	for (size_t i = 0; i < n; i++, from += 8) {
		memcpy(out, from, 8);
		*there |= (uint64_t)(*out != 0) << (bit + i);
		out += *out != 0;
	}
	return out;
}

static inline bool
is_zero(const uint8_t *from)
{
	uint64_t w[8];

	memcpy(w, from, sizeof(w));
	return (w[0] | w[1] | w[2] | w[3] | w[4] | w[5] | w[6] | w[7]) == 0;
}

/* Most runs of eight are zero. */
static uint64_t *
pack_group(uint64_t *out, const uint8_t *from, size_t n)
{
	uint64_t *mask = out++, there = 0;

	for (unsigned bit = 0; bit < n; bit += 8, from += 64) {
		size_t some = n - bit < 8 ? n - bit : 8;

		if (some < 8 || !is_zero(from))
			out = pack_some(out, from, some, bit, &there);
	}
	*mask = there;
	return out;
}

size_t
pack_words(uint64_t *dst, const void *src, size_t n)
{
	const uint8_t *from = src;
	uint64_t *out = dst;

	for (; n > GROUP; n -= GROUP, from += (size_t)GROUP * 8)
		out = pack_group(out, from, GROUP);
	if (n > 0)
		out = pack_group(out, from, n);
	return (size_t)(out - dst);
}

size_t
unpack_words(void *dst, size_t n, const uint64_t *src)
{
	const uint64_t *in = src;
	uint8_t *to = dst;

	memset(dst, 0, n * 8);
	for (size_t at = 0; at < n; at += GROUP, to += (size_t)GROUP * 8)
		for (uint64_t there = *in++; there != 0; there &= there - 1)
			memcpy(to + __builtin_ctzll(there) * 8, in++, 8);
	return (size_t)(in - src);
}
