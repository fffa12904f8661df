/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The judge: a bounded table of flows, and for each observation one fixed
 * round: fold, ask the detectors, turn findings into alerts, note what
 * matters to other connections of the same two hosts, learn. No clock and no
 * randomness: the same observations give the same alerts in the same order.
 */
#include "rules/judge.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "rules/detect.h"
#include "rules/judged.h"
#include "rules/learn.h"
#include "rules/secrets.h"
#include "rules/stacks.h"
#include "rules/words.h"

#define REST_TURNS 15 /* observations between looks at who is idle: a mask */
#define KINDS 32 /* room for all, powers of two */
#define PROTOS 8
_Static_assert(PROTO_COUNT <= PROTOS, "a place for each protocol");

/* What other connections of the two hosts may want to know, and where a lesson
 * may be over. */
#define OF_PAIR                                                      \
	(DETECT_ON(OBS_TLS_DONE) | DETECT_ON(OBS_AUTH) |             \
	    DETECT_ON(OBS_CLEAR_USE) | DETECT_ON(OBS_RST) |          \
	    DETECT_ON(OBS_TLS_ANSWERED) | DETECT_ON(OBS_TLS_ALERT) | \
	    DETECT_ON(OBS_FLOW_END))
#define OF_LESSON                                           \
	(DETECT_ON(OBS_TLS_APPDATA) | DETECT_ON(OBS_QUIT) | \
	    DETECT_ON(OBS_FLOW_END))

struct judge {
	struct judge_config cfg;
	struct judge_counters n;
	struct judged_table flows;
	struct engine *engine;
	struct judged *at; /* the flow that rules look at */
	struct pairs *pairs;
	struct secrets secrets;
	bool shown, talk; /* judge_show() */
	/* 1 << row of detectors that want it; [1]: something of TLS is known */
	uint32_t asked[2][PROTOS][KINDS];
	uint32_t of_helo; /* likewise, of CAPS_HELO alone */
	uint8_t rest_turns; /* REST_TURNS, or 0 */
	struct detect_ctx ctx;
	struct detect_past past; /* of ctx */
	struct alert alert;
	struct incident_known known; /* of the two hosts of alert */
	struct obs hidden; /* an observation without its user names */
};

/* ---- findings to alerts ---- */

/* A rule has graded j->alert. */
static void
emit_alert(void *ctx, const struct alert *a)
{
	struct judge *j = ctx;
	struct incidents *in = j->cfg.incidents;

	if (story_of(&a->finding) == STORY_NONE)
		in = NULL; /* what an operator looks for, or about the sensor */
	if (in != NULL && !incidents_add(in, &j->alert, &j->known)) {
		j->n.folded++;
		incidents_tell(in);
		return;
	}
	j->n.alerts++;
	if (j->at != NULL && j->at->alerts < UINT32_MAX)
		j->at->alerts++;
	if (j->cfg.sink.alert != NULL)
		j->cfg.sink.alert(j->cfg.sink.ctx, a);
	if (in != NULL)
		incidents_tell(in);
}

static bool
knows_network(void *ctx)
{
	struct judge *j = ctx;
	struct pair_key pk, network;

	learn_pair_key(&pk, &j->at->f);
	pair_key_network(&network, &pk);
	return history_pair(j->cfg.history, &network, j->alert.finding.time) !=
	       NULL;
}

/* What incidents may want to know of the two hosts. */
static void
ask_incidents(struct judge *j, struct judged *w)
{
	j->known = (struct incident_known){.server = detect_server(&j->ctx),
	    .knows_network = j->cfg.history != NULL ? knows_network : NULL,
	    .ctx = j,
	    .of_flow = &w->incident};
	incidents_peek(j->cfg.incidents, &j->alert, &j->known);
}

/* What happened in another connection of the two, before or after. */
static void
add_other_connection(struct judge *j, const struct facts *f, struct alert *a)
{
	const struct pair_story *st;

	if ((a->finding.id != FIND_PLAINTEXT_FALLBACK &&
		a->finding.id != FIND_STARTTLS_REFUSED) ||
	    (a->finding.tags & EVT_SAME_CONNECTION) != 0)
		return;
	st = pairs_story(j->pairs, &f->who);
	if (st == NULL || st->flow == f->flow)
		return;
	ladder_merge(a, &st->tail,
	    &(struct step){.flow = st->flow,
		.mark = STEP_OTHER_FLOW,
		.client_port = st->client_port,
		.server_port = st->server_port});
}

static void
note_tls(struct alert_tls *to, const struct facts_tls *t)
{
	to->version = t->version;
	to->suite = t->suite;
	to->resumed = t->resumed;
	words_copy(to->sni, sizeof(to->sni), t->sni);
	memcpy(to->ja3, t->ja3, sizeof(to->ja3));
	memcpy(to->ja3s, t->ja3s, sizeof(to->ja3s));
	memcpy(to->ja4, t->ja4, sizeof(to->ja4));
}

/* Whoever is told of a flow is told its number. */
static const struct obs_flow *
who_of(struct judged *w)
{
	if (w->f.who.public_id == 0)
		w->f.who.public_id = obs_flow_id(&w->f.who);
	return &w->f.who;
}

/* All that is known of the flow, for j->alert, whose finding is there. */
static void
describe(struct judge *j, struct judged *w)
{
	struct alert *a = &j->alert;
	const struct facts *f = &w->f;
	const char *name =
	    f->tls->sni[0] != '\0' ? f->tls->sni : f->greeting->host;

	ladder_ahead(&w->ladder); /* it was not looked at for long */
	a->flow = *who_of(w);
	a->proto = f->proto;
	a->implicit_tls = f->implicit_tls;
	words_copy(a->server_name, sizeof(a->server_name), name);
	note_tls(&a->tls, f->tls);
	if (j->cfg.incidents != NULL)
		ask_incidents(j, w);
	ladder_fill(&w->ladder, a);
	add_other_connection(j, f, a);
}

static void
prepare_alert(void *ctx, struct alert *a)
{
	struct judge *j = ctx;

	(void)a;
	describe(j, j->at);
}

/* History is asked by rules as it is by detectors. */
static struct engine_about
about(struct judge *j, struct judged *w, int64_t now, bool history)
{
	j->at = w;
	return (struct engine_about){.flow = &w->rules,
	    .server = history ? past_server(&j->ctx) : NULL,
	    .pair = history ? past_pair(&j->ctx) : NULL,
	    .now = now,
	    .alert = &j->alert,
	    .prepare = prepare_alert,
	    .emit = emit_alert,
	    .ctx = j};
}

/* All but the finding, and what there will be no step of. */
static void
clear_alert(struct alert *a)
{
	uint8_t *from = (uint8_t *)a + sizeof(a->finding);

	memset(from, 0, offsetof(struct alert, steps) - sizeof(a->finding));
}

static void
raise_alert(
    struct judge *j, struct judged *w, const struct finding *found, int64_t now)
{
	struct engine_about ab = about(j, w, now, true);
	struct alert *a = &j->alert;

	clear_alert(a);
	finding_copy(&a->finding, found);
	describe(j, w);
	if (engine_finding(j->engine, &ab, a) == 0)
		j->n.unmatched++;
}

void
judge_sensor(
    struct judge *j, enum finding_id id, int64_t time, const char *sentence)
{
	struct engine_flow flow = {.parts = NULL};
	struct engine_about ab = {.flow = &flow,
	    .now = time,
	    .alert = &j->alert,
	    .emit = emit_alert,
	    .ctx = j};
	struct alert *a = &j->alert;

	j->at = NULL; /* about no flow */
	memset(a, 0, sizeof(*a));
	a->finding.id = (uint16_t)id;
	a->finding.time = a->flow.start = time;
	finding_add(&a->finding, 100, "%s", sentence);
	j->n.findings++;
	j->n.by_finding[id]++;
	if (engine_finding(j->engine, &ab, a) == 0)
		j->n.unmatched++;
	engine_flow_fini(&flow);
}

/* Keeps the end of this flow for alerts about other connections. */
static void
note_story(struct judge *j, const struct judged *w)
{
	const struct facts *f = &w->f;

	pairs_note_story(j->pairs, &f->who, f->flow, &w->ladder);
}

/* One alert about all clients of a server speaks for the rest, and for what
 * follows from it. */
static bool
is_quiet(const struct facts *f, const struct finding *n)
{
	return n->quiet || (f->quiet && n->id == FIND_PLAINTEXT_FALLBACK &&
			       (n->tags & EVT_AFTER_FORGED_RST) == 0);
}

/* What was asked of the two hosts does not hold any more. */
static void
note_event(struct judge *j, const struct facts *f, const struct pair_event *e)
{
	pairs_note_event(j->pairs, &f->who, e);
	past_is_new(&j->past, PAST_RECENT);
}

static void
note_finding(struct judge *j, struct facts *f, const struct finding *n)
{
	struct pair_event e;

	facts_raise(f, &j->flows.blocks, n);
	f->quiet |= n->quiet;
	if (!finding_is_suspicion(n))
		return;
	if (n->confidence > f->suspicious)
		f->suspicious = n->confidence;
	memset(&e, 0, sizeof(e));
	e.flow = f->flow;
	e.time = n->time;
	e.finding = n->id;
	e.proto = f->proto;
	e.implicit_tls = f->implicit_tls;
	e.during_tls = (n->tags & EVT_DURING_TLS_HANDSHAKE) != 0 ||
		       facts_in_handshake(f, n->time);
	e.client_port = f->who.client_port;
	e.server_port = f->who.server_port;
	e.confidence = n->confidence;
	note_event(j, f, &e);
}

static void
settle_findings(struct judge *j, struct judged *w, const struct obs *o)
{
	struct detect_ctx *c = &j->ctx;

	for (unsigned i = 0; i < c->nout; i++) {
		struct finding *n = &c->out[i];

		if (n->confidence == 0 || n->id >= FIND_COUNT)
			continue;
		finding_say_gaps(n, &w->f);
		j->n.findings++;
		j->n.by_finding[n->id]++;
		note_finding(j, &w->f, n);
		if (n->id == FIND_RST_INJECTED && o->kind == OBS_RST)
			facts_forge(&w->f, o->dir, n->confidence);
		if ((n->tags & EVT_ALL_CLIENTS) != 0 && !n->quiet)
			learn_absence_told(j->cfg.history, &w->f);
		if (is_quiet(&w->f, n))
			j->n.quiet++;
		else
			raise_alert(j, w, n, o->time);
	}
}

/* ---- asking ---- */

static const struct chain_verdict *
verdict_of(const struct judge *j, const uint8_t chain_id[32])
{
	if (j->cfg.verdict == NULL)
		return NULL;
	return j->cfg.verdict(j->cfg.verdict_ctx, chain_id);
}

/* The question of this observation: nothing is known of the past as yet. */
static void
begin(struct judge *j, const struct judged *w, const struct obs *o)
{
	struct detect_ctx *c = &j->ctx;

	c->o = o;
	c->f = &w->f;
	c->nout = 0;
	c->authorised = false;
	past_begin(&j->past, j->cfg.history, j->pairs);
	pairs_begin(j->pairs, o->time);
}

static void
ask_detectors(struct judge *j, const struct judged *w, const struct obs *o)
{
	struct detect_ctx *c = &j->ctx;
	const struct facts *f = &w->f;
	uint32_t rows = j->asked[f->tls->known][f->proto][o->kind];

	if (o->kind == OBS_CAPS && o->u.caps.source != CAPS_HELO)
		rows &= ~j->of_helo;
	if (rows == 0)
		return; /* a third of all: nobody would look */
	c->same_secret = secrets_same(&j->secrets, o);
	c->verdict = NULL;
	if (f->tls->has_chain)
		c->verdict = verdict_of(j, f->tls->chain_id);
	for (; rows != 0; rows &= rows - 1)
		detectors[__builtin_ctz(rows)].fn(o, f, c);
	j->n.rst_authorised += c->authorised;
}

/* Rules that look at what was said. */
static void
ask_rules(struct judge *j, struct judged *w, const struct obs *o,
    const struct obs *shown, const struct chain_verdict *v)
{
	struct engine_seen seen = {o, shown, &w->f.who, v};
	struct engine_about ab;

	ab = about(j, w, o->time, engine_wants_history(j->engine));
	engine_obs(j->engine, &ab, &seen);
}

/* ---- what other connections of the two hosts may want to know ---- */

static void
note_failure(struct judge *j, const struct judged *w)
{
	const struct facts *f = &w->f;
	struct pair_event e;
	struct moment at;

	if (!f->tls->known)
		return;
	memset(&e, 0, sizeof(e));
	e.how = (uint8_t)facts_tls_failed(f, &at);
	if (e.how == TLS_NO_FAIL)
		return;
	e.flow = f->flow;
	e.time = at.time;
	e.proto = f->proto;
	e.implicit_tls = f->implicit_tls;
	e.during_tls = 1;
	e.left = facts_is_probe(f, (enum tls_fail)e.how, &at) ||
		 facts_left_by_client(f, (enum tls_fail)e.how, &at);
	e.client_port = f->who.client_port;
	e.server_port = f->who.server_port;
	note_event(j, f, &e);
	note_story(j, w);
}

static void
note_use(struct judge *j, const struct judged *w, const struct obs *o)
{
	const struct facts *f = &w->f;
	struct pair_use u;

	memset(&u, 0, sizeof(u));
	u.flow = f->flow;
	u.at.time = o->time;
	u.at.pkt = o->pkt;
	u.start = f->who.start;
	u.client_port = f->who.client_port;
	u.server_port = f->who.server_port;
	u.proto = f->proto;
	u.auth = o->kind == OBS_AUTH;
	u.offered = f->caps->ever_starttls;
	memcpy(u.verb, u.auth ? "AUTH" : o->u.verb.verb,
	    u.auth ? sizeof("AUTH") : sizeof(u.verb));
	pairs_note_use(j->pairs, &f->who, &u);
	past_is_new(&j->past, PAST_RECENT);
	if (f->tls->asked.time == 0 && !f->suspicious)
		note_story(j, w);
}

static void
note_for_pair(struct judge *j, const struct judged *w, const struct obs *o)
{
	const struct facts *f = &w->f;
	bool told = false;

	for (unsigned i = 0; i < j->ctx.nout; i++)
		told |= j->ctx.out[i].id == FIND_PLAINTEXT_FALLBACK &&
			j->ctx.out[i].confidence > 0;
	switch (o->kind) {
	case OBS_TLS_DONE:
		pairs_note_tls(j->pairs, f);
		break;
	case OBS_AUTH:
		if (o->u.auth.secret_sent || o->u.auth.outcome == AUTH_OK)
			note_use(j, w, o);
		break;
	case OBS_CLEAR_USE:
		if (o->u.verb.ok)
			note_use(j, w, o);
		note_failure(j, w);
		break;
	case OBS_RST:
	case OBS_TLS_ANSWERED:
	case OBS_TLS_ALERT:
	case OBS_FLOW_END:
		note_failure(j, w);
		break;
	default:
		break;
	}
	if (!told)
		return;
	pairs_told(j->pairs, &f->who, o->time);
	if (j->cfg.history != NULL)
		learn_fallback(j->cfg.history, f, o->time);
}

/* ---- learning ---- */

static bool
under_suspicion(const struct judge *j, const struct facts *f)
{
	const struct pair_recent *r;

	if (f->suspicious)
		return true;
	r = past_recent(&j->ctx);
	for (unsigned i = 0; r != NULL && i < r->nevents; i++)
		if (finding_is_attack((enum finding_id)r->events[i].finding))
			return true;
	return false;
}

/* All that can be seen of a flow has been seen: what is left is encrypted, or
 * is the end. A flow may linger for minutes after that. Where the list lacks
 * STARTTLS the end is awaited, which may bring suspicion. */
static bool
is_lesson_over(const struct facts *f, const struct obs *o)
{
	switch (o->kind) {
	case OBS_TLS_APPDATA:
	case OBS_FLOW_END:
		return true;
	case OBS_QUIT:
		return f->tls->asked.time == 0 && f->caps->starttls;
	default:
		return false;
	}
}

static void
teach(struct judge *j, struct facts *f, const struct obs *o)
{
	if (f->taught || j->cfg.history == NULL || !is_lesson_over(f, o))
		return;
	if (under_suspicion(j, f)) {
		j->n.not_taught_suspect += o->kind == OBS_FLOW_END;
		if (o->kind == OBS_FLOW_END)
			learn_absence(j->cfg.history, f, o->time);
		return;
	}
	if (learn_flow(j->cfg.history, f, o->time) == LESSON_TAUGHT) {
		f->taught = 1;
		j->n.taught++;
		if (j->cfg.incidents != NULL && f->tls->done.time != 0)
			incidents_fine(j->cfg.incidents, f);
	} else {
		j->n.not_taught_partial += o->kind == OBS_FLOW_END;
	}
}

/* ---- the round ---- */

/* What leaves the judge is made of what this gives. Facts are folded before,
 * to tell users apart by hashes of their own. */
static const struct obs *
hide_names(struct judge *j, const struct obs *o)
{
	if (j->cfg.names == NULL || j->cfg.names->mode == NAMES_CLEAR)
		return o;
	memcpy(&j->hidden, o, o->size);
	names_hide(j->cfg.names, &j->hidden);
	return &j->hidden;
}

/* Somebody wants to know what is said, not only what is wrong. */
static void
tell_seen(struct judge *j, struct judged *w, const struct obs *o)
{
	struct judge_view v = {o, &w->f, NULL, w->incident, w->alerts};

	(void)who_of(w);
	if (talk_is_over(w->talk, o))
		v.over = w->talk;
	j->cfg.seen(j->cfg.seen_ctx, &v);
	if (v.over != NULL) { /* a flow that keeps one does not rest */
		free(w->talk);
		w->talk = NULL;
	}
	if (!j->talk || o->kind != OBS_LINE)
		return;
	if (w->talk == NULL)
		w->talk = calloc(1, sizeof(*w->talk));
	if (w->talk != NULL)
		talk_line(w->talk, o);
}

static void
note_seen(struct judge *j, struct judged *w, const struct obs *o)
{
	if (j->n.first == 0)
		j->n.first = o->time;
	if (o->time > j->n.last)
		j->n.last = o->time;
	if (j->shown)
		tell_seen(j, w, o);
}

static void
judge_flow(struct judge *j, struct judged *w, const struct obs *o)
{
	const struct chain_verdict *v = NULL;
	const struct obs *seen = o;

	if (o->kind == OBS_TLS_CERT)
		v = verdict_of(j, o->u.cert.chain_id);
	facts_fold(&w->f, &j->flows.blocks, o, v);
	o = hide_names(j, o);
	begin(j, w, o);
	if (o->kind == OBS_LINE) {
		if (engine_wants(j->engine, o))
			ask_rules(j, w, seen, o, NULL);
		note_seen(j, w, o);
		return;
	}
	ladder_add(&w->ladder, &j->flows.blocks, o);
	ask_detectors(j, w, o);
	if (j->ctx.nout > 0)
		settle_findings(j, w, o);
	if (engine_wants(j->engine, o))
		ask_rules(j, w, seen, o, v);
	if (j->ctx.nout > 0 || (OF_PAIR & DETECT_ON(o->kind)) != 0)
		note_for_pair(j, w, o);
	if (o->kind == OBS_AUTH)
		secrets_remember(&j->secrets, o);
	if ((OF_LESSON & DETECT_ON(o->kind)) != 0)
		teach(j, &w->f, o);
	note_seen(j, w, o);
	if (o->kind != OBS_FLOW_END)
		return;
	if (j->cfg.history != NULL)
		stack_learn(j->cfg.history, &w->f, o->time);
	judged_forget(&j->flows, &w->link);
}

/* NULL: no memory. */
static struct judged *
wake(struct judge *j, struct judged_link *l)
{
	struct judged *w = judged_wake(&j->flows, l);

	j->n.evicted += w == NULL;
	return w;
}

static void
judge_known(struct judge *j, struct judged_link *l, const struct obs *o)
{
	struct judged *w = wake(j, l);

	if (w == NULL)
		return;
	if (o->kind != OBS_FLOW_END)
		judged_touch(&j->flows, w);
	judge_flow(j, w, o);
}

void
judge_obs(struct judge *j, const struct obs *o)
{
	struct judged_link *l;

	j->n.observations++;
	if (j->cfg.incidents != NULL)
		incidents_advance(j->cfg.incidents, o->time);
	if (o->kind == OBS_NONE || o->kind >= OBS_KIND_COUNT)
		return;
	if (o->kind == OBS_FLOW_OPEN) {
		j->n.evicted += judged_open(&j->flows, o);
	} else {
		l = judged_find(&j->flows, o->flow);
		if (l != NULL)
			judge_known(j, l, o);
	}
	if ((j->n.observations & j->rest_turns) == 0)
		judged_let_rest(&j->flows, o->time);
}

static void
end_flow(struct judge *j, struct judged_link *l)
{
	struct judged *w = wake(j, l);
	const struct facts *f;
	struct obs end;

	if (w == NULL)
		return;
	f = &w->f;
	obs_init(&end, OBS_FLOW_END);
	end.flow = f->flow;
	end.proto = f->proto;
	end.implicit_tls = f->implicit_tls;
	end.phase = f->phase;
	end.time = f->last;
	end.vis = f->vis | VIS_CUT;
	memcpy(end.gap, f->rare->gap, sizeof(end.gap));
	end.u.end.how = END_INPUT;
	end.u.end.last = f->last;
	judge_flow(j, w, &end);
}

void
judge_flush(struct judge *j)
{
	struct judged_link *next;

	for (struct judged_link *l = j->flows.oldest; l != NULL; l = next) {
		next = l->newer;
		end_flow(j, l);
	}
}

void
judge_cut(struct judge *j, uint64_t first, uint64_t last)
{
	struct judged_link *l = judged_find(&j->flows, first), *next;

	if (l != NULL)
		end_flow(j, l);
	for (l = first < last ? j->flows.oldest : NULL; l != NULL; l = next) {
		next = l->newer;
		if (judged_number(l) >= first && judged_number(l) <= last)
			end_flow(j, l);
	}
}

/* Which observations that row of detectors is asked about. */
static void
ask_about(struct judge *j, unsigned row)
{
	const struct detector *d = &detectors[row];

	j->of_helo |= d->of_helo ? 1u << row : 0;
	for (unsigned kind = 0; kind < OBS_KIND_COUNT; kind++) {
		if ((d->kinds & DETECT_ON(kind)) == 0)
			continue;
		for (unsigned proto = 0; proto < PROTO_COUNT; proto++) {
			if (d->protos != 0 && (d->protos >> proto & 1) == 0)
				continue;
			j->asked[true][proto][kind] |= 1u << row;
			if (!d->of_tls)
				j->asked[false][proto][kind] |= 1u << row;
		}
	}
}

struct judge *
judge_new(const struct judge_config *cfg)
{
	struct judge *j = calloc(1, sizeof(*j));

	if (j == NULL)
		return NULL;
	j->cfg = *cfg;
	for (unsigned i = 0; i < detector_count; i++)
		ask_about(j, i);
	j->shown = cfg->seen != NULL;
	j->rest_turns = cfg->rest_after < 0 ? 0 : REST_TURNS;
	j->ctx.resetters = cfg->resetters;
	j->ctx.tls = cfg->tls;
	j->ctx.past = &j->past;
	j->pairs = pairs_new(0);
	j->engine = engine_new(cfg->rules, cfg->measure);
	if (judged_init(&j->flows, cfg->max_flows, cfg->rest_after) == -1 ||
	    j->pairs == NULL || j->engine == NULL) {
		judge_free(j);
		return NULL;
	}
	return j;
}

void
judge_free(struct judge *j)
{
	if (j == NULL)
		return;
	judged_fini(&j->flows);
	engine_free(j->engine);
	pairs_free(j->pairs);
	free(j);
}

static void
each_flow(void *ctx, void (*fn)(struct engine *, struct engine_flow *),
    struct engine *e)
{
	struct judge *j = ctx;

	for (struct judged_link *l = j->flows.oldest; l != NULL; l = l->newer)
		if (!judged_rests(l)) /* rules noted nothing of one that does */
			fn(e, &((struct judged *)l)->rules);
}

void
judge_use_rules(struct judge *j, const struct ruleset *rules)
{
	j->cfg.rules = rules;
	engine_use(j->engine, rules, each_flow, j);
}

void
judge_show(struct judge *j, bool seen, bool talk)
{
	j->shown = seen && j->cfg.seen != NULL;
	j->talk = talk;
}

struct engine *
judge_engine(const struct judge *j)
{
	return j->engine;
}

const struct obs_flow *
judge_who(struct judge *j, uint64_t flow)
{
	struct judged_link *l = judged_find(&j->flows, flow);
	struct judged *w = l != NULL ? wake(j, l) : NULL;

	return w != NULL ? who_of(w) : NULL;
}

const struct judge_counters *
judge_counters(const struct judge *j)
{
	return &j->n;
}

void
judge_memory(const struct judge *j, struct judge_memory *out)
{
	out->flows = judged_use(&j->flows);
	out->pairs = pairs_use(j->pairs);
	out->limits = engine_states_use(j->engine);
}
