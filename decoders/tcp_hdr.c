/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 *	 0      2      4            8            12   13      14     16   18
 *	| sport | dport | seq number | ack number | off | flags | wnd | sum | urg |
 *
 * The checksum is added up in words of 64 bits with the carries put back in:
 * ones' complement addition does not care about the width or the byte order,
 * as long as both are undone at the end (RFC 1071 2). Long ones with AVX2, where
 * the processor has it.
 */
#include "decoders/tcp_hdr.h"

#include <arpa/inet.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define TCP_HEADER_MIN 20
#define TIMESTAMP 12 /* bytes of the option, and two to fill up */
#define WIDE 128 /* bytes that are worth the wide loop */
#define WIDE_MAX 65536 /* more would not fit its sums */
#define WSCALE_MAX 14 /* larger ones count as 14, RFC 7323 2.3 */

enum tcp_option {
	OPT_END = 0,
	OPT_NOP = 1,
	OPT_MSS = 2,
	OPT_WSCALE = 3,
	OPT_SACK_OK = 4,
	OPT_SACK = 5,
	OPT_TS = 8
};

static void
take_option(struct packet *pkt, const uint8_t *p, uint32_t size)
{
	if (p[0] == OPT_TS && size == 10) {
		pkt->tsval = be32(p + 2);
		pkt->tsecr = be32(p + 6);
		pkt->flags |= PKT_TS;
	} else if (p[0] == OPT_MSS && size == 4) {
		pkt->mss = be16(p + 2);
	} else if (p[0] == OPT_WSCALE && size == 3) {
		pkt->wscale = p[2] < WSCALE_MAX ? p[2] : WSCALE_MAX;
		pkt->flags |= PKT_WSCALE;
	} else if (p[0] == OPT_SACK_OK && size == 2) {
		pkt->flags |= PKT_SACK_OK;
	} else if (p[0] <= OPT_SACK_OK || p[0] == OPT_TS) {
		pkt->flags |= PKT_BAD_OPTIONS; /* a size it cannot have */
	}
}

void
tcp_read_options(struct packet *pkt, const uint8_t *p, uint32_t len, bool cut)
{
	while (len > 0 && p[0] != OPT_END) {
		pkt->option_order = (pkt->option_order + p[0] + 1) * 31;
		if (p[0] == OPT_NOP) {
			p++, len--;
			continue;
		}
		if (len < 2 || p[1] < 2 || p[1] > len) {
			if (!cut || (len >= 2 && p[1] < 2))
				pkt->flags |= PKT_BAD_OPTIONS;
			return;
		}
		uint32_t size = p[1];
		take_option(pkt, p, size);
		p += size, len -= size;
	}
}

enum ip_result
tcp_decode(struct packet *pkt, struct ip_payload in)
{
	if (in.wire < TCP_HEADER_MIN)
		return IP_MALFORMED;
	if (in.held < TCP_HEADER_MIN)
		return IP_TRUNCATED;
	uint32_t size = (in.p[12] >> 4) * 4u;
	if (size < TCP_HEADER_MIN || size > in.wire)
		return IP_MALFORMED;

	uint32_t held = size < in.held ? size : in.held;
	tcp_fixed_header(pkt, in.p);
	tcp_options(
	    pkt, in.p + TCP_HEADER_MIN, held - TCP_HEADER_MIN, held < size);
	pkt->payload = in.p + held;
	pkt->len = in.held - held;
	pkt->wire_len = in.wire - size;
	if (in.held < in.wire)
		pkt->flags |= PKT_TRUNCATED;
	return IP_TCP;
}

static inline uint64_t
add_carry(uint64_t sum, uint64_t word)
{
	uint64_t r;

	return __builtin_add_overflow(sum, word, &r) ? r + 1 : r;
}

#if defined(__x86_64__)
/* Eight sums of pairs of 16-bit words, which are taken for signed numbers by
 * turning their highest bit: each is 2^15 too small. */
__attribute__((target("avx2"))) static inline __m256i
sum_pairs(__m256i sum, __m256i words)
{
	const __m256i turned = _mm256_set1_epi16(INT16_MIN);

	return _mm256_add_epi32(
	    sum, _mm256_madd_epi16(
		     _mm256_xor_si256(words, turned), _mm256_set1_epi16(1)));
}

__attribute__((target("avx2"))) static inline __m256i
load_wide(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i_u *)p);
}

__attribute__((target("avx2"))) static inline uint64_t
sum_lanes(__m256i x)
{
	__m128i four = _mm_add_epi32(
	    _mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));

	four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4e));
	four = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0xb1));
	return (uint64_t)(int64_t)_mm_cvtsi128_si32(four);
}

/* n is a multiple of 32, and no more than WIDE_MAX. */
__attribute__((target("avx2"))) static uint64_t
sum_wide(const uint8_t *p, size_t n)
{
	__m256i a = _mm256_setzero_si256(), b = a;
	const uint8_t *end = p + n;

	for (; end - p >= 128; p += 128) {
		a = sum_pairs(a, load_wide(p));
		b = sum_pairs(b, load_wide(p + 32));
		a = sum_pairs(a, load_wide(p + 64));
		b = sum_pairs(b, load_wide(p + 96));
	}
	for (; p != end; p += 32)
		a = sum_pairs(a, load_wide(p));
	return sum_lanes(_mm256_add_epi32(a, b)) + ((uint64_t)n << 14);
}
#define HAVE_AVX2 __builtin_cpu_supports("avx2")
#else
#define sum_wide(p, n) 0
#define HAVE_AVX2 0
#endif

/* At least 8 bytes. */
static inline uint64_t
sum_bytes(uint64_t sum, const uint8_t *p, size_t len)
{
	uint64_t other = 0;

	while (len >= WIDE && HAVE_AVX2) {
		size_t n = (len < WIDE_MAX ? len : WIDE_MAX) / 32 * 32;

		other += sum_wide(p, n);
		p += n;
		len -= n;
	}
	for (; len >= 16; p += 16, len -= 16) {
		sum = add_carry(sum, load64(p));
		other = add_carry(other, load64(p + 8));
	}
	if (len >= 8)
		sum = add_carry(sum, load64(p));
	sum = add_carry(sum, load_last(p + len, len % 8));
	return add_carry(sum, other);
}

static inline uint64_t
sum_address(uint64_t sum, const struct packet *pkt, const struct addr *a)
{
	if (!(pkt->flags & PKT_V6))
		return add_carry(sum, load32(a->b + 12));
	return add_carry(add_carry(sum, load64(a->b)), load64(a->b + 8));
}

static inline uint16_t
fold(uint64_t sum)
{
	uint32_t x, high = (uint32_t)(sum >> 32);

	if (__builtin_add_overflow((uint32_t)sum, high, &x))
		x++;
	return (uint16_t)((x + (x << 16 | x >> 16)) >> 16);
}

static uint32_t
segment_size(const struct packet *pkt)
{
	return (uint32_t)(pkt->payload - pkt->tcp) + pkt->len;
}

static inline uint64_t
pseudo_header(const struct packet *pkt)
{
	uint64_t sum = (uint64_t)htonl(segment_size(pkt)) + htons(6);

	sum = sum_address(sum, pkt, &pkt->src);
	return sum_address(sum, pkt, &pkt->dst);
}

bool
tcp_checksum_ok(const struct packet *pkt)
{
	uint64_t sum = pseudo_header(pkt);

	return fold(sum_bytes(sum, pkt->tcp, segment_size(pkt))) == 0xffff;
}

bool
tcp_checksum_open(const struct packet *pkt)
{
	return fold(pseudo_header(pkt)) == htons(be16(pkt->tcp + 16));
}

uint16_t
tcp_sum_header(const struct packet *pkt)
{
	const uint8_t *p = pkt->tcp;
	uint32_t len = (uint32_t)(pkt->payload - p), at = 0;
	uint64_t sum = htonl(len);

	if (len >= TCP_HEADER_MIN + TIMESTAMP) {
		for (; at < TCP_HEADER_MIN + TIMESTAMP; at += 4)
			sum += load32(p + at);
	}
	for (; at + 4 <= len; at += 4)
		sum += load32(p + at);
	return fold(sum);
}

uint16_t
tcp_sum_payload(struct slice s)
{
	uint8_t few[8] = {0};

	if (s.len < sizeof(few) && s.len > 0) {
		memcpy(few, s.p, s.len);
		s = (struct slice){few, sizeof(few)};
	}
	return s.len > 0 ? fold(sum_bytes(0, s.p, s.len)) : 0;
}

bool
tcp_sum_is_right(
    const struct packet *pkt, uint16_t header, uint16_t payload, uint32_t len)
{
	uint64_t sum = (uint64_t)htonl(len) + htons(6) + header + payload;

	sum = sum_address(sum, pkt, &pkt->src);
	return fold(sum_address(sum, pkt, &pkt->dst)) == 0xffff;
}

bool
tcp_sack_first(const struct packet *pkt, uint32_t block[2])
{
	const uint8_t *p, *end = pkt->payload;

	if (pkt->tcp == NULL || (pkt->flags & PKT_TRUNCATED) != 0)
		return false;
	p = pkt->tcp + TCP_HEADER_MIN;
	while (end - p >= 2 && p[0] != OPT_END) {
		if (p[0] == OPT_NOP) {
			p++;
			continue;
		}
		if (p[1] < 2 || p[1] > end - p)
			return false;
		if (p[0] == OPT_SACK && p[1] >= 10) {
			block[0] = be32(p + 2);
			block[1] = be32(p + 6);
			return true;
		}
		p += p[1];
	}
	return false;
}
