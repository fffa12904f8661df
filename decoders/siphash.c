/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * SipHash-2-4, written from the paper: four words of state, two rounds for
 * each eight bytes of input, four at the end; the last word carries the length
 * in its top byte. Words are little-endian whatever the machine.
 */
#include "decoders/siphash.h"

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t
rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static uint64_t
word_le(const uint8_t *p, size_t n)
{
	uint64_t w = 0;

	for (size_t i = 0; i < n; i++)
		w |= (uint64_t)p[i] << (8 * i);
	return w;
}

static void
rounds(struct sip *s, unsigned n)
{
	while (n-- > 0) {
		s->a += s->b;
		s->c += s->d;
		s->b = rotl(s->b, 13) ^ s->a;
		s->d = rotl(s->d, 16) ^ s->c;
		s->a = rotl(s->a, 32) + s->d;
		s->c += s->b;
		s->b = rotl(s->b, 17) ^ s->c;
		s->d = rotl(s->d, 21) ^ s->a;
		s->c = rotl(s->c, 32);
	}
}

static void
absorb(struct sip *s, uint64_t w)
{
	s->d ^= w;
	rounds(s, 2);
	s->a ^= w;
}

uint64_t
siphash(const uint8_t key[SIPHASH_KEY], struct slice in)
{
	uint64_t k0 = word_le(key, 8), k1 = word_le(key + 8, 8);
	struct sip s = {k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d,
	    k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
	size_t whole = in.len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8)
		absorb(&s, word_le(in.p + i, 8));
	absorb(
	    &s, word_le(in.p + whole, in.len - whole) | (uint64_t)in.len << 56);
	s.c ^= 0xff;
	rounds(&s, 4);
	return s.a ^ s.b ^ s.c ^ s.d;
}
