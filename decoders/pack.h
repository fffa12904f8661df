/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * State that rests, made small: it is kept as the bytes in which it differs
 * from another of its kind. One bit of each 8 words of 8 bytes says whether
 * any of them differs; of those that do one byte says which words, of each of
 * these one byte which of its bytes, and those follow.
 */
#ifndef STRIPWIRE_PACK_H
#define STRIPWIRE_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Bytes that dst needs room for, at most, for n words. */
#define PACK_BYTES_ROOM(n) ((n)*9 + ((n) + 7) / 8 + ((n) + 63) / 64)

/* What is as in `like`, n words as well, is left out. Returns how many bytes
 * were written. */
size_t pack_bytes(uint8_t *dst, const void *src, const void *like, size_t n);
/* The n words again; returns how many bytes were read. src is what
 * pack_bytes() wrote: it is not checked. */
size_t unpack_bytes(void *dst, const void *like, size_t n, const uint8_t *src);

/* Times as differences, which are small where both happened about then; any two
 * numbers have one, and it leads back. */
static inline int64_t
pack_less(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t
pack_more(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

#endif
