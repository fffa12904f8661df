/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The flow table: five-tuples to slots. One hash per packet (keyed, so that
 * nobody can aim at one bucket), one cache line per flow; what a flow that may
 * be mail needs beyond that hangs off it (struct conn) and other flows do
 * without.
 *
 * VLAN tags and tunnel identifiers are not in the key. They belong to a link
 * and not to a connection: one that is routed between two VLANs has another
 * tag before the router than behind it, and a span shows both; with
 * asymmetric routing between overlays each direction has the VNI of where it
 * goes to (RFC 9135, asymmetric IRB), and GRE keys are free to differ. A key
 * that held them would make half connections of these, which are blind to
 * most attacks. Two connections on one five-tuple, of two tenants or on both
 * sides of a proxy, are told apart by their numbers, and have a flow each
 * (legs.c). The price: what is known of a server is known of its address in
 * all networks.
 *
 * The table never grows. When it is full flow_victim() names who goes: the
 * oldest half-open flow, so that a flood of SYNs only evicts itself; then
 * one that both sides have closed; then one that is not mail; then the idlest
 * of a sample of the living. Of half-open flows there are a quarter of the
 * table at most: memory that only a flood would fill is never touched. Of
 * closed ones there are a 64th, so that no rate of connections, however high,
 * fills it, or the caches, with what is over.
 */
#ifndef STRIPWIRE_FLOW_H
#define STRIPWIRE_FLOW_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "decoders/be.h"
#include "decoders/packet.h"
#include "decoders/table_use.h"

#define FLOW_NONE UINT32_MAX

struct conn;

struct flow_key { /* the lower end is a, whoever sent */
	struct addr a, b;
	uint32_t ports; /* of a in the upper half, of b in the lower */
};

enum flow_age { /* the lists from which victims are taken, in this order */
	FLOW_YOUNG, /* nothing shows yet that two hosts are talking */
	FLOW_CLOSED, /* both sides have; kept for what may come after */
	FLOW_PASSED, /* looked at, not mail */
	FLOW_LIVE,
	FLOW_AGES
};

struct flow { /* 64 bytes */
	struct flow_key key;
	uint32_t chain; /* next of its bucket */
	uint32_t older, newer; /* neighbours in its age list */
	uint32_t last; /* last packet, in flow_clock() units */
	uint8_t age; /* enum flow_age */
	uint8_t tag; /* of where it was seen first (legs.c) */
	bool used : 1;
	bool client_is_b : 1;
	bool shared : 1; /* there is another with this key, or was */
	bool rests : 1; /* its connection is asleep (conn_rest.c) */
	union {
		struct conn *conn; /* NULL: passed over, or not by this */
		struct conn_asleep *asleep;
	};
};

struct flow_table { /* but for flow_at() and flow_count(), flow.c's */
	struct flow *flows;
	uint32_t *buckets; /* slot + 1, 0 empty */
	uint32_t *free; /* slots given back */
	uint32_t capacity, mask, count, high, nfree;
	struct age_list {
		uint32_t oldest, newest, count;
	} age[FLOW_AGES];
	uint64_t seed[6];
};

/* capacity: a power of two. NULL when memory is short. */
struct flow_table *flow_table_new(uint32_t capacity);
void flow_table_free(struct flow_table *t);

/* Returns true if the packet's source is end b. */
bool flow_key_of(struct flow_key *key, const struct packet *pkt);

/* Where a packet belongs: worked out once, before its turn (ahead.h). */
struct flow_place {
	uint32_t hash, ports; /* of the key */
	bool from_b;
};
/* ... and the bucket begins to come from memory. */
void flow_place_of(const struct flow_table *t, struct flow_place *place,
    const struct packet *pkt);

/* The packet's source or its destination. Without a branch: which end is the
 * lower one changes from packet to packet, and no processor guesses it. */
static inline const struct addr *
flow_end(const struct packet *pkt, bool dst)
{
	static_assert(offsetof(struct packet, dst) ==
			  offsetof(struct packet, src) + sizeof(struct addr),
	    "neighbours");
	return (const struct addr *)((const char *)pkt +
				     offsetof(struct packet, src) +
				     dst * sizeof(struct addr));
}

static inline bool
flow_is_addr(const struct addr *x, const struct addr *y)
{
	return load64(x->b) == load64(y->b) &&
	       load64(x->b + 8) == load64(y->b + 8);
}

/* The first flow of the bucket, which mostly is the one, or FLOW_NONE. */
static inline uint32_t
flow_first(const struct flow_table *t, uint32_t hash)
{
	return t->buckets[hash & t->mask] - 1; /* of 0: FLOW_NONE */
}

/* Down a chain, which begins with slot i - 1: the first of that key, or
 * FLOW_NONE. */
static inline uint32_t
flow_search(const struct flow_table *t, uint32_t i, const struct addr *a,
    const struct addr *b, uint32_t ports)
{
	for (; i != 0; i = t->flows[i - 1].chain) {
		const struct flow_key *key = &t->flows[i - 1].key;

		if (key->ports == ports && flow_is_addr(&key->a, a) &&
		    flow_is_addr(&key->b, b))
			break;
	}
	return i - 1;
}

/* The first flow of the packet's key, or FLOW_NONE. */
static inline uint32_t
flow_find_at(const struct flow_table *t, const struct packet *pkt,
    const struct flow_place *place)
{
	return flow_search(t, t->buckets[place->hash & t->mask],
	    flow_end(pkt, place->from_b), flow_end(pkt, !place->from_b),
	    place->ports);
}

uint32_t flow_find(const struct flow_table *t, const struct flow_key *key);
/* The next with the same key, FLOW_NONE if there is none. */
uint32_t flow_next(const struct flow_table *t, uint32_t slot);
/* Beside others with the same key, if there are. FLOW_NONE if the table is
 * full. */
uint32_t flow_add(
    struct flow_table *t, const struct flow_key *key, enum flow_age age);
void flow_remove(struct flow_table *t, uint32_t slot);

static inline struct flow *
flow_at(struct flow_table *t, uint32_t slot)
{
	return &t->flows[slot];
}

void flow_set_age(struct flow_table *t, uint32_t slot, enum flow_age age);
uint32_t flow_victim(struct flow_table *t);
/* The one that closed first, where there are more of them than a 64th of the
 * table: what may come after is worth less than the memory that all share.
 * FLOW_NONE: there are not. */
uint32_t flow_closed_victim(const struct flow_table *t);
/* Full, or as many young ones as there may be: a victim is due. */
bool flow_is_crowded(const struct flow_table *t, enum flow_age age);

static inline uint32_t
flow_count(const struct flow_table *t)
{
	return t->count;
}

static inline uint32_t
flow_young(const struct flow_table *t)
{
	return t->age[FLOW_YOUNG].count;
}

struct table_use flow_use(const struct flow_table *t);
/* Slots below this have been used at some time. */
uint32_t flow_high(const struct flow_table *t);

#endif
