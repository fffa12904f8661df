/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Recent events between two hosts: a hash table with a list by last use, with
 * as much room for each pair as has happened between them. The key is the two
 * addresses alone: TLS that breaks on 993 and a password that follows on 143
 * are one story (C10).
 */
#include "rules/pair.h"

#include <stdlib.h>
#include <string.h>

struct key {
	struct addr client, server;
};

struct pair_entry {
	struct pair_entry *chain, *older, *newer;
	struct key key;
	struct pair_recent recent;
	struct pair_story story;
};

struct pairs {
	struct pair_entry **bucket, *oldest, *newest;
	uint32_t nbuckets, count, max;
	uint64_t evicted;
	int64_t now; /* pairs_begin() */
	struct blocks blocks; /* what entries are made of */
};

static void expire(struct pair_recent *, int64_t);

/* FNV-1a over words of 64 bits. What tells hosts of one network apart are the
 * uppermost bits of a word, which a product moves no further down: the last
 * step brings them there. */
static uint32_t
hash(const struct key *k)
{
	uint64_t word[sizeof(*k) / sizeof(uint64_t)];
	uint64_t h = UINT64_C(14695981039346656037);

	memcpy(word, k, sizeof(word));
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		h = (h ^ word[i]) * UINT64_C(1099511628211);
		h ^= h >> 32;
	}
	return (uint32_t)(h * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static struct key
key_of(const struct obs_flow *who)
{
	struct key k = {who->client, who->server};

	return k;
}

static struct pair_entry **
bucket_of(struct pairs *p, const struct key *k)
{
	return &p->bucket[hash(k) & (p->nbuckets - 1)];
}

struct pairs *
pairs_new(uint32_t max)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->max = max != 0 ? max : PAIRS_MAX;
	p->nbuckets = 1;
	while (p->nbuckets < p->max && p->nbuckets < PAIRS_MAX)
		p->nbuckets *= 2;
	p->bucket = calloc(p->nbuckets, sizeof(struct pair_entry *));
	if (p->bucket == NULL) {
		free(p);
		return NULL;
	}
	blocks_init(&p->blocks);
	return p;
}

static void
list_remove(struct pairs *p, struct pair_entry *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		p->oldest = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		p->newest = e->older;
}

static void
list_append(struct pairs *p, struct pair_entry *e)
{
	e->newer = NULL;
	e->older = p->newest;
	if (e->older != NULL)
		e->older->newer = e;
	else
		p->oldest = e;
	p->newest = e;
}

static void
remove_entry(struct pairs *p, struct pair_entry *e)
{
	struct pair_entry **at = bucket_of(p, &e->key);

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	list_remove(p, e);
	p->count--;
	ladder_fini(&e->story.tail, &p->blocks);
	blocks_put(&p->blocks, e->recent.events,
	    e->recent.room_events * sizeof(struct pair_event));
	blocks_put(&p->blocks, e->recent.uses,
	    e->recent.room_uses * sizeof(struct pair_use));
	blocks_put(&p->blocks, e, sizeof(*e));
}

void
pairs_free(struct pairs *p)
{
	if (p == NULL)
		return;
	while (p->oldest != NULL)
		remove_entry(p, p->oldest);
	blocks_fini(&p->blocks);
	free(p->bucket);
	free(p);
}

static struct pair_entry *
find(struct pairs *p, const struct obs_flow *who)
{
	struct pair_entry *e;
	struct key k;

	if (p->count == 0)
		return NULL;
	k = key_of(who);
	for (e = *bucket_of(p, &k); e != NULL; e = e->chain)
		if (memcmp(&e->key, &k, sizeof(k)) == 0)
			return e;
	return NULL;
}

static struct pair_entry *
touch(struct pairs *p, const struct obs_flow *who)
{
	struct pair_entry *e = find(p, who), **b;

	if (e == NULL) {
		e = blocks_get(&p->blocks, sizeof(*e));
		if (e == NULL)
			return NULL;
		memset(e, 0, sizeof(*e));
		if (p->count >= p->max) {
			remove_entry(p, p->oldest);
			p->evicted++;
		}
		e->key = key_of(who);
		b = bucket_of(p, &e->key);
		e->chain = *b;
		*b = e;
		p->count++;
	} else {
		list_remove(p, e);
		expire(&e->recent, p->now);
		if (e->recent.nevents == 0 && e->recent.nuses == 0) {
			ladder_fini(&e->story.tail, &p->blocks);
			memset(&e->story, 0, sizeof(e->story));
		}
	}
	list_append(p, e);
	return e;
}

static bool
is_stale(int64_t then, int64_t now)
{
	return then < now - PAIR_WINDOW;
}

static void
drop_event(struct pair_recent *r, unsigned i)
{
	r->nevents--;
	memmove(&r->events[i], &r->events[i + 1],
	    (r->nevents - i) * sizeof(r->events[0]));
}

static void
drop_use(struct pair_recent *r, unsigned i)
{
	r->nuses--;
	memmove(
	    &r->uses[i], &r->uses[i + 1], (r->nuses - i) * sizeof(r->uses[0]));
}

static void
expire(struct pair_recent *r, int64_t now)
{
	for (unsigned i = r->nevents; i-- > 0;)
		if (is_stale(r->events[i].time, now))
			drop_event(r, i);
	for (unsigned i = r->nuses; i-- > 0;)
		if (is_stale(r->uses[i].at.time, now))
			drop_use(r, i);
}

void
pairs_begin(struct pairs *p, int64_t now)
{
	p->now = now;
}

const struct pair_recent *
pairs_recent(struct pairs *p, const struct obs_flow *who, int64_t now)
{
	struct pair_entry *e = find(p, who);

	if (e == NULL)
		return NULL;
	expire(&e->recent, now);
	if (e->recent.nevents == 0 && e->recent.nuses == 0) {
		remove_entry(p, e);
		return NULL;
	}
	return &e->recent;
}

/* A list of n things of that size with room for one more: it is there, or
 * another is made. NULL: no memory. */
static void *
one_more(struct blocks *b, void *list, unsigned n, uint8_t *room, size_t size)
{
	unsigned more = *room + 1u;
	void *p;

	if (n < *room)
		return list;
	p = blocks_get(b, more * size);
	if (p == NULL)
		return NULL;
	if (n > 0)
		memcpy(p, list, n * size);
	blocks_put(b, list, *room * size);
	*room = (uint8_t)more;
	return p;
}

void
pairs_note_event(
    struct pairs *p, const struct obs_flow *who, const struct pair_event *ev)
{
	struct pair_entry *e = touch(p, who);
	struct pair_event *events;
	struct pair_recent *r;

	if (e == NULL)
		return;
	r = &e->recent;
	for (unsigned i = r->nevents; i-- > 0;)
		if (r->events[i].flow == ev->flow &&
		    r->events[i].finding == ev->finding &&
		    r->events[i].how == ev->how)
			return;
	if (r->nevents == PAIR_EVENTS)
		drop_event(r, 0);
	events = one_more(&p->blocks, r->events, r->nevents, &r->room_events,
	    sizeof(*events));
	if (events == NULL)
		return;
	r->events = events;
	r->events[r->nevents++] = *ev;
}

/* The first use of a connection is what counts; credentials add to it. */
void
pairs_note_use(
    struct pairs *p, const struct obs_flow *who, const struct pair_use *use)
{
	struct pair_entry *e = touch(p, who);
	struct pair_use *uses;
	struct pair_recent *r;

	if (e == NULL)
		return;
	r = &e->recent;
	for (unsigned i = r->nuses; i-- > 0;) {
		if (r->uses[i].flow != use->flow)
			continue;
		r->uses[i].auth |= use->auth;
		return;
	}
	if (r->nuses == PAIR_USES)
		drop_use(r, 0);
	uses = one_more(
	    &p->blocks, r->uses, r->nuses, &r->room_uses, sizeof(*uses));
	if (uses == NULL)
		return;
	r->uses = uses;
	r->uses[r->nuses++] = *use;
}

void
pairs_note_tls(struct pairs *p, const struct facts *f)
{
	struct pair_entry *e = find(p, &f->who);
	struct pair_event *ev;

	if (e == NULL)
		return;
	for (unsigned i = 0; i < e->recent.nevents; i++) {
		ev = &e->recent.events[i];
		if (ev->flow == f->flow ||
		    (ev->proto == f->proto && ev->time <= f->who.start))
			ev->told = 1;
	}
}

void
pairs_told(struct pairs *p, const struct obs_flow *who, int64_t now)
{
	struct pair_entry *e = find(p, who);

	if (e == NULL)
		return;
	for (unsigned i = 0; i < e->recent.nevents; i++)
		if (e->recent.events[i].time <= now)
			e->recent.events[i].told = 1;
	for (unsigned i = 0; i < e->recent.nuses; i++)
		if (e->recent.uses[i].at.time <= now)
			e->recent.uses[i].told = 1;
}

void
pairs_note_story(struct pairs *p, const struct obs_flow *who, uint64_t flow,
    const struct ladder *l)
{
	struct pair_entry *e = find(p, who);

	if (e == NULL)
		return;
	e->story.flow = flow;
	e->story.client_port = who->client_port;
	e->story.server_port = who->server_port;
	ladder_tail(&e->story.tail, &p->blocks, l, PAIR_STEPS);
}

const struct pair_story *
pairs_story(struct pairs *p, const struct obs_flow *who)
{
	struct pair_entry *e;

	if (pairs_recent(p, who, p->now) == NULL)
		return NULL;
	e = find(p, who);
	return e != NULL && e->story.tail.n > 0 ? &e->story : NULL;
}

uint64_t
pairs_evicted(const struct pairs *p)
{
	return p->evicted;
}

struct table_use
pairs_use(const struct pairs *p)
{
	uint64_t buckets = p->nbuckets * sizeof(struct pair_entry *);
	uint64_t each = sizeof(struct pair_entry) +
			PAIR_EVENTS * sizeof(struct pair_event) +
			PAIR_USES * sizeof(struct pair_use) +
			PAIR_STEPS * sizeof(struct step);

	return (struct table_use){.entries = p->count,
	    .max_entries = p->max,
	    .bytes = buckets + blocks_use(&p->blocks),
	    .max_bytes = buckets + blocks_most(p->max * each)};
}
