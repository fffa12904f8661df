/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules sorted by what they look at. For findings: which rules may select each.
 * For buffers: by protocol and buffer, the rules' patterns in one search and
 * the rules without a pattern in a list. What rules for all protocols share is
 * built once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/ruleset.h"

#define REF(rule, look) ((rule) << 3 | (look))

_Static_assert(RULE_LOOKS_MAX <= 8, "a look is three bits of a reference");

/* ---- findings ---- */

static bool
names_finding(const struct rule *r, unsigned id)
{
	if (r->nlooks > 0)
		return false;
	return r->any_finding ||
	       (r->findings[id / 64] & (UINT64_C(1) << (id % 64))) != 0;
}

/* Passing rules first, then those that set bits, then those that ask for
 * them: a bit that is set is seen by the same finding. */
static unsigned
turn_of(const struct rule *r)
{
	bool sets = false, asks = false;

	for (unsigned i = 0; i < r->nbits; i++) {
		asks |= r->bits[i].op >= BIT_ISSET;
		sets |= r->bits[i].op < BIT_ISSET;
	}
	if (r->action == RULE_PASS)
		return 0;
	if (r->nbits == 0)
		return 2;
	return sets && !asks ? 1 : sets ? 3 : 4;
}

#define TURNS 5

static int
index_findings(struct ruleset *r)
{
	size_t n = 0;

	for (unsigned id = FIND_NONE; id < FIND_COUNT; id++)
		for (unsigned i = 0; i < r->n; i++)
			n += names_finding(&r->rules[i], id);
	r->of = calloc(n + 1, sizeof(*r->of));
	if (r->of == NULL)
		return -1;
	n = 0;
	for (unsigned id = FIND_NONE; id < FIND_COUNT; id++) {
		r->first[id] = (unsigned)n;
		for (unsigned turn = 0; turn < TURNS; turn++)
			for (unsigned i = 0; i < r->n; i++)
				if (r->rules[i].turn == turn &&
				    names_finding(&r->rules[i], id))
					r->of[n++] = i;
	}
	r->first[FIND_COUNT] = (unsigned)n;
	return 0;
}

/* ---- buffers ---- */

static bool
wants(const struct rule *r, enum proto p)
{
	switch (r->proto) {
	case RULE_PROTO_SMTP:
		return p == PROTO_SMTP;
	case RULE_PROTO_IMAP:
		return p == PROTO_IMAP;
	case RULE_PROTO_POP3:
		return p == PROTO_POP3;
	case RULE_PROTO_SIEVE:
		return p == PROTO_SIEVE;
	default:
		return true;
	}
}

struct entry { /* a pattern and who has it */
	const struct check *c;
	bool nocase;
	unsigned ref;
};

static int
entry_cmp(const void *pa, const void *pb)
{
	const struct entry *a = pa, *b = pb;
	int d;

	if (a->nocase != b->nocase)
		return a->nocase ? 1 : -1;
	if (a->c->len != b->c->len)
		return a->c->len < b->c->len ? -1 : 1;
	d = memcmp(a->c->bytes, b->c->bytes, a->c->len);
	if (d != 0)
		return d;
	return a->ref < b->ref ? -1 : a->ref > b->ref;
}

static bool
same_pattern(const struct entry *a, const struct entry *b)
{
	return a->nocase == b->nocase && a->c->len == b->c->len &&
	       memcmp(a->c->bytes, b->c->bytes, a->c->len) == 0;
}

/* The entries, sorted, become patterns with their rules. */
static int
build(struct rule_group *g, const struct entry *e, unsigned n, char *err,
    size_t errlen)
{
	struct multi_pattern *p = calloc(n, sizeof(*p));
	unsigned k = 0;

	g->rule = calloc(n, sizeof(*g->rule));
	g->first = calloc(n + 1, sizeof(*g->first));
	if (p == NULL || g->rule == NULL || g->first == NULL) {
		(void)snprintf(err, errlen, "out of memory for rules");
		free(p);
		return -1;
	}
	for (unsigned i = 0; i < n; i++) {
		if (i == 0 || !same_pattern(&e[i - 1], &e[i])) {
			p[k] = (struct multi_pattern){
			    e[i].c->bytes, e[i].c->len, e[i].nocase};
			g->first[k++] = i;
		}
		g->rule[i] = e[i].ref;
	}
	g->first[k] = n;
	g->npatterns = k;
	g->multi = multi_new(p, k);
	free(p);
	if (g->multi != NULL)
		return 0;
	(void)snprintf(err, errlen, "out of memory for rules");
	return -1;
}

static bool
is_folded(const struct rule_look *k, const struct check *c)
{
	return c->nocase ||
	       (k->transform & (TRANSFORM_LOWER | TRANSFORM_UPPER)) != 0;
}

/* Who looks at the buffer of that protocol, in e and always. */
static unsigned
collect(const struct ruleset *r, enum proto p, unsigned b, struct entry *e,
    struct rule_group *g)
{
	unsigned n = 0;

	for (unsigned i = 0; i < r->n; i++) {
		const struct rule *rule = &r->rules[i];

		for (unsigned k = 0; wants(rule, p) && k < rule->nlooks; k++) {
			const struct rule_look *look = &rule->looks[k];
			const struct check *c;

			if (look->buffer != b)
				continue;
			if (look->fast == -1) {
				g->always[g->nalways++] = REF(i, k);
				continue;
			}
			c = &rule->checks[look->fast];
			e[n++] =
			    (struct entry){c, is_folded(look, c), REF(i, k)};
		}
	}
	return n;
}

/* Does another group hold the very same? */
static bool
is_same(const struct rule_group *o, const struct rule_group *g,
    const struct entry *e, unsigned n)
{
	if (o->same != NULL || o->nalways != g->nalways || o->npatterns == 0 ||
	    o->first[o->npatterns] != n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (o->rule[i] != e[i].ref)
			return false;
	for (unsigned i = 0; i < g->nalways; i++)
		if (o->always[i] != g->always[i])
			return false;
	return true;
}

static int
index_group(struct ruleset *r, enum proto p, unsigned b, struct entry *e,
    unsigned looks, char *err, size_t errlen)
{
	struct rule_group *g = &r->groups[p][b];
	unsigned n;

	g->always = calloc(looks, sizeof(*g->always));
	if (g->always == NULL) {
		(void)snprintf(err, errlen, "out of memory for rules");
		return -1;
	}
	n = collect(r, p, b, e, g);
	if (n == 0)
		return 0;
	qsort(e, n, sizeof(*e), entry_cmp);
	for (unsigned q = PROTO_SMTP; q < (unsigned)p && g->same == NULL; q++)
		if (is_same(&r->groups[q][b], g, e, n))
			g->same = &r->groups[q][b];
	return g->same != NULL ? 0 : build(g, e, n, err, errlen);
}

static void
note_lines(struct ruleset *r)
{
	for (unsigned p = PROTO_SMTP; p < PROTO_OTHER; p++)
		for (unsigned b = 0; b < BUF_COUNT; b++) {
			const struct rule_group *g = &r->groups[p][b];
			const struct buffer_info *info =
			    buffer_info((enum rule_buffer)b);

			if (info->kind != OBS_LINE ||
			    (g->nalways == 0 && g->npatterns == 0 &&
				g->same == NULL))
				continue;
			r->lines[p] |= (uint8_t)(1u << info->line);
			if (b == BUF_LINE)
				r->lines[p] |=
				    1u << LINE_COMMAND | 1u << LINE_REPLY;
		}
}

static bool
looks_at(const struct ruleset *r, unsigned b, unsigned *n)
{
	*n = 0;
	for (unsigned i = 0; i < r->n; i++)
		for (unsigned k = 0; k < r->rules[i].nlooks; k++)
			*n += r->rules[i].looks[k].buffer == b;
	return *n > 0;
}

static int
index_buffers(struct ruleset *r, char *err, size_t errlen)
{
	unsigned looks;
	struct entry *e;
	int rc = 0;

	for (unsigned b = 0; rc == 0 && b < BUF_COUNT; b++) {
		if (!looks_at(r, b, &looks))
			continue;
		r->looks = true;
		e = calloc(looks, sizeof(*e));
		if (e == NULL) {
			(void)snprintf(err, errlen, "out of memory for rules");
			return -1;
		}
		for (unsigned p = PROTO_SMTP; rc == 0 && p < PROTO_OTHER; p++)
			rc = index_group(
			    r, (enum proto)p, b, e, looks, err, errlen);
		free(e);
	}
	note_lines(r);
	return rc;
}

int
ruleset_index(struct ruleset *r, char *err, size_t errlen)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct rule *rule = &r->rules[i];

		rule->turn = (uint8_t)turn_of(rule);
		r->looks_back |= rule->nlooks > 0 && rule->nhistory > 0;
	}
	if (index_findings(r) == -1) {
		(void)snprintf(err, errlen, "out of memory for rules");
		return -1;
	}
	return index_buffers(r, err, errlen);
}

void
ruleset_index_free(struct ruleset *r)
{
	for (unsigned p = 0; p < PROTO_COUNT; p++)
		for (unsigned b = 0; b < BUF_COUNT; b++) {
			struct rule_group *g = &r->groups[p][b];

			free(g->rule);
			free(g->first);
			free(g->always);
			multi_free(g->multi);
		}
	free(r->of);
}
