/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Refusals and broken promises: STARTTLS offered and refused (A7, A8, A15,
 * A16), agreed on and not done (A9, A9b).
 *
 * Benign look-alikes: 454 while the server cannot do TLS, and the client comes
 * back later; STARTTLS repeated inside TLS; a probe that closes without a
 * ClientHello; a scanner that leaves in the middle; a capture that keeps the
 * beginning of each connection; a client that does not like the certificate
 * (that is another finding) or has no version in common with the server, also
 * where that server closes without an alert, and also where another program of
 * the same client gets TLS all the time; a crash after the handshake; the end
 * of the capture in the middle of one.
 */
#include "rules/detect.h"

#include <stdio.h>
#include <string.h>

#include "decoders/tls_hello.h"
#include "rules/weights.h"

#define ALERT_DECODE_ERROR 50
#define RETRIES 2 /* segments sent again: nobody answers */

/* ---- A7, A8, A15, A16 ---- */

static void
add_refusal(struct finding *n, const struct facts *f)
{
	const struct facts_tls *t = f->tls;

	if (t->answer_code != 0)
		finding_add(n, W_REFUSED, "%s was answered with %u",
		    facts_tls_verb(f), t->answer_code);
	else
		finding_add(n, W_REFUSED, "%s was refused", facts_tls_verb(f));
	if (!f->caps->ever_starttls)
		finding_add(
		    n, LESS_LIST_WITHOUT, "but the list had not offered it");
	else if (t->answer == ANSWER_PERMFAIL)
		finding_add(n, PLUS_REFUSED_FOR_GOOD,
		    "for good, although the list had just offered it");
}

static void
refused_and_used(const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_REFUSED_KNOWN;
	struct finding *n;

	/* used before it was asked for: that is not a consequence */
	if (f->clear->at.time != 0 && f->clear->at.time < f->tls->answered.time)
		return;
	n = detect_find(c, FIND_STARTTLS_REFUSED);
	if (n == NULL)
		return;
	detect_at(n, &f->tls->answered);
	n->tags |= EVT_SAME_CONNECTION;
	add_refusal(n, f);
	(void)detect_add_history(n, c, known);
	finding_add(
	    n, PLUS_USED_IN_CLEAR, "the same connection went on in clear");
}

/* The refusal was the last thing of an earlier connection. */
static void
refused_before(const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_REFUSED_KNOWN;
	const struct pair_recent *r = past_recent(c);
	const struct pair_event *e = NULL;
	struct finding *n;
	char ago[24];

	for (unsigned i = 0; r != NULL && i < r->nevents; i++)
		if (r->events[i].how == TLS_FAIL_REFUSED &&
		    r->events[i].flow != f->flow &&
		    r->events[i].server_port == f->who.server_port &&
		    !r->events[i].told && r->events[i].time <= f->who.start)
			e = &r->events[i];
	if (e == NULL || (n = detect_find(c, FIND_STARTTLS_REFUSED)) == NULL)
		return;
	finding_add(n, W_REFUSED,
	    "%s was refused on the connection from port %u, %s before",
	    facts_tls_verb(f), e->client_port,
	    detect_span(ago, sizeof(ago), f->last - e->time));
	(void)detect_add_history(n, c, known);
	finding_add(
	    n, PLUS_USED_IN_CLEAR, "the next connection went on in clear");
}

static void
refused_invalidly(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_REFUSED_KNOWN;
	struct finding *n = detect_find(c, FIND_STARTTLS_REFUSED);

	if (n == NULL)
		return;
	n->tags |= EVT_INVALID_REPLY;
	finding_add(n, W_INVALID_REPLY,
	    "%s was answered with \"%.60s\", which no standard knows",
	    facts_tls_verb(f), o->text);
	(void)detect_add_history(n, c, known);
}

void
detect_refused(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	if (f->tls->done.time != 0 || f->implicit_tls)
		return;
	if (o->kind == OBS_TLS_ANSWERED) {
		if (o->u.answer.kind == ANSWER_INVALID && !o->u.answer.in_tls)
			refused_invalidly(o, f, c);
		return;
	}
	if (o->kind == OBS_AUTH && !o->u.auth.secret_sent &&
	    o->u.auth.outcome != AUTH_OK)
		return;
	if (facts_tls_failed(f, NULL) == TLS_FAIL_REFUSED)
		refused_and_used(f, c);
	else if (f->tls->asked.time == 0)
		refused_before(f, c);
}

/* ---- A9, A9b ---- */

static bool
seen_well(const struct facts *f)
{
	return (f->vis & (VIS_ONE_WAY | VIS_GAP_C2S | VIS_GAP_S2C |
			     VIS_TRUNCATED)) == 0;
}

/* Alerts by which the sides find that they have nothing in common:
 * handshake_failure, protocol_version, insufficient_security,
 * inappropriate_fallback, missing_extension, unsupported_extension,
 * unrecognized_name, no_application_protocol. */
static bool
is_misfit(uint8_t alert)
{
	static const uint8_t codes[] = {40, 70, 71, 86, 109, 110, 112, 120};

	return memchr(codes, alert, sizeof(codes)) != NULL;
}

/* OpenSSL ends with decode_error where the server has closed without a word:
 * Dovecot does so where it has no version or suite in common. */
static bool
gave_up(const struct facts *f)
{
	return f->tls->alert_dir == DIR_C2S &&
	       f->tls->alert_code == ALERT_DECODE_ERROR &&
	       f->tls->server_hello.time == 0;
}

/* One that got TLS here before, as far as is known. */
static bool
knows_hello(const struct pair_facts *p, const struct facts *f)
{
	uint32_t hash = hash32_text(f->tls->ja4);

	if (f->tls->ja4[0] == '\0' || p->hellos[HISTORY_HELLOS - 1] == 0)
		return true;
	for (unsigned i = 0; i < HISTORY_HELLOS; i++)
		if (p->hellos[i] == hash)
			return true;
	return false;
}

/* These two got TLS before, and by such a ClientHello: not another program of
 * the client's, that asks for what the server does not have. */
static bool
got_tls_like_this(const struct detect_ctx *c, const struct facts *f)
{
	const struct pair_facts *p = past_pair(c);

	return p != NULL && p->tls > 0 && knows_hello(p, f);
}

/* The ClientHello was not answered, and may itself be why: it offers what
 * servers refuse today (RFC 8996), or is not the one that got TLS before. */
static bool
hello_is_odd(const struct detect_ctx *c, const struct facts *f)
{
	const struct pair_facts *p = past_pair(c);

	if (f->tls->client_hello.time == 0 || f->tls->server_hello.time != 0)
		return false;
	return f->tls->offered < TLS_12 ||
	       (p != NULL && p->tls > 0 && !knows_hello(p, f));
}

/* close_notify and user_canceled of the client */
static bool
left_politely(const struct facts *f)
{
	return f->tls->alert_dir == DIR_C2S &&
	       (f->tls->alert_code == 0 || f->tls->alert_code == 90);
}

/* Scanners leave in the middle of the handshake, old clients and new servers
 * find that they do not fit, captures keep the first packets of a connection:
 * that the server is known to do TLS makes none of this stranger. That these
 * two hosts did it before does. */
static bool
is_everyday(const struct facts *f, const struct detect_ctx *c,
    enum tls_fail how, const struct moment *at)
{
	if (how == TLS_FAIL_ALERT || how == TLS_FAIL_VERSION)
		return is_misfit(f->tls->alert_code) || left_politely(f) ||
		       (gave_up(f) && hello_is_odd(c, f));
	if (how == TLS_FAIL_SILENCE)
		return f->retrans < RETRIES;
	return facts_left_by_client(f, how, at) ||
	       (how == TLS_FAIL_FIN && hello_is_odd(c, f));
}

static void
add_abort_alert(
    struct finding *n, const struct facts *f, const struct detect_ctx *c)
{
	bool misfit = is_misfit(f->tls->alert_code);
	int weight = misfit ? W_ABORTED_MISFIT : W_ABORTED_ALERT;

	if (left_politely(f))
		weight = W_ABORTED_BY_CLIENT;
	if (gave_up(f)) {
		finding_add(n,
		    hello_is_odd(c, f) ? W_ABORTED_MISFIT : W_ABORTED_FIN,
		    "nothing came back to the client's hello, and it gave up "
		    "with alert %u",
		    f->tls->alert_code);
		return;
	}
	finding_add(n, weight, "the %s ended it with alert %u%s",
	    f->tls->alert_dir == DIR_C2S ? "client" : "server",
	    f->tls->alert_code,
	    misfit ? ", as sides do that do not fit together" : "");
}

static void
add_abort_fin(
    struct finding *n, const struct facts *f, const struct detect_ctx *c)
{
	if (f->closed_by == DIR_S2C && hello_is_odd(c, f))
		finding_add(n, W_ABORTED_MISFIT,
		    "the server closed without an answer to the client's "
		    "hello");
	else if (f->closed_by == DIR_S2C)
		finding_add(n, W_ABORTED_FIN,
		    "the server closed in the middle of the handshake");
	else
		finding_add(n, W_ABORTED_BY_CLIENT,
		    "the client closed in the middle of the handshake%s",
		    f->tls->version >= TLS_13
			? "; a reason, if given, was encrypted (TLS 1.3)"
			: "");
}

static void
add_abort_rst(struct finding *n, const struct facts *f, const struct moment *at)
{
	bool server = facts_rst_of_server(f, at);
	uint8_t forged = facts_forged_rst(f);

	finding_add(n,
	    server || forged != 0 ? W_ABORTED_RST : W_ABORTED_BY_CLIENT,
	    "a reset of the %s ended it %s", server ? "server" : "client",
	    f->tls->client_hello.time != 0 ? "in the middle of the handshake"
					   : "right after the go-ahead");
	if (forged == 0)
		return;
	n->tags |= EVT_AFTER_FORGED_RST;
	finding_add(n, forged >= 85 ? PLUS_FORGED_RST : PLUS_MAYBE_FORGED_RST,
	    "that reset was forged (confidence %u)", forged);
}

static void
add_abort(struct finding *n, const struct detect_ctx *c, enum tls_fail how,
    const struct moment *at)
{
	const struct facts *f = c->f;

	switch (how) {
	case TLS_FAIL_TEXT:
		finding_add(n, W_ABORTED_TEXT,
		    "after the go-ahead both sides went on in plaintext (the "
		    "mirror port of a decrypting device looks like this too)");
		break;
	case TLS_FAIL_ALERT:
	case TLS_FAIL_VERSION:
		add_abort_alert(n, f, c);
		break;
	case TLS_FAIL_RST:
		add_abort_rst(n, f, at);
		break;
	case TLS_FAIL_FIN:
		add_abort_fin(n, f, c);
		break;
	default:
		finding_add(n,
		    f->retrans < RETRIES ? W_ABORTED_CUT : W_ABORTED_SILENCE,
		    "both sides fell silent in the middle of the handshake%s",
		    f->retrans < RETRIES ? "" : ", after trying again");
	}
}

static void
say_oddness(struct finding *n, const struct facts *f)
{
	if (f->tls->offered < TLS_12)
		finding_add(n, 0,
		    "the hello offered %s at most, which servers refuse today",
		    tls_version_name(f->tls->offered));
	else
		finding_add(n, 0,
		    "the hello is not the one by which these two got TLS "
		    "before: another program of the client, perhaps");
}

void
detect_aborted(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const int known[KNOWN_LEVELS] = PLUS_ABORTED_KNOWN;
	static const int nothing[KNOWN_LEVELS] = {0, 0, 0, 0};
	const struct server_facts *s;
	struct moment at;
	enum tls_fail how;
	struct finding *n;
	bool met;

	(void)o;
	if (f->tls->answer != ANSWER_POSITIVE)
		return;
	how = facts_tls_failed(f, &at);
	if (how == TLS_NO_FAIL || facts_is_probe(f, how, &at))
		return;
	if (how != TLS_FAIL_ALERT && how != TLS_FAIL_VERSION &&
	    how != TLS_FAIL_TEXT && facts_forged_rst(f) == 0 && !seen_well(f))
		return;
	if (f->tls->alert.time != 0 && f->tls->alert_dir == DIR_C2S &&
	    facts_is_cert_alert(f->tls->alert_code))
		return; /* D10 */
	n = detect_find(c, FIND_TLS_ABORTED_AFTER_STARTTLS);
	if (n == NULL)
		return;
	s = past_server(c);
	met = got_tls_like_this(c, f);
	detect_at(n, &at);
	n->tags |= EVT_DURING_TLS_HANDSHAKE;
	finding_add(n, 0, "%s was asked for and granted; the handshake %s",
	    facts_tls_verb(f), tls_fail_name(how));
	add_abort(n, c, how, &at);
	if (how != TLS_FAIL_RST && hello_is_odd(c, f))
		say_oddness(n, f);
	(void)detect_add_history(
	    n, c, met || !is_everyday(f, c, how, &at) ? known : nothing);
	if (met)
		finding_add(n, PLUS_PAIR_TLS,
		    "these two hosts got TLS before (%u session%s)",
		    past_pair(c)->tls, past_pair(c)->tls == 1 ? "" : "s");
	if (s != NULL && s->tls_done == 0 && s->tls_failed >= 3)
		finding_add(n, LESS_TLS_NEVER_WORKS,
		    "but TLS never came about with this server");
}
