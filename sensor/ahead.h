/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets that are about to come: what they will need is fetched into the
 * cache while others are worked on. A packet waits for memory four times in a
 * row (bucket, flow, connection, what hangs off it), each 100 ns and more where
 * there are many connections; here each step is begun a few packets before the
 * next one needs it. Nothing is decided here: what is guessed wrong, or not
 * looked at, is found by the packet itself.
 *
 * All of it is inlined: to the compiler a function that only fetches has no
 * effect, and it leaves out the calls.
 */
#ifndef STRIPWIRE_AHEAD_H
#define STRIPWIRE_AHEAD_H

#include "sensor/conn.h"
#include "sensor/evidence_private.h"

#define AHEAD 8 /* packets under way; a power of two */
#define AHEAD_FLOW 5 /* packets before its turn */
#define AHEAD_CONN 3
#define AHEAD_PARTS 1
#define AHEAD_LINE 64 /* bytes of a cache line */
#define AHEAD_MAIL 320 /* bytes of a decoder; beyond are rare parts */

#define AHEAD_INLINE static inline __attribute__((always_inline))

/* The flow's entry; its bucket has come. The one that the bucket names first
 * mostly is it. Returns its slot, or FLOW_NONE. */
AHEAD_INLINE uint32_t
ahead_flow(const struct tracker *t, const struct flow_place *place)
{
	uint32_t slot = flow_first(t->flows, place->hash);

	if (slot != FLOW_NONE)
		__builtin_prefetch(flow_at(t->flows, slot), 1);
	return slot;
}

/* All of its connection at once, in place of a wait for each of its lines. */
AHEAD_INLINE void
ahead_conn(const struct tracker *t, uint32_t slot)
{
	const char *conn;

	if (slot == FLOW_NONE)
		return;
	conn = (const char *)flow_at(t->flows, slot)->conn;
	if (conn == NULL)
		return; /* one asleep is no longer */
#pragma GCC unroll 16
	for (size_t i = 0; i < sizeof(struct conn); i += AHEAD_LINE)
		__builtin_prefetch(conn + i, 1);
}

/* What a packet of that direction will be held against. */
AHEAD_INLINE void
ahead_evidence(const struct evidence_flow *ev, enum dir dir)
{
	const struct evidence_dir *d = &ev->d[dir];
	const char *w = (const char *)d->window;

	if (w != NULL) {
		__builtin_prefetch(w, 1);
		__builtin_prefetch(w + AHEAD_LINE, 1);
	}
	if (d->ring != NULL)
		__builtin_prefetch(&d->ring->records[ev->rest[dir].ring_at], 1);
}

/* Decoder and evidence. */
AHEAD_INLINE void
ahead_parts(const struct tracker *t, uint32_t slot, bool from_b)
{
	const struct flow *f;
	const char *mail;

	if (slot == FLOW_NONE)
		return;
	f = flow_at(t->flows, slot);
	if (f->rests || f->conn == NULL)
		return;
	mail = (const char *)f->conn->mail;
	ahead_evidence(
	    &f->conn->ev, f->client_is_b == from_b ? DIR_C2S : DIR_S2C);
	if (mail == NULL)
		return;
#pragma GCC unroll 8
	for (size_t i = 0; i < AHEAD_MAIL; i += AHEAD_LINE)
		__builtin_prefetch(mail + i, 1);
}

#endif
