/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the tests of the rules share: collected mistakes, and an alert to hold
 * rules against.
 */
#ifndef STRIPWIRE_RULE_HELP_H
#define STRIPWIRE_RULE_HELP_H

#include "rules/engine.h"
#include "tests/test.h"
#include "tests/unit/addr_help.h"

#define ERRORS_MAX 32

struct report {
	unsigned n, skipped;
	struct rule_error e[ERRORS_MAX];
};

static inline void
on_error(void *ctx, const struct rule_error *e)
{
	struct report *r = ctx;

	if (e->level == RULE_SKIPPED) {
		r->skipped++;
		return;
	}
	if (r->n < ERRORS_MAX)
		r->e[r->n] = *e;
	r->n++;
}

static inline struct ruleset *
parse(const char *text, struct report *r)
{
	r->n = r->skipped = 0;
	return ruleset_parse("t", text, NULL, on_error, r);
}

/* Rules without a past: how many select the finding. */
struct rule_collect {
	void (*fn)(void *ctx, const struct alert *a);
	void *ctx;
};

static inline void
rule_emit(void *ctx, const struct alert *a)
{
	struct rule_collect *c = ctx;

	c->fn(c->ctx, a);
}

static inline unsigned
engine_match(struct engine *e, struct alert *a,
    void (*fn)(void *ctx, const struct alert *a), void *ctx)
{
	struct rule_collect c = {fn, ctx};
	struct engine_flow flow = {.bits = NULL};
	struct engine_about about = {
	    .flow = &flow, .emit = rule_emit, .ctx = &c};

	unsigned n = e != NULL ? engine_finding(e, &about, a) : 999;

	engine_flow_fini(&flow);
	return n;
}

static inline unsigned
ruleset_match(const struct ruleset *set, struct alert *a,
    void (*fn)(void *ctx, const struct alert *a), void *ctx)
{
	struct engine *e = engine_new(set, false);
	unsigned n = engine_match(e, a, fn, ctx);

	engine_free(e);
	return n;
}

/* 10.1.0.10:51514 to 10.2.0.20:25, SMTP, confidence 90. */
static inline struct alert
an_alert(enum finding_id id)
{
	struct alert a = {.proto = PROTO_SMTP};

	a.finding.id = (uint16_t)id;
	a.finding.confidence = 90;
	a.flow.client = v4(10, 1, 0, 10);
	a.flow.server = v4(10, 2, 0, 20);
	a.flow.client_port = 51514;
	a.flow.server_port = 25;
	return a;
}

#endif
