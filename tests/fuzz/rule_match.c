/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules at work: the input is a text of rules, a NUL, and records of lines:
 *
 *	0: what (3 bits), protocol (2 bits), flow (1 bit); 0xff: the rules are
 *	   read again and take the place of themselves
 *	1: how many bytes follow
 *	2...: the bytes
 *
 * Oracle: what is found by the search for patterns is what holding each rule
 * against the bytes finds.
 */
#include <stdlib.h>
#include <string.h>

#include "decoders/x509.h"
#include "rules/engine.h"
#include "rules/ruleset.h"

#define RECORDS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct run {
	struct ruleset *set;
	struct engine *e;
	struct engine_flow flow[2];
	struct obs_flow who;
	unsigned alerts;
	struct alert alert;
};

static void
emit(void *ctx, const struct alert *a)
{
	struct run *r = ctx;

	if (a->sid == 0 || a->severity > SEV_CRITICAL ||
	    a->finding.nevidence == 0)
		abort();
	r->alerts++;
}

static void
prepare(void *ctx, struct alert *a)
{
	const struct run *r = ctx;

	a->flow = r->who;
}

/* Does the rule fire on this alone, whatever was before? */
static bool
is_plain(const struct rule *r)
{
	return r->nlooks == 1 && r->action == RULE_ALERT && r->nbits == 0 &&
	       r->threshold.type == LIMIT_NONE && r->both_ways &&
	       r->detection.type == LIMIT_NONE && !r->noalert &&
	       r->nhistory == 0 && !r->incident.asked && r->flow == 0 &&
	       r->src.all && r->dst.all && r->sport.all && r->dport.all &&
	       r->vis_state == RULE_VIS_ANY && r->vis_need == 0;
}

static bool
wants(const struct rule *r, unsigned proto)
{
	switch (r->proto) {
	case RULE_PROTO_SMTP:
		return proto == PROTO_SMTP;
	case RULE_PROTO_IMAP:
		return proto == PROTO_IMAP;
	case RULE_PROTO_POP3:
		return proto == PROTO_POP3;
	case RULE_PROTO_SIEVE:
		return proto == PROTO_SIEVE;
	default:
		return true;
	}
}

struct counting {
	const struct ruleset *set;
	unsigned proto, n;
};

static void
count(void *ctx, enum rule_buffer b, struct slice bytes)
{
	struct counting *c = ctx;
	struct content_counters n = {0, 0};

	for (unsigned i = 0; i < c->set->n; i++) {
		const struct rule *r = &c->set->rules[i];

		if (wants(r, c->proto) && r->looks[0].buffer == b)
			c->n += content_holds(r->checks, r->nchecks,
			    r->looks[0].transform, bytes, &n);
	}
}

static bool
all_plain(const struct ruleset *set)
{
	for (unsigned i = 0; i < set->n; i++)
		if (!is_plain(&set->rules[i]))
			return false;
	return true;
}

static void
one(struct run *r, uint8_t how, struct slice bytes)
{
	struct engine_about about = {.flow = &r->flow[how >> 5 & 1],
	    .now = how * INT64_C(1000000000),
	    .prepare = prepare,
	    .alert = &r->alert,
	    .emit = emit,
	    .ctx = r};
	struct counting c = {r->set, 0, 0};
	struct engine_seen seen;
	struct obs o;
	unsigned before = r->alerts;

	obs_init(&o, OBS_LINE);
	o.u.line.what = (uint8_t)((how & 7) % LINE_WHAT_COUNT);
	o.dir = o.u.line.what == LINE_REPLY;
	o.proto = (uint8_t)(PROTO_SMTP + (how >> 3 & 3));
	o.u.line.len = (uint16_t)bytes.len;
	memcpy(o.u.line.bytes, bytes.p, bytes.len);
	o.pkt.ordinal = 1;
	seen = (struct engine_seen){&o, &o, &r->who, NULL};
	if (!engine_wants(r->e, &o))
		return;
	engine_obs(r->e, &about, &seen);
	c.proto = o.proto;
	if (!all_plain(r->set))
		return;
	buffers_of(&o, NULL, count, &c);
	if (c.n != r->alerts - before)
		abort();
}

static void
each_flow(void *ctx, void (*fn)(struct engine *, struct engine_flow *),
    struct engine *e)
{
	struct run *r = ctx;

	fn(e, &r->flow[0]);
	fn(e, &r->flow[1]);
}

static void
again(struct run *r, const char *text)
{
	struct ruleset *set = ruleset_parse("fuzz", text, NULL, NULL, NULL);

	if (set == NULL)
		abort(); /* it could be read a moment ago */
	engine_use(r->e, set, each_flow, r);
	ruleset_free(r->set);
	r->set = set;
}

static void
play(struct run *r, const char *text, const uint8_t *p, size_t size)
{
	for (unsigned n = 0; n < RECORDS_MAX && size >= 2; n++) {
		size_t len = p[1] < size - 2 ? p[1] : size - 2;

		if (p[0] == 0xff)
			again(r, text);
		else
			one(r, p[0], (struct slice){p + 2, len});
		p += 2 + len;
		size -= 2 + len;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size > 0 ? memchr(data, 0, size) : NULL;
	struct run r;
	char *text;
	size_t len = nul != NULL ? (size_t)(nul - data) : 0;

	if (nul == NULL || len > 4096)
		return 0;
	text = malloc(len + 1);
	memset(&r, 0, sizeof(r));
	if (text == NULL)
		return 0;
	memcpy(text, data, len + 1);
	r.set = ruleset_parse("fuzz", text, NULL, NULL, NULL);
	r.e = r.set != NULL ? engine_new(r.set, false) : NULL;
	if (r.e != NULL)
		play(&r, text, nul + 1, size - len - 1);
	engine_flow_fini(&r.flow[0]);
	engine_flow_fini(&r.flow[1]);
	engine_free(r.e);
	ruleset_free(r.set);
	free(text);
	return 0;
}
