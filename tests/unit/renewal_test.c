/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is it the next certificate of the same server? Issuers, kinds of keys,
 * domains and what was left of the one before.
 */
#include "rules/renewal.h"

#include "tests/test.h"

#define NOW INT64_C(1795320000) /* 2026-11-22 */
#define DAY INT64_C(86400)

static struct server_facts history;
static struct x509_facts leaf;

static void
name(struct x509_facts *f, const char *names)
{
	snprintf(f->names, sizeof(f->names), "%s", names);
}

/* Known: an RSA key of issuer 2 for mail.example.org, valid for `life` days of
 * which `left` remain. */
static void
know(int64_t life, int64_t left)
{
	struct known_cert *k = &history.certs[history.ncerts++];
	struct x509_facts f = {0};

	memset(k->issuer, 2, 32);
	k->key_type = KEY_RSA;
	k->last = NOW - DAY + history.ncerts;
	k->not_before = NOW + (left - life) * DAY;
	k->not_after = NOW + left * DAY;
	name(&f, "mail.example.org");
	renewal_domains(k->domains, &f);
}

static struct renewal
compare(void)
{
	struct renewal r;

	renewal_compare(&history, &leaf, NOW, &r);
	return r;
}

/* The one at hand: likewise, of 90 days. */
static void
begin(void)
{
	memset(&history, 0, sizeof(history));
	memset(&leaf, 0, sizeof(leaf));
	memset(leaf.issuer_sha256, 2, 32);
	leaf.key_type = KEY_RSA;
	leaf.not_before = NOW - DAY;
	leaf.not_after = NOW + 89 * DAY;
	name(&leaf, "mail.example.org");
}

TEST(when_it_is_due)
{
	static const struct {
		int64_t life, left;
		bool due, short_lived;
	} t[] = {
	    {90, 29, true, true}, /* certbot's 30 days */
	    {90, 60, false, true},
	    {90, -5, true, true}, /* too late, and lawful */
	    {365, 100, true, false},
	    {365, 200, false, false},
	    {6, 3, true, false}, /* six days, and now ninety */
	    {398, 30, true, false},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct renewal r;

		begin();
		know(t[i].life, t[i].left);
		r = compare();
		CHECK_INT(r.due, t[i].due);
		CHECK_INT(r.early, !t[i].due);
		CHECK_INT(r.short_lived, t[i].short_lived);
		CHECK_INT(r.left, t[i].left * DAY);
	}
}

TEST(of_several_the_one_seen_last_counts)
{
	begin();
	know(90, 80);
	know(90, 10);
	CHECK(compare().due);
	history.certs[0].last = NOW;
	CHECK(compare().early);
}

TEST(without_dates_nothing_is_said)
{
	struct renewal r;

	begin();
	know(90, 10);
	history.certs[0].not_before = history.certs[0].not_after = 0;
	r = compare();
	CHECK(!r.due && !r.early && !r.short_lived && !r.twin);
	begin(); /* nothing is known at all */
	r = compare();
	CHECK(!r.due && !r.early && !r.twin && !r.same_issuer);
	CHECK(!r.same_domains && !r.other_domains);
}

TEST(rsa_and_ecdsa_twins)
{
	begin();
	know(90, 80);
	leaf.key_type = KEY_EC;
	CHECK(compare().twin);
	leaf.key_type = KEY_RSA;
	CHECK(!compare().twin);
	know(90, 80);
	history.certs[1].key_type = KEY_EC;
	CHECK(!compare().twin); /* both are known */
	leaf.key_type = KEY_ED25519;
	CHECK(compare().twin);
}

TEST(domains)
{
	static const struct {
		const char *before, *now;
		bool same;
	} t[] = {
	    {"mail.example.org", "mail.example.org", true},
	    {"mail.example.org", "MX.Example.ORG", true},
	    {"mail.example.org", "*.example.org", true},
	    {"mail.example.org", "example.org", true},
	    {"mail.example.org\nwww.example.com", "www.example.com", true},
	    {"mail.example.org", "shop.example.com", false},
	    {"mail.example.org", "mail.example.net", false},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct x509_facts f = {0};
		struct renewal r;

		begin();
		know(90, 10);
		name(&f, t[i].before);
		renewal_domains(history.certs[0].domains, &f);
		name(&leaf, t[i].now);
		r = compare();
		CHECK_INT(r.same_domains, t[i].same);
		CHECK_INT(r.other_domains, !t[i].same);
	}
}

TEST(domains_that_are_not_known)
{
	struct renewal r;

	begin();
	know(90, 10);
	leaf.flags = X509F_NAMES_CUT; /* more than were kept */
	r = compare();
	CHECK(!r.same_domains && !r.other_domains);
	begin();
	know(90, 10);
	name(&leaf, "");
	snprintf(leaf.common_name, sizeof(leaf.common_name), "a.example.org");
	CHECK(compare().same_domains); /* the name of old */
	begin();
	know(90, 10);
	know(90, 10);
	memset(history.certs[1].domains, 0, sizeof(history.certs[1].domains));
	name(&leaf, "shop.example.com");
	CHECK(!compare().other_domains); /* one may be of that domain */
}

TEST_MAIN
