/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When there is no room, the flow that was silent for longest goes; which one
 * sleeps, a hand tells that passes by those asked for lately: a list of all by
 * last use would be three cold lines of memory an observation. A flow
 * asleep is the words of struct judged behind the facts, the facts, and the steps as
 * they are.
 */
#include "rules/judged.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/pack.h"

#define TAIL offsetof(struct judged, ladder) /* what comes behind the facts */
#define TAIL_WORDS ((sizeof(struct judged) - TAIL) / 8)
#define OWNS 0 /* word of a flow asleep: there is more than that to free */
#define EXPECTED 96 /* words of most flows asleep */
#define ROOM                                            \
	(1 + PACK_ROOM(TAIL_WORDS) + FACTS_PACKED_MAX + \
	    (LADDER_BYTES_MAX + 7) / 8)

_Static_assert(TAIL % 8 == 0 && sizeof(struct judged) % 8 == 0, "words");

static struct judged_slot **
bucket_of(const struct judged_table *t, uint64_t flow)
{
	/* Numbers are given in order, from where each worker begins: so are
	 * the buckets of flows that begin together, and in the cache. */
	uint64_t h = flow + (flow >> 40) * 0x9e37;

	return &t->bucket[h & (t->nbuckets - 1)];
}

int
judged_init(struct judged_table *t, uint32_t max)
{
	t->max = max != 0 ? max : JUDGED_MAX;
	t->nbuckets = 1;
	while (t->nbuckets < t->max && t->nbuckets < JUDGED_MAX)
		t->nbuckets *= 2;
	t->bucket = calloc(t->nbuckets, sizeof(struct judged_slot *));
	t->room = malloc(ROOM * sizeof(*t->room));
	return t->bucket != NULL && t->room != NULL ? 0 : -1;
}

/* ---- asleep and awake ---- */

static void
ask_for(struct judged_table *t, const struct judged *w)
{
	t->lately[w->place] = true;
	t->last = w->place;
}

/* One without a flow, all zero but its place. */
static void
make_spare(struct judged_table *t, struct judged *w)
{
	w->slot = NULL;
	t->lately[w->place] = false;
	t->spare[t->nspare++] = (uint16_t)w->place;
}

static void
clear(struct judged *w)
{
	facts_clear(&w->f);
	memset((uint8_t *)w + TAIL, 0, sizeof(*w) - TAIL);
}

/* Returns where the steps begin. */
static const uint64_t *
unpack_all(struct judged *w, const uint64_t *in)
{
	in++;
	in += unpack_words((uint8_t *)w + TAIL, TAIL_WORDS, in);
	return in + facts_unpack(&w->f, in);
}

/* Returns false, and all is as before, if there is no memory. */
static bool
put_to_sleep(struct judged_table *t, struct judged *w)
{
	const struct ladder *l = &w->ladder;
	uint64_t *p = t->room;
	size_t n = 1;

	p[OWNS] = w->rules.parts != NULL || w->talk != NULL;
	n += pack_words(p + n, (const uint8_t *)w + TAIL, TAIL_WORDS);
	n += facts_pack(p + n, &w->f);
	p = malloc(n * sizeof(*p) + l->used);
	if (p == NULL) {
		(void)unpack_all(w, t->room);
		return false;
	}
	memcpy(p, t->room, n * sizeof(*p));
	if (l->used > 0)
		memcpy(p + n, l->bytes, l->used);
	w->slot->asleep = p;
	w->slot->awake = NULL;
	ladder_fini(&w->ladder);
	memset((uint8_t *)w + TAIL, 0, sizeof(*w) - TAIL);
	make_spare(t, w);
	return true;
}

void
judged_rest(struct judged_table *t, struct judged *w)
{
	t->lately[w->place] = false;
	if (t->count > JUDGED_AWAKE)
		(void)put_to_sleep(t, w);
}

/* Puts one to sleep that was not asked for lately. */
static bool
make_room(struct judged_table *t)
{
	struct judged *w;

	for (;;) {
		t->hand = (t->hand + 1) % t->nawake;
		w = t->awake[t->hand];
		if (w->slot == NULL || t->hand == t->last)
			continue;
		if (!t->lately[t->hand])
			return put_to_sleep(t, w);
		t->lately[t->hand] = false;
	}
}

/* A spare one, or NULL. */
static struct judged *
take_room(struct judged_table *t)
{
	struct judged *w;

	if (t->nspare == 0 && t->nawake < JUDGED_AWAKE) {
		w = calloc(1, sizeof(*w));
		if (w == NULL)
			return NULL;
		w->place = t->nawake;
		t->awake[t->nawake++] = w;
		return w;
	}
	if (t->nspare == 0 && !make_room(t))
		return NULL;
	return t->awake[t->spare[--t->nspare]];
}

/* It is cold, and read from the first line to the last. */
static void
expect(const uint64_t *packed)
{
	for (unsigned i = 0; i < EXPECTED; i += 8)
		__builtin_prefetch(packed + i);
}

static struct judged *
wake(struct judged_table *t, struct judged_slot *s)
{
	const uint64_t *steps;
	struct judged *w;

	expect(s->asleep);
	w = take_room(t);
	if (w == NULL)
		return NULL;
	steps = unpack_all(w, s->asleep);
	if (!ladder_restore(&w->ladder, (const uint8_t *)steps)) {
		clear(w);
		make_spare(t, w);
		return NULL;
	}
	free(s->asleep);
	s->asleep = NULL;
	s->awake = w;
	w->slot = s;
	return w;
}

struct judged *
judged_wake(struct judged_table *t, struct judged_slot *s)
{
	struct judged *w = s->awake != NULL ? s->awake : wake(t, s);

	if (w != NULL)
		ask_for(t, w);
	return w;
}

/* ---- the table ---- */

static struct judged_slot *
find(const struct judged_table *t, uint64_t flow)
{
	struct judged_slot *s = *bucket_of(t, flow);

	while (s != NULL && s->flow != flow)
		s = s->chain;
	return s;
}

struct judged *
judged_find(struct judged_table *t, uint64_t flow)
{
	struct judged_slot *s = find(t, flow);

	return s != NULL ? judged_wake(t, s) : NULL;
}

static void
list_remove(struct judged_table *t, struct judged_slot *s)
{
	*(s->older != NULL ? &s->older->newer : &t->oldest) = s->newer;
	*(s->newer != NULL ? &s->newer->older : &t->newest) = s->older;
}

static void
list_append(struct judged_table *t, struct judged_slot *s)
{
	s->newer = NULL;
	s->older = t->newest;
	*(s->older != NULL ? &s->older->newer : &t->oldest) = s;
	t->newest = s;
}

void
judged_touch(struct judged_table *t, struct judged *w)
{
	if (w->slot == t->newest)
		return;
	list_remove(t, w->slot);
	list_append(t, w->slot);
}

static void
slot_remove(struct judged_table *t, struct judged_slot *s)
{
	struct judged_slot **at = bucket_of(t, s->flow);

	while (*at != NULL && *at != s)
		at = &(*at)->chain;
	if (*at != NULL)
		*at = s->chain;
	list_remove(t, s);
	t->count--;
	free(s);
}

void
judged_forget(struct judged_table *t, struct judged *w)
{
	struct judged_slot *s = w->slot;

	ladder_fini(&w->ladder);
	engine_flow_fini(&w->rules);
	free(w->talk);
	clear(w);
	make_spare(t, w);
	slot_remove(t, s);
}

/* One that cannot be woken for want of memory loses what its rules own. */
static void
forget_slot(struct judged_table *t, struct judged_slot *s)
{
	struct judged *w = s->awake;

	if (w == NULL && s->asleep[OWNS])
		w = judged_wake(t, s);
	if (w != NULL) {
		judged_forget(t, w);
		return;
	}
	free(s->asleep);
	slot_remove(t, s);
}

void
judged_fini(struct judged_table *t)
{
	while (t->oldest != NULL)
		forget_slot(t, t->oldest);
	for (uint32_t i = 0; i < t->nawake; i++)
		free(t->awake[i]);
	free(t->bucket);
	free(t->room);
}

static bool
open_slot(struct judged_table *t, const struct obs *o)
{
	struct judged_slot *s = malloc(sizeof(*s)), **b;
	struct judged *w = take_room(t);

	if (s == NULL || w == NULL) {
		free(s);
		if (w != NULL)
			make_spare(t, w);
		return false;
	}
	facts_begin(&w->f, o);
	w->slot = s;
	ask_for(t, w);
	b = bucket_of(t, o->flow);
	*s = (struct judged_slot){.chain = *b, .flow = o->flow, .awake = w};
	*b = s;
	list_append(t, s);
	t->count++;
	return true;
}

unsigned
judged_open(struct judged_table *t, const struct obs *o)
{
	struct judged_slot *s = find(t, o->flow);
	struct judged *w = s != NULL ? judged_wake(t, s) : NULL;
	unsigned gone = 0;

	if (w != NULL && w->f.who.public_id == o->u.flow_open.public_id)
		return 0;
	if (s != NULL)
		forget_slot(t, s);
	if (t->count >= t->max) {
		forget_slot(t, t->oldest);
		gone++;
	}
	return gone + !open_slot(t, o);
}

/* At most: all that can be known of all of them. */
struct table_use
judged_use(const struct judged_table *t)
{
	uint64_t base =
	    t->nbuckets * sizeof(void *) + table_alloc(ROOM * sizeof(*t->room));
	uint64_t each = table_alloc(sizeof(struct judged_slot)) +
			table_alloc(ROOM * sizeof(uint64_t));
	struct table_use use =
	    table_use(t->count, t->max, sizeof(struct judged_slot), base);

	use.max_bytes = base + t->max * each +
			JUDGED_AWAKE * table_alloc(sizeof(struct judged));
	use.bytes += t->nawake * table_alloc(sizeof(struct judged));
	for (const struct judged_slot *s = t->oldest; s != NULL; s = s->newer) {
		if (s->asleep != NULL)
			use.bytes += table_held(s->asleep);
		if (s->awake != NULL)
			use.bytes += table_held(s->awake->ladder.bytes);
	}
	return use;
}
