/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets that are about to come: what they will need is fetched into the
 * cache while others are worked on. A packet waits for memory four times in a
 * row (bucket, flow, connection, what hangs off it), each 100 ns and more where
 * there are many connections; here each step is begun a few packets before the
 * next one needs it. Nothing is decided here: what is guessed wrong, or not
 * looked at, is found by the packet itself.
 */
#ifndef STRIPWIRE_AHEAD_H
#define STRIPWIRE_AHEAD_H

#include "sensor/flow.h"

#define AHEAD 8 /* packets under way; a power of two */
#define AHEAD_FLOW 5 /* packets before its turn */
#define AHEAD_CONN 3
#define AHEAD_PARTS 1

struct tracker;

/* The flow's entry; its bucket has come. */
void ahead_flow(const struct tracker *t, const struct flow_place *place);
/* All of its connection at once, in place of a wait for each of its lines. */
void ahead_conn(const struct tracker *t, const struct flow_place *place);
/* Decoder and evidence. */
void ahead_parts(const struct tracker *t, const struct flow_place *place);

#endif
