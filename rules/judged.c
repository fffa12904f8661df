/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When there is no room, the flow that was silent for longest goes. A flow
 * asleep is the words of struct judged from f on, then those of its steps.
 */
#include "rules/judged.h"

#include <stdlib.h>
#include <string.h>

#include "decoders/pack.h"

#define BODY offsetof(struct judged, f)
#define BODY_WORDS ((sizeof(struct judged) - BODY) / 8)
#define STEP_WORDS (sizeof(struct step) / 8)
#define ROOM (PACK_ROOM(BODY_WORDS) + PACK_ROOM(LADDER_STEPS * STEP_WORDS))

_Static_assert(BODY % 8 == 0 && sizeof(struct judged) % 8 == 0, "words");
_Static_assert(sizeof(struct step) % 8 == 0, "words");

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
warm_remove(struct judged_table *t, struct judged *w)
{
	*(w->colder != NULL ? &w->colder->warmer : &t->coldest) = w->warmer;
	*(w->warmer != NULL ? &w->warmer->colder : &t->warmest) = w->colder;
	t->nawake--;
}

static void
warm_append(struct judged_table *t, struct judged *w)
{
	w->warmer = NULL;
	w->colder = t->warmest;
	*(w->colder != NULL ? &w->colder->warmer : &t->coldest) = w;
	t->warmest = w;
	t->nawake++;
}

/* Returns false, and all is as before, if there is no memory. */
static bool
put_to_sleep(struct judged_table *t, struct judged *w)
{
	size_t n = pack_words(t->room, (const uint8_t *)w + BODY, BODY_WORDS);
	uint64_t *p;

	if (w->ladder.n > 0)
		n += pack_words(
		    t->room + n, w->ladder.step, w->ladder.n * STEP_WORDS);
	p = malloc(n * sizeof(*p));
	if (p == NULL)
		return false;
	memcpy(p, t->room, n * sizeof(*p));
	w->slot->asleep = p;
	w->slot->awake = NULL;
	w->slot->owns = w->rules.parts != NULL || w->talk != NULL;
	free(w->ladder.step);
	warm_remove(t, w);
	return true;
}

/* A struct judged to fill: the coldest one's, when there are enough. */
static struct judged *
take_room(struct judged_table *t)
{
	struct judged *w = t->spare;

	if (w != NULL) {
		t->spare = w->colder;
		return w;
	}
	w = t->coldest;
	if (t->nawake >= JUDGED_AWAKE && put_to_sleep(t, w))
		return w;
	return malloc(sizeof(*w));
}

static void
give_room(struct judged_table *t, struct judged *w)
{
	w->colder = t->spare;
	t->spare = w;
}

void
judged_rest(struct judged_table *t, struct judged *w)
{
	if (put_to_sleep(t, w))
		give_room(t, w);
}

static struct judged *
wake(struct judged_table *t, struct judged_slot *s)
{
	struct judged *w = take_room(t);
	size_t used;

	if (w == NULL)
		return NULL;
	used = unpack_words((uint8_t *)w + BODY, BODY_WORDS, s->asleep);
	if (w->ladder.n > 0) {
		w->ladder.step = malloc(w->ladder.room * sizeof(struct step));
		if (w->ladder.step == NULL) {
			give_room(t, w);
			return NULL;
		}
		(void)unpack_words(
		    w->ladder.step, w->ladder.n * STEP_WORDS, s->asleep + used);
	}
	free(s->asleep);
	s->asleep = NULL;
	s->awake = w;
	w->slot = s;
	warm_append(t, w);
	return w;
}

struct judged *
judged_wake(struct judged_table *t, struct judged_slot *s)
{
	if (s->awake == NULL)
		return wake(t, s);
	if (s->awake != t->warmest) {
		warm_remove(t, s->awake);
		warm_append(t, s->awake);
	}
	return s->awake;
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
	warm_remove(t, w);
	give_room(t, w);
	slot_remove(t, s);
}

/* One that cannot be woken for want of memory loses what its rules own. */
static void
forget_slot(struct judged_table *t, struct judged_slot *s)
{
	struct judged *w = s->awake;

	if (w == NULL && s->owns)
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
	struct judged *w;

	while (t->oldest != NULL)
		forget_slot(t, t->oldest);
	while ((w = t->spare) != NULL) {
		t->spare = w->colder;
		free(w);
	}
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
			give_room(t, w);
		return false;
	}
	memset((uint8_t *)w + BODY, 0, sizeof(*w) - BODY);
	facts_init(&w->f, o);
	w->slot = s;
	warm_append(t, w);
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
	for (const struct judged *w = t->spare; w != NULL; w = w->colder)
		use.bytes += table_alloc(sizeof(*w));
	for (const struct judged_slot *s = t->oldest; s != NULL; s = s->newer) {
		if (s->asleep != NULL)
			use.bytes += table_held(s->asleep);
		if (s->awake == NULL)
			continue;
		use.bytes += table_alloc(sizeof(*s->awake)) +
			     table_held(s->awake->ladder.step);
	}
	return use;
}
