/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When there is no room, the flow that was silent for longest goes. */
#include "rules/judged.h"

#include <stdlib.h>

static struct judged **
bucket_of(const struct judged_table *t, uint64_t flow)
{
	uint64_t h = flow * UINT64_C(0x9e3779b97f4a7c15);

	return &t->bucket[h >> 32 & (t->nbuckets - 1)];
}

int
judged_init(struct judged_table *t, uint32_t max)
{
	t->max = max != 0 ? max : JUDGED_MAX;
	t->nbuckets = 1;
	while (t->nbuckets < t->max && t->nbuckets < JUDGED_MAX)
		t->nbuckets *= 2;
	t->bucket = calloc(t->nbuckets, sizeof(struct judged *));
	return t->bucket != NULL ? 0 : -1;
}

void
judged_fini(struct judged_table *t)
{
	while (t->oldest != NULL)
		judged_forget(t, t->oldest);
	free(t->bucket);
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
	if (w->older != NULL)
		w->older->newer = w->newer;
	else
		t->oldest = w->newer;
	if (w->newer != NULL)
		w->newer->older = w->older;
	else
		t->newest = w->older;
}

static void
list_append(struct judged_table *t, struct judged *w)
{
	w->newer = NULL;
	w->older = t->newest;
	if (w->older != NULL)
		w->older->newer = w;
	else
		t->oldest = w;
	t->newest = w;
}

void
judged_touch(struct judged_table *t, struct judged *w)
{
	list_remove(t, w);
	list_append(t, w);
}

void
judged_forget(struct judged_table *t, struct judged *w)
{
	struct judged **at = bucket_of(t, w->f.flow);

	while (*at != NULL && *at != w)
		at = &(*at)->chain;
	if (*at != NULL)
		*at = w->chain;
	list_remove(t, w);
	t->count--;
	ladder_fini(&w->ladder);
	engine_flow_fini(&w->rules);
	free(w->talk);
	free(w);
}

unsigned
judged_open(struct judged_table *t, const struct obs *o)
{
	struct judged *w = judged_find(t, o->flow), **b;
	unsigned gone = 0;

	if (w != NULL && w->f.who.public_id == o->u.flow_open.public_id)
		return 0;
	if (w != NULL)
		judged_forget(t, w);
	if (t->count >= t->max) {
		judged_forget(t, t->oldest);
		gone++;
	}
	if ((w = calloc(1, sizeof(*w))) == NULL)
		return gone + 1;
	facts_init(&w->f, o);
	b = bucket_of(t, o->flow);
	w->chain = *b;
	*b = w;
	list_append(t, w);
	t->count++;
	return gone;
}
