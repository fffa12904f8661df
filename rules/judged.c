/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When there is no room, the flow that was silent for longest goes.
 */
#include "rules/judged.h"

#include <stdlib.h>

#include "rules/judged_rest.h"

#define REST_AT_ONCE 8 /* flows, 1 us each */

static struct judged_link **
bucket_of(const struct judged_table *t, uint64_t flow)
{
	/* Numbers are given in order, from where each worker begins: so are
	 * the buckets of flows that begin together, and in the cache. */
	uint64_t h = flow + (flow >> 40) * 0x9e37;

	return &t->bucket[h & (t->nbuckets - 1)];
}

int
judged_init(struct judged_table *t, uint32_t max, int64_t rest)
{
	t->max = max != 0 ? max : JUDGED_MAX;
	t->rest_after = rest != 0 ? rest : JUDGED_REST;
	t->nbuckets = 1;
	while (t->nbuckets < t->max && t->nbuckets < JUDGED_MAX)
		t->nbuckets *= 2;
	t->bucket = calloc(t->nbuckets, sizeof(struct judged_link *));
	t->rest = judged_rest_new();
	blocks_init(&t->blocks);
	return t->bucket != NULL && t->rest != NULL ? 0 : -1;
}

struct judged_link *
judged_find(const struct judged_table *t, uint64_t flow)
{
	struct judged_link *l = *bucket_of(t, flow);

	while (l != NULL && judged_number(l) != flow)
		l = l->chain;
	return l;
}

static void
list_remove(struct judged_table *t, struct judged_link *l)
{
	*(l->older != NULL ? &l->older->newer : &t->oldest) = l->newer;
	*(l->newer != NULL ? &l->newer->older : &t->newest) = l->older;
	if (t->tired == l)
		t->tired = l->newer;
}

static void
list_append(struct judged_table *t, struct judged_link *l)
{
	l->newer = NULL;
	l->older = t->newest;
	*(l->older != NULL ? &l->older->newer : &t->oldest) = l;
	t->newest = l;
	if (t->tired == NULL)
		t->tired = l;
}

static struct judged_link **
chain_to(const struct judged_table *t, const struct judged_link *l)
{
	struct judged_link **at = bucket_of(t, judged_number(l));

	while (*at != l)
		at = &(*at)->chain;
	return at;
}

/* In all that leads to it; *l has its place already. */
static void
take_place(
    struct judged_table *t, struct judged_link *l, const struct judged_link *of)
{
	*chain_to(t, of) = l;
	*(l->older != NULL ? &l->older->newer : &t->oldest) = l;
	*(l->newer != NULL ? &l->newer->older : &t->newest) = l;
}

void
judged_touch(struct judged_table *t, struct judged *w)
{
	if (&w->link == t->newest) {
		if (t->tired == NULL) /* it was woken */
			t->tired = &w->link;
		return;
	}
	list_remove(t, &w->link);
	list_append(t, &w->link);
}

__attribute__((always_inline)) static inline void
free_awake(struct judged_table *t, struct judged *w)
{
	ladder_fini(&w->ladder, &t->blocks);
	if (w->rules.bits != NULL || w->rules.parts != NULL)
		engine_flow_fini(&w->rules);
	if (w->talk != NULL)
		free(w->talk);
	facts_fini(&w->f, &t->blocks);
	blocks_put(&t->blocks, w, sizeof(*w));
}

void
judged_forget(struct judged_table *t, struct judged_link *l)
{
	*chain_to(t, l) = l->chain;
	list_remove(t, l);
	t->count--;
	if (judged_rests(l))
		judged_drop(t, l);
	else
		free_awake(t, (struct judged *)l);
}

void
judged_fini(struct judged_table *t)
{
	while (t->oldest != NULL)
		judged_forget(t, t->oldest);
	free(t->bucket);
	blocks_fini(&t->blocks);
	judged_rest_free(t->rest);
}

/* ---- rest ---- */

struct judged *
judged_wake(struct judged_table *t, struct judged_link *l)
{
	struct judged *w;

	if (!judged_rests(l))
		return (struct judged *)l;
	w = judged_unpack(t, l);
	if (w == NULL) {
		judged_forget(t, l);
		return NULL;
	}
	w->link = *l;
	w->link.flow = judged_number(l);
	take_place(t, &w->link, l);
	judged_drop(t, l);
	return w;
}

/* Times of captures also step back. */
static bool
is_idle(const struct judged_table *t, int64_t since)
{
	return since >= t->rest_after || since <= -t->rest_after;
}

/* Rarely, and with much to save on the stack: not within who asks. */
__attribute__((noinline)) void
judged_let_rest(struct judged_table *t, int64_t now)
{
	struct judged_link *l;

	for (unsigned i = 0; i < REST_AT_ONCE && t->tired != NULL; i++) {
		struct judged *w = (struct judged *)t->tired;

		if (!is_idle(t, now - w->f.last))
			break;
		t->tired = w->link.newer;
		l = judged_pack(t, w);
		if (l == NULL)
			continue;
		take_place(t, l, &w->link);
		free_awake(t, w);
	}
}

/* ---- come and go ---- */

static bool
open_flow(struct judged_table *t, const struct obs *o)
{
	struct judged *w = blocks_get(&t->blocks, sizeof(*w));
	struct judged_link **b;

	if (w == NULL)
		return false;
	facts_begin(&w->f, o);
	w->ladder = (struct ladder){.n = 0};
	w->talk = NULL;
	w->incident = 0;
	w->alerts = 0;
	w->rules = (struct engine_flow){.parts = NULL};
	b = bucket_of(t, o->flow);
	w->link.flow = o->flow;
	w->link.chain = *b;
	*b = &w->link;
	list_append(t, &w->link);
	t->count++;
	return true;
}

__attribute__((noinline)) unsigned
judged_open(struct judged_table *t, const struct obs *o)
{
	struct judged_link *l;
	struct judged *w;
	unsigned gone;

	if ((o->flow & JUDGED_RESTS) != 0)
		return 1; /* of a worker that is not itself */
	l = judged_find(t, o->flow);
	w = l != NULL ? judged_wake(t, l) : NULL;
	gone = l != NULL && w == NULL;
	if (w != NULL && obs_flow_id(&w->f.who) == obs_flow_id(&o->u.flow_open))
		return gone;
	if (w != NULL)
		judged_forget(t, &w->link);
	if (t->count >= t->max) {
		judged_forget(t, t->oldest);
		gone++;
	}
	return gone + !open_flow(t, o);
}

/* At most: all that can be known of all of them. */
struct table_use
judged_use(const struct judged_table *t)
{
	uint64_t base = t->nbuckets * sizeof(struct judged_link *);
	uint64_t each = sizeof(struct judged) + FACTS_MAX + LADDER_BYTES_MAX;
	struct table_use use = {.entries = t->count, .max_entries = t->max};

	for (const struct judged_link *l = t->oldest; l != NULL; l = l->newer) {
		const struct judged *w = (const struct judged *)l;

		if (judged_rests(l))
			continue;
		use.bytes += table_held(w->talk);
		use.bytes += table_held(w->rules.parts);
		use.bytes += table_held(w->rules.bits);
	}
	use.bytes += base + blocks_use(&t->blocks) + judged_rest_held();
	use.max_bytes = base + blocks_most(t->max * each + judged_rest_bytes());
	return use;
}
