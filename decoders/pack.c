/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "decoders/pack.h"

#include <string.h>

#define GROUP 8 /* words */

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

/* Of a group of words; dst as it was: none differs. */
static uint8_t *
pack_group(uint8_t *dst, const uint8_t *from, const uint8_t *as, size_t n)
{
	uint8_t *mask = dst, *out = dst + 1;
	unsigned there = 0;

	for (unsigned i = 0; i < n; i++) {
		uint64_t word =
		    difference(from + (size_t)i * 8, as + (size_t)i * 8);

		if (word == 0)
			continue;
		there |= 1u << i;
		out = pack_word(out, word);
	}
	if (there == 0)
		return dst;
	*mask = (uint8_t)there;
	return out;
}

size_t
pack_bytes(uint8_t *dst, const void *src, const void *like, size_t n)
{
	size_t groups = (n + GROUP - 1) / GROUP, head = (groups + 7) / 8;
	const uint8_t *from = src, *as = like;
	uint8_t *out = dst + head;

	memset(dst, 0, head);
	for (size_t g = 0; g < groups; g++) {
		size_t at = g * GROUP, some = n - at < GROUP ? n - at : GROUP;
		uint8_t *end =
		    pack_group(out, from + at * 8, as + at * 8, some);

		dst[g / 8] |= (uint8_t)((end != out) << g % 8);
		out = end;
	}
	return (size_t)(out - dst);
}

static const uint8_t *
unpack_group(uint8_t *to, const uint8_t *in)
{
	for (unsigned there = *in++; there != 0; there &= there - 1) {
		uint8_t *place = to + (size_t)__builtin_ctz(there) * 8;
		uint64_t word = 0, as;

		in = unpack_word(&word, in);
		memcpy(&as, place, sizeof(as));
		word ^= as;
		memcpy(place, &word, sizeof(word));
	}
	return in;
}

size_t
unpack_bytes(void *dst, const void *like, size_t n, const uint8_t *src)
{
	size_t head = ((n + GROUP - 1) / GROUP + 7) / 8;
	const uint8_t *in = src + head;
	uint8_t *to = dst;

	memcpy(dst, like, n * 8);
	for (size_t i = 0; i < head; i++, to += 8 * GROUP * 8)
		for (unsigned there = src[i]; there != 0; there &= there - 1)
			in = unpack_group(
			    to + (size_t)__builtin_ctz(there) * GROUP * 8, in);
	return (size_t)(in - src);
}

/* ---- texts ---- */

static size_t
same_begin(struct slice a, struct slice b, size_t most)
{
	size_t n = 0;

	while (n < most && a.p[n] == b.p[n])
		n++;
	return n;
}

static size_t
same_end(struct slice a, struct slice b, size_t most)
{
	size_t n = 0;

	while (n < most && a.p[a.len - n - 1] == b.p[b.len - n - 1])
		n++;
	return n;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

uint8_t *
pack_text(uint8_t *out, struct slice text, struct slice like)
{
	size_t both = least(least(text.len, like.len), UINT8_MAX);
	size_t begin = same_begin(text, like, both);
	size_t end = same_end(text, like, both - begin);
	size_t len = text.len - begin - end;

	*out++ = (uint8_t)begin;
	*out++ = (uint8_t)end;
	if (len >= 0x80)
		*out++ = (uint8_t)(0x80 | len >> 8);
	*out++ = (uint8_t)len;
	memcpy(out, text.p + begin, len);
	return out + len;
}

const uint8_t *
unpack_text(
    uint8_t **room, const uint8_t *in, struct slice like, struct slice *text)
{
	size_t begin = *in++, end = *in++, len = *in++;
	uint8_t *to = *room;

	if (len >= 0x80)
		len = (len & 0x7f) << 8 | *in++;
	memcpy(to, like.p, begin);
	memcpy(to + begin, in, len);
	memcpy(to + begin + len, like.p + like.len - end, end);
	*text = (struct slice){to, begin + len + end};
	to[text->len] = '\0';
	*room += text->len + 1;
	return in + len;
}
