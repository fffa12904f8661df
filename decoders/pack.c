/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decoders/pack.h"

#include <string.h>

#define GROUP 64

size_t
pack_words(uint64_t *dst, const void *src, size_t n)
{
	const uint8_t *from = src;
	uint64_t *out = dst;

	while (n > 0) {
		size_t run = n < GROUP ? n : GROUP;
		uint64_t *mask = out++, there = 0;

		for (size_t i = 0; i < run; i++, from += 8) {
			memcpy(out, from, 8);
			there |= (uint64_t)(*out != 0) << i;
			out += *out != 0;
		}
		*mask = there;
		n -= run;
	}
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
