/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Buckets are chained by slot number; twice as many buckets as flows keep
 * the chains short, and few of them while there are few flows stay in the
 * cache. Slots are handed out in a fixed order, and nothing but the
 * order inside a bucket depends on the hash key, so that a run can be
 * repeated. Memory is touched only as far as flows use it.
 */
#include "sensor/flow.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "decoders/be.h"

#define SAMPLE 16 /* living flows looked at for a victim */
#define YOUNG_SHARE 4 /* of the table: one part in so many */
#define CLOSED_SHARE 64
#define CLOSED_LEAST 64
#define BUCKETS_FIRST 4096

static void
make_seed(uint64_t seed[6])
{
	size_t want = 6 * sizeof(seed[0]);

	if (getrandom(seed, want, GRND_NONBLOCK) == (ssize_t)want)
		return;
	/* Early at boot, or forbidden: addresses of memory are random too. */
	for (unsigned i = 0; i < 6; i++)
		seed[i] =
		    ((uint64_t)(uintptr_t)seed + i) * 0x9e3779b97f4a7c15ull;
}

struct flow_table *
flow_table_new(uint32_t capacity)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->capacity = capacity;
	t->mask = capacity * 2 - 1;
	if (t->mask >= BUCKETS_FIRST)
		t->mask = BUCKETS_FIRST - 1;
	t->flows = aligned_alloc(64, capacity * sizeof(*t->flows));
	t->buckets = calloc((size_t)capacity * 2, sizeof(*t->buckets));
	t->free = calloc(capacity, sizeof(*t->free));
	if (t->flows == NULL || t->buckets == NULL || t->free == NULL) {
		flow_table_free(t);
		return NULL;
	}
	for (unsigned i = 0; i < FLOW_AGES; i++)
		t->age[i].oldest = t->age[i].newest = FLOW_NONE;
	make_seed(t->seed);
	return t;
}

void
flow_table_free(struct flow_table *t)
{
	if (t == NULL)
		return;
	free(t->flows);
	free(t->buckets);
	free(t->free);
	free(t);
}

/* Any total order will do; this one is quick. */
static inline bool
is_above(const struct packet *pkt)
{
	uint64_t a = load64(pkt->src.b + 8), b = load64(pkt->dst.b + 8);

	if (a == b) {
		a = load64(pkt->src.b);
		b = load64(pkt->dst.b);
	}
	return a != b ? a > b : pkt->sport > pkt->dport;
}

/* The upper half is that of the lower end. */
static inline uint32_t
ports_of(const struct packet *pkt, bool swap)
{
	uint32_t ports = (uint32_t)pkt->sport << 16 | pkt->dport;
	unsigned turn = swap * 16u;

	return ports << turn | ports >> (-turn & 31);
}

bool
flow_key_of(struct flow_key *key, const struct packet *pkt)
{
	bool swap = is_above(pkt);

	key->a = *flow_end(pkt, swap);
	key->b = *flow_end(pkt, !swap);
	key->ports = ports_of(pkt, swap);
	return swap;
}

static inline uint64_t
fold(uint64_t a, uint64_t b)
{
	unsigned __int128 m = (unsigned __int128)a * b;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static inline uint32_t
hash_of(const struct flow_table *t, const struct addr *a, const struct addr *b,
    uint32_t ports)
{
	const uint64_t *s = t->seed;
	uint64_t h;

	h = fold(load64(a->b) ^ s[0], load64(a->b + 8) ^ s[1]);
	h ^= fold(load64(b->b) ^ s[2], load64(b->b + 8) ^ s[3]);
	return (uint32_t)fold(h ^ s[4], ports ^ s[5]);
}

static uint32_t
bucket_of(const struct flow_table *t, const struct flow_key *k)
{
	return hash_of(t, &k->a, &k->b, k->ports) & t->mask;
}

static uint32_t
first_of(const struct flow_table *t, uint32_t i, const struct flow_key *key)
{
	return flow_search(t, i, &key->a, &key->b, key->ports);
}

uint32_t
flow_find(const struct flow_table *t, const struct flow_key *key)
{
	return first_of(t, t->buckets[bucket_of(t, key)], key);
}

void
flow_place_of(const struct flow_table *t, struct flow_place *place,
    const struct packet *pkt)
{
	bool swap = is_above(pkt);

	place->from_b = swap;
	place->ports = ports_of(pkt, swap);
	place->hash =
	    hash_of(t, flow_end(pkt, swap), flow_end(pkt, !swap), place->ports);
	__builtin_prefetch(&t->buckets[place->hash & t->mask]);
}

uint32_t
flow_next(const struct flow_table *t, uint32_t slot)
{
	return first_of(t, t->flows[slot].chain, &t->flows[slot].key);
}

static void
age_unlink(struct flow_table *t, uint32_t slot)
{
	struct flow *f = &t->flows[slot];
	struct age_list *l = &t->age[f->age];

	l->count--;
	if (f->older != FLOW_NONE)
		t->flows[f->older].newer = f->newer;
	else
		l->oldest = f->newer;
	if (f->newer != FLOW_NONE)
		t->flows[f->newer].older = f->older;
	else
		l->newest = f->older;
}

static void
age_append(struct flow_table *t, uint32_t slot, enum flow_age age)
{
	struct flow *f = &t->flows[slot];
	struct age_list *l = &t->age[age];

	l->count++;
	f->age = (uint8_t)age;
	f->newer = FLOW_NONE;
	f->older = l->newest;
	if (l->newest != FLOW_NONE)
		t->flows[l->newest].newer = slot;
	else
		l->oldest = slot;
	l->newest = slot;
}

/* The flows of a bucket, in their order, into the two that it becomes. */
static void
split(struct flow_table *t, uint32_t low, uint32_t high)
{
	uint32_t *tail[2] = {&t->buckets[low], &t->buckets[high]};
	uint32_t i = t->buckets[low], next;

	*tail[0] = *tail[1] = 0;
	for (; i != 0; i = next) {
		struct flow *f = &t->flows[i - 1];
		bool up = bucket_of(t, &f->key) == high;

		next = f->chain;
		f->chain = 0;
		*tail[up] = i;
		tail[up] = &f->chain;
	}
}

static void
grow(struct flow_table *t)
{
	uint32_t old = t->mask + 1;

	t->mask = old * 2 - 1;
	for (uint32_t i = 0; i < old; i++)
		split(t, i, i + old);
}

uint32_t
flow_add(struct flow_table *t, const struct flow_key *key, enum flow_age age)
{
	uint32_t bucket, slot;
	struct flow *f;

	if (t->count > t->mask / 2 && t->mask < t->capacity * 2 - 1)
		grow(t);
	bucket = bucket_of(t, key);
	if (t->nfree > 0)
		slot = t->free[--t->nfree];
	else if (t->high < t->capacity)
		slot = t->high++;
	else
		return FLOW_NONE;
	f = &t->flows[slot];
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->used = true;
	f->chain = t->buckets[bucket];
	t->buckets[bucket] = slot + 1;
	age_append(t, slot, age);
	t->count++;
	return slot;
}

void
flow_remove(struct flow_table *t, uint32_t slot)
{
	struct flow *f = &t->flows[slot];
	uint32_t *link = &t->buckets[bucket_of(t, &f->key)];

	while (*link != slot + 1)
		link = &t->flows[*link - 1].chain;
	*link = f->chain;
	age_unlink(t, slot);
	f->used = false;
	t->free[t->nfree++] = slot;
	t->count--;
}

void
flow_set_age(struct flow_table *t, uint32_t slot, enum flow_age age)
{
	if (t->flows[slot].age == age)
		return;
	age_unlink(t, slot);
	age_append(t, slot, age);
}

/* The idlest of the first few of a list; the others go to its end, so that the
 * next search looks at others. */
static uint32_t
idlest(struct flow_table *t, enum flow_age age)
{
	uint32_t best = t->age[age].oldest;

	for (unsigned i = 1; i < SAMPLE; i++) {
		uint32_t next = t->flows[best].newer, loser = next;

		if (next == FLOW_NONE)
			break;
		if ((int32_t)(t->flows[next].last - t->flows[best].last) < 0) {
			loser = best;
			best = next;
		}
		age_unlink(t, loser);
		age_append(t, loser, age);
	}
	return best;
}

uint32_t
flow_victim(struct flow_table *t)
{
	if (t->age[FLOW_YOUNG].oldest != FLOW_NONE)
		return t->age[FLOW_YOUNG].oldest;
	for (int age = FLOW_CLOSED; age < FLOW_AGES; age++)
		if (t->age[age].oldest != FLOW_NONE)
			return idlest(t, (enum flow_age)age);
	return FLOW_NONE;
}

uint32_t
flow_closed_victim(const struct flow_table *t)
{
	const struct age_list *l = &t->age[FLOW_CLOSED];
	uint32_t most = t->capacity / CLOSED_SHARE;

	if (most < CLOSED_LEAST)
		most = CLOSED_LEAST;
	return l->count > most ? l->oldest : FLOW_NONE;
}

bool
flow_is_crowded(const struct flow_table *t, enum flow_age age)
{
	return t->count == t->capacity ||
	       (age == FLOW_YOUNG &&
		   t->age[age].count >= t->capacity / YOUNG_SHARE);
}

uint32_t
flow_high(const struct flow_table *t)
{
	return t->high;
}

/* Buckets are met at random, slots in their order. */
struct table_use
flow_use(const struct flow_table *t)
{
	uint64_t bucket = sizeof(*t->buckets);
	uint64_t slot = sizeof(*t->flows) + sizeof(*t->free);

	return (struct table_use){.entries = flow_count(t),
	    .max_entries = t->capacity,
	    .bytes = (t->mask + UINT64_C(1)) * bucket + flow_high(t) * slot,
	    .max_bytes = t->capacity * (2 * bucket + slot)};
}
