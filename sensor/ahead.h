/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets that are about to come, where the input lies in memory: what they
 * will need is fetched into the cache while others are worked on. A packet of
 * one of 100,000 connections waits for memory four times in a row (bucket,
 * flow, connection, what hangs off it), each 100 ns and more; here each step is
 * begun a few packets before the next one needs it. Nothing is decided here:
 * what is guessed wrong, or not looked at, is found by the packet itself.
 */
#ifndef STRIPWIRE_AHEAD_H
#define STRIPWIRE_AHEAD_H

#include "sensor/flow.h"

#define AHEAD 16 /* packets; a power of two */
#define AHEAD_CONN 832 /* bytes of struct conn */
#define AHEAD_FLOWS 32768 /* fewer are in the cache: it costs 30 ns a packet */

struct ahead {
	uint32_t bucket[AHEAD]; /* FLOW_NONE: nothing is known of it */
	uint32_t n; /* packets that were expected so far */
};

/* All of a connection at once, in place of a wait for each of its lines. */
static inline void
ahead_fetch(const struct conn *c)
{
	if (c == NULL)
		return;
#pragma GCC unroll 16
	for (size_t i = 0; i < AHEAD_CONN; i += 64)
		__builtin_prefetch((const char *)c + i, 1);
}

/* The next frame behind those expected so far. */
void ahead_expect(struct ahead *a, struct flow_table *flows,
    const uint8_t *frame, uint32_t len, int linktype);

#endif
