/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What was learned of servers and pairs: two bounded tables of the same make.
 * Entries are in an index and in one of two lists by last use: young ones
 * go first when room is needed, well-known ones (two days, ten sessions) only
 * when there are no young ones left, so that a flood of made-up servers cannot
 * wash out what a long time has taught. While a mark is set,
 * the state of each entry before its first change is kept, so that a whole
 * capture's lessons can be taken back.
 *
 * An answer "as of" a time before the last lesson is a copy cut down to what
 * can be told of that time: counters say how often, not when, so that of what
 * had begun by then one is certain, and more is not claimed.
 */
#include "rules/history.h"

#include <stdlib.h>
#include <string.h>

#include "rules/hash_index.h"

#define OLD_SESSIONS 10
#define OLD_DAYS 2
/* Flows overlap, and timers tell late: what another flow taught a moment
 * "later" is no knowledge of the future. */
#define SLACK (60 * INT64_C(1000000000))

enum { YOUNG = 0, OLD, AGES };

/* What an entry was like at the mark: facts follow, or the key alone where
 * there was none. */
struct undo {
	struct undo *next;
	bool existed, was_dirty;
};

struct entry { /* facts follow */
	struct entry *older, *newer; /* list by last use */
	struct entry *before, *behind; /* among the dirty, first come first */
	uint32_t hash;
	uint8_t age; /* which list */
	bool dirty;
	bool saved; /* its state at the mark is kept */
};

struct table {
	struct hash_index index;
	struct entry **found; /* the last one asked for; or NULL */
	struct entry *oldest[AGES], *newest[AGES];
	struct entry *first_dirty, *last_dirty;
	struct undo *undo;
	uint64_t nundo, undo_bytes;
	size_t key_size, size; /* the key leads the facts */
	uint64_t count, max, evicted, ndirty;
	bool (*is_old)(const void *facts);
};

struct history {
	struct table servers, pairs;
	bool marked;
	struct pins *pins;
	struct server_facts *past_server; /* answers cut down */
	struct pair_facts *past_pair; /* [2], by of_network */
	struct entry **found; /* [2], of the tables */
	struct history_counters *counters;
};

static void *
facts_of(struct entry *e)
{
	return e + 1;
}

static void *
undo_facts(struct undo *u)
{
	return u + 1;
}

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

static void
table_init(struct table *t, size_t key_size, size_t size, uint64_t max)
{
	t->key_size = key_size;
	t->size = size;
	t->max = max;
}

/* ---- lists and chains ---- */

static void
list_remove(struct table *t, struct entry *e)
{
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		t->oldest[e->age] = e->newer;
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		t->newest[e->age] = e->older;
}

static void
list_append(struct table *t, struct entry *e)
{
	e->age = t->is_old(facts_of(e)) ? OLD : YOUNG;
	e->newer = NULL;
	e->older = t->newest[e->age];
	if (e->older != NULL)
		e->older->newer = e;
	else
		t->oldest[e->age] = e;
	t->newest[e->age] = e;
}

static void
set_dirty(struct table *t, struct entry *e)
{
	if (e->dirty)
		return;
	e->dirty = true;
	e->behind = NULL;
	e->before = t->last_dirty;
	*(e->before != NULL ? &e->before->behind : &t->first_dirty) = e;
	t->last_dirty = e;
	t->ndirty++;
}

static void
set_clean(struct table *t, struct entry *e)
{
	if (!e->dirty)
		return;
	e->dirty = false;
	*(e->before != NULL ? &e->before->behind : &t->first_dirty) = e->behind;
	*(e->behind != NULL ? &e->behind->before : &t->last_dirty) = e->before;
	t->ndirty--;
}

/* What differs most often, the end of the address: a look at it. */
static inline bool
is_near(const struct entry *e, const void *key)
{
	const size_t end = sizeof(struct addr) - sizeof(uint64_t);
	uint64_t a, b;

	memcpy(&a, (const uint8_t *)(e + 1) + end, sizeof(a));
	memcpy(&b, (const uint8_t *)key + end, sizeof(b));
	return a == b;
}

/* What is looked at is learned of next. */
static struct entry *
table_find(const struct table *t, const void *key)
{
	struct entry *e = *t->found;
	uint32_t h, at;

	if (e != NULL && is_near(e, key) &&
	    memcmp(e + 1, key, t->key_size) == 0)
		return e;
	h = at = key_hash(key, t->key_size);
	while ((e = hash_index_next(&t->index, h, &at)) != NULL)
		if (memcmp(e + 1, key, t->key_size) == 0)
			break;
	if (e != NULL)
		*t->found = e;
	return e;
}

/* Of all facts, or of the key. */
static struct entry *
table_insert(struct table *t, const void *facts, size_t size)
{
	struct entry *e = calloc(1, sizeof(*e) + t->size);

	if (e == NULL)
		return NULL;
	memcpy(facts_of(e), facts, size);
	e->hash = key_hash(facts, t->key_size);
	if (!hash_index_add(&t->index, e->hash, e)) {
		free(e);
		return NULL;
	}
	list_append(t, e);
	t->count++;
	return e;
}

static void
table_remove(struct table *t, struct entry *e)
{
	hash_index_remove(&t->index, e->hash, e);
	if (*t->found == e)
		*t->found = NULL;
	list_remove(t, e);
	t->count--;
	set_clean(t, e);
	free(e);
}

static void
table_fini(struct table *t)
{
	for (int age = YOUNG; age < AGES; age++)
		while (t->oldest[age] != NULL)
			table_remove(t, t->oldest[age]);
	hash_index_fini(&t->index);
}

/* ---- taking back ---- */

/* As it was at the mark. */
static inline bool
is_saved(const struct entry *e)
{
	return e != NULL && e->saved;
}

/* Keeps the state of key, which is not saved, before its first change since
 * the mark. Returns false if there is no memory: then the change is not made. */
static bool
undo_save(struct table *t, struct entry *e, const void *key)
{
	size_t size = e != NULL ? t->size : t->key_size;
	struct undo *u;

	u = malloc(sizeof(*u) + size);
	if (u == NULL)
		return false;
	memcpy(undo_facts(u), e != NULL ? facts_of(e) : key, size);
	t->undo_bytes += table_alloc(sizeof(*u) + size);
	u->existed = e != NULL;
	u->was_dirty = e != NULL && e->dirty;
	u->next = t->undo;
	t->undo = u;
	t->nundo++;
	if (e != NULL)
		e->saved = true;
	return true;
}

static void
undo_forget(struct table *t)
{
	struct undo *u;
	struct entry *e;

	while ((u = t->undo) != NULL) {
		t->undo = u->next;
		e = table_find(t, undo_facts(u));
		if (e != NULL)
			e->saved = false;
		free(u);
	}
	t->nundo = t->undo_bytes = 0;
}

/* Newest first: of two records of one key the older has the last word. */
static void
undo_apply(struct table *t)
{
	struct undo *u;
	struct entry *e;

	for (u = t->undo; u != NULL; u = u->next) {
		e = table_find(t, undo_facts(u));
		if (e != NULL)
			table_remove(t, e);
		if (!u->existed)
			continue;
		e = table_insert(t, undo_facts(u), t->size);
		if (e != NULL && u->was_dirty)
			set_dirty(t, e);
	}
	undo_forget(t);
}

/* ---- room ---- */

static bool
evict_one(struct table *t, bool marked)
{
	struct entry *e = t->oldest[YOUNG];

	if (e == NULL)
		e = t->oldest[OLD];
	if (e == NULL ||
	    (marked && !is_saved(e) && !undo_save(t, e, facts_of(e))))
		return false;
	table_remove(t, e);
	t->evicted++;
	return true;
}

static void *
table_touch(struct table *t, const void *key, bool marked)
{
	struct entry *e = table_find(t, key);

	if (marked && !is_saved(e) && !undo_save(t, e, key))
		return NULL;
	if (e == NULL) {
		if (t->count >= t->max && !evict_one(t, marked))
			return NULL;
		e = table_insert(t, key, t->key_size);
		if (e == NULL)
			return NULL;
		e->saved = marked;
	}
	list_remove(t, e);
	list_append(t, e);
	set_dirty(t, e);
	return facts_of(e);
}

/* ---- the module ---- */

struct history *
history_new(void)
{
	struct history *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	table_init(&h->servers, sizeof(struct server_key),
	    sizeof(struct server_facts), HISTORY_SERVERS_MAX);
	table_init(&h->pairs, sizeof(struct pair_key),
	    sizeof(struct pair_facts), HISTORY_PAIRS_MAX);
	h->servers.is_old = server_is_old;
	h->pairs.is_old = pair_is_old;
	h->pins = pins_new();
	h->past_server = calloc(1, sizeof(*h->past_server));
	h->past_pair = calloc(2, sizeof(*h->past_pair));
	h->found = calloc(2, sizeof(struct entry *));
	h->servers.found = h->found;
	h->pairs.found = h->found != NULL ? h->found + 1 : NULL;
	h->counters = calloc(1, sizeof(*h->counters));
	if (h->pins == NULL || h->past_server == NULL || h->past_pair == NULL ||
	    h->counters == NULL || h->found == NULL) {
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
	undo_forget(&h->servers);
	undo_forget(&h->pairs);
	table_fini(&h->servers);
	table_fini(&h->pairs);
	pins_free(h->pins);
	free(h->past_server);
	free(h->past_pair);
	free(h->found);
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
	struct entry *e = table_find(&h->servers, key);
	const struct server_facts *s;

	if (e == NULL)
		return NULL;
	s = facts_of(e);
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
	struct entry *e = table_find(&h->pairs, key);
	struct pair_facts *past = &h->past_pair[key->of_network != 0];
	const struct pair_facts *p;

	if (e == NULL)
		return NULL;
	p = facts_of(e);
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

/* Puts facts in as they are, clean; what is known already is replaced. */
static void
table_load(struct table *t, const void *facts)
{
	struct entry *e = table_find(t, facts);

	if (e != NULL)
		table_remove(t, e);
	else if (t->count >= t->max && !evict_one(t, false))
		return;
	(void)table_insert(t, facts, t->size);
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

static void
each_dirty(
    struct table *t, uint64_t max, void (*fn)(void *, const void *), void *ctx)
{
	struct entry *e = t->first_dirty;

	for (uint64_t n = 0; n < max && e != NULL; n++, e = e->behind)
		fn(ctx, facts_of(e));
}

static void
clean(struct table *t, uint64_t max)
{
	for (uint64_t n = 0; n < max && t->first_dirty != NULL; n++)
		set_clean(t, t->first_dirty);
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

void
history_each_dirty(struct history *h, uint64_t max,
    void (*server)(void *, const struct server_facts *),
    void (*pair)(void *, const struct pair_facts *), void *ctx)
{
	struct savers s = {server, pair, ctx};

	each_dirty(&h->servers, max, save_server, &s);
	each_dirty(&h->pairs, max, save_pair, &s);
}

void
history_saved(struct history *h, uint64_t max)
{
	clean(&h->servers, max);
	clean(&h->pairs, max);
}

uint64_t
history_dirty(const struct history *h)
{
	return h->servers.ndirty > h->pairs.ndirty ? h->servers.ndirty
						   : h->pairs.ndirty;
}

static void
each(const struct table *t, void (*fn)(void *, const void *), void *ctx)
{
	for (int age = YOUNG; age < AGES; age++)
		for (struct entry *e = t->oldest[age]; e != NULL; e = e->newer)
			fn(ctx, facts_of(e));
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
	struct entry *e = table_find(&h->servers, key), *next;
	unsigned n = e != NULL;

	if (e != NULL)
		table_remove(&h->servers, e);
	for (int age = YOUNG; age < AGES; age++)
		for (e = h->pairs.oldest[age]; e != NULL; e = next) {
			const struct pair_facts *p = facts_of(e);

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
	undo_forget(&h->servers);
	undo_forget(&h->pairs);
	h->marked = true;
}

void
history_keep(struct history *h)
{
	undo_forget(&h->servers);
	undo_forget(&h->pairs);
	h->marked = false;
}

void
history_drop(struct history *h)
{
	undo_apply(&h->servers);
	undo_apply(&h->pairs);
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
	struct table_use use = table_use(
	    t->count, t->max, sizeof(struct entry) + t->size, sizeof(*t));

	use.bytes += hash_index_size(t->count);
	use.max_bytes += hash_index_size(t->max);
	return use;
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
