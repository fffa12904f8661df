/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * State that rests, made small: most words of it are zero and are left out. Of
 * each 64 words of 8 bytes one says which are there; those follow.
 */
#ifndef STRIPWIRE_PACK_H
#define STRIPWIRE_PACK_H

#include <stddef.h>
#include <stdint.h>

/* Words that dst needs room for, at most, for n words. */
#define PACK_ROOM(n) ((n) + ((n) + 63) / 64 + 1)

/* Returns how many words were written. */
size_t pack_words(uint64_t *dst, const void *src, size_t n);
/* The n words again; returns how many were read. src is what pack_words()
 * wrote: it is not checked. */
size_t unpack_words(void *dst, size_t n, const uint64_t *src);

#endif
