/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules at work without decoders: flows, lines and findings by hand, alerts
 * collected.
 */
#ifndef STRIPWIRE_ENGINE_KIT_H
#define STRIPWIRE_ENGINE_KIT_H

#include "decoders/x509.h"
#include "tests/unit/rule_help.h"

#define KIT_SECOND INT64_C(1000000000)
#define KIT_ALERTS 64

struct kit {
	struct ruleset *set;
	struct engine *e;
	struct engine_flow flow[4];
	unsigned at; /* the flow at hand */
	struct obs_flow who;
	int64_t now;
	uint8_t proto;
	uint32_t vis;
	struct server_facts server;
	struct pair_facts pair;
	bool known;
	struct chain_verdict verdict;
	int64_t incident;
	uint8_t incident_severity;
	struct alert alert, alerts[KIT_ALERTS];
	unsigned n;
};

static inline void
kit_emit(void *ctx, const struct alert *a)
{
	struct kit *k = ctx;

	if (k->n < KIT_ALERTS)
		k->alerts[k->n] = *a;
	k->n++;
}

static inline void
kit_prepare(void *ctx, struct alert *a)
{
	const struct kit *k = ctx;

	a->flow = k->who;
	a->proto = k->proto;
	a->incident = k->incident;
	a->incident_severity = k->incident_severity;
}

/* Rules that must be right. 10.1.0.10:40000 to 10.2.0.20:25, SMTP. */
static inline void
kit_init(struct kit *k, const char *rules)
{
	static struct report r;

	memset(k, 0, sizeof(*k));
	k->set = parse(rules, &r);
	for (unsigned i = 0; i < r.n && i < ERRORS_MAX; i++)
		TEST_FAIL(
		    "%u:%u: %s", r.e[i].line, r.e[i].column, r.e[i].message);
	k->e = k->set != NULL ? engine_new(k->set, true) : NULL;
	k->who.client = v4(10, 1, 0, 10);
	k->who.server = v4(10, 2, 0, 20);
	k->who.client_port = 40000;
	k->who.server_port = 25;
	k->proto = PROTO_SMTP;
	k->now = 1000 * KIT_SECOND;
}

static inline void
kit_fini(struct kit *k)
{
	for (unsigned i = 0; i < 4; i++)
		engine_flow_fini(&k->flow[i]);
	engine_free(k->e);
	ruleset_free(k->set);
}

static inline struct engine_about
kit_about(struct kit *k)
{
	return (struct engine_about){.flow = &k->flow[k->at],
	    .server = k->known ? &k->server : NULL,
	    .pair = k->known ? &k->pair : NULL,
	    .now = k->now,
	    .prepare = kit_prepare,
	    .alert = &k->alert,
	    .emit = kit_emit,
	    .ctx = k};
}

static inline void
kit_obs(struct kit *k, struct obs *o)
{
	struct engine_about about = kit_about(k);
	struct engine_seen seen = {o, o, &k->who, &k->verdict};

	o->proto = k->proto;
	o->vis = k->vis;
	o->time = k->now;
	o->pkt.ordinal = 1;
	if (k->e != NULL && engine_wants(k->e, o))
		engine_obs(k->e, &about, &seen);
}

static inline void
kit_bytes(struct kit *k, enum obs_line_what what, struct slice s)
{
	struct obs o;

	obs_init(&o, OBS_LINE);
	o.dir = what == LINE_REPLY ? DIR_S2C : DIR_C2S;
	o.u.line.what = (uint8_t)what;
	o.u.line.len = (uint16_t)s.len;
	memcpy(o.u.line.bytes, s.p, s.len);
	kit_obs(k, &o);
}

static inline void
kit_line(struct kit *k, enum obs_line_what what, const char *text)
{
	kit_bytes(k, what, (struct slice){(const uint8_t *)text, strlen(text)});
}

static inline void
kit_command(struct kit *k, const char *text)
{
	kit_line(k, LINE_COMMAND, text);
}

static inline unsigned
kit_finding(struct kit *k, enum finding_id id)
{
	struct engine_about about = kit_about(k);
	struct alert a;

	memset(&a, 0, sizeof(a));
	a.finding.id = (uint16_t)id;
	a.finding.confidence = 90;
	a.finding.time = k->now;
	a.finding.vis = k->vis;
	kit_prepare(k, &a);
	return k->e != NULL ? engine_finding(k->e, &about, &a) : 0;
}

/* How many alerts came since the last call. */
static inline unsigned
kit_new(struct kit *k)
{
	unsigned n = k->n;

	k->n = 0;
	return n;
}

/* How many alerts of that rule came since the last call. */
static inline unsigned
kit_of(const struct kit *k, uint32_t sid)
{
	unsigned n = 0;

	for (unsigned i = 0; i < k->n && i < KIT_ALERTS; i++)
		n += k->alerts[i].sid == sid;
	return n;
}

#endif
