/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was learned of servers and pairs: two bounded tables of the same make
 * (history_table.h).
 *
 * An answer "as of" a time before the last lesson is a copy cut down to what
 * can be told of that time: counters say how often, not when, so that of what
 * had begun by then one is certain, and more is not claimed.
 */
#include "rules/history.h"

#include <stdlib.h>
#include <string.h>

#include "rules/history_table.h"
#include "rules/pair_rest.h"

#define OLD_SESSIONS 10
#define OLD_DAYS 2
/* Flows overlap, and timers tell late: what another flow taught a moment
 * "later" is no knowledge of the future. */
#define SLACK (60 * INT64_C(1000000000))

struct history {
	struct table servers, pairs;
	bool marked;
	struct pins *pins;
	struct server_facts *past_server; /* answers cut down */
	struct pair_facts *past_pair; /* [2], by of_network */
	struct history_counters *counters;
};

static bool
server_is_old(const void *facts)
{
	const struct server_facts *s = facts;

	return s->days >= OLD_DAYS || s->sessions >= OLD_SESSIONS;
}

static bool
pair_is_old(const void *facts)
{
	const struct pair_facts *p = facts;

	return p->tls_days >= OLD_DAYS || p->tls + p->clear >= OLD_SESSIONS ||
	       p->offered + p->not_offered >= OLD_SESSIONS;
}

/* ---- the module ---- */

static int
init_tables(struct history *h)
{
	h->servers = (struct table){.key_size = sizeof(struct server_key),
	    .size = sizeof(struct server_facts),
	    .max = HISTORY_SERVERS_MAX,
	    .is_old = server_is_old};
	h->pairs = (struct table){.key_size = sizeof(struct pair_key),
	    .size = sizeof(struct pair_facts),
	    .max = HISTORY_PAIRS_MAX,
	    .is_old = pair_is_old};
	return table_init(&h->servers, NULL) == 0 &&
		       table_init(&h->pairs, &pair_packing) == 0
		   ? 0
		   : -1;
}

struct history *
history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->pins = pins_new();
	h->past_server = calloc(1, sizeof(*h->past_server));
	h->past_pair = calloc(2, sizeof(*h->past_pair));
	h->counters = calloc(1, sizeof(*h->counters));
	if (init_tables(h) == -1 || h->pins == NULL || h->past_server == NULL ||
	    h->past_pair == NULL || h->counters == NULL) {
		history_free(h);
		return NULL;
	}
	return h;
}

void
history_limit(struct history *h, uint32_t servers, uint32_t pairs)
{
	h->servers.max = servers != 0 ? servers : HISTORY_SERVERS_MAX;
	h->pairs.max = pairs != 0 ? pairs : HISTORY_PAIRS_MAX;
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	table_fini(&h->servers);
	table_fini(&h->pairs);
	pins_free(h->pins);
	free(h->past_server);
	free(h->past_pair);
	free(h->counters);
	free(h);
}

/* One, where something had begun by `now`, else none. */
static uint32_t
begun(int64_t first, uint32_t count, int64_t now)
{
	return count != 0 && first <= now ? 1 : 0;
}

/* What was pending is told again: what is known of it came later. */
static void
cut_stacks(struct server_facts *s, int64_t now)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->nstacks && i < HISTORY_STACKS; i++) {
		struct known_stack *k = &s->stacks[kept];

		if (s->stacks[i].first > now || s->stacks[i].pending)
			continue;
		*k = s->stacks[i];
		if (k->last > now) {
			k->last = now;
			k->sessions = 1;
		}
		kept++;
	}
	s->nstacks = (uint8_t)kept;
}

static void
cut_certs(struct server_facts *s, int64_t now)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++) {
		if (s->certs[i].first > now)
			continue;
		s->certs[kept] = s->certs[i];
		if (s->certs[kept].last > now)
			s->certs[kept].last = now;
		kept++;
	}
	s->ncerts = (uint8_t)kept;
}

static void
cut_server(struct server_facts *s, int64_t now)
{
	s->last = now;
	s->sessions = s->days = 1;
	s->offered = begun(s->first_offer, s->offered, now);
	s->offered_days = s->offered;
	s->tls_done = begun(s->first_tls, s->tls_done, now);
	if (s->last_offer > now)
		s->last_offer = s->offered ? s->first_offer : 0;
	if (s->last_absence > now) {
		s->last_absence = 0;
		s->not_offered = 0;
	}
	if (s->absence.since > now)
		memset(&s->absence, 0, sizeof(s->absence));
	s->mechs_safe = s->mechs_safe != 0;
	s->mechs_clear_only = s->mechs_clear_only != 0;
	cut_certs(s, now);
	cut_stacks(s, now);
	s->tickets_taken = s->tickets_refused = 0;
}

const struct server_facts *
history_server(
    const struct history *h, const struct server_key *key, int64_t now)
{
	struct history_entry *e = table_find(&h->servers, key);
	const struct server_facts *s;

	if (e == NULL)
		return NULL;
	s = e->facts;
	if (s->first > now)
		return NULL;
	if (s->last <= now + SLACK)
		return s;
	*h->past_server = *s;
	cut_server(h->past_server, now);
	return h->past_server;
}

const struct server_facts *
history_named(const struct history *h, const struct server_key *key,
    const char *name, int64_t now)
{
	const struct server_facts *s;
	struct server_key of_name;

	if (name[0] == '\0' || !server_key_of_name(&of_name, key, name))
		return NULL;
	s = history_server(h, &of_name, now);
	return s != NULL && server_name_is(s->host, name) ? s : NULL;
}

const struct pair_facts *
history_pair(const struct history *h, const struct pair_key *key, int64_t now)
{
	struct history_entry *e = table_find(&h->pairs, key);
	struct pair_facts *past = &h->past_pair[key->of_network != 0];
	const struct pair_facts *p;

	if (e == NULL)
		return NULL;
	p = e->facts;
	if (p->first > now)
		return NULL;
	if (p->last <= now + SLACK)
		return p;
	*past = *p;
	past->last = now;
	past->tls = past->tls_days = p->tls != 0;
	past->clear = p->tls == 0 && p->clear != 0;
	past->tls_failed_then_clear = 0;
	past->offered = p->offered != 0;
	past->not_offered = p->offered == 0 && p->not_offered != 0;
	if (p->absence.since > now)
		memset(&past->absence, 0, sizeof(p->absence));
	return past;
}

struct server_facts *
history_touch_server(struct history *h, const struct server_key *key)
{
	return table_touch(&h->servers, key, h->marked);
}

struct pair_facts *
history_touch_pair(struct history *h, const struct pair_key *key)
{
	return table_touch(&h->pairs, key, h->marked);
}

void
history_load_server(struct history *h, const struct server_facts *s)
{
	table_load(&h->servers, s);
}

void
history_load_pair(struct history *h, const struct pair_facts *p)
{
	table_load(&h->pairs, p);
}

void
history_each_dirty(struct history *h, uint64_t max,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct history_entry *), void *ctx)
{
	const struct history_entry *e = h->servers.first_dirty;

	for (uint64_t n = 0; n < max && e != NULL; n++, e = e->behind)
		server(ctx, e->facts);
	e = h->pairs.first_dirty;
	for (uint64_t n = 0; n < max && e != NULL; n++, e = e->behind)
		pair(ctx, e);
}

const struct pair_facts *
history_entry_pair(const struct history *h, const struct history_entry *e)
{
	return table_facts(&h->pairs, e);
}

void
history_saved(struct history *h, uint64_t max)
{
	table_clean(&h->servers, max);
	table_clean(&h->pairs, max);
}

uint64_t
history_dirty(const struct history *h)
{
	return h->servers.ndirty > h->pairs.ndirty ? h->servers.ndirty
						   : h->pairs.ndirty;
}

struct savers {
	void (*server)(void *, const struct server_facts *);
	void (*pair)(void *, const struct pair_facts *);
	void *ctx;
};

static void
save_server(void *ctx, const void *facts)
{
	const struct savers *s = ctx;

	s->server(s->ctx, facts);
}

static void
save_pair(void *ctx, const void *facts)
{
	const struct savers *s = ctx;

	s->pair(s->ctx, facts);
}

static void
each(const struct table *t, void (*fn)(void *, const void *), void *ctx)
{
	for (int age = AGE_YOUNG; age < AGES; age++)
		for (const struct history_entry *e = t->oldest[age]; e != NULL;
		     e = e->newer)
			fn(ctx, table_facts(t, e));
}

void
history_each(const struct history *h,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct pair_facts *), void *ctx)
{
	struct savers s = {server, pair, ctx};

	if (server != NULL)
		each(&h->servers, save_server, &s);
	if (pair != NULL)
		each(&h->pairs, save_pair, &s);
}

/* ---- the operator's part ---- */

struct pins *
history_pins(const struct history *h)
{
	return h->pins;
}

unsigned
history_forget(struct history *h, const struct server_key *key)
{
	struct history_entry *e = table_find(&h->servers, key), *next;
	unsigned n = e != NULL;

	if (e != NULL)
		table_remove(&h->servers, e);
	for (int age = AGE_YOUNG; age < AGES; age++)
		for (e = h->pairs.oldest[age]; e != NULL; e = next) {
			const struct pair_facts *p = table_facts(&h->pairs, e);

			next = e->newer;
			if (memcmp(&p->key.server, key, sizeof(*key)) != 0)
				continue;
			table_remove(&h->pairs, e);
			n++;
		}
	return n;
}

void
history_accept(struct server_facts *s, int64_t now)
{
	s->not_offered += s->absence.sessions;
	if (s->absence.last > s->last_absence)
		s->last_absence = s->absence.last;
	s->offered = s->offered_days = 0;
	s->first_offer = s->last_offer = 0;
	s->tls_done = 0;
	s->first_tls = 0;
	s->logindisabled = 0;
	s->changed = now;
	memset(&s->absence, 0, sizeof(s->absence));
	memset(s->members, 0, sizeof(s->members));
}

unsigned
history_accept_stacks(struct server_facts *s)
{
	unsigned n = 0;

	for (unsigned i = 0; i < s->nstacks && i < HISTORY_STACKS; i++) {
		n += s->stacks[i].pending != 0;
		s->stacks[i].pending = s->stacks[i].contradicted = 0;
	}
	return n;
}

void
history_accept_network(struct pair_facts *p)
{
	p->not_offered += p->absence.sessions;
	p->offered = 0;
	memset(&p->absence, 0, sizeof(p->absence));
}

/* ---- taking back, from outside ---- */

void
history_mark(struct history *h)
{
	table_undo_forget(&h->servers);
	table_undo_forget(&h->pairs);
	h->marked = true;
}

void
history_keep(struct history *h)
{
	table_undo_forget(&h->servers);
	table_undo_forget(&h->pairs);
	h->marked = false;
}

void
history_drop(struct history *h)
{
	table_undo(&h->servers);
	table_undo(&h->pairs);
	h->marked = false;
}

const struct history_counters *
history_counters(const struct history *h)
{
	h->counters->servers = h->servers.count;
	h->counters->pairs = h->pairs.count;
	h->counters->evicted_servers = h->servers.evicted;
	h->counters->evicted_pairs = h->pairs.evicted;
	h->counters->max_servers = h->servers.max;
	h->counters->max_pairs = h->pairs.max;
	return h->counters;
}

static struct table_use
use_of(const struct table *t)
{
	return (struct table_use){.entries = t->count,
	    .max_entries = t->max,
	    .bytes = table_bytes(t),
	    .max_bytes = table_bytes_most(t)};
}

void
history_memory(const struct history *h, struct history_memory *out)
{
	out->servers = use_of(&h->servers);
	out->pairs = use_of(&h->pairs);
	out->pins = pins_use(h->pins);
	out->undo =
	    (struct table_use){.entries = h->servers.nundo + h->pairs.nundo,
		.bytes = h->servers.undo_bytes + h->pairs.undo_bytes};
}

static void
count_known(void *ctx, const struct server_facts *s)
{
	struct history_knowledge *k = ctx;

	if (server_is_old(s))
		k->well++;
	else if (s->sessions > 1)
		k->some++;
	else
		k->once++;
	if (k->first == 0 || s->first < k->first)
		k->first = s->first;
}

static void
count_no_pair(void *ctx, const struct pair_facts *p)
{
	(void)ctx;
	(void)p;
}

void
history_knowledge(const struct history *h, struct history_knowledge *out)
{
	memset(out, 0, sizeof(*out));
	history_each(h, count_known, count_no_pair, out);
}
