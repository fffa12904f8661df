/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Detectors of certificates, each with its silent twins: a
 * case is a verdict, a few facts and a history, as a capture would give them.
 */
#include "rules/detect.h"
#include "rules/renewal.h"

#include "tests/test.h"

#define NOW INT64_C(1795320000) /* 2026-11-22 */
#define DAY INT64_C(86400)

static struct obs o;
static struct facts f;
static struct facts_rare rare;
static struct facts_tls tls;
static struct detect_ctx c;
static struct detect_past past;
static struct chain_verdict v;
static struct server_facts history;

static void
observe(enum obs_kind kind, enum dir dir)
{
	obs_init(&o, kind);
	o.dir = dir;
	o.time = NOW * INT64_C(1000000000);
	o.pkt.ordinal = 12;
}

/* A good certificate for mail.example on an IMAP server never seen before. */
static void
begin(uint16_t port)
{
	facts_init(&f);
	rare = *f.rare;
	f.rare = &rare;
	tls = (struct facts_tls){.known = 1, .sni = ""};
	f.tls = &tls;
	memset(&v, 0, sizeof(v));
	memset(&c, 0, sizeof(c));
	memset(&history, 0, sizeof(history));
	f.proto = port == 25 ? PROTO_SMTP : PROTO_IMAP;
	f.who.server_port = port;
	tls.has_sni = 1;
	tls.has_chain = 1;
	tls.server_hello.time = 1;
	tls.sni = "mail.example";
	v.trust = TRUST_OK;
	v.anchor = ANCHOR_SYSTEM;
	v.count = 2;
	v.leaf.flags = X509F_SERVER_AUTH | X509F_HAS_SAN;
	v.leaf.key_type = KEY_RSA;
	v.leaf.key_bits = 2048;
	v.leaf.sig_hash = SIG_SHA256;
	v.leaf.not_before = v.valid_from = NOW - 30 * DAY;
	v.leaf.not_after = v.valid_to = NOW + 60 * DAY;
	snprintf(v.leaf.subject, sizeof(v.leaf.subject), "CN=mail.example");
	snprintf(v.leaf.issuer, sizeof(v.leaf.issuer), "CN=A CA,O=A");
	snprintf(v.leaf.names, sizeof(v.leaf.names), "mail.example");
	memset(v.leaf.sha256, 0xab, 32);
	memset(v.leaf.spki_sha256, 1, 32);
	memset(v.leaf.issuer_sha256, 2, 32);
	observe(OBS_TLS_CERT, DIR_S2C);
	o.u.cert.from_server = 1;
}

/* One certificate known of old: another key, `issuer` fills its issuer. */
static void
know(uint8_t issuer, bool trusted)
{
	struct known_cert *k = &history.certs[history.ncerts++];

	memset(k->spki, 99, 32);
	memset(k->issuer, issuer, 32);
	k->trusted = trusted;
	history.sessions++;
	past.server = &history;
	c.past = &past;
}

static void
ask(detect_fn *fn)
{
	c.o = &o;
	c.f = &f;
	c.verdict = &v;
	c.nout = 0;
	fn(&o, &f, &c);
}

static const struct finding *
found(enum finding_id id)
{
	for (unsigned i = 0; i < c.nout; i++)
		if (c.out[i].id == id && c.out[i].confidence > 0)
			return &c.out[i];
	return NULL;
}

static int
confidence(enum finding_id id)
{
	const struct finding *fi = found(id);

	return fi == NULL ? 0 : fi->confidence;
}

static bool
has_tag(enum finding_id id, uint32_t tag)
{
	const struct finding *fi = found(id);

	return fi != NULL && (fi->tags & tag) != 0;
}

static void
check_silent(void)
{
	for (unsigned i = 0; i < c.nout; i++)
		if (c.out[i].confidence > 0)
			TEST_FAIL("%s (%u): %s",
			    finding_info(c.out[i].id)->name,
			    c.out[i].confidence, c.out[i].evidence[0].text);
}

/* ---- certificates ---- */

TEST(a_good_certificate_is_silent)
{
	begin(143);
	ask(detect_cert);
	check_silent();
}

TEST(without_a_verdict_nothing_is_said)
{
	begin(143);
	v.trust = TRUST_UNKNOWN;
	ask(detect_cert);
	check_silent();
	c.verdict = NULL;
	detect_cert(&o, &f, &c);
	check_silent();
}

TEST(the_clients_certificate_is_not_judged)
{
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	o.u.cert.from_server = 0;
	ask(detect_cert);
	check_silent();
}

TEST(d1_self_signed)
{
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_SELF_SIGNED) >= 85);
	CHECK(has_tag(FIND_CERT_SELF_SIGNED, EVT_FIRST_SIGHT));
	CHECK(!has_tag(FIND_CERT_SELF_SIGNED, EVT_OPPORTUNISTIC));
	CHECK(!has_tag(FIND_CERT_SELF_SIGNED, EVT_WAS_TRUSTED));
	CHECK(found(FIND_CERT_UNTRUSTED) == NULL);
	CHECK(
	    strncmp(found(FIND_CERT_SELF_SIGNED)->cert_sha256, "abab", 4) == 0);
	begin(25);
	v.trust = TRUST_SELF_SIGNED;
	ask(detect_cert);
	CHECK(has_tag(FIND_CERT_SELF_SIGNED, EVT_OPPORTUNISTIC));
}

TEST(d1_self_signed_where_a_trusted_one_was)
{
	begin(25);
	know(7, true);
	v.trust = TRUST_SELF_SIGNED;
	v.leaf.flags |= X509F_SELF_SIGNED | X509F_SELF_ISSUED;
	ask(detect_cert);
	CHECK(has_tag(FIND_CERT_SELF_SIGNED, EVT_WAS_TRUSTED));
	CHECK(!has_tag(FIND_CERT_SELF_SIGNED, EVT_FIRST_SIGHT));
	CHECK(confidence(FIND_CERT_CHANGED) >= 85);
}

TEST(d2_other_key_and_issuer_and_untrusted)
{
	begin(143);
	know(7, true);
	v.trust = TRUST_ROOT_UNKNOWN;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_CHANGED) >= 85);
	CHECK(has_tag(FIND_CERT_CHANGED, EVT_WAS_TRUSTED));
}

TEST(d2_issuer_in_name_only)
{
	begin(143);
	know(2, true);
	v.trust = TRUST_BAD_SIGNATURE;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_CHANGED) >= 85);
}

/* Pointers to a public CA can be copied into a forgery. */
TEST(d2_incomplete_from_another_issuer_is_less_sure)
{
	begin(143);
	know(7, true);
	v.trust = TRUST_INCOMPLETE;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_CHANGED) >= 50);
	CHECK(confidence(FIND_CERT_CHANGED) < 85);
}

TEST(d2_never_trusted_is_less_sure)
{
	begin(143);
	know(7, false);
	v.trust = TRUST_SELF_SIGNED;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_CHANGED) >= 50);
	CHECK(confidence(FIND_CERT_CHANGED) < 85);
}

TEST(d2_silent_twins)
{
	/* another trusted CA */
	begin(143);
	know(7, true);
	ask(detect_cert);
	check_silent();
	/* renewal with the same private CA */
	begin(143);
	know(2, false);
	v.trust = TRUST_ROOT_UNKNOWN;
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
	/* renewal, and the intermediate was forgotten */
	begin(143);
	know(2, true);
	v.trust = TRUST_INCOMPLETE;
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
	/* the same key */
	begin(143);
	know(7, true);
	memset(history.certs[0].spki, 1, 32);
	v.trust = TRUST_SELF_SIGNED;
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
	/* nothing known */
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
}

/*
 * Servers over the years: which keys and issuers they were seen with, and what
 * they show today. Numbers stand for keys and issuers' names.
 */
struct life {
	const char *name;
	struct {
		uint8_t key, issuer;
		bool trusted;
	} known[HISTORY_KEYS];
	uint8_t key, issuer; /* today's */
	uint8_t trust; /* enum trust */
	uint8_t type; /* enum key_type; 0: RSA */
	int days_left; /* of its validity, which began the day before */
	bool fires;
};

static const struct life lives[] = {
    /* renewal and its habits */
    {"renewed by the same authority", {{9, 2, true}}, 1, 2, TRUST_OK, 0, 180,
	false},
    {"moved to another public authority, with the old one far from its end",
	{{9, 7, true}}, 1, 2, TRUST_OK, 0, 180, false},
    {"ACME: a new key every 60 days, intermediates take turns",
	{{9, 7, true}, {10, 8, true}, {11, 7, true}, {12, 8, true}}, 1, 2,
	TRUST_OK, 0, 90, false},
    {"ACME: certificates for six days", {{9, 7, true}}, 1, 2, TRUST_OK, 0, 6,
	false},
    {"ACME, and the intermediate is forgotten this time", {{9, 2, true}}, 1, 2,
	TRUST_INCOMPLETE, 0, 90, false},
    {"renewed with the old key, by an authority nobody knows", {{1, 7, true}},
	1, 2, TRUST_ROOT_UNKNOWN, 0, 397, false},
    {"an own authority renews", {{9, 2, false}}, 1, 2, TRUST_ROOT_UNKNOWN, 0,
	3650, false},
    {"from an own authority to a public one", {{9, 7, false}}, 1, 2, TRUST_OK,
	0, 90, false},
    /* twins and balancers (D3) */
    {"an ECDSA twin beside the RSA one", {{9, 2, true}}, 1, 2, TRUST_OK, KEY_EC,
	90, false},
    {"the RSA twin again", {{9, 2, true}, {1, 2, true}}, 1, 2, TRUST_OK, 0, 90,
	false},
    {"one of many behind a balancer",
	{{9, 2, true}, {10, 2, true}, {11, 2, true}, {1, 2, true}}, 1, 2,
	TRUST_OK, 0, 90, false},
    {"a further one behind it", {{9, 7, true}, {10, 8, true}}, 1, 2, TRUST_OK,
	0, 90, false},
    {"one of them signs itself, and always has", {{9, 7, true}, {1, 2, false}},
	1, 2, TRUST_SELF_SIGNED, 0, 3650, false},
    {"full of keys, and a further good one",
	{{9, 7, true}, {10, 7, true}, {11, 7, true}, {12, 7, true},
	    {13, 7, true}, {14, 7, true}, {15, 7, true}, {16, 7, true}},
	1, 2, TRUST_OK, 0, 90, false},
    /* somebody in between (D2) */
    {"another authority that nobody knows", {{9, 7, true}}, 1, 2,
	TRUST_ROOT_UNKNOWN, 0, 397, true},
    {"signed by itself", {{9, 7, true}}, 1, 2, TRUST_SELF_SIGNED, 0, 3650,
	true},
    {"the name of the old authority without its signature", {{9, 2, true}}, 1,
	2, TRUST_BAD_SIGNATURE, 0, 90, true},
    {"an unknown one by the name of the old authority", {{9, 2, true}}, 1, 2,
	TRUST_ROOT_UNKNOWN, 0, 90, true},
    {"as short as ACME's, and nobody knows who signs",
	{{9, 7, true}, {10, 8, true}}, 1, 2, TRUST_ROOT_UNKNOWN, 0, 90, true},
    {"an ECDSA twin that signs itself", {{9, 7, true}}, 1, 2, TRUST_SELF_SIGNED,
	KEY_EC, 90, true},
    {"behind a balancer of good ones",
	{{9, 7, true}, {10, 7, true}, {11, 8, true}}, 1, 2, TRUST_ROOT_UNKNOWN,
	0, 397, true},
    {"another authority in the place of an own one", {{9, 7, false}}, 1, 2,
	TRUST_ROOT_UNKNOWN, 0, 397, true},
};

static void
live(const struct life *l)
{
	begin(143);
	for (unsigned i = 0; i < HISTORY_KEYS && l->known[i].key != 0; i++) {
		know(l->known[i].issuer, l->known[i].trusted);
		memset(history.certs[i].spki, l->known[i].key, 32);
	}
	memset(v.leaf.spki_sha256, l->key, 32);
	memset(v.leaf.issuer_sha256, l->issuer, 32);
	v.trust = l->trust;
	v.leaf.not_before = v.valid_from = NOW - DAY;
	v.leaf.not_after = v.valid_to = NOW + l->days_left * DAY;
	if (l->type != 0) {
		v.leaf.key_type = l->type;
		v.leaf.key_bits = 256;
	}
	if (l->trust == TRUST_SELF_SIGNED)
		v.leaf.flags |= X509F_SELF_SIGNED | X509F_SELF_ISSUED;
	ask(detect_cert);
}

TEST(d2_d3_lives_of_servers)
{
	for (size_t i = 0; i < sizeof(lives) / sizeof(lives[0]); i++) {
		const struct life *l = &lives[i];

		live(l);
		if ((confidence(FIND_CERT_CHANGED) >= 50) != l->fires)
			TEST_FAIL("%s: cert-changed has %d", l->name,
			    confidence(FIND_CERT_CHANGED));
		if (l->trust == TRUST_OK)
			check_silent();
	}
}

TEST(d4_another_name)
{
	begin(143);
	tls.sni = "imap.example";
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_NAME_MISMATCH) >= 85);
	CHECK(strstr(found(FIND_CERT_NAME_MISMATCH)->evidence[0].text,
		  "imap.example") != NULL);
}

TEST(d4_silent_twins)
{
	static const char *const names[] = {"*.example", "MAIL.EXAMPLE",
	    "other.example\nmail.example", "xn--mll-hoa.example"};

	for (unsigned i = 0; i < 4; i++) {
		begin(143);
		tls.sni = i == 3   ? names[3]
			  : i == 0 ? "a.b.example"
				   : "mail.example";
		snprintf(v.leaf.names, sizeof(v.leaf.names), "%s",
		    i == 0 ? "*.b.example" : names[i]);
		ask(detect_cert);
		check_silent();
	}
	/* no name was asked for */
	begin(25);
	tls.has_sni = 0;
	tls.sni = "";
	snprintf(v.leaf.names, sizeof(v.leaf.names), "mx.hoster.example");
	ask(detect_cert);
	check_silent();
	/* too many names to know */
	begin(143);
	v.leaf.flags |= X509F_NAMES_CUT;
	snprintf(v.leaf.names, sizeof(v.leaf.names), "x.example");
	ask(detect_cert);
	check_silent();
	/* the name in clear is a cover */
	begin(143);
	tls.ech = 1;
	tls.sni = "cover.example";
	ask(detect_cert);
	check_silent();
}

TEST(d5_dates)
{
	begin(143);
	v.leaf.not_after = v.valid_to = NOW - 1;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_EXPIRED) >= 85);
	begin(143);
	v.leaf.not_before = v.valid_from = NOW + 30 * DAY;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_NOT_YET_VALID) >= 85);
	CHECK(found(FIND_CERT_EXPIRED) == NULL);
	/* by less than a clock may be off */
	begin(143);
	v.leaf.not_before = v.valid_from = NOW + 60;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_NOT_YET_VALID) > 0);
	CHECK(confidence(FIND_CERT_NOT_YET_VALID) < 50);
	/* an intermediate */
	begin(143);
	v.valid_to = NOW - DAY;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_EXPIRED) >= 50);
	CHECK(confidence(FIND_CERT_EXPIRED) < 85);
}

TEST(d5_packet_time_not_today)
{
	begin(143);
	o.time = (NOW - 20 * 365 * DAY) * INT64_C(1000000000);
	v.leaf.not_before = v.valid_from = o.time / INT64_C(1000000000) - DAY;
	v.leaf.not_after = v.valid_to = v.leaf.not_before + 90 * DAY;
	ask(detect_cert);
	check_silent();
	/* a capture without a clock */
	begin(143);
	o.time = 5;
	ask(detect_cert);
	check_silent();
}

TEST(d6_where_the_chain_ends)
{
	begin(143);
	v.trust = TRUST_INCOMPLETE;
	v.count = 1;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_INCOMPLETE_CHAIN) >= 50);
	CHECK(confidence(FIND_CERT_UNTRUSTED) < 50);
	begin(143);
	v.trust = TRUST_ROOT_UNKNOWN;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_UNTRUSTED) >= 50);
	CHECK(confidence(FIND_CERT_UNTRUSTED) < 85);
	CHECK(found(FIND_CERT_INCOMPLETE_CHAIN) == NULL);
	begin(143);
	v.trust = TRUST_BAD_SIGNATURE;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_UNTRUSTED) >= 85);
	/* completed from elsewhere: said, less sure */
	begin(143);
	v.completed = 1;
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_INCOMPLETE_CHAIN), 50);
	CHECK(found(FIND_CERT_UNTRUSTED) == NULL);
}

TEST(d6_one_that_does_not_parse)
{
	begin(143);
	memset(&v.leaf, 0, sizeof(v.leaf));
	v.trust = TRUST_MALFORMED;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_UNTRUSTED) >= 50);
	CHECK_INT(c.nout, 1);
}

TEST(d7_keys)
{
	const struct {
		int type, bits;
		bool weak;
	} t[] = {{KEY_RSA, 1024, true}, {KEY_RSA, 2047, true},
	    {KEY_RSA, 2048, false}, {KEY_EC, 192, true}, {KEY_EC, 224, false},
	    {KEY_EC, 256, false}, {KEY_DSA, 1024, true},
	    {KEY_ED25519, 253, false}, {KEY_ED448, 456, false}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(143);
		v.leaf.key_type = (uint8_t)t[i].type;
		v.leaf.key_bits = (uint16_t)t[i].bits;
		ask(detect_cert);
		CHECK_INT(confidence(FIND_CERT_WEAK_KEY) >= 85, t[i].weak);
		if (!t[i].weak)
			check_silent();
	}
}

TEST(d7_signatures)
{
	begin(143);
	v.weak_sig_depth = 1;
	v.leaf.sig_hash = SIG_MD5;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_WEAK_SIGNATURE) >= 85);
	begin(143);
	v.weak_sig_depth = 2;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_WEAK_SIGNATURE) >= 50);
	/* a self-signed one's own signature counts for nothing */
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	v.leaf.sig_hash = SIG_SHA1;
	ask(detect_cert);
	CHECK(found(FIND_CERT_WEAK_SIGNATURE) == NULL);
}

TEST(d7_usage)
{
	begin(143);
	v.leaf.flags |= X509F_CA;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_BAD_USAGE) >= 50);
	/* what `openssl req -x509` makes */
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	v.leaf.flags |= X509F_CA | X509F_SELF_ISSUED | X509F_SELF_SIGNED;
	ask(detect_cert);
	CHECK(found(FIND_CERT_BAD_USAGE) == NULL);
	begin(143);
	v.leaf.flags = X509F_HAS_SAN | X509F_HAS_EKU;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_BAD_USAGE) >= 50);
}

TEST(d7_validity)
{
	const struct {
		int64_t issued; /* seconds */
		int days;
		bool too_long;
	} t[] = {{INT64_C(1773532800), 200, false},
	    {INT64_C(1773532800), 202, true}, {INT64_C(1773532799), 398, false},
	    {INT64_C(1773532799), 400, true}, {INT64_C(1598918399), 825, false},
	    {INT64_C(1598918399), 827, true},
	    {INT64_C(1420070400), 1800, false}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		begin(143);
		v.leaf.flags |= X509F_HAS_SCT;
		v.leaf.not_before = v.valid_from = t[i].issued;
		v.leaf.not_after = v.valid_to = t[i].issued + t[i].days * DAY;
		o.time = (t[i].issued + DAY) * INT64_C(1000000000);
		ask(detect_cert);
		CHECK_INT(confidence(FIND_CERT_BAD_USAGE) >= 50, t[i].too_long);
		/* the operator's own CA may do as it likes */
		v.anchor = ANCHOR_EXTRA;
		ask(detect_cert);
		check_silent();
	}
}

/* Logged is a public CA's, wherever the time stamps come from. */
TEST(d7_time_stamps_elsewhere)
{
	for (unsigned where = 0; where < 4; where++) {
		begin(143);
		v.leaf.not_before = v.valid_from = NOW - DAY;
		v.leaf.not_after = v.valid_to = NOW + 600 * DAY;
		if (where == 1)
			v.leaf.flags |= X509F_HAS_SCT;
		v.staple_scts = where == 2 ? 2 : 0;
		o.u.cert.scts = where == 3 ? 2 : 0;
		ask(detect_cert);
		CHECK_INT(
		    confidence(FIND_CERT_BAD_USAGE), where == 0 ? 45 : 60);
	}
}

static void
issued_by(enum interceptor_kind kind, const char *product)
{
	v.interceptor = (uint8_t)kind;
	snprintf(v.interceptor_name, sizeof(v.interceptor_name), "%s", product);
}

TEST(d8_interceptor)
{
	begin(143);
	v.trust = TRUST_ROOT_UNKNOWN;
	issued_by(ICPT_GATEWAY, "FortiGate");
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_INTERCEPTOR) >= 85);
	begin(143);
	v.trust = TRUST_ROOT_UNKNOWN;
	issued_by(ICPT_TOOL, "mitmproxy");
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_INTERCEPTOR) >= 85);
	/* a public authority's name, or somebody got into the store */
	begin(143);
	issued_by(ICPT_ENDPOINT, "Avast");
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_INTERCEPTOR) >= 50);
	CHECK(confidence(FIND_CERT_INTERCEPTOR) < 85);
}

TEST(d8_silent_twins)
{
	/* pinned by the operator */
	begin(143);
	v.anchor = ANCHOR_EXTRA;
	issued_by(ICPT_GATEWAY, "FortiGate");
	ask(detect_cert);
	check_silent();
	/* a root that nobody knows, and no product's */
	begin(25);
	v.trust = TRUST_ROOT_UNKNOWN;
	ask(detect_cert);
	CHECK(found(FIND_CERT_INTERCEPTOR) == NULL);
}

TEST(revoked_by_its_authority)
{
	begin(993);
	v.staple = STAPLE_REVOKED;
	v.revoked_at = NOW - DAY;
	observe(OBS_TLS_DONE, DIR_C2S);
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_REVOKED) >= 85);
	CHECK(strstr(found(FIND_CERT_REVOKED)->evidence[0].text,
		  "2026-11-21") != NULL);
	/* known from an earlier session */
	begin(993);
	v.staple = STAPLE_REVOKED;
	v.revoked_at = NOW - DAY;
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_REVOKED) >= 85);
}

TEST(revoked_silent_twins)
{
	static const uint8_t others[] = {STAPLE_NONE, STAPLE_GOOD,
	    STAPLE_UNKNOWN, STAPLE_OLD, STAPLE_OTHER, STAPLE_UNSIGNED,
	    STAPLE_REFUSED, STAPLE_UNCHECKED, STAPLE_MALFORMED};

	for (size_t i = 0; i < sizeof(others); i++) {
		begin(993);
		v.staple = others[i];
		ask(detect_cert);
		check_silent();
	}
	/* an older capture, read after a newer one */
	begin(993);
	v.staple = STAPLE_REVOKED;
	v.revoked_at = NOW + DAY;
	ask(detect_cert);
	check_silent();
}

TEST(d9_accepted)
{
	begin(143);
	f.raised = UINT64_C(1) << FIND_CERT_NAME_MISMATCH;
	observe(OBS_TLS_APPDATA, DIR_C2S);
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_BAD_ACCEPTED) >= 50);
	begin(25);
	f.raised = UINT64_C(1) << FIND_CERT_SELF_SIGNED;
	observe(OBS_TLS_APPDATA, DIR_C2S);
	ask(detect_cert);
	CHECK(confidence(FIND_CERT_BAD_ACCEPTED) < 50);
	/* an intermediate is missing: the client may have it */
	begin(143);
	v.trust = TRUST_INCOMPLETE;
	f.raised = UINT64_C(1) << FIND_CERT_UNTRUSTED |
		   UINT64_C(1) << FIND_CERT_INCOMPLETE_CHAIN;
	observe(OBS_TLS_APPDATA, DIR_C2S);
	ask(detect_cert);
	check_silent();
	/* nothing was bad, or only weak */
	begin(143);
	f.raised = UINT64_C(1) << FIND_CERT_WEAK_KEY |
		   UINT64_C(1) << FIND_CERT_INCOMPLETE_CHAIN;
	observe(OBS_TLS_APPDATA, DIR_C2S);
	ask(detect_cert);
	check_silent();
}

TEST(d10_rejected)
{
	static const uint8_t yes[] = {42, 43, 44, 45, 46, 48};
	static const uint8_t no[] = {0, 40, 47, 70, 90};

	for (unsigned i = 0; i < sizeof(yes) + sizeof(no); i++) {
		bool fits = i < sizeof(yes);

		begin(143);
		observe(OBS_TLS_ALERT, DIR_C2S);
		o.u.alert.level = 2;
		o.u.alert.description = fits ? yes[i] : no[i - sizeof(yes)];
		ask(detect_cert);
		CHECK_INT(confidence(FIND_CERT_REJECTED_BY_CLIENT) >= 50, fits);
	}
	/* in TLS 1.3 the certificate is hidden, and the alert is not */
	begin(143);
	tls.has_chain = 0;
	observe(OBS_TLS_ALERT, DIR_C2S);
	o.u.alert.description = 48;
	c.o = &o;
	c.f = &f;
	c.verdict = NULL;
	detect_cert(&o, &f, &c);
	CHECK(confidence(FIND_CERT_REJECTED_BY_CLIENT) >= 50);
	CHECK_STR(found(FIND_CERT_REJECTED_BY_CLIENT)->cert_sha256, "");
	/* before any ServerHello there is nothing to reject */
	begin(143);
	tls.server_hello.time = 0;
	observe(OBS_TLS_ALERT, DIR_C2S);
	o.u.alert.description = 48;
	ask(detect_cert);
	check_silent();
	/* the server rejects the client's */
	begin(143);
	observe(OBS_TLS_ALERT, DIR_S2C);
	o.u.alert.description = 48;
	ask(detect_cert);
	check_silent();
}

/* ---- D2 and what was left of the one before ---- */

/* Known: of issuer 9 or 2, for `name`, with `left` of 90 days left. */
static void
know_dates(uint8_t issuer, bool trusted, const char *name, int64_t left)
{
	struct known_cert *k;
	struct x509_facts leaf = {0};

	know(issuer, trusted);
	k = &history.certs[history.ncerts - 1];
	k->key_type = KEY_RSA;
	k->not_before = NOW + (left - 90) * DAY;
	k->not_after = NOW + left * DAY;
	k->last = NOW;
	snprintf(leaf.names, sizeof(leaf.names), "%s", name);
	renewal_domains(k->domains, &leaf);
}

TEST(d2_untrusted_whatever_the_time)
{
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	know_dates(9, true, "mail.example", 60);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 95);
	begin(143);
	v.trust = TRUST_SELF_SIGNED;
	know_dates(9, true, "mail.example", 10);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 90);
}

TEST(d2_incomplete_when_a_renewal_was_due)
{
	begin(143);
	v.trust = TRUST_INCOMPLETE;
	know_dates(9, true, "mail.example", 10);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 45);
	begin(143); /* for another domain */
	v.trust = TRUST_INCOMPLETE;
	know_dates(9, true, "shop.example.org", 10);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 75);
	begin(143); /* too early */
	v.trust = TRUST_INCOMPLETE;
	know_dates(9, true, "mail.example", 60);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 80);
	begin(143); /* by the same issuer: a renewal */
	v.trust = TRUST_INCOMPLETE;
	know_dates(2, true, "mail.example", 10);
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
}

TEST(d2_private_ca)
{
	begin(143);
	v.trust = TRUST_ROOT_UNKNOWN;
	know_dates(2, false, "mail.example", 60);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 35); /* early */
	begin(143);
	v.trust = TRUST_ROOT_UNKNOWN;
	know_dates(2, false, "mail.example", 20);
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL); /* due */
	begin(143);
	v.trust = TRUST_ROOT_UNKNOWN;
	v.leaf.key_type = KEY_EC;
	know_dates(2, false, "mail.example", 60);
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL); /* a twin */
}

TEST(d2_trusted_for_other_domains)
{
	begin(143);
	know_dates(9, true, "shop.example.org", 60);
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL); /* as was asked for */
	begin(143);
	tls.has_sni = 0;
	tls.sni = "";
	know_dates(9, true, "shop.example.org", 60);
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_CHANGED), 40);
	begin(143); /* by the same issuer */
	tls.has_sni = 0;
	tls.sni = "";
	know_dates(2, true, "shop.example.org", 60);
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
	begin(143); /* another of the same domain */
	tls.has_sni = 0;
	tls.sni = "";
	know_dates(9, true, "mx.example\nmail.example", 60);
	ask(detect_cert);
	CHECK(found(FIND_CERT_CHANGED) == NULL);
}

/* What is but a suspicion makes no "client accepted a bad certificate". */
TEST(d9_not_after_a_suspicion)
{
	begin(143);
	f.raised = UINT64_C(1) << FIND_CERT_CHANGED;
	rare.confidence[FIND_CERT_CHANGED] = 40;
	observe(OBS_TLS_APPDATA, DIR_C2S);
	ask(detect_cert);
	CHECK(found(FIND_CERT_BAD_ACCEPTED) == NULL);
	rare.confidence[FIND_CERT_CHANGED] = 90;
	ask(detect_cert);
	CHECK_INT(confidence(FIND_CERT_BAD_ACCEPTED), 60);
}

TEST_MAIN
