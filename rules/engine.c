/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What follows when a rule matches, findings, and the change to other rules.
 */
#include "rules/engine_private.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/words.h"

/* ---- measuring ---- */

uint64_t
engine_clock(const struct engine *e)
{
	struct timespec t;

	if (e->cost == NULL || clock_gettime(CLOCK_MONOTONIC, &t) == -1)
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void
engine_spent(
    struct engine *e, const struct rule *r, uint64_t since, bool matched)
{
	struct engine_cost *c;
	uint64_t ns;

	if (e->cost == NULL)
		return;
	c = &e->cost[r - e->set->rules];
	ns = engine_clock(e) - since;
	c->checks++;
	c->ns += ns;
	if (ns > c->max_ns)
		c->max_ns = ns;
	if (matched) {
		c->matches++;
		c->match_ns += ns;
	}
}

/* ---- bits ---- */

struct rule_state_key
engine_xbit_key(
    const struct engine *e, const struct rule_bit *b, const struct sides *s)
{
	const struct addr *src = s->swapped ? &s->f->server : &s->f->client;
	const struct addr *dst = s->swapped ? &s->f->client : &s->f->server;
	struct rule_state_key k;
	bool first;

	memset(&k, 0, sizeof(k));
	/* ip_src and ip_dst of one name are one bit of a host, as in Suricata:
	 * set for a source it is there for the destination too */
	k.what = e->name_hash[b->name] ^ (b->host == TRACK_BY_BOTH ? 1 : 0);
	first = memcmp(src, dst, sizeof(*src)) <= 0;
	if (b->host == TRACK_BY_BOTH) {
		k.a = first ? *src : *dst;
		k.b = first ? *dst : *src;
	} else {
		k.a = b->host == TRACK_BY_SRC ? *src : *dst;
	}
	return k;
}

static void
set_flowbit(struct engine *e, struct engine_flow *f, const struct rule_bit *b)
{
	unsigned slot = e->slot[b->name];
	uint64_t bit = UINT64_C(1) << (slot % 64);

	if (f->bits == NULL && b->op != BIT_UNSET)
		f->bits = calloc(RULE_FLOWBITS_MAX / 64, sizeof(*f->bits));
	if (f->bits == NULL)
		return;
	if (b->op == BIT_SET)
		f->bits[slot / 64] |= bit;
	else if (b->op == BIT_UNSET)
		f->bits[slot / 64] &= ~bit;
	else
		f->bits[slot / 64] ^= bit;
}

static void
set_xbit(struct engine *e, const struct rule_bit *b, int64_t now,
    const struct sides *s)
{
	struct rule_state_key k = engine_xbit_key(e, b, s);
	bool on = b->op == BIT_SET;

	if (b->op == BIT_TOGGLE)
		on = !rule_xbit_is_set(e->states, &k, now);
	if (on)
		rule_xbit_set(e->states, &k, now, b->expire);
	else
		rule_xbit_unset(e->states, &k);
}

static void
set_bits(struct engine *e, const struct rule *r,
    const struct engine_about *about, const struct sides *s)
{
	for (unsigned i = 0; i < r->nbits; i++) {
		if (r->bits[i].op >= BIT_ISSET)
			continue;
		if (r->bits[i].host == 0)
			set_flowbit(e, about->flow, &r->bits[i]);
		else
			set_xbit(e, &r->bits[i], about->now, s);
	}
}

/* ---- limits and filters ---- */

static const struct addr *
source(const struct sides *s)
{
	return s->swapped ? &s->f->server : &s->f->client;
}

static const struct addr *
destination(const struct sides *s)
{
	return s->swapped ? &s->f->client : &s->f->server;
}

static bool
hit(struct engine *e, const struct rule *r, const struct rule_limit *lim,
    const struct sides *s, int64_t now)
{
	struct rule_state_key k =
	    rule_state_key(r, lim, source(s), destination(s));

	return rule_limit_hit(e->states, lim, &k, now);
}

static bool
is_for_rule(const struct rule_filter *f, const struct rule *r)
{
	return (f->gid == 0 || f->gid == r->gid) &&
	       (f->sid == 0 || f->sid == r->sid);
}

static bool
is_for_hosts(const struct rule_filter *f, const struct sides *s)
{
	switch (f->track) {
	case TRACK_BY_SRC:
		return range_set_has(&f->ip, source(s));
	case TRACK_BY_DST:
		return range_set_has(&f->ip, destination(s));
	case TRACK_BY_EITHER:
		return range_set_has(&f->ip, source(s)) ||
		       range_set_has(&f->ip, destination(s));
	default:
		return true;
	}
}

struct verdict {
	bool suppressed, rated, regraded;
	uint8_t action; /* enum rule_action */
	uint8_t severity;
	const struct rule_limit *limit; /* NULL: none */
};

/* A line for the very rule comes before one for all, and before the rule's own
 * threshold; one for all is for rules without. */
static void
take_limit(struct verdict *v, const struct rule *r, const struct rule_filter *f,
    bool *by_name)
{
	if (f->sid == r->sid) {
		*by_name = true;
		v->limit = &f->limit;
	} else if (!*by_name && r->threshold.type == LIMIT_NONE) {
		v->limit = &f->limit;
	}
}

static struct verdict
ask_filters(
    struct engine *e, const struct rule *r, const struct sides *s, int64_t now)
{
	const struct ruleset *set = e->set;
	struct verdict v = {.action = r->action,
	    .severity = r->severity,
	    .limit = r->threshold.type != LIMIT_NONE ? &r->threshold : NULL};
	bool by_name = false;

	for (unsigned i = 0; i < set->nfilters; i++) {
		const struct rule_filter *f = &set->filters[i];

		if (!is_for_rule(f, r) || !is_for_hosts(f, s))
			continue;
		if (f->kind == FILTER_SUPPRESS) {
			v.suppressed = true;
		} else if (f->kind == FILTER_SEVERITY) {
			v.severity = f->severity;
			v.regraded = true;
		} else if (f->limit.type != LIMIT_RATE) {
			take_limit(&v, r, f, &by_name);
		} else if (hit(e, r, &f->limit, s, now)) {
			v.action = f->limit.new_action;
			v.rated = true;
		}
	}
	return v;
}

/* ---- the alert ---- */

static void
fill(struct alert *a, const struct rule *r, const struct sides *s)
{
	const char *msg = r->msg;

	if (msg[0] == '\0')
		msg = finding_info(a->finding.id)->title;
	a->sid = r->sid;
	a->gid = r->gid;
	a->rev = r->rev;
	a->target = 0;
	if (r->target != 0)
		a->target = (r->target == TRACK_BY_SRC) == s->swapped ? 2 : 1;
	words_copy(a->msg, sizeof(a->msg), msg);
	words_copy(a->classtype, sizeof(a->classtype), r->classtype);
	words_copy(a->category, sizeof(a->category), r->category);
	words_copy(a->reference, sizeof(a->reference), r->reference);
	words_copy(a->metadata, sizeof(a->metadata), r->metadata);
}

static void
tell(struct engine *e, const struct rule *r, const struct engine_about *about,
    struct alert *a, const struct sides *s)
{
	struct verdict v = ask_filters(e, r, s, about->now);

	e->n.rated += v.rated;
	e->n.suppressed += v.suppressed;
	if (v.suppressed || v.action == RULE_PASS)
		return;
	if (v.limit != NULL && !hit(e, r, v.limit, s, about->now)) {
		e->n.limited++;
		return;
	}
	e->n.regraded += v.regraded;
	fill(a, r, s);
	a->severity = v.action == RULE_LOG ? SEV_INFO : v.severity;
	e->n.alerts++;
	if (e->cost != NULL)
		e->cost[r - e->set->rules].alerts++;
	about->emit(about->ctx, a);
}

void
engine_matched(struct engine *e, const struct rule *r,
    const struct engine_about *about, struct alert *a, const struct sides *s)
{
	e->n.matched++;
	if (r->detection.type != LIMIT_NONE &&
	    !hit(e, r, &r->detection, s, about->now)) {
		e->n.filtered++;
		return;
	}
	set_bits(e, r, about, s);
	if (r->action == RULE_PASS)
		e->n.passed++;
	else if (!r->noalert)
		tell(e, r, about, a, s);
}

/* ---- findings ---- */

static bool
selects(struct engine *e, const struct rule *r,
    const struct engine_about *about, const struct alert *a, struct sides *s)
{
	uint64_t since = engine_clock(e);
	bool yes = match_finding(r, a) &&
		   match_hosts(r, &a->flow, false, &s->swapped) &&
		   match_history(r, about) && match_incident(r, a) &&
		   match_bits(e, r, about, s);

	engine_spent(e, r, since, yes);
	return yes;
}

unsigned
engine_finding(
    struct engine *e, const struct engine_about *about, struct alert *a)
{
	unsigned id = a->finding.id, n = 0;
	struct sides s = {&a->flow, false};

	if (id >= FIND_COUNT || e->set == NULL)
		return 0;
	if (about->flow->passed) {
		e->n.passed++;
		return 1;
	}
	for (unsigned i = e->set->first[id]; i < e->set->first[id + 1]; i++) {
		const struct rule *r = &e->set->rules[e->set->of[i]];

		if (!selects(e, r, about, a, &s))
			continue;
		n++;
		engine_matched(e, r, about, a, &s);
		if (r->action == RULE_PASS)
			break;
	}
	return n;
}

/* ---- the set ---- */

static uint64_t
hash_of(const char *name)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * UINT64_C(1099511628211);
	return h << 1;
}

static bool
is_in_set(const struct ruleset *set, const char *name)
{
	for (unsigned i = 0; i < set->nbits; i++)
		if (strcmp(set->bits[i], name) == 0)
			return true;
	return false;
}

/* Names that no rule has any more give their places back. */
static void
free_slots(struct engine *e)
{
	memset(e->stale, 0, sizeof(e->stale));
	for (unsigned i = 0; i < RULE_FLOWBITS_MAX; i++) {
		if (e->names[i] == NULL || is_in_set(e->set, e->names[i]))
			continue;
		free(e->names[i]);
		e->names[i] = NULL;
		e->stale[i / 64] |= UINT64_C(1) << (i % 64);
	}
}

/* The place of a name, which is there or free: names are as many at most. */
static uint16_t
slot_of(struct engine *e, const char *name)
{
	uint16_t unused = 0;

	for (uint16_t i = RULE_FLOWBITS_MAX; i-- > 0;) {
		if (e->names[i] == NULL)
			unused = i;
		else if (strcmp(e->names[i], name) == 0)
			return i;
	}
	e->names[unused] = strdup(name);
	return unused;
}

static void
clear_stale(struct engine *e, struct engine_flow *f)
{
	for (unsigned i = 0; f->bits != NULL && i < RULE_FLOWBITS_MAX / 64; i++)
		f->bits[i] &= ~e->stale[i];
}

/* -1: no memory; the engine is as it was. */
static int
set_room(struct engine *e, const struct ruleset *set)
{
	size_t looks = 1;
	unsigned *found;
	struct engine_cost *cost;

	for (unsigned i = 0; i < set->n; i++)
		looks += set->rules[i].nlooks;
	found = realloc(e->found, looks * sizeof(*found));
	if (found == NULL)
		return -1;
	e->found = found;
	if (e->cost == NULL)
		return 0;
	cost = calloc(set->n + 1, sizeof(*cost));
	if (cost == NULL)
		return -1;
	free(e->cost);
	e->cost = cost;
	return 0;
}

static int
use(struct engine *e, const struct ruleset *set)
{
	if (set_room(e, set) == -1)
		return -1;
	e->set = set;
	free_slots(e);
	for (unsigned i = 0; i < set->nbits; i++) {
		e->slot[i] = slot_of(e, set->bits[i]);
		e->name_hash[i] = hash_of(set->bits[i]);
	}
	return 0;
}

void
engine_use(struct engine *e, const struct ruleset *set,
    void (*each_flow)(void *ctx,
	void (*fn)(struct engine *, struct engine_flow *), struct engine *e),
    void *ctx)
{
	if (use(e, set) == -1)
		return;
	e->n.reloads++;
	each_flow(ctx, clear_stale, e);
}

struct engine *
engine_new(const struct ruleset *set, bool measure)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	e->states = rule_states_new(0);
	if (measure)
		e->cost = calloc(1, sizeof(*e->cost));
	if (e->states == NULL || (measure && e->cost == NULL) ||
	    (set != NULL && use(e, set) == -1)) {
		engine_free(e);
		return NULL;
	}
	return e;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	rule_states_free(e->states);
	for (unsigned i = 0; i < RULE_FLOWBITS_MAX; i++)
		free(e->names[i]);
	free(e->found);
	free(e->cost);
	free(e);
}

void
engine_flow_fini(struct engine_flow *f)
{
	free(f->bits);
	free(f->parts);
	f->bits = NULL;
	f->parts = NULL;
	f->nparts = f->cap = 0;
}

const struct engine_counters *
engine_counters(struct engine *e)
{
	e->n.states = rule_states_count(e->states);
	e->n.states_evicted = rule_states_evicted(e->states);
	return &e->n;
}

struct table_use
engine_states_use(const struct engine *e)
{
	return rule_states_use(e->states);
}

const struct engine_cost *
engine_costs(const struct engine *e)
{
	return e->cost;
}

const uint64_t *
engine_search_ns(const struct engine *e)
{
	return e->cost != NULL ? e->search_ns : NULL;
}
