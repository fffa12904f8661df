/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Plaintext where TLS was due (A1, A7, A9, C9, C10): the client uses the
 * service in clear after TLS was stripped, refused or broken, on the same
 * connection or on another one of the same two hosts within five minutes. Most
 * mail servers deliver in clear when TLS fails, so this is what the attack was
 * for.
 *
 * Benign look-alikes: coming back with TLS; a probe that asks for TLS and
 * closes; somebody else behind the same NAT address, long after a client broke
 * off by itself; a client or a server too old for the other; two programs of one host at a time (the connection in clear
 * must have begun after the failure); account set-up that tries ports without
 * logging in; servers that never offered TLS; pairs whose history is always
 * "TLS fails, then plaintext".
 *
 * What broke is often settled only after the plaintext was seen (a reset waits
 * for its proof, a silent flow for its timer): then the finding is made at
 * that moment, on the flow that broke.
 */
#include "rules/detect.h"

#include <string.h>

#include "rules/weights.h"

#define SECOND INT64_C(1000000000)
#define AT_ONCE (10 * SECOND)
#define SERIOUS 50 /* confidence; less is a suspicion */
#define CERTAIN 85

/* ---- which ports belong together ---- */

static bool
same_service(uint16_t tls_port, uint16_t clear_port)
{
	static const uint16_t same[][2] = {
	    {465, 25}, {465, 587}, {993, 143}, {995, 110}};

	for (unsigned i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		if (same[i][0] == tls_port && same[i][1] == clear_port)
			return true;
	return tls_port == clear_port;
}

/* ---- weights that all cases share ---- */

static void
add_pair(struct finding *n, const struct detect_ctx *c)
{
	const struct pair_facts *p = past_pair(c);

	if (p != NULL && p->tls > 0 && p->clear == 0)
		finding_add(n, PLUS_PAIR_TLS,
		    "these two hosts used nothing but TLS before (%u "
		    "session%s)",
		    p->tls, p->tls == 1 ? "" : "s");
}

static void
add_credentials(struct finding *n, bool sent)
{
	if (sent)
		finding_add(n, PLUS_CREDENTIALS, "and credentials were sent");
}

/* Servers and pairs for which "TLS fails, then plaintext" is how it is. */
static bool
always_fails(const struct detect_ctx *c)
{
	const struct pair_facts *p = past_pair(c);

	return p != NULL && p->tls == 0 && p->tls_failed_then_clear >= 5 &&
	       c->o->time - p->first > 86400 * SECOND;
}

/* ---- the same connection ---- */

static const enum finding_id causes[] = {FIND_STARTTLS_STRIPPED,
    FIND_STARTTLS_MANGLED, FIND_STARTTLS_REFUSED, FIND_EHLO_REFUSED,
    FIND_CAPABILITY_REFUSED, FIND_TLS_ABORTED_AFTER_STARTTLS};
#define NCAUSES (sizeof(causes) / sizeof(causes[0]))

static bool
is_cause(uint16_t finding)
{
	for (unsigned i = 0; i < NCAUSES; i++)
		if (causes[i] == finding)
			return true;
	return false;
}

/* Where no list was given, TLS is due only if it is known from before. */
static bool
cause_here(const struct detect_ctx *c, enum finding_id *id)
{
	for (unsigned i = 0; i < NCAUSES; i++) {
		if (!detect_has(c, causes[i]) ||
		    (causes[i] == FIND_EHLO_REFUSED &&
			detect_known_tls(c) == KNOWN_NOTHING))
			continue;
		*id = causes[i];
		return true;
	}
	return false;
}

/* Of this flow, raised now or before. */
static int
cause_confidence(const struct detect_ctx *c, enum finding_id id)
{
	const struct finding *got = detect_got(c, id);

	return got != NULL ? got->confidence : c->f->rare->confidence[id];
}

/* These stand without anything that shows that the server offers TLS. */
static bool
may_lack_tls(const struct detect_ctx *c, enum finding_id id)
{
	return (id == FIND_STARTTLS_MANGLED || id == FIND_CAPABILITY_REFUSED) &&
	       !c->f->caps->ever_starttls &&
	       detect_known_tls(c) == KNOWN_NOTHING;
}

/* A mere suspicion is the cause of no more than a suspicion. */
static bool
add_cause(struct finding *n, const struct detect_ctx *c, enum finding_id id)
{
	static const int known[KNOWN_LEVELS] = PLUS_FALLBACK_KNOWN;
	int weight = W_FALLBACK_REFUSED, had = cause_confidence(c, id);

	if (id == FIND_TLS_ABORTED_AFTER_STARTTLS)
		weight = W_FALLBACK_FORGED;
	finding_add(n, had < weight ? had : weight, "on this connection: %s",
	    finding_info(id)->title);
	if (had < CERTAIN && may_lack_tls(c, id))
		finding_add(n, LESS_TLS_NOT_SEEN,
		    "but nothing shows that TLS was to be had here");
	if (had < SERIOUS)
		return false;
	(void)detect_add_history(n, c, known);
	return true;
}

static void
fallback_here(
    const struct facts *f, struct detect_ctx *c, enum finding_id cause)
{
	struct finding *n = detect_find(c, FIND_PLAINTEXT_FALLBACK);

	if (n == NULL)
		return;
	n->tags |= EVT_SAME_CONNECTION;
	if (facts_raised(f, FIND_RST_INJECTED))
		n->tags |= EVT_AFTER_FORGED_RST;
	if (f->clear->count != 0)
		finding_add(n, 0, "the client uses the service in clear (%s)",
		    f->clear->verb);
	if (!add_cause(n, c, cause))
		return;
	add_pair(n, c);
	add_credentials(n, f->auth->secret.time != 0);
}

/* ---- another connection ---- */

struct use { /* in clear, and what is known of it */
	int64_t start; /* of its connection */
	uint16_t port; /* the server's */
	bool auth; /* with credentials */
	bool tls_expected; /* offered, now or before */
	bool tls_pair; /* these two use TLS otherwise */
	bool
	    never_fit; /* nothing says that they ever had a version in common */
};

/* Several programs behind one address do both, and one of them probes. */
static bool
is_tls_pair(const struct detect_ctx *c)
{
	const struct pair_facts *p = past_pair(c);

	return p != NULL && p->tls > p->clear * 9;
}

static bool
never_fit(const struct detect_ctx *c)
{
	return past_pair(c) == NULL || past_pair(c)->tls == 0;
}

static int
forged_weight(const struct pair_event *e, const struct use *u)
{
	if (e->during_tls)
		return e->confidence >= CERTAIN ? W_FALLBACK_FORGED
						: W_FALLBACK_BROKEN;
	return u->tls_expected ? W_FALLBACK_RESET : 0;
}

/* What an event is worth as the cause of plaintext; 0: nothing. */
static int
event_weight(const struct pair_event *e, const struct use *u)
{
	if (!same_service(e->server_port, u->port))
		return 0;
	if (e->server_port != u->port && !u->auth)
		return 0; /* account set-up tries ports */
	if (e->how == TLS_NO_FAIL && e->confidence < SERIOUS)
		return 0;
	if (e->finding == FIND_RST_INJECTED)
		return forged_weight(e, u);
	if (e->how == TLS_NO_FAIL)
		return u->tls_expected && is_cause(e->finding)
			   ? W_FALLBACK_SIGNS
			   : 0;
	if (e->how == TLS_FAIL_REFUSED)
		return W_FALLBACK_REFUSED;
	if (e->how == TLS_FAIL_VERSION && u->never_fit)
		return W_FALLBACK_TOO_OLD;
	if (e->left)
		return u->tls_pair || u->start - e->time < AT_ONCE
			   ? W_FALLBACK_LEFT
			   : W_FALLBACK_LEFT_LONG_AGO;
	if (e->server_port != u->port)
		return W_FALLBACK_PORT;
	return W_FALLBACK_BROKEN;
}

static void
say_event(
    struct finding *n, const struct pair_event *e, int weight, int64_t used)
{
	char ago[24];

	(void)detect_span(ago, sizeof(ago), used - e->time);
	if (e->finding == FIND_RST_INJECTED) {
		n->tags |= EVT_AFTER_FORGED_RST;
		finding_add(n, weight,
		    "the connection from port %u got a forged reset %s before",
		    e->client_port, ago);
	} else if (e->how == TLS_NO_FAIL) {
		finding_add(n, weight,
		    "%s before, on the connection from port %u: %s", ago,
		    e->client_port,
		    finding_info((enum finding_id)e->finding)->title);
	} else if (e->how == TLS_FAIL_REFUSED) {
		finding_add(n, weight,
		    "TLS was refused on the connection from port %u %s before",
		    e->client_port, ago);
	} else {
		finding_add(n, weight,
		    "the TLS handshake on the connection from port %u (to %u) "
		    "%s %s before",
		    e->client_port, e->server_port,
		    tls_fail_name((enum tls_fail)e->how), ago);
	}
}

static const struct pair_event *
worst_event(const struct facts *f, const struct detect_ctx *c, int *weight)
{
	struct use use = {f->who.start, f->who.server_port,
	    f->auth->secret.time != 0 || f->auth->ok.time != 0,
	    f->caps->ever_starttls || detect_known_tls(c) != KNOWN_NOTHING,
	    is_tls_pair(c), never_fit(c)};
	const struct pair_recent *r = past_recent(c);
	const struct pair_event *e, *worst = NULL;
	int w;

	*weight = 0;
	for (unsigned i = 0; i < r->nevents; i++) {
		e = &r->events[i];
		if (e->told || e->flow == f->flow || e->time > f->who.start)
			continue;
		w = event_weight(e, &use);
		if (w <= *weight)
			continue;
		*weight = w;
		worst = e;
	}
	return worst;
}

static void
fallback_after(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_FALLBACK_KNOWN;
	const struct pair_event *e;
	struct finding *n;
	int weight;

	if (f->tls->asked.time != 0 || past_recent(c) == NULL)
		return;
	e = worst_event(f, c, &weight);
	if (e == NULL || (n = detect_find(c, FIND_PLAINTEXT_FALLBACK)) == NULL)
		return;
	finding_add(n, 0, "the client uses the service in clear%s",
	    f->caps->ever_starttls ? ", although TLS is offered" : "");
	say_event(n, e, weight, o->time);
	(void)detect_add_history(n, c, known);
	add_pair(n, c);
	add_credentials(n, f->auth->secret.time != 0);
	if (o->time - e->time < AT_ONCE)
		finding_add(n, PLUS_AT_ONCE, "at once");
}

/* ---- found out later ---- */

/* Known before, and the plaintext that followed it was spoken of. */
static bool
was_told(const struct facts *f, const struct detect_ctx *c, enum tls_fail how)
{
	const struct pair_recent *r = past_recent(c);
	const struct pair_event *e;

	for (unsigned i = 0; i < r->nevents; i++) {
		e = &r->events[i];
		if (e->flow == f->flow && e->how == how && e->told)
			return true;
	}
	return false;
}

static uint8_t
forged_now(
    const struct obs *o, const struct facts *f, const struct detect_ctx *c)
{
	const struct finding *got = detect_got(c, FIND_RST_INJECTED);

	return got != NULL ? got->confidence
			   : f->rare->rst[o->dir == DIR_S2C].forged;
}

static bool
event_now(const struct obs *o, const struct facts *f,
    const struct detect_ctx *c, struct pair_event *e)
{
	enum tls_fail how;
	struct moment at;

	memset(e, 0, sizeof(*e));
	e->client_port = f->who.client_port;
	e->server_port = f->who.server_port;
	if (o->kind == OBS_RST) {
		if (!detect_has(c, FIND_RST_INJECTED))
			return false;
		e->finding = FIND_RST_INJECTED;
		e->confidence = forged_now(o, f, c);
		e->time = f->rare->rst[o->dir == DIR_S2C].at.time;
		e->during_tls = facts_in_handshake(f, e->time);
		return true;
	}
	how = facts_tls_failed(f, &at);
	if (was_told(f, c, how))
		return false;
	e->how = (uint8_t)how;
	e->time = at.time;
	e->left =
	    facts_is_probe(f, how, &at) || facts_left_by_client(f, how, &at);
	return how != TLS_NO_FAIL;
}

static void
fallback_before(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_FALLBACK_KNOWN;
	const struct pair_recent *r = past_recent(c);
	const struct pair_use *u;
	struct use use;
	struct pair_event e;
	struct finding *n;
	int weight = 0;
	bool expected;

	if (r == NULL || !event_now(o, f, c, &e))
		return;
	expected =
	    f->caps->ever_starttls || detect_known_tls(c) != KNOWN_NOTHING;
	for (unsigned i = 0; i < r->nuses && weight == 0; i++) {
		u = &r->uses[i];
		use = (struct use){u->start, u->server_port, u->auth,
		    expected || u->offered, is_tls_pair(c), never_fit(c)};
		if (!u->told && u->flow != f->flow && u->start >= e.time &&
		    u->at.time - e.time <= PAIR_WINDOW)
			weight = event_weight(&e, &use);
	}
	if (weight == 0 ||
	    (n = detect_find(c, FIND_PLAINTEXT_FALLBACK)) == NULL)
		return;
	detect_at(n, &u->at);
	finding_add(n, 0, "the client came back in clear (%s, from port %u)",
	    u->verb, u->client_port);
	say_event(n, &e, weight, u->at.time);
	(void)detect_add_history(n, c, known);
	add_pair(n, c);
	add_credentials(n, u->auth);
}

/* Mail taken, or a login tried: what only asks is no use. */
static bool
is_use(const struct obs *o)
{
	if (o->kind == OBS_AUTH)
		return o->u.auth.secret_sent || o->u.auth.outcome == AUTH_OK;
	return o->u.verb.ok || o->u.verb.code == 0;
}

void
detect_fallback(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	bool use = o->kind == OBS_CLEAR_USE || o->kind == OBS_AUTH, here;
	enum finding_id cause;

	if (f->tls->done.time != 0 || (use && !is_use(o)))
		return;
	here = use && cause_here(c, &cause);
	if ((!here && past_recent(c) == NULL) || always_fails(c))
		return;
	if (here)
		fallback_here(f, c, cause);
	else if (use)
		fallback_after(o, f, c);
	else
		fallback_before(o, f, c);
}
