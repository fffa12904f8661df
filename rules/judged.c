/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * When there is no room, the flow that was silent for longest goes.
 */
#include "rules/judged.h"

#include <stdlib.h>
#include <string.h>

static struct judged **
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
	t->bucket = calloc(t->nbuckets, sizeof(struct judged *));
	blocks_init(&t->blocks);
	return t->bucket != NULL ? 0 : -1;
}

struct judged *
judged_find(const struct judged_table *t, uint64_t flow)
{
	struct judged *w = *bucket_of(t, flow);

	while (w != NULL && w->f.flow != flow)
		w = w->chain;
	return w;
}

static void
list_remove(struct judged_table *t, struct judged *w)
{
	*(w->older != NULL ? &w->older->newer : &t->oldest) = w->newer;
	*(w->newer != NULL ? &w->newer->older : &t->newest) = w->older;
}

static void
list_append(struct judged_table *t, struct judged *w)
{
	w->newer = NULL;
	w->older = t->newest;
	*(w->older != NULL ? &w->older->newer : &t->oldest) = w;
	t->newest = w;
}

void
judged_touch(struct judged_table *t, struct judged *w)
{
	if (w == t->newest)
		return;
	list_remove(t, w);
	list_append(t, w);
}

void
judged_forget(struct judged_table *t, struct judged *w)
{
	struct judged **at = bucket_of(t, w->f.flow);

	while (*at != w)
		at = &(*at)->chain;
	*at = w->chain;
	list_remove(t, w);
	t->count--;
	ladder_fini(&w->ladder, &t->blocks);
	if (w->rules.bits != NULL || w->rules.parts != NULL)
		engine_flow_fini(&w->rules);
	if (w->talk != NULL)
		free(w->talk);
	facts_fini(&w->f, &t->blocks);
	blocks_put(&t->blocks, w, sizeof(*w));
}

void
judged_fini(struct judged_table *t)
{
	while (t->oldest != NULL)
		judged_forget(t, t->oldest);
	free(t->bucket);
	blocks_fini(&t->blocks);
}

static bool
open_flow(struct judged_table *t, const struct obs *o)
{
	struct judged *w = blocks_get(&t->blocks, sizeof(*w)), **b;

	if (w == NULL)
		return false;
	facts_begin(&w->f, o);
	memset(&w->ladder, 0, sizeof(*w) - offsetof(struct judged, ladder));
	b = bucket_of(t, o->flow);
	w->chain = *b;
	*b = w;
	list_append(t, w);
	t->count++;
	return true;
}

__attribute__((noinline)) unsigned
judged_open(struct judged_table *t, const struct obs *o)
{
	struct judged *w = judged_find(t, o->flow);
	unsigned gone = 0;

	if (w != NULL && obs_flow_id(&w->f.who) == obs_flow_id(&o->u.flow_open))
		return 0;
	if (w != NULL)
		judged_forget(t, w);
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
	uint64_t base = t->nbuckets * sizeof(struct judged *);
	uint64_t each = sizeof(struct judged) + FACTS_MAX + LADDER_BYTES_MAX;
	struct table_use use = {.entries = t->count, .max_entries = t->max};

	for (const struct judged *w = t->oldest; w != NULL; w = w->newer) {
		use.bytes += table_held(w->talk);
		use.bytes += table_held(w->rules.parts);
		use.bytes += table_held(w->rules.bits);
	}
	use.bytes += base + blocks_use(&t->blocks);
	use.max_bytes = base + blocks_most(t->max * each);
	return use;
}
