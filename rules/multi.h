/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Many literal strings looked for at once. Hyperscan does it where it is to be
 * had (it needs an amd64 processor with SSSE3; vectorscan, the same interface,
 * knows others); without it, and for a few strings, each is looked for in
 * turn. The answers are the same.
 *
 * Hyperscan's tables are made when the first bytes are searched, since that
 * costs more than all the rest of loading rules, and of the buffers that rules
 * look at a network often has half. If they cannot be made, strings are looked
 * for in turn.
 */
#ifndef STRIPWIRE_MULTI_H
#define STRIPWIRE_MULTI_H

#include <stdbool.h>

#include "decoders/slice.h"

struct multi;

struct multi_pattern {
	const uint8_t *bytes; /* borrowed during multi_new() */
	size_t len; /* at least 1 */
	bool nocase;
};

/* NULL: no memory. */
struct multi *multi_new(const struct multi_pattern *p, unsigned n);
void multi_free(struct multi *m);

/* Calls fn with the number of each pattern that is in the bytes, once. */
void multi_search(struct multi *m, struct slice bytes,
    void (*fn)(void *ctx, unsigned pattern), void *ctx);

/* "hyperscan 5.4.0", or "one by one". */
const char *multi_engine(void);

#endif
