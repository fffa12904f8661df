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

#include "decoders/slice.h"

/* Bytes that dst needs room for, at most, for n words. */
#define PACK_BYTES_ROOM(n) ((n)*9 + ((n) + 7) / 8 + ((n) + 63) / 64)

/* What is as in `like`, n words as well, is left out. Returns how many bytes
 * were written. */
size_t pack_bytes(uint8_t *dst, const void *src, const void *like, size_t n);
/* The n words again; returns how many bytes were read. src is what
 * pack_bytes() wrote: it is not checked. */
size_t unpack_bytes(void *dst, const void *like, size_t n, const uint8_t *src);

/* A text of less than 32 KiB as how much it begins and ends like another, and
 * what is between: PACK_TEXT_HEAD bytes more than it has at most. Returns where
 * they end. */
#define PACK_TEXT_HEAD 4
uint8_t *pack_text(uint8_t *out, struct slice text, struct slice like);
/* And back, to *room, with a NUL; *room is behind that then. Returns where what
 * was read ends. */
const uint8_t *unpack_text(
    uint8_t **room, const uint8_t *in, struct slice like, struct slice *text);

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
