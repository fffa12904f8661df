/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NH adds a word of the key to each 32-bit word of the message, multiplies the
 * two sums of a pair, and adds the products up: eight bytes a multiplication,
 * and pairs do not wait for each other. With AVX2 that is four pairs at a
 * time, or a fifth of an instruction a byte.
 */
#include "sensor/bulk_hash.h"

#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define HAVE_AVX2 __builtin_cpu_supports("avx2")
#else
#define HAVE_AVX2 0
#endif

#include "decoders/be.h"
#include "decoders/siphash.h"

#define P61 ((UINT64_C(1) << 61) - 1)
#define WIDE 128 /* bytes a turn of the AVX2 loop */
#define WORTH 64 /* bytes that are worth to go there */

__extension__ typedef unsigned __int128 u128;

static void
make_seed(uint8_t seed[SIPHASH_KEY])
{
	uintptr_t at = (uintptr_t)seed;

	if (getrandom(seed, SIPHASH_KEY, GRND_NONBLOCK) == SIPHASH_KEY)
		return;
	/* Early at boot, or forbidden: addresses of memory are random too. */
	memset(seed, 0, SIPHASH_KEY);
	memcpy(seed, &at, sizeof(at));
}

void
bulk_key_init(struct bulk_key *k)
{
	uint8_t seed[SIPHASH_KEY];

	make_seed(seed);
	for (uint32_t i = 0; i < BULK_HASH_BLOCK / 4; i++)
		k->nh[i] = (uint32_t)siphash(
		    seed, (struct slice){(const uint8_t *)&i, sizeof(i)});
	k->point = siphash(seed, (struct slice){seed, 0}) & P61;
	k->last = siphash(seed, (struct slice){seed, sizeof(seed)}) & P61;
}

/* n is a multiple of 8. */
static uint64_t
nh_plain(const uint32_t *key, const uint8_t *p, size_t n)
{
	uint64_t sum = 0;

	for (; n > 0; n -= 8, p += 8, key += 2) {
		uint32_t w[2];

		memcpy(w, p, 8);
		w[0] += key[0];
		w[1] += key[1];
		sum += (uint64_t)w[0] * w[1];
	}
	return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline __m256i
nh_four(__m256i k, __m256i w)
{
	w = _mm256_add_epi32(w, k);
	return _mm256_mul_epu32(w, _mm256_srli_epi64(w, 32));
}

__attribute__((target("avx2"))) static inline __m256i
nh_add(__m256i sum, const uint32_t *key, const uint8_t *p)
{
	return _mm256_add_epi64(
	    sum, nh_four(_mm256_loadu_si256((const __m256i_u *)key),
		     _mm256_loadu_si256((const __m256i_u *)p)));
}

/* Fewer than 32 bytes: the others are zero, and their key is. */
__attribute__((target("avx2"))) static inline __m256i
nh_few(const uint32_t *key, const uint8_t *p, size_t n)
{
	const __m256i place = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	__m256i there =
	    _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(n / 4)), place);

	return nh_four(_mm256_maskload_epi32((const int *)key, there),
	    _mm256_maskload_epi32((const int *)(const void *)p, there));
}

__attribute__((target("avx2"))) static inline uint64_t
sum_lanes(__m256i x)
{
	__m128i two = _mm_add_epi64(
	    _mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));

	return (uint64_t)_mm_cvtsi128_si64(two) +
	       (uint64_t)_mm_extract_epi64(two, 1);
}

__attribute__((target("avx2"))) static uint64_t
nh_wide(const uint32_t *key, const uint8_t *p, size_t n)
{
	__m256i a = _mm256_setzero_si256(), b = a;

	for (; n >= WIDE; n -= WIDE, p += WIDE, key += WIDE / 4) {
		a = nh_add(a, key, p);
		b = nh_add(b, key + 8, p + 32);
		a = nh_add(a, key + 16, p + 64);
		b = nh_add(b, key + 24, p + 96);
	}
	for (; n >= 32; n -= 32, p += 32, key += 8)
		a = nh_add(a, key, p);
	if (n > 0)
		b = _mm256_add_epi64(b, nh_few(key, p, n));
	return sum_lanes(_mm256_add_epi64(a, b));
}
#else
#define nh_wide nh_plain
#endif

static inline uint64_t
nh(const uint32_t *key, const uint8_t *p, size_t n)
{
	return n >= WORTH && HAVE_AVX2 ? nh_wide(key, p, n)
				       : nh_plain(key, p, n);
}

/* Of the last word, which is filled up with zeros. */
static inline uint64_t
nh_last(const uint32_t *key, uint64_t word)
{
	uint32_t w[2];

	memcpy(w, &word, sizeof(word));
	w[0] += key[0];
	w[1] += key[1];
	return (uint64_t)w[0] * w[1];
}

/* Fewer than 8 bytes. */
static __attribute__((noinline)) uint64_t
word_of(const uint8_t *p, size_t n)
{
	uint64_t word = 0;

	memcpy(&word, p, n);
	return word;
}

/* Modulo 2^61 - 1. */
static inline uint64_t
reduce(uint64_t x)
{
	x = (x & P61) + (x >> 61);
	return x >= P61 ? x - P61 : x;
}

/* a * b + c, modulo 2^61 - 1. */
static inline uint64_t
multiply_add(uint64_t a, uint64_t b, uint64_t c)
{
	u128 x = (u128)a * b + c;

	return reduce(((uint64_t)x & P61) + (uint64_t)(x >> 61));
}

static uint64_t
join(const struct bulk_key *k, uint64_t poly, uint64_t block)
{
	return multiply_add(poly, k->point, block);
}

/* All bits of the result depend on all that came in. */
static inline uint64_t
spread(const struct bulk_key *k, uint64_t x)
{
	return multiply_add(x, k->last, 0);
}

/* Whole words, at most to the end of the block. */
static void
add_words(
    const struct bulk_key *k, struct bulk_hash *h, const uint8_t *p, uint32_t n)
{
	h->block += nh(k->nh + h->len % BULK_HASH_BLOCK / 4, p, n);
	h->len += n;
	if (h->len % BULK_HASH_BLOCK != 0)
		return;
	h->poly = join(k, h->poly, h->block);
	h->block = 0;
}

/* Bytes that fill up the word begun before. Returns how many. */
static size_t
add_tail(const struct bulk_key *k, struct bulk_hash *h, struct slice s)
{
	uint32_t have = h->len % 8;
	size_t n = s.len < 8 - have ? s.len : 8 - have;

	memcpy(h->tail + have, s.p, n);
	h->len += (uint32_t)n;
	if (have + n < 8)
		return n;
	h->len -= 8;
	add_words(k, h, h->tail, 8);
	return n;
}

void
bulk_hash_add(const struct bulk_key *k, struct bulk_hash *h, struct slice s)
{
	if (h->len % 8 != 0 && s.len > 0) {
		size_t n = add_tail(k, h, s);

		s.p += n;
		s.len -= n;
	}
	while (s.len >= 8) {
		uint32_t room = BULK_HASH_BLOCK - h->len % BULK_HASH_BLOCK;
		uint32_t n = s.len < room ? (uint32_t)s.len & ~7u : room;

		add_words(k, h, s.p, n);
		s.p += n;
		s.len -= n;
	}
	if (s.len > 0)
		(void)add_tail(k, h, s);
}

uint64_t
bulk_hash_end(const struct bulk_key *k, const struct bulk_hash *h)
{
	uint32_t have = h->len % 8, at = h->len % BULK_HASH_BLOCK - have;
	uint64_t block = h->block;

	if (have > 0)
		block += nh_last(k->nh + at / 4, word_of(h->tail, have));
	return spread(k, join(k, h->poly, block));
}

/* Of less than a block. */
static inline uint64_t
last_block(const struct bulk_key *k, struct slice s)
{
	size_t n = s.len / 8 * 8;
	uint64_t block = nh(k->nh, s.p, n);

	if (n == s.len)
		return block;
	if (n == 0)
		return nh_last(k->nh, word_of(s.p, s.len));
	return block +
	       nh_last(k->nh + n / 4, load_last(s.p + s.len, s.len - n));
}

/* Of more. By itself, so that the usual few bytes cost no more than they do. */
static __attribute__((noinline)) uint64_t
blocks(const struct bulk_key *k, struct slice s)
{
	uint64_t poly = 0;

	for (; s.len >= BULK_HASH_BLOCK; s.len -= BULK_HASH_BLOCK) {
		poly = join(k, poly, nh(k->nh, s.p, BULK_HASH_BLOCK));
		s.p += BULK_HASH_BLOCK;
	}
	return spread(k, join(k, poly, last_block(k, s)));
}

uint64_t
bulk_hash_of(const struct bulk_key *k, struct slice s)
{
	if (s.len >= BULK_HASH_BLOCK)
		return blocks(k, s);
	return spread(k, reduce(last_block(k, s)));
}
