/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * D1 to D10: the server's certificate, judged at the time of the packet that
 * carried it, and what its authority says of it in a stapled OCSP response.
 *
 * Benign causes. A self-signed certificate or one of a private CA is normal
 * between mail servers (port 25) that do not check each other; it is a fact
 * there, and news only if the server had a trusted one. Renewal with the same
 * issuer, or with another trusted CA, is no change. A client may know an
 * intermediate that the server forgot. A private CA issues for as long as it
 * likes, and the operator's own anchors are not interceptors. Machines behind
 * one address have certificates of their own, and so has Exchange's own
 * command for TLS. Captures without a clock (times before there was TLS) say
 * nothing of validity.
 *
 * What cannot be seen: in TLS 1.3 and in resumed sessions there is no
 * certificate to judge, which is never a finding. A client that has not sent
 * anything encrypted yet says in clear that it refuses it, in 1.3 too. Without
 * a server_name there is no name to compare with: the greeting's is not what
 * was asked for.
 */
#include "rules/cert_case.h"

#include <stdio.h>
#include <string.h>

#include "rules/renewal.h"
#include "rules/weights.h"

#define DAY INT64_C(86400)
#define SERIOUS 50 /* less is a suspicion */

static void
put_fingerprint(struct finding *fi, const uint8_t sha256[32])
{
	for (unsigned i = 0; i < 32; i++)
		(void)snprintf(fi->cert_sha256 + 2 * i, 3, "%02x", sha256[i]);
}

struct finding *
cert_find(const struct cert_case *k, enum finding_id id)
{
	struct finding *fi = detect_find(k->c, id);

	if (fi == NULL)
		return NULL;
	if (k->v != NULL)
		put_fingerprint(fi, k->v->leaf.sha256);
	if (k->mta)
		fi->tags |= EVT_OPPORTUNISTIC;
	if (k->first_sight)
		fi->tags |= EVT_FIRST_SIGHT;
	if (k->was_trusted)
		fi->tags |= EVT_WAS_TRUSTED;
	if (past_server(k->c) == NULL)
		fi->tags |= EVT_NO_HISTORY;
	if (!k->f->tls->has_sni)
		fi->tags |= EVT_NO_SNI;
	return fi;
}

/* ---- D1, D6: where the chain ends ---- */

static void
self_signed(const struct cert_case *k)
{
	const struct x509_facts *leaf = &k->v->leaf;
	struct finding *fi = cert_find(k, FIND_CERT_SELF_SIGNED);

	if (fi == NULL)
		return;
	finding_add(
	    fi, W_SELF_SIGNED, "%.120s is signed by itself", leaf->subject);
	if (k->was_trusted)
		finding_add(fi, PLUS_WAS_TRUSTED,
		    "this server had a certificate of a trusted authority");
	else if (k->first_sight)
		finding_add(fi, 0, "nothing better was ever seen here");
}

static void
incomplete(const struct cert_case *k)
{
	const struct x509_facts *leaf = &k->v->leaf;
	struct finding *fi = cert_find(k, FIND_CERT_INCOMPLETE_CHAIN);

	if (fi == NULL)
		return;
	finding_add(fi, k->v->completed ? W_COMPLETED : W_INCOMPLETE,
	    "the server sent %u certificate%s, that of the issuer %.90s is "
	    "not among them",
	    k->v->count, k->v->count == 1 ? "" : "s", leaf->issuer);
	if (k->v->completed)
		finding_add(fi, 0,
		    "one seen with another server completes the chain to a "
		    "trusted root");
}

/* A leaf alone whose issuer is not at hand: which of the two readings holds is
 * a guess, so the other one is told as a suspicion. */
static void
other_reading(const struct cert_case *k)
{
	bool missing = k->v->trust == TRUST_INCOMPLETE;
	struct finding *fi;

	if (k->v->count != 1)
		return;
	fi = cert_find(
	    k, missing ? FIND_CERT_UNTRUSTED : FIND_CERT_INCOMPLETE_CHAIN);
	if (fi == NULL)
		return;
	finding_add(fi, W_OTHER_READING,
	    "only the server's own certificate was sent, and nothing here "
	    "knows its issuer %.80s",
	    k->v->leaf.issuer);
	finding_add(fi, 0, "likelier is that %s",
	    missing ? "a known root issued it and an intermediate is missing"
		    : "its root is an unknown one");
}

static void
untrusted(const struct cert_case *k)
{
	const struct x509_facts *leaf = &k->v->leaf;
	struct finding *fi = cert_find(k, FIND_CERT_UNTRUSTED);

	if (fi == NULL)
		return;
	if (k->v->trust == TRUST_BAD_SIGNATURE)
		finding_add(fi, W_BAD_SIGNATURE,
		    "it names %.100s as its issuer, and that one did not sign "
		    "it",
		    leaf->issuer);
	else if (k->v->trust == TRUST_MALFORMED)
		finding_add(fi, W_MALFORMED,
		    "a certificate of the chain cannot be read");
	else if (k->v->costly_key != 0)
		finding_add(fi, W_ROOT_UNKNOWN,
		    "a key of %u bits signs in its chain: no client verifies "
		    "above %u, nor was it done here",
		    k->v->costly_key, X509_KEY_BITS_MAX);
	else
		finding_add(fi, W_ROOT_UNKNOWN,
		    "the chain from %.90s does not end in a known root",
		    leaf->issuer);
	if (k->v->error[0] != '\0')
		finding_add(fi, 0, "OpenSSL: %.120s", k->v->error);
	if (k->was_trusted)
		finding_add(fi, PLUS_WAS_TRUSTED,
		    "this server had a certificate of a trusted authority");
}

static void
judge_trust(const struct cert_case *k)
{
	switch (k->v->trust) {
	case TRUST_SELF_SIGNED:
		self_signed(k);
		break;
	case TRUST_INCOMPLETE:
		incomplete(k);
		other_reading(k);
		break;
	case TRUST_ROOT_UNKNOWN:
		untrusted(k);
		if (k->v->missing)
			other_reading(k);
		break;
	case TRUST_BAD_SIGNATURE:
	case TRUST_MALFORMED:
		untrusted(k);
		break;
	default:
		if (k->v->completed)
			incomplete(k);
		break;
	}
}

/* ---- D2: not what it was ---- */

enum known { KNOWN_KEY, KNOWN_ISSUER, KNOWN_NEITHER };

static enum known
compare_with_history(
    const struct server_facts *s, const struct x509_facts *leaf)
{
	enum known known = KNOWN_NEITHER;

	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++) {
		if (memcmp(s->certs[i].spki, leaf->spki_sha256, 32) == 0)
			return KNOWN_KEY;
		if (memcmp(s->certs[i].issuer, leaf->issuer_sha256, 32) == 0)
			known = KNOWN_ISSUER;
	}
	return known;
}

/* An issuer's name can be copied; an unknown root or a wrong signature under
 * the old name is no renewal. A forgotten intermediate is. */
static bool
is_renewal(const struct cert_case *k, enum known known)
{
	if (k->v->trust == TRUST_OK)
		return true;
	return known == KNOWN_ISSUER &&
	       (!k->was_trusted || k->v->trust == TRUST_INCOMPLETE);
}

/* TLS begun in clear by something else than STARTTLS (Exchange has a command
 * of its own, and a certificate of its own for it): another service, as it
 * were, and nothing that somebody on the path could bring about. */
static bool
came_another_way(const struct facts *f)
{
	if (f->tls->anonymous)
		return true;
	return !f->implicit_tls && f->tls->asked.time == 0 &&
	       f->greeting->kind != 0 &&
	       (f->vis & (VIS_MIDSTREAM | VIS_ONE_WAY | VIS_GAP_C2S)) == 0;
}

static long long
days(int64_t seconds)
{
	return (long long)(seconds / DAY);
}

/* Long before the one at hand ends nobody renews; an intermediate that was
 * forgotten at the usual time, for the usual domains, is everyday. */
static void
add_time_of_year(
    const struct cert_case *k, struct finding *fi, const struct renewal *r)
{
	bool usual = r->due && r->same_domains && r->short_lived;

	if (r->early)
		finding_add(fi, PLUS_TOO_EARLY,
		    "the one before was valid for another %lld days",
		    days(r->left));
	else if (r->due && r->left < 0)
		finding_add(fi, 0, "the one before had expired");
	else if (r->due)
		finding_add(fi,
		    usual && k->v->trust == TRUST_INCOMPLETE ? LESS_AS_ALWAYS
							     : 0,
		    "but the one before had %lld days left: a renewal was due",
		    days(r->left));
}

/* It may be the server's own: a suspicion. */
static void
perhaps_changed(
    const struct cert_case *k, const struct renewal *r, enum known known)
{
	const struct x509_facts *leaf = &k->v->leaf;
	bool trusted = k->v->trust == TRUST_OK;
	struct finding *fi;

	if (trusted ? known != KNOWN_NEITHER || !r->other_domains ||
			  x509_speaks_for(leaf, k->f->tls->sni) == 1
		    : !r->early || r->twin)
		return;
	fi = cert_find(k, FIND_CERT_CHANGED);
	if (fi == NULL)
		return;
	if (trusted) {
		finding_add(fi, W_OTHER_DOMAINS,
		    "it is trusted, from another issuer, and for none of the "
		    "domains that were seen here before: %.90s",
		    leaf->subject);
		return;
	}
	finding_add(fi, W_RENEWED_EARLY,
	    "this key was not seen here before; it bears the name of the same "
	    "issuer, which anybody can write: %.90s",
	    leaf->issuer);
	finding_add(fi, 0, "the one before was valid for another %lld days",
	    days(r->left));
}

static void
changed(const struct cert_case *k)
{
	const struct server_facts *s = past_server(k->c);
	const struct x509_facts *leaf = &k->v->leaf;
	struct finding *fi;
	struct renewal r;
	enum known known;

	if (s == NULL || s->ncerts == 0 || k->v->trust == TRUST_MALFORMED ||
	    came_another_way(k->f))
		return;
	known = compare_with_history(s, leaf);
	if (known == KNOWN_KEY)
		return;
	renewal_compare(s, leaf, k->now, &r);
	if (is_renewal(k, known)) {
		perhaps_changed(k, &r, known);
		return;
	}
	fi = cert_find(k, FIND_CERT_CHANGED);
	if (fi == NULL)
		return;
	finding_add(fi, W_OTHER_KEY, "%s not seen here before",
	    known == KNOWN_ISSUER ? "this key was"
				  : "this key and its issuer were");
	finding_add(fi,
	    k->v->trust == TRUST_INCOMPLETE ? PLUS_NOW_INCOMPLETE
					    : PLUS_NOW_UNTRUSTED,
	    "%s %.110s",
	    leaf->flags & X509F_SELF_SIGNED ? "it is signed by itself:"
					    : "its issuer is not trusted:",
	    leaf->issuer);
	if (k->was_trusted)
		finding_add(fi, PLUS_CHANGED_TRUSTED,
		    "this server had a certificate of a trusted authority");
	else
		finding_add(fi, PLUS_CHANGED_UNTRUSTED,
		    "the one before was not trusted either");
	if (known == KNOWN_ISSUER)
		finding_add(fi, PLUS_CHANGED_SAME_NAME,
		    "it bears the name of the old issuer, and is not its");
	add_time_of_year(k, fi, &r);
}

/* ---- D4: the name ---- */

static void
name_mismatch(const struct cert_case *k)
{
	const struct x509_facts *leaf = &k->v->leaf;
	bool tricks = (leaf->flags & X509F_BAD_NAME) != 0;
	struct finding *fi;
	int first;

	if (!k->f->tls->has_sni || k->f->tls->sni[0] == '\0' ||
	    k->f->tls->ech || k->v->trust == TRUST_MALFORMED ||
	    x509_speaks_for(leaf, k->f->tls->sni) != 0)
		return;
	fi = cert_find(k, FIND_CERT_NAME_MISMATCH);
	if (fi == NULL)
		return;
	first = (int)strcspn(leaf->names, "\n");
	finding_add(fi, W_NAME, "the client asked for %.60s, it is for %.*s%s",
	    k->f->tls->sni, first > 0 ? (first > 60 ? 60 : first) : 60,
	    first > 0		   ? leaf->names
	    : leaf->common_name[0] ? leaf->common_name
				   : "no name at all",
	    leaf->names[first] == '\n' ? " and others" : "");
	if (tricks)
		finding_add(
		    fi, 0, "a name in it holds bytes that no host name has");
}

/* ---- the authority's own word ---- */

/* The staple comes after the certificate: said with what follows, or at once
 * where an earlier session had it. */
static void
revoked(const struct cert_case *k)
{
	struct finding *fi;
	char day[24];

	if (k->v->staple != STAPLE_REVOKED || k->v->revoked_at > k->now)
		return;
	fi = cert_find(k, FIND_CERT_REVOKED);
	if (fi == NULL)
		return;
	finding_add(fi, W_REVOKED,
	    "its authority revoked it on %s and signed that: the server "
	    "itself sent the OCSP response along",
	    cert_date(day, k->v->revoked_at));
}

/* ---- D9, D10: what the client made of it ---- */

static const enum finding_id bad_ones[] = {FIND_CERT_CHANGED,
    FIND_CERT_INTERCEPTOR, FIND_CERT_NAME_MISMATCH, FIND_CERT_UNTRUSTED,
    FIND_CERT_SELF_SIGNED, FIND_CERT_REVOKED, FIND_CERT_EXPIRED,
    FIND_CERT_NOT_YET_VALID};

/* A change may be but a suspicion, and so is that an incomplete chain may be
 * untrusted. */
static bool
is_plainly_bad(const struct cert_case *k, enum finding_id id)
{
	if (id == FIND_CERT_CHANGED)
		return k->f->rare->confidence[id] >= SERIOUS;
	return id != FIND_CERT_UNTRUSTED || k->v == NULL ||
	       k->v->trust != TRUST_INCOMPLETE;
}

/* What was wrong with the certificate of this flow; FIND_NONE: nothing. */
static enum finding_id
what_was_bad(const struct cert_case *k)
{
	for (unsigned i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++)
		if (facts_raised(k->f, bad_ones[i]) &&
		    is_plainly_bad(k, bad_ones[i]))
			return bad_ones[i];
	return FIND_NONE;
}

static void
accepted(const struct cert_case *k)
{
	enum finding_id bad = what_was_bad(k);
	struct finding *fi;

	if (bad == FIND_NONE)
		return;
	fi = cert_find(k, FIND_CERT_BAD_ACCEPTED);
	if (fi != NULL)
		finding_add(fi, k->mta ? W_ACCEPTED_MTA : W_ACCEPTED,
		    "the client sent data although %s",
		    finding_info(bad)->title);
}

static const char *
rejection(uint8_t description)
{
	switch (description) {
	case 42:
		return "bad_certificate";
	case 43:
		return "unsupported_certificate";
	case 44:
		return "certificate_revoked";
	case 45:
		return "certificate_expired";
	case 46:
		return "certificate_unknown";
	case 48:
		return "unknown_ca";
	default:
		return NULL;
	}
}

static void
rejected(const struct cert_case *k)
{
	const char *name = rejection(k->o->u.alert.description);
	enum finding_id bad = what_was_bad(k);
	struct finding *fi;

	if (k->o->dir != DIR_C2S || name == NULL ||
	    k->f->tls->server_hello.time == 0)
		return;
	fi = cert_find(k, FIND_CERT_REJECTED_BY_CLIENT);
	if (fi == NULL)
		return;
	finding_add(
	    fi, W_REJECTED, "the client answered it with the alert %s", name);
	if (bad != FIND_NONE)
		finding_add(fi, PLUS_REJECTED_BAD, "with good reason: %s",
		    finding_info(bad)->title);
	else if (!k->f->tls->has_chain)
		finding_add(fi, 0,
		    "the certificate itself was hidden from here, as TLS 1.3 "
		    "does");
}

/* ---- */

/* Was there something better than this? Not if this one is known as well:
 * several machines, each with its own certificate, share an address (D3). */
static bool
was_trusted(const struct cert_case *k)
{
	const struct server_facts *s = past_server(k->c);
	bool trusted = false;

	if (s == NULL || came_another_way(k->f))
		return false;
	for (unsigned i = 0; i < s->ncerts && i < HISTORY_KEYS; i++)
		trusted |= s->certs[i].trusted;
	if (k->v == NULL || k->v->trust == TRUST_MALFORMED)
		return trusted;
	return trusted && compare_with_history(s, &k->v->leaf) != KNOWN_KEY;
}

static void
judge_chain(const struct cert_case *k)
{
	judge_trust(k);
	changed(k);
	name_mismatch(k);
	if (k->v->trust != TRUST_MALFORMED)
		cert_judge_form(k);
}

/* The operator has said that this is the right one, or an own interceptor. */
static bool
is_approved(const struct detect_ctx *c)
{
	if (past_pin(c) == NULL)
		return false;
	return pin_has_key(past_pin(c), &c->verdict->leaf) ||
	       (past_pin(c)->interceptor &&
		   c->verdict->interceptor != ICPT_NONE);
}

void
detect_cert(const struct obs *o, const struct facts *f, struct detect_ctx *c)
{
	struct cert_case k = {.o = o, .f = f, .c = c, .v = c->verdict};
	bool judged = k.v != NULL && k.v->trust != TRUST_UNKNOWN;

	k.now = o->time / INT64_C(1000000000);
	k.mta = f->proto == PROTO_SMTP && f->who.server_port == 25;
	k.was_trusted = was_trusted(&k);
	k.first_sight = !k.was_trusted;
	if (judged)
		revoked(&k);
	if (o->kind == OBS_TLS_ALERT)
		rejected(&k);
	else if (judged && o->kind == OBS_TLS_APPDATA)
		accepted(&k);
	else if (judged && is_approved(c))
		return;
	else if (judged && o->kind == OBS_TLS_CERT && o->u.cert.from_server)
		judge_chain(&k);
}
