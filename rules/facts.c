/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Folding observations into the facts of a flow: one small function a kind,
 * no judgement. What is kept of repeated things is said in the header: the
 * last list, the last attempt to get TLS, the first of everything else.
 */
#include "rules/facts_parts.h"

#include <string.h>
#include <strings.h>

#include "rules/greeting.h"
#include "rules/renewal.h"
#include "rules/server_key.h"
#include "rules/words.h"

#define SILENCE (30 * INT64_C(1000000000)) /* ns without a packet */
#define BROKEN_OFF (5 * INT64_C(1000000000)) /* ns from garbage to the end */
/* A server that waits longer than this for the ClientHello and then closes
 * only lost its patience. */
#define PATIENCE (10 * INT64_C(1000000000))

#define ALERT_CLOSE_NOTIFY 0
#define ALERT_WARNING 1

typedef void fold_fn(struct facts *f, struct blocks *b, const struct obs *o);
typedef void fold_tls_fn(struct facts_tls *t, const struct obs *o);

static void
moment_set(struct moment *m, const struct obs *o)
{
	m->time = o->time;
	m->pkt = o->pkt;
}

static void
moment_first(struct moment *m, const struct obs *o)
{
	if (m->time == 0)
		moment_set(m, o);
}

static void
instant_first(struct instant *i, const struct obs *o)
{
	if (i->time == 0)
		i->time = o->time;
}

const char *
facts_tls_verb(const struct facts *f)
{
	if (f->tls->anonymous)
		return "X-ANONYMOUSTLS";
	return f->proto == PROTO_POP3 ? "STLS" : "STARTTLS";
}

static void
fold_proxy(struct facts *f, struct blocks *b, const struct obs *o)
{
	struct obs_proxy *p = facts_own_proxied(f, b);

	if (p != NULL)
		*p = o->u.proxy;
}

static void
fold_greeting(struct facts *f, struct blocks *b, const struct obs *o)
{
	const struct obs_greeting *g = &o->u.greeting;
	struct facts_greeting *to;
	struct greeting_text text;

	if (f->greeting->kind != 0)
		return;
	greeting_read(&text, o->text);
	to = facts_own_greeting(f, b, g->host);
	if (to == NULL)
		return;
	moment_set(&to->at, o);
	to->kind = g->kind;
	to->code = g->code;
	to->masked = f->proto == PROTO_SMTP && text.masked;
	to->shape = text.shape;
	to->machine = greeting_machine(&text, o, (enum proto)f->proto);
	to->esmtp = text.esmtp;
	to->old_imap = f->proto == PROTO_IMAP && text.old_imap;
	f->preauth = g->kind == GREETING_PREAUTH;
}

static void
fold_refused(struct facts *f, struct blocks *b, struct facts_caps *to,
    const struct obs *o)
{
	struct moment *at;

	to->refused = 1;
	to->refused_code = o->u.caps.code;
	to->refused_for_now = strstr(o->text, "[SYS/TEMP]") != NULL ||
			      strstr(o->text, "[UNAVAILABLE]") != NULL;
	at = facts_own_refused(f, b);
	if (at != NULL)
		moment_set(at, o);
}

static void
fold_list(struct facts_caps *to, const struct obs *o)
{
	const struct obs_caps *c = &o->u.caps;

	moment_set(&to->at, o);
	to->source = c->source;
	to->complete = c->complete;
	to->starttls = c->starttls;
	to->logindisabled = c->logindisabled;
	to->mechs = c->mechs;
	to->ever_starttls |= c->starttls;
	to->ever_logindisabled |= c->logindisabled;
	if (to->lists < UINT8_MAX)
		to->lists++;
}

static void
fold_helo(struct facts_caps *to, const struct obs *o)
{
	to->helo |= !o->u.caps.refused;
	to->source = CAPS_HELO;
	to->complete = to->starttls = to->logindisabled = 0;
}

static void
fold_caps(struct facts *f, struct blocks *b, const struct obs *o)
{
	const struct obs_caps *c = &o->u.caps;
	bool helo = c->source == CAPS_HELO, refused = c->refused && !helo;
	struct facts_caps *to;

	if (c->after_auth || f->tls->done.time != 0)
		return;
	to = refused ? facts_own_caps(f, b)
		     : facts_own_list(f, b, c->name, helo ? "" : c->words);
	if (to == NULL)
		return;
	if (refused)
		fold_refused(f, b, to, o);
	else if (helo)
		fold_helo(to, o);
	else
		fold_list(to, o);
}

static void
fold_tls_asked(struct facts_tls *t, const struct obs *o)
{
	t->asked.time = o->time;
	t->anonymous = o->u.verb.verb[0] == 'X';
	memset(&t->answered, 0, sizeof(t->answered));
	t->answer = 0;
	t->answer_code = 0;
}

static void
fold_tls_answered(struct facts_tls *t, const struct obs *o)
{
	if (o->u.answer.in_tls)
		return;
	moment_set(&t->answered, o);
	t->answer = o->u.answer.kind;
	t->answer_code = o->u.answer.code;
}

static void
fold_text_before_tls(struct facts_tls *t, const struct obs *o)
{
	if (o->u.inject.is_tls || o->u.inject.tls_followed)
		return;
	if (o->dir == DIR_C2S)
		t->text_c2s = 1;
	else
		t->text_s2c = 1;
}

/* Plaintext goes on after the go-ahead. */
static void
fold_text(struct facts *f, struct blocks *b, const struct obs *o)
{
	struct facts_tls *t;

	if (f->tls->answer != ANSWER_POSITIVE || f->tls->client_hello.time != 0)
		return;
	t = facts_own_tls(f, b);
	if (t != NULL)
		moment_first(&t->text, o);
}

static void
fold_clear_use(struct facts *f, struct blocks *b, const struct obs *o)
{
	struct facts_clear *c = facts_own_clear(f, b);

	if (c == NULL)
		return;
	if (c->count == 0)
		memcpy(c->verb, o->u.verb.verb, sizeof(c->verb));
	if (c->count < UINT16_MAX)
		c->count++;
	instant_first(&c->at, o);
	if (o->u.verb.ok)
		instant_first(&c->accepted, o);
	fold_text(f, b, o);
}

static uint64_t
hash_user(const char *user)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (; *user != '\0'; user++)
		h = (h ^ (uint8_t)*user) * UINT64_C(1099511628211);
	return h;
}

static bool
auth_is_new(struct facts_auth *a, uint64_t user, uint8_t mech)
{
	for (unsigned i = 0; i < a->nseen; i++)
		if (a->user[i] == user && a->mech[i] == mech)
			return false;
	if (a->nseen == FACTS_AUTHS)
		return false;
	a->user[a->nseen] = user;
	a->mech[a->nseen++] = mech;
	return true;
}

static void
fold_auth(struct facts *f, struct blocks *b, const struct obs *o)
{
	const struct obs_auth *u = &o->u.auth;
	struct facts_auth *a = facts_own_auth(f, b);

	if (a == NULL)
		return;
	a->fresh = 0;
	if (a->exchanges < UINT16_MAX)
		a->exchanges++;
	if (u->outcome == AUTH_OK)
		instant_first(&a->ok, o);
	if (u->secret_sent)
		instant_first(&a->secret, o);
	if (u->secret_sent || u->response_sent)
		a->fresh = auth_is_new(a, hash_user(u->user), u->mech);
}

static void
fold_odd_verb(struct facts *f, struct blocks *b, const struct obs *o)
{
	const char *verb = o->u.answer.verb;
	struct slice s = {(const uint8_t *)verb, strlen(verb)};
	enum word_damage d = words_damage(s, facts_tls_verb(f));
	struct facts_odd *odd;

	if (d == WORD_FINE || o->u.answer.hidden || f->rare->odd->at.time != 0)
		return;
	odd = facts_own_odd(f, b);
	if (odd == NULL)
		return;
	moment_set(&odd->at, o);
	odd->damage = (uint8_t)d;
	memcpy(odd->verb, verb, sizeof(odd->verb));
}

static void
fold_rst(struct facts *f, struct blocks *b, const struct obs *o)
{
	struct facts_rst *r = facts_own_rst(f, b);

	if (r == NULL)
		return;
	r += o->dir == DIR_S2C;
	if (r->at.time == 0) {
		r->phase = o->u.rst.first_phase;
		r->at.time = o->pkt.ordinal != 0 ? o->pkt.time : o->time;
		r->at.pkt = o->pkt;
	}
	r->tests |= o->u.rst.tests;
}

static void
fold_client_hello(struct facts *f, struct blocks *b, const struct obs *o)
{
	const struct obs_hello *h = &o->u.hello;
	struct facts_tls *t = facts_own_tls(f, b);

	if (t == NULL)
		return;
	if (t->client_hellos < UINT8_MAX)
		t->client_hellos++;
	if (t->client_hello.time != 0)
		return;
	t->client_hello.time = o->time;
	t->offered = h->version;
	t->offers_13 = h->offers_13;
	t->fallback_scsv = h->fallback_scsv;
	t->has_sni = h->has_sni;
	t->ech = h->ech;
	t->brought_ticket = h->psk || h->ticket == TICKET_SENT;
	t->early_data = h->early_data;
	facts_set_sni(t, b, h->sni);
	memcpy(t->ja3, h->ja3, sizeof(t->ja3));
	memcpy(t->ja4, h->ja4, sizeof(t->ja4));
}

static void
fold_server_hello(struct facts_tls *t, const struct obs *o)
{
	const struct obs_hello *h = &o->u.hello;

	if (h->retry)
		return;
	moment_first(&t->server_hello, o);
	t->version = h->version;
	t->suite = h->suite;
	t->group = h->group;
	t->sentinel = h->sentinel;
	t->resumed = h->resumed;
	memcpy(t->ja3s, h->ja3, sizeof(t->ja3s));
}

static void
fold_key_exchange(struct facts_tls *t, const struct obs *o)
{
	t->kex_bits = o->u.kex.bits;
	if (o->u.kex.group != 0)
		t->group = o->u.kex.group;
}

static void
fold_alert(struct facts_tls *t, const struct obs *o)
{
	const struct obs_alert *a = &o->u.alert;

	if (t->done.time != 0 || t->alert.time != 0)
		return;
	if (a->level == ALERT_WARNING && a->description != ALERT_CLOSE_NOTIFY &&
	    !facts_is_cert_alert(a->description))
		return;
	moment_set(&t->alert, o);
	t->alert_dir = o->dir;
	t->alert_level = a->level;
	t->alert_code = a->description;
}

static void
fold_done(struct facts_tls *t, const struct obs *o)
{
	instant_first(&t->done, o);
	t->said = o->u.done.said;
	t->flight = o->u.done.flight;
	if (t->version == 0)
		t->version = o->u.done.version;
	if (t->suite == 0)
		t->suite = o->u.done.suite;
}

static void
fold_appdata(struct facts_tls *t, const struct obs *o)
{
	instant_first(&t->appdata, o);
}

static void
fold_broken(struct facts_tls *t, const struct obs *o)
{
	instant_first(&t->broken, o);
}

static void
fold_demanded(struct facts *f, struct blocks *b, const struct obs *o)
{
	struct facts_caps *c = facts_own_caps(f, b);

	(void)o;
	if (c != NULL)
		c->demanded = 1;
}

static void
fold_imap_code(struct facts *f, struct blocks *b, const struct obs *o)
{
	(void)b;
	if (strcmp(o->u.verb.verb, "ALERT") == 0)
		f->alert_text = hash32_text(o->text);
}

static void
fold_quit(struct facts *f, struct blocks *b, const struct obs *o)
{
	(void)b;
	if (f->quit == 0)
		f->quit = o->time;
}

static void
fold_end(struct facts *f, struct blocks *b, const struct obs *o)
{
	const struct obs_end *e = &o->u.end;

	(void)b;
	f->ended = e->how;
	f->closed_by = e->closed_by;
	f->server_ttl = e->server_ttl;
	f->last_packet = e->last;
	f->retrans = e->retrans;
	memcpy(f->rtt, e->rtt, sizeof(f->rtt));
	memcpy(f->syn_signature, e->syn_signature, sizeof(f->syn_signature));
}

static const struct fold {
	fold_fn *fn;
	fold_tls_fn *tls; /* of facts.tls alone */
} folds[OBS_KIND_COUNT] = {
    [OBS_FLOW_END] = {.fn = fold_end},
    [OBS_RST] = {.fn = fold_rst},
    [OBS_PROXY] = {.fn = fold_proxy},
    [OBS_GREETING] = {.fn = fold_greeting},
    [OBS_CAPS] = {.fn = fold_caps},
    [OBS_TLS_ASKED] = {.tls = fold_tls_asked},
    [OBS_TLS_ANSWERED] = {.tls = fold_tls_answered},
    [OBS_TEXT_BEFORE_TLS] = {.tls = fold_text_before_tls},
    [OBS_CLEAR_USE] = {.fn = fold_clear_use},
    [OBS_AUTH] = {.fn = fold_auth},
    [OBS_VERB_UNKNOWN] = {.fn = fold_odd_verb},
    [OBS_TLS_DEMANDED] = {.fn = fold_demanded},
    [OBS_IMAP_CODE] = {.fn = fold_imap_code},
    [OBS_QUIT] = {.fn = fold_quit},
    [OBS_TLS_CLIENT_HELLO] = {.fn = fold_client_hello},
    [OBS_TLS_SERVER_HELLO] = {.tls = fold_server_hello},
    [OBS_TLS_ALERT] = {.tls = fold_alert},
    [OBS_TLS_DONE] = {.tls = fold_done},
    [OBS_TLS_KEY_EXCHANGE] = {.tls = fold_key_exchange},
    [OBS_TLS_APPDATA] = {.tls = fold_appdata},
    [OBS_TLS_BROKEN] = {.tls = fold_broken},
};

static void
fold_cert(struct facts *f, struct blocks *b, const struct obs_cert *c,
    const struct chain_verdict *v)
{
	struct facts_tls *t = c->from_server ? facts_own_tls(f, b) : NULL;

	if (t == NULL)
		return;
	t->has_chain = 1;
	memcpy(t->chain_id, c->chain_id, sizeof(t->chain_id));
	t->have_leaf = v != NULL && v->trust != TRUST_MALFORMED;
	if (!t->have_leaf)
		return;
	t->leaf_trusted = v->trust == TRUST_OK;
	t->leaf_self_signed = (v->leaf.flags & X509F_SELF_SIGNED) != 0;
	t->leaf_key_type = v->leaf.key_type;
	t->leaf_not_before = v->leaf.not_before;
	t->leaf_not_after = v->leaf.not_after;
	renewal_domains(t->leaf_domains, &v->leaf);
	memcpy(t->leaf_spki, v->leaf.spki_sha256, sizeof(t->leaf_spki));
	memcpy(t->leaf_issuer, v->leaf.issuer_sha256, sizeof(t->leaf_issuer));
}

void
facts_begin(struct facts *f, const struct obs *open)
{
	facts_init(f);
	f->flow = open->flow;
	f->who = open->u.flow_open;
	f->proto = open->proto;
	f->implicit_tls = open->implicit_tls;
	f->vis = open->vis;
	f->last = open->time;
}

static void
fold_gaps(struct facts *f, struct blocks *b, const struct obs *o)
{
	struct facts_rare *r;

	if (o->gap[0].bytes == 0 && o->gap[1].bytes == 0)
		return;
	r = facts_own_rare(f, b);
	if (r != NULL)
		memcpy(r->gap, o->gap, sizeof(r->gap));
}

void
facts_fold(struct facts *f, struct blocks *b, const struct obs *o,
    const struct chain_verdict *v)
{
	const struct fold *fold;
	struct facts_tls *t;

	f->last = o->time;
	f->vis = (f->vis & ~(uint32_t)VIS_ONE_WAY) | o->vis;
	fold_gaps(f, b, o);
	f->phase = o->phase;
	f->implicit_tls |= o->implicit_tls;
	if (o->proto != PROTO_UNKNOWN)
		f->proto = o->proto;
	if (o->kind >= OBS_KIND_COUNT)
		return;
	fold = &folds[o->kind];
	if (fold->fn != NULL)
		fold->fn(f, b, o);
	else if (o->kind == OBS_TLS_CERT)
		fold_cert(f, b, &o->u.cert, v);
	else if (fold->tls != NULL && (t = facts_own_tls(f, b)) != NULL)
		fold->tls(t, o);
}

bool
facts_raised(const struct facts *f, enum finding_id id)
{
	return (f->raised >> id & 1) != 0;
}

bool
facts_is_cert_alert(uint8_t description)
{
	return (description >= 42 && description <= 46) || description == 48;
}

/* When TLS was due: the go-ahead, or the first hello of implicit TLS. */
static int64_t
tls_due(const struct facts *f)
{
	if (f->tls->answer == ANSWER_POSITIVE)
		return f->tls->answered.time;
	return f->tls->client_hello.time;
}

bool
facts_in_handshake(const struct facts *f, int64_t time)
{
	int64_t due = tls_due(f);

	if (due == 0 || time < due)
		return false;
	return f->tls->done.time == 0 || time < f->tls->done.time;
}

/* A reset that stands: it ended the flow, or it was forged and did. */
static const struct moment *
deadly_rst(const struct facts *f, int64_t due)
{
	const struct moment *best = NULL;

	for (unsigned d = 0; d < 2; d++) {
		const struct facts_rst *r = &f->rare->rst[d];

		if (r->at.time == 0 || r->at.time < due)
			continue;
		if (f->ended == 0 && (!r->forged || r->tests & RST_BLIND))
			continue;
		if (best == NULL || r->at.time < best->time)
			best = &r->at;
	}
	return best;
}

static enum tls_fail
failed_by_end(const struct facts *f, struct moment *at)
{
	at->time = f->last_packet;
	switch (f->ended) {
	case END_FIN:
		return TLS_FAIL_FIN;
	case END_RST:
		return TLS_FAIL_RST;
	case END_TIMEOUT:
	case END_REUSED:
		return TLS_FAIL_SILENCE;
	case END_INPUT:
		return f->last - f->last_packet >= SILENCE ? TLS_FAIL_SILENCE
							   : TLS_NO_FAIL;
	default:
		return TLS_NO_FAIL;
	}
}

#define ALERT_PROTOCOL_VERSION 70
#define TLS11 0x0302

/* What the hellos say explains the alert. */
static bool
too_old(const struct facts_tls *t)
{
	uint16_t v = t->alert_dir == DIR_C2S ? t->version : t->offered;

	return t->alert_code == ALERT_PROTOCOL_VERSION && v != 0 && v <= TLS11;
}

#define HANDSHAKE_UNSEEN \
	(VIS_ONE_WAY | VIS_GAP_C2S | VIS_GAP_S2C | VIS_TRUNCATED)

static enum tls_fail
failed_after_go_ahead(const struct facts *f, struct moment *at)
{
	const struct moment *rst = deadly_rst(f, tls_due(f));

	if (f->tls->text.time != 0) {
		*at = f->tls->text;
		return TLS_FAIL_TEXT;
	}
	if (f->tls->alert.time != 0 &&
	    (rst == NULL || f->tls->alert.time <= rst->time)) {
		*at = f->tls->alert;
		return too_old(f->tls) ? TLS_FAIL_VERSION : TLS_FAIL_ALERT;
	}
	if (f->vis & HANDSHAKE_UNSEEN)
		return TLS_NO_FAIL; /* it may well have been completed */
	if (rst != NULL) {
		*at = *rst;
		return TLS_FAIL_RST;
	}
	/* unreadable records: failed if it was over at once, else unknown */
	if (f->tls->broken.time != 0 &&
	    f->last_packet - f->tls->broken.time > BROKEN_OFF)
		return TLS_NO_FAIL;
	return failed_by_end(f, at);
}

/* A dropped command looks like this, or a dropped reply. */
static bool
is_unanswered(const struct facts *f)
{
	return f->tls->asked.time != 0 && f->tls->answer == 0 &&
	       f->tls->client_hello.time == 0 && f->clear->at.time == 0 &&
	       (f->vis & (HANDSHAKE_UNSEEN | VIS_MIDSTREAM)) == 0;
}

enum tls_fail
facts_tls_failed(const struct facts *f, struct moment *at)
{
	const struct facts_tls *t = f->tls;
	struct moment scratch;

	if (at == NULL)
		at = &scratch;
	memset(at, 0, sizeof(*at));
	if (t->done.time != 0 || t->appdata.time != 0)
		return TLS_NO_FAIL;
	if (t->answer != 0 && t->answer != ANSWER_POSITIVE &&
	    t->client_hello.time == 0) {
		*at = t->answered;
		return TLS_FAIL_REFUSED;
	}
	if (is_unanswered(f)) {
		if (failed_by_end(f, at) == TLS_NO_FAIL)
			return TLS_NO_FAIL;
		return TLS_FAIL_UNANSWERED;
	}
	if (tls_due(f) == 0)
		return TLS_NO_FAIL;
	return failed_after_go_ahead(f, at);
}

const char *
tls_fail_name(enum tls_fail how)
{
	static const char *const names[] = {"did not fail", "was refused",
	    "gave way to plaintext", "was ended by an alert",
	    "was ended by a reset", "was ended by closing the connection",
	    "fell silent", "found no version in common",
	    "was asked for and got no answer"};

	return (unsigned)how < sizeof(names) / sizeof(names[0]) ? names[how]
								: "?";
}

uint8_t
facts_forged_rst(const struct facts *f)
{
	uint8_t c = f->rare->rst[DIR_C2S].forged,
		s = f->rare->rst[DIR_S2C].forged;

	return c > s ? c : s;
}

bool
facts_rst_of_server(const struct facts *f, const struct moment *at)
{
	if (f->rare->rst[DIR_S2C].at.time != 0)
		return f->rare->rst[DIR_S2C].at.time == at->time;
	return f->rare->rst[DIR_C2S].at.time == 0 && f->closed_by == DIR_S2C;
}

bool
facts_is_probe(
    const struct facts *f, enum tls_fail how, const struct moment *at)
{
	if (f->tls->client_hello.time != 0 || how == TLS_FAIL_TEXT ||
	    facts_forged_rst(f) != 0)
		return false;
	if (how == TLS_FAIL_SILENCE || how == TLS_FAIL_ALERT ||
	    how == TLS_FAIL_VERSION)
		return true;
	if (facts_rst_of_server(f, at) &&
	    (how == TLS_FAIL_RST || how == TLS_FAIL_UNANSWERED))
		return false;
	if (how == TLS_FAIL_UNANSWERED)
		return f->closed_by == DIR_C2S;
	return f->closed_by == DIR_C2S ||
	       at->time - f->tls->answered.time > PATIENCE;
}

bool
facts_left_by_client(
    const struct facts *f, enum tls_fail how, const struct moment *at)
{
	if (facts_forged_rst(f) != 0)
		return false;
	if (how == TLS_FAIL_RST)
		return !facts_rst_of_server(f, at);
	return how == TLS_FAIL_FIN && f->closed_by == DIR_C2S;
}
