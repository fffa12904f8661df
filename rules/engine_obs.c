/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules that look at buffers. One search finds the rules whose pattern is in
 * the bytes; only these, and the few without a pattern, are held against them.
 * A rule of several buffers matches while all of them hold, each for what was
 * seen of it last: what held and what did not is kept with the flow.
 */
#include "rules/engine_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 120 /* bytes of a buffer in the evidence */

struct looking {
	struct engine *e;
	const struct engine_about *about;
	const struct engine_seen *seen;
	unsigned call; /* how many buffers went before, of both passes */
};

bool
engine_wants(const struct engine *e, const struct obs *o)
{
	if (e->set == NULL || !e->set->looks)
		return false;
	switch (o->kind) {
	case OBS_LINE:
	case OBS_GREETING:
	case OBS_CAPS:
	case OBS_AUTH:
	case OBS_TLS_CLIENT_HELLO:
	case OBS_TLS_SERVER_HELLO:
	case OBS_TLS_CERT:
		return o->proto < PROTO_COUNT;
	default:
		return false;
	}
}

bool
engine_wants_history(const struct engine *e)
{
	return e->set->looks_back;
}

/* ---- parts of rules ---- */

static struct engine_part *
part_of(struct engine *e, struct engine_flow *f, uint64_t key)
{
	struct engine_part *p;

	for (unsigned i = 0; i < f->nparts; i++)
		if (f->parts[i].key == key)
			return &f->parts[i];
	if (f->nparts == ENGINE_PARTS_MAX) {
		e->n.parts_full++;
		return NULL;
	}
	if (f->nparts == f->cap) {
		uint8_t cap = f->cap == 0 ? 4 : (uint8_t)(f->cap * 2);

		p = realloc(f->parts, cap * sizeof(*p));
		if (p == NULL)
			return NULL;
		f->parts = p;
		f->cap = cap;
	}
	p = &f->parts[f->nparts++];
	*p = (struct engine_part){.key = key};
	return p;
}

/* Notes that this buffer of the rule holds; do all of them? */
static bool
all_hold(struct engine *e, struct engine_flow *f, const struct rule *r,
    unsigned look)
{
	struct engine_part *p;

	if (r->nlooks == 1)
		return true;
	p = part_of(e, f, r->key);
	if (p == NULL)
		return false;
	p->held |= (uint8_t)(1u << look);
	return p->held == (1u << r->nlooks) - 1;
}

static const struct rule *
rule_of_key(const struct ruleset *set, const struct rule_group *g, uint64_t key)
{
	unsigned n = g->npatterns > 0 ? g->first[g->npatterns] : 0;

	for (unsigned i = 0; i < n; i++)
		if (set->rules[g->rule[i] >> 3].key == key)
			return &set->rules[g->rule[i] >> 3];
	for (unsigned i = 0; i < g->nalways; i++)
		if (set->rules[g->always[i] >> 3].key == key)
			return &set->rules[g->always[i] >> 3];
	return NULL;
}

/* Something new was seen of a buffer: what held of it before is over. */
static void
begin_buffer(const struct engine *e, struct engine_flow *f,
    const struct rule_group *g, enum rule_buffer b)
{
	for (unsigned i = 0; i < f->nparts; i++) {
		const struct rule *r = rule_of_key(e->set, g, f->parts[i].key);

		for (unsigned k = 0; r != NULL && k < r->nlooks; k++)
			if (r->looks[k].buffer == b)
				f->parts[i].held &= (uint8_t) ~(1u << k);
	}
}

/* ---- the alert ---- */

/* The bytes as the observation without names has them. */
struct showing {
	enum rule_buffer buffer;
	unsigned want, n;
	char text[SHOWN_MAX + 8];
	bool found;
};

static void
show(void *ctx, enum rule_buffer b, struct slice bytes)
{
	struct showing *s = ctx;

	if (s->n++ != s->want || b != s->buffer)
		return;
	if (!obs_copy_string(s->text, SHOWN_MAX, bytes))
		(void)strcat(s->text, " ...");
	s->found = true;
}

static void
prepare(struct looking *l, enum rule_buffer b)
{
	struct engine *e = l->e;
	struct alert *a = l->about->alert;
	const struct obs *o = l->seen->shown;
	struct showing s = {.buffer = b, .want = l->call};
	const char *name = buffer_info(b)->name;

	memset(a, 0, sizeof(*a));
	finding_init(&a->finding, FIND_NONE, o);
	buffers_of(o, l->seen->verdict, show, &s);
	finding_add(&a->finding, 100, "%s was \"%s\"",
	    name[0] != '\0' ? name : "a line", s.found ? s.text : "");
	a->to_client = o->dir == DIR_S2C;
	l->about->prepare(l->about->ctx, a);
	e->prepared = true;
}

/* ---- one buffer ---- */

static void
on_pattern(void *ctx, unsigned pattern)
{
	struct engine *e = ctx;
	const struct rule_group *g = e->group;

	for (unsigned i = g->first[pattern]; i < g->first[pattern + 1]; i++)
		e->found[e->nfound++] = g->rule[i];
}

static const struct rule *
rule_of(const struct engine *e, unsigned ref)
{
	return &e->set->rules[ref >> 3];
}

static bool
holds(const struct looking *l, const struct rule *r, unsigned look,
    struct slice bytes, struct content_counters *n)
{
	const struct rule_look *k = &r->looks[look];
	const struct obs *o = l->seen->o;

	if (r->flow != 0 && (r->flow & 1u << o->dir) == 0 &&
	    buffer_info((enum rule_buffer)k->buffer)->kind == OBS_LINE)
		return false;
	return content_holds(
	    r->checks + k->first, k->n, k->transform, bytes, n);
}

/* What must hold besides the bytes. */
static bool
fits(struct looking *l, const struct rule *r, enum rule_buffer b,
    struct sides *s)
{
	const struct obs *o = l->seen->o;

	if (!match_proto(r, (enum proto)o->proto) ||
	    !match_visibility(r, o->vis) ||
	    !match_hosts(r, s->f, o->dir == DIR_S2C, &s->swapped) ||
	    !match_history(r, l->about) || !match_bits(l->e, r, l->about, s))
		return false;
	if (r->incident.asked && !l->e->prepared)
		prepare(l, b);
	return match_incident(r, l->about->alert);
}

static bool
hold_against(struct looking *l, unsigned ref, enum rule_buffer b,
    struct slice bytes, struct sides *s)
{
	struct engine *e = l->e;
	const struct rule *r = rule_of(e, ref);
	struct content_counters n = {0, 0};
	uint64_t since = engine_clock(e);
	bool yes = holds(l, r, ref & 7, bytes, &n) &&
		   all_hold(e, l->about->flow, r, ref & 7) && fits(l, r, b, s);

	e->n.content_steps += n.steps;
	e->n.pcre_limits += n.pcre_limits;
	engine_spent(e, r, since, yes);
	return yes;
}

static int
by_turn(const void *pa, const void *pb, void *ctx)
{
	const struct ruleset *set = ctx;
	unsigned a = *(const unsigned *)pa, b = *(const unsigned *)pb;
	int turn = set->rules[a >> 3].turn - set->rules[b >> 3].turn;

	if (turn != 0)
		return turn;
	return a < b ? -1 : a > b;
}

static void
search(struct engine *e, const struct rule_group *g, enum rule_buffer b,
    struct slice bytes)
{
	const struct rule_group *from = g->same != NULL ? g->same : g;
	uint64_t since = engine_clock(e);

	e->nfound = 0;
	e->group = from;
	e->n.searches++;
	for (unsigned i = 0; i < g->nalways; i++)
		e->found[e->nfound++] = g->always[i];
	if (from->multi != NULL)
		multi_search(from->multi, bytes, on_pattern, e);
	if (e->nfound > 1)
		qsort_r(e->found, e->nfound, sizeof(*e->found), by_turn,
		    (void *)(uintptr_t)e->set);
	if (e->cost != NULL)
		e->search_ns[b] += engine_clock(e) - since;
}

static void
on_buffer(void *ctx, enum rule_buffer b, struct slice bytes)
{
	struct looking *l = ctx;
	struct engine *e = l->e;
	struct engine_flow *f = l->about->flow;
	const struct rule_group *g = &e->set->groups[l->seen->o->proto][b];
	struct sides s = {l->seen->who, false};

	if (g->npatterns == 0 && g->nalways == 0 && g->same == NULL) {
		l->call++;
		return;
	}
	search(e, g, b, bytes);
	for (unsigned i = 0; i < e->nfound && !f->passed; i++) {
		const struct rule *r = rule_of(e, e->found[i]);

		if (!hold_against(l, e->found[i], b, bytes, &s))
			continue;
		if (r->action != RULE_PASS && !e->prepared)
			prepare(l, b);
		engine_matched(e, r, l->about, l->about->alert, &s);
		f->passed = r->action == RULE_PASS;
	}
	e->prepared = false;
	l->call++;
}

/* ---- one observation ---- */

static void
on_begin(void *ctx, enum rule_buffer b, struct slice bytes)
{
	struct looking *l = ctx;
	const struct rule_group *g = &l->e->set->groups[l->seen->o->proto][b];

	(void)bytes;
	begin_buffer(l->e, l->about->flow, g->same != NULL ? g->same : g, b);
}

void
engine_obs(struct engine *e, const struct engine_about *about,
    const struct engine_seen *seen)
{
	struct looking l = {e, about, seen, 0};

	if (about->flow->passed)
		return;
	if (about->flow->nparts > 0)
		buffers_of(seen->o, seen->verdict, on_begin, &l);
	buffers_of(seen->o, seen->verdict, on_buffer, &l);
}
