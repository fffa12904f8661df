/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Loads from network byte order, and stores in it. The caller has checked that
 * the bytes are there; alignment does not matter.
 */
#ifndef STRIPWIRE_BE_H
#define STRIPWIRE_BE_H

#include <stdint.h>
#include <string.h>

static inline uint16_t
be16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap16(v);
#endif
	return v;
}

static inline uint32_t
be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = __builtin_bswap32(v);
#endif
	return v;
}

/* As they lie in memory: for sums, which do not care. */
static inline uint16_t
load16(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint32_t
load32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static inline uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* The n bytes before end, fewer than 8, as they lie in a word with zeros behind
 * them. All 8 before end are there. */
static inline uint64_t
load_last(const uint8_t *end, size_t n)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return load64(end - 8) >> 8 >> 8 * (7 - n);
#else
	return load64(end - 8) << 8 << 8 * (7 - n);
#endif
}

static inline void
be16_put(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
be32_put(uint8_t *p, uint32_t v)
{
	be16_put(p, v >> 16);
	be16_put(p + 2, v & 0xffff);
}

#endif
