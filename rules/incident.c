/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The open incidents: a list by last use, and two indexes to the incidents that
 * hold it: from the hash of each server and server's name, which few incidents
 * share, and from that of each client, which may be in all of them. What an
 * incident holds is incident_fill.c's; here is which one an alert joins, and
 * when they end.
 *
 * Taking back (incidents_drop) works by copy on first touch: what is changed
 * after mark() leaves its old state behind, what is new is marked as such.
 */
#include "rules/incident_fill.h"

#include <stdlib.h>
#include <string.h>

#include "rules/hash_index.h"

#define NS_PER_S INT64_C(1000000000)
#define BUCKETS 16384 /* power of two: a client may be in many incidents */
#define PLACES_MAX (INCIDENT_SERVERS + 1)

struct link { /* a client of an incident */
	struct link *chain, *next;
	struct link **at; /* what points to it in its chain */
	struct open *o;
	uint32_t hash;
};

struct open {
	struct open *older, *newer;
	struct link *links;
	uint32_t nlinked, linked[INCIDENT_HOSTS]; /* the hashes of these */
	uint32_t nplaces, place[PLACES_MAX]; /* of servers and name, likewise */
	struct incident *before; /* at mark(); NULL: not touched since */
	bool fresh; /* made since mark() */
	struct incident i;
};

struct peeked { /* the alert that was looked at, NULL none, and what for it */
	const struct alert *a;
	int64_t time;
	uint64_t flow;
	uint16_t finding;
	struct open *o;
};

struct incidents {
	struct incidents_config cfg;
	struct incidents_counters n;
	struct open *oldest, *newest; /* by last use */
	struct open *ended; /* since mark(), by `newer` */
	uint32_t nended; /* of these */
	struct hash_index places; /* servers and names */
	struct link *bucket[BUCKETS]; /* clients */
	int64_t last_id;
	int64_t due; /* nothing ends before */
	struct peeked peeked;
	struct open *told; /* whose event waits for tell() */
	enum incident_event event;
};

struct incidents *
incidents_new(const struct incidents_config *cfg)
{
	struct incidents *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	in->cfg = *cfg;
	incidents_configure(in, cfg);
	in->due = INT64_MAX;
	return in;
}

void
incidents_configure(struct incidents *in, const struct incidents_config *cfg)
{
	struct incidents_config *c = &in->cfg;

	c->window =
	    cfg->window != 0 ? cfg->window : INCIDENT_WINDOW_S * NS_PER_S;
	c->repeat =
	    cfg->repeat != 0 ? cfg->repeat : INCIDENT_REPEAT_S * NS_PER_S;
	c->fold_after = cfg->fold_after != 0 ? cfg->fold_after : INCIDENT_FOLD;
	in->due = 0; /* ends may be due earlier than they were */
}

/* ---- the index ---- */

static struct link **
bucket_of(struct incidents *in, uint32_t hash)
{
	return &in->bucket[hash >> 8 & (BUCKETS - 1)];
}

static bool
has_hash(const uint32_t *list, uint32_t n, uint32_t hash)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i] == hash)
			return true;
	return false;
}

/* Without memory it is not found by this one. */
static void
add_place(struct incidents *in, struct open *o, uint32_t hash)
{
	if (o->nplaces == PLACES_MAX || has_hash(o->place, o->nplaces, hash))
		return;
	if (hash_index_add(&in->places, hash, o))
		o->place[o->nplaces++] = hash;
}

/* Known not by the chain: a host that is attacked everywhere is in every
 * incident. */
static void
add_link(struct incidents *in, struct open *o, uint32_t hash)
{
	struct link **b = bucket_of(in, hash), *l;

	if (o->nlinked == INCIDENT_HOSTS ||
	    has_hash(o->linked, o->nlinked, hash) ||
	    (l = malloc(sizeof(*l))) == NULL)
		return;
	l->hash = hash;
	l->o = o;
	l->at = b;
	l->chain = *b;
	if (l->chain != NULL)
		l->chain->at = &l->chain;
	*b = l;
	l->next = o->links;
	o->links = l;
	o->linked[o->nlinked++] = hash;
}

static void
unlink_all(struct incidents *in, struct open *o)
{
	for (struct link *l = o->links, *next; l != NULL; l = next) {
		next = l->next;
		*l->at = l->chain;
		if (l->chain != NULL)
			l->chain->at = l->at;
		free(l);
	}
	o->links = NULL;
	o->nlinked = 0;
	while (o->nplaces > 0)
		hash_index_remove(&in->places, o->place[--o->nplaces], o);
}

/* fn of each that has a host of this hash, client or server, once. */
static void
each_with(struct incidents *in, uint32_t hash,
    void (*fn)(struct incidents *in, struct open *o, void *ctx), void *ctx)
{
	uint32_t at = hash;
	struct open *o;

	while ((o = hash_index_next(&in->places, hash, &at)) != NULL)
		fn(in, o, ctx);
	for (struct link *l = *bucket_of(in, hash); l != NULL; l = l->chain)
		if (l->hash == hash &&
		    !has_hash(l->o->place, l->o->nplaces, hash))
			fn(in, l->o, ctx);
}

/* The hosts from these numbers on: those before are linked. */
static void
link_hosts(
    struct incidents *in, struct open *o, uint32_t client, uint32_t server)
{
	const struct incident *i = &o->i;

	for (uint32_t n = client; n < i->nclients; n++)
		add_link(in, o, i->client_hash[n]);
	for (uint32_t n = server; n < i->nservers; n++)
		add_place(in, o, incident_hash(&i->server[n]));
}

static void
link_all(struct incidents *in, struct open *o)
{
	link_hosts(in, o, 0, 0);
	if (o->i.name != 0)
		add_place(in, o, o->i.name);
}

/* ---- life ---- */

static void
list_remove(struct incidents *in, struct open *o)
{
	if (o->older != NULL)
		o->older->newer = o->newer;
	else
		in->oldest = o->newer;
	if (o->newer != NULL)
		o->newer->older = o->older;
	else
		in->newest = o->older;
}

static void
list_append(struct incidents *in, struct open *o)
{
	o->newer = NULL;
	o->older = in->newest;
	if (o->older != NULL)
		o->older->newer = o;
	else
		in->oldest = o;
	in->newest = o;
}

static void
open_free(struct open *o)
{
	free(o->before);
	free(o);
}

static void
tell(
    const struct incidents *in, const struct incident *i, enum incident_event e)
{
	if (in->cfg.event != NULL)
		in->cfg.event(in->cfg.ctx, i, e);
}

/* Before the first change since mark(). */
static void
touch(struct open *o)
{
	if (o->fresh || o->before != NULL)
		return;
	o->before = malloc(sizeof(*o->before));
	if (o->before != NULL)
		memcpy(o->before, &o->i, sizeof(o->i));
}

/* What was found for an alert is not to be relied on any more. */
static void
changes(struct incidents *in)
{
	in->peeked.a = NULL;
}

static void
end(struct incidents *in, struct open *o, enum incident_end why)
{
	changes(in);
	touch(o);
	o->i.state = INCIDENT_ENDED;
	o->i.end_reason = (uint8_t)why;
	unlink_all(in, o);
	list_remove(in, o);
	o->newer = in->ended;
	in->ended = o;
	in->nended++;
	in->n.open--;
	in->n.ended++;
	if (in->told == o)
		in->told = NULL;
	tell(in, &o->i, INCIDENT_CLOSED);
}

static struct open *
open_new(struct incidents *in)
{
	struct open *o = calloc(1, sizeof(*o));

	if (o == NULL)
		return NULL;
	if (in->n.open >= INCIDENTS_MAX) {
		in->n.evicted++;
		end(in, in->oldest, INCIDENT_END_FULL);
	}
	list_append(in, o);
	in->n.open++;
	return o;
}

void
incidents_free(struct incidents *in)
{
	struct open *o;

	if (in == NULL)
		return;
	while ((o = in->oldest) != NULL) {
		in->oldest = o->newer;
		unlink_all(in, o);
		open_free(o);
	}
	while ((o = in->ended) != NULL) {
		in->ended = o->newer;
		open_free(o);
	}
	hash_index_fini(&in->places);
	free(in);
}

/* Times come from packets and databases, and may be anything. */
static int64_t
later(int64_t t, int64_t span)
{
	return t > INT64_MAX - span ? INT64_MAX : t + span;
}

static int64_t
earlier(int64_t t, int64_t span)
{
	return t < INT64_MIN + span ? INT64_MIN : t - span;
}

static __attribute__((noinline)) void
end_quiet(struct incidents *in, int64_t now)
{
	in->due = INT64_MAX;
	for (struct open *o = in->oldest, *next; o != NULL; o = next) {
		int64_t due = later(o->i.last, in->cfg.repeat + 1);

		next = o->newer;
		if (due <= now)
			end(in, o, INCIDENT_END_QUIET);
		else if (due < in->due)
			in->due = due;
	}
}

void
incidents_advance(struct incidents *in, int64_t now)
{
	if (now >= in->due)
		end_quiet(in, now);
}

void
incidents_close(struct incidents *in, int64_t id)
{
	for (struct open *o = in->oldest; o != NULL; o = o->newer)
		if (o->i.id == id) {
			end(in, o, INCIDENT_END_OPERATOR);
			return;
		}
}

/* ---- which one ---- */

enum rank {
	RANK_NONE = 0,
	RANK_CLIENT, /* the same client elsewhere, the same story */
	RANK_REPEAT, /* what it holds already, at the same server */
	RANK_SERVER, /* another client here, the same story */
	RANK_PAIR /* the same two */
};

static bool
within(const struct incidents *in, const struct incident *i, int64_t t,
    int64_t span)
{
	return t <= later(i->last, span) &&
	       t >= earlier(i->first, in->cfg.window);
}

struct search {
	const struct alert *a;
	const struct incident_known *k;
	uint32_t name; /* incident_name() */
	uint32_t client; /* incident_hash() */
	enum rank best;
	struct open *found;
};

static enum rank
rank_of(const struct incidents *in, const struct incident *i,
    const struct search *s)
{
	const struct incident_known *k = s->k;
	const struct alert *a = s->a;
	enum incident_story story = story_of(&a->finding);
	bool same = story == i->story, here, client;
	int64_t t = a->finding.time;

	if (!within(in, i, t, in->cfg.repeat))
		return RANK_NONE;
	here = incident_has_server(i, &a->flow.server) ||
	       (i->name != 0 && i->name == s->name);
	client = (i->more & MORE_CLIENTS) != 0 ||
		 (k->of_flow != NULL && *k->of_flow == i->id) ||
		 incident_has_client(i, &a->flow.client, s->client, k);
	if (within(in, i, t, in->cfg.window)) {
		if (here && client)
			return RANK_PAIR;
		if (here && same)
			return RANK_SERVER;
		if (client && same && story_is_interference(story))
			return RANK_CLIENT;
	}
	return here && i->count[a->finding.id].alerts != 0 ? RANK_REPEAT
							   : RANK_NONE;
}

static void
consider(struct incidents *in, struct open *o, void *ctx)
{
	struct search *s = ctx;
	enum rank r = rank_of(in, &o->i, s);

	/* of two alike, the older: the order of the index is chance */
	if (r > s->best ||
	    (r == s->best && r != RANK_NONE && o->i.id < s->found->i.id)) {
		s->best = r;
		s->found = o;
	}
}

static struct open *
find(
    struct incidents *in, const struct alert *a, const struct incident_known *k)
{
	struct search s = {a, k, incident_name(k),
	    incident_hash(&a->flow.client), RANK_NONE, NULL};

	if (in->n.open == 0)
		return NULL;
	each_with(in, incident_hash(&a->flow.server), consider, &s);
	if (s.name != 0)
		each_with(in, s.name, consider, &s);
	if (s.best == RANK_NONE)
		each_with(in, s.client, consider, &s);
	return s.found;
}

/* ---- alerts ---- */

static void
name_it(struct alert *a, const struct open *o, bool is_new)
{
	a->incident = o != NULL ? o->i.id : 0;
	a->incident_severity = o != NULL ? o->i.severity : 0;
	a->incident_new = is_new;
}

void
incidents_peek(
    struct incidents *in, struct alert *a, const struct incident_known *k)
{
	struct open *o = find(in, a, k);

	in->peeked = (struct peeked){
	    a, a->finding.time, a->finding.flow, a->finding.id, o};
	name_it(a, o, false);
}

/* What was found when it was looked at, if nothing has changed since. */
static struct open *
find_again(
    struct incidents *in, const struct alert *a, const struct incident_known *k)
{
	const struct peeked *p = &in->peeked;

	return p->a == a && p->time == a->finding.time &&
		       p->flow == a->finding.flow && p->finding == a->finding.id
		   ? p->o
		   : find(in, a, k);
}

static struct open *
begin(
    struct incidents *in, const struct alert *a, const struct incident_known *k)
{
	struct open *o = open_new(in);

	if (o == NULL)
		return NULL;
	o->fresh = true;
	in->last_id = in->cfg.new_id != NULL ? in->cfg.new_id(in->cfg.ctx)
					     : in->last_id + 1;
	in->n.opened++;
	incident_begin(&o->i, in->last_id, a, k);
	return o;
}

static void
expect_end(struct incidents *in, const struct open *o)
{
	int64_t due = later(o->i.last, in->cfg.repeat + 1);

	if (due < in->due)
		in->due = due;
}

bool
incidents_add(
    struct incidents *in, struct alert *a, const struct incident_known *k)
{
	struct open *o = find_again(in, a, k);
	bool is_new = o == NULL, pass;
	uint32_t clients, servers;
	uint8_t severity;

	changes(in);
	if (is_new && a->severity < SEV_MEDIUM) {
		name_it(a, NULL, false);
		return true;
	}
	if (is_new && (o = begin(in, a, k)) == NULL)
		return true; /* no memory: it stands alone */
	touch(o);
	severity = o->i.severity;
	clients = o->i.nclients;
	servers = o->i.nservers;
	pass = incident_fill(&o->i, a, k, in->cfg.fold_after);
	in->n.folded += !pass;
	if (is_new)
		link_all(in, o);
	else
		link_hosts(in, o, clients, servers);
	list_remove(in, o);
	list_append(in, o);
	expect_end(in, o);
	name_it(a, o, is_new);
	in->told = o;
	in->event = is_new		       ? INCIDENT_OPENED
		    : o->i.severity > severity ? INCIDENT_WORSE
					       : INCIDENT_NOTHING;
	return pass;
}

void
incidents_tell(struct incidents *in)
{
	struct open *o = in->told;

	in->told = NULL;
	if (o != NULL && in->event != INCIDENT_NOTHING)
		tell(in, &o->i, in->event);
}

static void
add_fine(struct incidents *in, struct open *o, void *ctx)
{
	const struct facts *f = *(const struct facts *const *)ctx;

	if (!within(in, &o->i, f->last, in->cfg.window))
		return;
	touch(o);
	incident_fine(&o->i, f);
}

void
incidents_fine(struct incidents *in, const struct facts *f)
{
	if (in->n.open == 0)
		return;
	changes(in);
	each_with(in, incident_hash(&f->who.server), add_fine, &f);
}

/* ---- keeping and taking back ---- */

/* Whoever looks at a capture finds in its alerts what it holds, whatever came
 * before in others. */
void
incidents_mark(struct incidents *in)
{
	incidents_keep(in);
	for (struct open *o = in->oldest; o != NULL; o = o->newer)
		for (unsigned id = 0; id < FIND_COUNT; id++)
			o->i.count[id].raised = 0;
}

void
incidents_keep(struct incidents *in)
{
	struct open *o;

	while ((o = in->ended) != NULL) {
		in->ended = o->newer;
		open_free(o);
	}
	in->nended = 0;
	for (o = in->oldest; o != NULL; o = o->newer) {
		free(o->before);
		o->before = NULL;
		o->fresh = false;
	}
	in->told = NULL;
}

static void
forget(struct incidents *in, struct open *o)
{
	unlink_all(in, o);
	list_remove(in, o);
	in->n.open--;
	open_free(o);
}

/* As it was at mark(). */
static void
restore(struct incidents *in, struct open *o)
{
	unlink_all(in, o);
	memcpy(&o->i, o->before, sizeof(o->i));
	free(o->before);
	o->before = NULL;
	link_all(in, o);
	expect_end(in, o);
}

void
incidents_drop(struct incidents *in)
{
	struct open *o, *next;

	changes(in);
	while ((o = in->ended) != NULL) {
		in->ended = o->newer;
		list_append(in, o);
		in->n.open++;
		in->n.ended--;
	}
	in->nended = 0;
	for (o = in->oldest; o != NULL; o = next) {
		next = o->newer;
		if (o->fresh)
			forget(in, o);
		else if (o->before != NULL)
			restore(in, o);
	}
	in->told = NULL;
}

void
incidents_each_dirty(struct incidents *in,
    void (*fn)(void *ctx, const struct incident *i), void *ctx)
{
	for (struct open *o = in->ended; o != NULL; o = o->newer)
		fn(ctx, &o->i);
	for (struct open *o = in->oldest; o != NULL; o = o->newer)
		if (o->fresh || o->before != NULL)
			fn(ctx, &o->i);
}

void
incidents_each(const struct incidents *in,
    void (*fn)(void *ctx, const struct incident *i), void *ctx)
{
	for (const struct open *o = in->oldest; o != NULL; o = o->newer)
		fn(ctx, &o->i);
}

int
incidents_load(struct incidents *in, const struct incident *i)
{
	struct open *o = open_new(in);

	changes(in);
	if (o == NULL)
		return -1;
	memcpy(&o->i, i, sizeof(*i));
	incident_hash_all(&o->i);
	link_all(in, o);
	expect_end(in, o);
	if (i->id > in->last_id)
		in->last_id = i->id;
	return 0;
}

const struct incidents_counters *
incidents_counters(struct incidents *in)
{
	return &in->n;
}

/* An incident that changed leaves a copy of itself until it is kept. */
struct table_use
incidents_use(const struct incidents *in)
{
	struct table_use use = table_use(0, INCIDENTS_MAX,
	    sizeof(struct open) + sizeof(struct incident), sizeof(*in));

	for (const struct open *o = in->oldest; o != NULL; o = o->newer) {
		use.entries++;
		use.bytes += table_alloc(sizeof(*o));
		if (o->before != NULL)
			use.bytes += table_alloc(sizeof(*o->before));
		for (const struct link *l = o->links; l != NULL; l = l->next)
			use.bytes += table_alloc(sizeof(*l));
	}
	use.bytes += in->nended * table_alloc(sizeof(struct open)) +
		     hash_index_size(in->places.n);
	use.max_bytes +=
	    INCIDENTS_MAX *
		(table_alloc(sizeof(struct open)) +
		    INCIDENT_HOSTS * table_alloc(sizeof(struct link))) +
	    hash_index_size(INCIDENTS_MAX * PLACES_MAX);
	return use;
}
