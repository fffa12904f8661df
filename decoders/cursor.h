/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A checked big-endian reader. Reading past the end, or cursor_fail(), makes
 * it bad for good: everything after returns zeros, so that a message reads as
 * a list of fields and is tested once, at its end.
 */
#ifndef STRIPWIRE_CURSOR_H
#define STRIPWIRE_CURSOR_H

#include <stdbool.h>

#include "decoders/slice.h"

struct cursor {
	const uint8_t *p;
	size_t left;
	bool bad;
};

void cursor_init(struct cursor *c, struct slice s);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u24(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);

/* The next n bytes, borrowed; {NULL, 0} if there are fewer. */
struct slice cursor_take(struct cursor *c, size_t n);
void cursor_skip(struct cursor *c, size_t n);
/* Vectors with a length of 1, 2 or 3 bytes before them. */
struct slice cursor_vec8(struct cursor *c);
struct slice cursor_vec16(struct cursor *c);
struct slice cursor_vec24(struct cursor *c);
/* Copies n bytes, or zeros. */
void cursor_copy(struct cursor *c, void *dst, size_t n);

void cursor_fail(struct cursor *c);
/* Nothing was wrong so far. */
bool cursor_ok(const struct cursor *c);
/* All was read, and nothing was wrong. */
bool cursor_done(const struct cursor *c);

#endif
