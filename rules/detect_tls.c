/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * D11 to D13: what version and suite were chosen, and whether somebody pressed
 * them down.
 *
 * Benign causes that stay silent: weak suites and old versions offered but not
 * chosen; the sentinel of RFC 8446 4.1.3 seen by a client that offered no more
 * than it got (every TLS 1.3 server shows it to every TLS 1.2 client); TLS 1.3
 * chosen through supported_versions, whatever the legacy field says; a
 * HelloRetryRequest; a server that never knew better; drafts of TLS 1.3 that
 * the server does not know, so that it has to show the sentinel; TLS_FALLBACK_SCSV
 * towards a server whose highest version is the one chosen.
 *
 * What cannot be seen: a ClientHello that was lowered before it came here
 * looks like an old client's; only the client's own refusal tells.
 */
#include <stdio.h>

#include "decoders/tls_hello.h"
#include "rules/detect.h"
#include "rules/tls_policy.h"
#include "rules/weights.h"

#define ALERT_ILLEGAL_PARAMETER 47

/* Bit of server_facts.tls_versions. */
static uint32_t
version_bit(uint16_t v)
{
	if (v == TLS_SSL2)
		return 1;
	return v >= TLS_SSL3 && v <= TLS_13 ? UINT32_C(2) << (v - TLS_SSL3) : 0;
}

static bool
knows_better(const struct server_facts *s, uint16_t than)
{
	uint32_t bit = version_bit(than);

	return s != NULL && bit != 0 && s->tls_versions >= bit << 1;
}

static const struct tls_policy *
policy(const struct detect_ctx *c)
{
	return c->tls != NULL ? c->tls : &tls_policy_default;
}

static bool
is_mta(const struct facts *f)
{
	return f->proto == PROTO_SMTP && f->who.server_port == 25;
}

static void
old_version(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	uint16_t v = o->u.hello.version;
	struct tls_grade g = tls_grade_version(policy(c), v);
	struct finding *fi;

	if (g.weight == 0)
		return;
	fi = detect_find(c, FIND_TLS_OLD_VERSION);
	if (fi == NULL)
		return;
	if (is_mta(f))
		fi->tags |= EVT_OPPORTUNISTIC;
	finding_add(fi, g.weight, "the server chose %s, %s",
	    tls_version_name(v), g.why);
	if (f->tls->client_hello.time != 0)
		finding_add(fi, 0, "the client offered %s at most",
		    tls_version_name(f->tls->offered));
	if (knows_better(past_server(c), v))
		finding_add(fi, 0,
		    "this server spoke a later version in earlier sessions");
}

static void
weak_cipher(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	const struct weak_suite *w = weak_suite(o->u.hello.suite);
	struct tls_grade g = tls_grade_suite(policy(c), w);
	bool mta = is_mta(f);
	struct finding *fi;

	/* An SSLv2 ServerHello lists what is common; the client chooses. */
	if (g.weight == 0 || o->u.hello.sslv2)
		return;
	fi = detect_find(c, FIND_TLS_WEAK_CIPHER);
	if (fi == NULL)
		return;
	if (mta)
		fi->tags |= EVT_OPPORTUNISTIC;
	finding_add(fi, mta && w->why == WEAK_ANON ? W_ANON_MTA : g.weight,
	    "the server chose TLS_%s: %s", w->name, g.why);
	if (mta && w->why == WEAK_ANON)
		finding_add(fi, 0,
		    "usual between mail servers that do not check each other");
}

/* The suite may be good and its key exchange short all the same. */
static void
weak_key_exchange(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	static const char *const how[] = {[KEX_DH] = "a DH group",
	    [KEX_ECDH] = "a curve",
	    [KEX_RSA] = "an RSA key for the occasion"};
	const struct obs_kex *k = &o->u.kex;
	struct tls_grade g = tls_grade_key_exchange(policy(c), k);
	struct finding *fi;

	if (g.weight == 0)
		return;
	fi = detect_find(c, FIND_TLS_WEAK_CIPHER);
	if (fi == NULL)
		return;
	if (is_mta(f))
		fi->tags |= EVT_OPPORTUNISTIC;
	finding_add(fi, g.weight, "the key exchange uses %s of %u bits: %s",
	    how[k->how], k->bits, g.why);
}

/* RFC 8446 4.1.3: 1 says "I could do 1.3", 2 says "I could do 1.2". */
static bool
sentinel_speaks(const struct facts *f)
{
	const struct facts_tls *t = f->tls;

	if (t->sentinel == 0 || t->client_hello.time == 0 ||
	    t->version >= TLS_13)
		return false;
	if (t->offers_13)
		return true;
	return t->sentinel == 2 && t->version < TLS_12 && t->offered >= TLS_12;
}

/* RFC 8446 4.1.3: it MUST abort with illegal_parameter. */
static const char *
what_the_client_did(const struct obs *o, const struct facts *f)
{
	if (o->kind == OBS_TLS_DONE)
		return "the client went on all the same: it does not look, or "
		       "it was lied to about that as well";
	if (o->kind != OBS_TLS_ALERT)
		return "the handshake ended there, without a word that could "
		       "be read";
	if (o->dir != DIR_C2S)
		return "the server broke it off itself";
	return f->tls->alert_code == ALERT_ILLEGAL_PARAMETER
		   ? "the client saw it and broke off with illegal_parameter, "
		     "as it must"
		   : "the client broke off, with another alert than the one "
		     "it should";
}

/* Told once the client has done something about it. */
static void
downgrade(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct finding *fi;

	if (!sentinel_speaks(f) ||
	    (o->kind == OBS_TLS_ALERT && f->tls->alert.time == 0))
		return;
	fi = detect_find(c, FIND_TLS_DOWNGRADE);
	if (fi == NULL)
		return;
	detect_at(fi, &f->tls->server_hello);
	fi->tags |= EVT_DURING_TLS_HANDSHAKE;
	finding_add(fi, W_LESS_THAN_OFFERED,
	    "the client offered %s, %s was chosen",
	    tls_version_name(f->tls->offered),
	    tls_version_name(f->tls->version));
	finding_add(fi, W_SENTINEL,
	    "the server's random ends in the mark by which it says that it "
	    "could have done %s (RFC 8446 4.1.3): it saw another offer",
	    f->tls->sentinel == 1 ? "TLS 1.3" : "TLS 1.2");
	finding_add(fi, 0, "%s", what_the_client_did(o, f));
}

/* D13, RFC 7507: "I come back with less than I can". */
static void
fallback(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	uint16_t v = o->u.hello.version;
	struct finding *fi;

	if (!f->tls->fallback_scsv || v < TLS_10 ||
	    !knows_better(past_server(c), v))
		return;
	fi = detect_find(c, FIND_TLS_DOWNGRADE);
	if (fi == NULL)
		return;
	fi->tags |= EVT_DURING_TLS_HANDSHAKE;
	finding_add(fi, W_FALLBACK_SCSV,
	    "the client says that it fell back from a later version "
	    "(TLS_FALLBACK_SCSV)");
	finding_add(fi, W_ACCEPTED_LESS,
	    "the server accepted %s and spoke a later version in earlier "
	    "sessions",
	    tls_version_name(v));
}

/* Seen behind the attacker: an old client, as it seems, that refuses what an
 * old client would have taken. */
static void
refused_sentinel(
    const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct finding *fi;

	if (o->dir != DIR_C2S ||
	    o->u.alert.description != ALERT_ILLEGAL_PARAMETER ||
	    f->tls->sentinel == 0 || f->tls->version >= TLS_13 ||
	    f->tls->done.time != 0)
		return;
	fi = detect_find(c, FIND_TLS_DOWNGRADE);
	if (fi == NULL)
		return;
	fi->tags |= EVT_DURING_TLS_HANDSHAKE;
	finding_add(fi, W_SENTINEL_SEEN,
	    "the server's random says that it could have done better than %s "
	    "(RFC 8446 4.1.3)",
	    tls_version_name(f->tls->version));
	finding_add(fi, W_SENTINEL_REFUSED,
	    "the client broke off with illegal_parameter, as one must that "
	    "had offered more than arrived here");
}

void
detect_tls(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	if (o->kind == OBS_TLS_SERVER_HELLO && !o->u.hello.retry) {
		old_version(o, f, c);
		weak_cipher(o, f, c);
		fallback(o, f, c);
	} else if (o->kind == OBS_TLS_KEY_EXCHANGE) {
		weak_key_exchange(o, f, c);
	} else if (o->kind != OBS_TLS_SERVER_HELLO) {
		downgrade(o, f, c);
		if (o->kind == OBS_TLS_ALERT)
			refused_sentinel(o, f, c);
	}
}
