/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * D5, D7 and D8: what a certificate says by itself: its dates, the strength of
 * key and signature, what it is for, and whether an intercepting product made
 * it. The benign causes are at the top of detect_cert.c.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "rules/cert_case.h"
#include "rules/weights.h"

#define DAY INT64_C(86400)
#define CLOCK_SLACK DAY
#define YEAR_1995 INT64_C(788918400) /* before SSL: the capture has no clock */

const char *
cert_date(char buf[24], int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(buf, 24, "%Y-%m-%d", &tm) == 0)
		(void)snprintf(buf, 24, "an unknown day");
	return buf;
}

/* ---- D5: the time ---- */

static void
expired(const struct cert_case *k)
{
	bool leaf = k->v->leaf.not_after < k->now;
	struct finding *fi;
	char buf[24];

	if (!leaf && k->v->valid_to >= k->now)
		return;
	fi = cert_find(k, FIND_CERT_EXPIRED);
	if (fi == NULL)
		return;
	if (leaf)
		finding_add(fi, W_DATE, "it was valid until %s",
		    cert_date(buf, k->v->leaf.not_after));
	else
		finding_add(fi, W_DATE_INTERMEDIATE,
		    "an intermediate of its chain was valid until %s",
		    cert_date(buf, k->v->valid_to));
	finding_add(fi, 0, "it was shown on %s", cert_date(buf, k->now));
}

static void
not_yet_valid(const struct cert_case *k)
{
	bool leaf = k->v->leaf.not_before > k->now;
	int64_t from = leaf ? k->v->leaf.not_before : k->v->valid_from;
	struct finding *fi;
	char buf[24];

	if (from <= k->now)
		return;
	fi = cert_find(k, FIND_CERT_NOT_YET_VALID);
	if (fi == NULL)
		return;
	finding_add(fi,
	    from - k->now < CLOCK_SLACK ? W_DATE_CLOCK
	    : leaf			? W_DATE
					: W_DATE_INTERMEDIATE,
	    "%s valid from %s",
	    leaf ? "it is" : "an intermediate of its chain is",
	    cert_date(buf, from));
	finding_add(fi, 0, "it was shown on %s", cert_date(buf, k->now));
	if (from - k->now < CLOCK_SLACK)
		finding_add(fi, 0, "a clock that is wrong is likelier");
}

/* ---- D7: strength and usage ---- */

static bool
key_is_short(const struct x509_facts *leaf)
{
	switch (leaf->key_type) {
	case KEY_RSA:
	case KEY_DSA:
		return leaf->key_bits < 2048;
	case KEY_EC:
		return leaf->key_bits < 224;
	default:
		return false;
	}
}

static void
weak_key(const struct cert_case *k)
{
	static const char *const names[] = {
	    [KEY_RSA] = "RSA", [KEY_EC] = "EC", [KEY_DSA] = "DSA"};
	const struct x509_facts *leaf = &k->v->leaf;
	struct finding *fi;

	if (!key_is_short(leaf))
		return;
	fi = cert_find(k, FIND_CERT_WEAK_KEY);
	if (fi != NULL)
		finding_add(fi, W_SHORT_KEY, "its %s key has %u bits",
		    names[leaf->key_type], leaf->key_bits);
}

/* A self-signed certificate's signature protects nothing to begin with. */
static void
weak_signature(const struct cert_case *k)
{
	const struct x509_facts *leaf = &k->v->leaf;
	unsigned depth = k->v->weak_sig_depth;
	struct finding *fi;

	if (depth == 0)
		return;
	fi = cert_find(k, FIND_CERT_WEAK_SIGNATURE);
	if (fi == NULL)
		return;
	if (depth > 1)
		finding_add(fi, W_SHA1,
		    "certificate %u of the chain is signed with MD5 or SHA-1",
		    depth);
	else
		finding_add(fi,
		    leaf->sig_hash == SIG_SHA1 ? W_SHA1 : W_BROKEN_HASH,
		    "it is signed with %.40s", leaf->sig_name);
}

/* What a public CA may issue, by the day of issue (CA/Browser Forum). */
static int64_t
longest_validity(int64_t issued)
{
	static const struct {
		int64_t since, days;
	} limits[] = {
	    {INT64_C(1773532800), 200}, /* 2026-03-15 */
	    {INT64_C(1598918400), 398}, /* 2020-09-01 */
	    {INT64_C(1519862400), 825}, /* 2018-03-01 */
	};

	for (unsigned i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (issued >= limits[i].since)
			return (limits[i].days + 1) * DAY;
	return INT64_MAX;
}

static bool
is_too_long(const struct chain_verdict *v)
{
	return v->trust == TRUST_OK && v->anchor == ANCHOR_SYSTEM &&
	       v->leaf.not_after - v->leaf.not_before >
		   longest_validity(v->leaf.not_before);
}

static void
bad_usage(const struct cert_case *k)
{
	const struct x509_facts *leaf = &k->v->leaf;
	bool ca = (leaf->flags & (X509F_CA | X509F_SELF_ISSUED)) == X509F_CA;
	bool server = (leaf->flags & X509F_SERVER_AUTH) != 0;
	bool too_long = is_too_long(k->v);
	bool logged = (leaf->flags & X509F_HAS_SCT) != 0 ||
		      k->v->staple_scts != 0 || k->o->u.cert.scts != 0;
	struct finding *fi;

	if (!ca && server && !too_long)
		return;
	fi = cert_find(k, FIND_CERT_BAD_USAGE);
	if (fi == NULL)
		return;
	if (ca)
		finding_add(fi, W_USAGE,
		    "the server shows the certificate of an authority as its "
		    "own");
	if (!server)
		finding_add(fi, W_USAGE,
		    "its extended key usage does not allow TLS servers");
	if (too_long)
		finding_add(fi, logged ? W_TOO_LONG_LOGGED : W_TOO_LONG,
		    "it is valid for %lld days, more than a public authority "
		    "may give",
		    (long long)((leaf->not_after - leaf->not_before) / DAY));
}

/* ---- D8: an interceptor's ---- */

static void
interceptor(const struct cert_case *k)
{
	static const char *const kinds[] = {
	    [ICPT_TOOL] = "a tool for looking into traffic",
	    [ICPT_GATEWAY] = "a gateway or proxy that opens TLS",
	    [ICPT_ENDPOINT] = "software on the client itself, as a rule"};
	bool trusted = k->v->trust == TRUST_OK;
	struct finding *fi;

	if (k->v->interceptor == ICPT_NONE ||
	    (trusted && k->v->anchor == ANCHOR_EXTRA))
		return;
	fi = cert_find(k, FIND_CERT_INTERCEPTOR);
	if (fi == NULL)
		return;
	finding_add(fi, trusted ? W_INTERCEPTOR_IN_STORE : W_INTERCEPTOR,
	    "its issuer is %.120s", k->v->leaf.issuer);
	finding_add(
	    fi, 0, "%s: %s", k->v->interceptor_name, kinds[k->v->interceptor]);
	if (trusted)
		finding_add(fi, 0, "its root is in the system's trust store");
}

void
cert_judge_form(const struct cert_case *k)
{
	if (k->now > YEAR_1995) {
		expired(k);
		not_yet_valid(k);
	}
	weak_key(k);
	weak_signature(k);
	bad_usage(k);
	interceptor(k);
}
