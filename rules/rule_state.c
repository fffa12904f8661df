/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hash table of entries in one array, linked by numbers, in order of use.
 * Time is packet time. It may step back a little, between connections: what
 * comes from before a window belongs to it.
 */
#include "rules/rule_state.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX
#define SECOND INT64_C(1000000000)
#define FIRST_ENTRIES 256u

struct entry {
	struct rule_state_key key;
	int64_t start; /* of the window */
	int64_t until; /* of a new action, or of an xbit */
	uint32_t count;
	uint32_t chain, older, newer;
};

struct rule_states {
	struct entry *e;
	uint32_t n, cap, max;
	uint32_t free; /* a chain of entries given back */
	uint32_t oldest, newest;
	uint32_t *bucket;
	uint32_t nbuckets;
	uint32_t used;
	uint64_t evicted;
};

struct rule_states *
rule_states_new(uint32_t max)
{
	struct rule_states *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->max = max != 0 ? max : RULE_STATES_MAX;
	t->free = t->oldest = t->newest = NONE;
	t->nbuckets = 1;
	while (t->nbuckets < t->max && t->nbuckets < 16384)
		t->nbuckets *= 2;
	t->bucket = malloc(t->nbuckets * sizeof(*t->bucket));
	if (t->bucket == NULL) {
		free(t);
		return NULL;
	}
	memset(t->bucket, 0xff, t->nbuckets * sizeof(*t->bucket));
	return t;
}

void
rule_states_free(struct rule_states *t)
{
	if (t == NULL)
		return;
	free(t->bucket);
	free(t->e);
	free(t);
}

uint32_t
rule_states_count(const struct rule_states *t)
{
	return t->used;
}

uint64_t
rule_states_evicted(const struct rule_states *t)
{
	return t->evicted;
}

struct table_use
rule_states_use(const struct rule_states *t)
{
	uint64_t buckets = t->nbuckets * sizeof(*t->bucket);

	return (struct table_use){.entries = t->used,
	    .max_entries = t->max,
	    .bytes = buckets + t->cap * sizeof(*t->e),
	    .max_bytes = buckets + t->max * sizeof(*t->e)};
}

/* ---- the table ---- */

static uint64_t
mix(uint64_t h, const struct addr *a)
{
	uint64_t w[2];

	memcpy(w, a->b, sizeof(w));
	h = (h ^ w[0]) * UINT64_C(0x9e3779b97f4a7c15);
	h = (h ^ h >> 29 ^ w[1]) * UINT64_C(0xbf58476d1ce4e5b9);
	return h ^ h >> 32;
}

static uint32_t *
bucket_of(const struct rule_states *t, const struct rule_state_key *k)
{
	uint64_t h = mix(mix(k->what, &k->a), &k->b);

	return &t->bucket[h & (t->nbuckets - 1)];
}

static void
unlink_use(struct rule_states *t, uint32_t i)
{
	struct entry *e = &t->e[i];

	if (e->older != NONE)
		t->e[e->older].newer = e->newer;
	else
		t->oldest = e->newer;
	if (e->newer != NONE)
		t->e[e->newer].older = e->older;
	else
		t->newest = e->older;
}

static void
link_use(struct rule_states *t, uint32_t i)
{
	struct entry *e = &t->e[i];

	e->newer = NONE;
	e->older = t->newest;
	if (e->older != NONE)
		t->e[e->older].newer = i;
	else
		t->oldest = i;
	t->newest = i;
}

static uint32_t
find(struct rule_states *t, const struct rule_state_key *k)
{
	uint32_t i = *bucket_of(t, k);

	while (i != NONE && memcmp(&t->e[i].key, k, sizeof(*k)) != 0)
		i = t->e[i].chain;
	return i;
}

static void
drop(struct rule_states *t, uint32_t i)
{
	uint32_t *at = bucket_of(t, &t->e[i].key);

	while (*at != i)
		at = &t->e[*at].chain;
	*at = t->e[i].chain;
	unlink_use(t, i);
	t->e[i].chain = t->free;
	t->free = i;
	t->used--;
}

/* A place that is free; NONE: no memory. */
static uint32_t
take(struct rule_states *t)
{
	uint32_t i = t->free, cap = t->cap == 0 ? FIRST_ENTRIES : t->cap * 2;
	struct entry *e;

	if (t->used >= t->max) {
		drop(t, t->oldest);
		t->evicted++;
		i = t->free;
	}
	if (i != NONE) {
		t->free = t->e[i].chain;
		return i;
	}
	if (t->n == t->cap) {
		e = realloc(t->e, (size_t)cap * sizeof(*e));
		if (e == NULL)
			return NONE;
		t->e = e;
		t->cap = cap;
	}
	return t->n++;
}

/* The entry of the key, made if need be (then start is -1). NULL: no memory. */
static struct entry *
touch(struct rule_states *t, const struct rule_state_key *k)
{
	uint32_t i = find(t, k), *b;

	if (i != NONE) {
		unlink_use(t, i);
		link_use(t, i);
		return &t->e[i];
	}
	i = take(t);
	if (i == NONE)
		return NULL;
	memset(&t->e[i], 0, sizeof(t->e[i]));
	t->e[i].key = *k;
	t->e[i].start = -1;
	b = bucket_of(t, k);
	t->e[i].chain = *b;
	*b = i;
	link_use(t, i);
	t->used++;
	return &t->e[i];
}

/* ---- limits ---- */

struct rule_state_key
rule_state_key(const struct rule *r, const struct rule_limit *lim,
    const struct addr *src, const struct addr *dst)
{
	struct rule_state_key k;

	memset(&k, 0, sizeof(k));
	k.what =
	    ((uint64_t)r->gid << 32 | r->sid) * UINT64_C(0x9e3779b97f4a7c15) ^
	    (uint64_t)lim->type << 56 ^ (uint64_t)lim->track << 48;
	if (lim->track == TRACK_BY_SRC || lim->track == TRACK_BY_BOTH)
		k.a = *src;
	if (lim->track == TRACK_BY_DST || lim->track == TRACK_BY_BOTH)
		k.b = *dst;
	return k;
}

/* Counts it; a window that is over begins anew with this one. */
static void
count(struct entry *e, const struct rule_limit *lim, int64_t now)
{
	if (e->start == -1 || now - e->start > lim->seconds * SECOND) {
		e->start = now;
		e->count = 0;
	}
	if (e->count < UINT32_MAX)
		e->count++;
}

static bool
rate_holds(struct entry *e, const struct rule_limit *lim, int64_t now)
{
	if (e->until != 0 && now <= e->until)
		return true;
	if (e->until != 0) { /* it is over: counting begins anew */
		e->until = 0;
		e->start = -1;
	}
	count(e, lim, now);
	if (e->count <= lim->count)
		return false;
	e->until = now + lim->timeout * SECOND;
	return true;
}

bool
rule_limit_hit(struct rule_states *t, const struct rule_limit *lim,
    const struct rule_state_key *k, int64_t now)
{
	struct entry *e = touch(t, k);

	if (e == NULL) /* no memory: rather one alert too many */
		return lim->type != LIMIT_RATE;
	if (lim->type == LIMIT_RATE)
		return rate_holds(e, lim, now);
	count(e, lim, now);
	switch (lim->type) {
	case LIMIT_LIMIT:
		return e->count <= lim->count;
	case LIMIT_BOTH:
		return e->count == lim->count;
	case LIMIT_DETECTION:
		return e->count > lim->count;
	default: /* LIMIT_THRESHOLD: the next ones are counted anew */
		if (e->count < lim->count)
			return false;
		e->count = 0;
		return true;
	}
}

/* ---- xbits ---- */

void
rule_xbit_set(struct rule_states *t, const struct rule_state_key *k,
    int64_t now, uint32_t seconds)
{
	struct entry *e = touch(t, k);

	if (e != NULL)
		e->until = now + seconds * SECOND;
}

void
rule_xbit_unset(struct rule_states *t, const struct rule_state_key *k)
{
	uint32_t i = find(t, k);

	if (i != NONE)
		drop(t, i);
}

bool
rule_xbit_is_set(
    struct rule_states *t, const struct rule_state_key *k, int64_t now)
{
	uint32_t i = find(t, k);

	if (i == NONE)
		return false;
	if (now <= t->e[i].until)
		return true;
	drop(t, i);
	return false;
}
