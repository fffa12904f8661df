/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts of certificates and whom they speak for.
 */
#include "decoders/x509.h"

#include "tests/certs.h"

static struct x509_facts
facts_of(const struct mould *m)
{
	struct cert *c = cert_make(m);
	struct x509_facts f;

	memset(&f, 0xa5, sizeof(f));
	CHECK_INT(x509_read(c->slice, &f), 0);
	cert_free(c);
	return f;
}

TEST(an_ordinary_certificate)
{
	struct cert *ca =
	    cert_make(&(struct mould){.cn = "A CA", .key = CK_CA, .ca = 1});
	struct x509_facts f = facts_of(&(struct mould){.cn = "mail.example",
	    .org = "Example",
	    .san =
		"DNS:mail.example,DNS:mx.example,IP:192.0.2.1,IP:2001:db8::1",
	    .eku = "serverAuth",
	    .issuer = ca,
	    .serial = 0x1234});

	CHECK_STR(f.subject, "CN=mail.example,O=Example");
	CHECK_STR(f.issuer, "CN=A CA");
	CHECK_STR(f.common_name, "mail.example");
	CHECK_STR(f.names, "mail.example\nmx.example\n192.0.2.1\n2001:db8::1");
	CHECK_STR(f.serial, "1234");
	CHECK_STR(f.sig_name, "sha256WithRSAEncryption");
	CHECK_INT(f.flags, X509F_SERVER_AUTH | X509F_HAS_EKU | X509F_HAS_SAN);
	CHECK_INT(f.key_type, KEY_RSA);
	CHECK_INT(f.key_bits, 2048);
	CHECK_INT(f.sig_hash, SIG_SHA256);
	CHECK_INT(f.not_before, T2026);
	CHECK_INT(f.not_after, T2027);
	cert_free(ca);
}

TEST(self_signed_and_self_issued)
{
	struct x509_facts f = facts_of(&(struct mould){.cn = "me"});
	/* Same name as its issuer, but another key signed it. */
	struct cert *other = cert_make(
	    &(struct mould){.cn = "me", .key = CK_OTHER_RSA, .ca = 1});
	struct x509_facts g =
	    facts_of(&(struct mould){.cn = "me", .issuer = other});

	CHECK_INT(f.flags & (X509F_SELF_ISSUED | X509F_SELF_SIGNED),
	    X509F_SELF_ISSUED | X509F_SELF_SIGNED);
	CHECK_INT(g.flags & (X509F_SELF_ISSUED | X509F_SELF_SIGNED),
	    X509F_SELF_ISSUED);
	cert_free(other);
}

TEST(keys_and_signatures)
{
	const struct {
		struct mould m;
		int type, bits, hash;
	} t[] = {
	    {{.cn = "x"}, KEY_RSA, 2048, SIG_SHA256},
	    {{.cn = "x", .key = CK_RSA1024}, KEY_RSA, 1024, SIG_SHA256},
	    {{.cn = "x", .key = CK_EC}, KEY_EC, 256, SIG_SHA256},
	    {{.cn = "x", .key = CK_ED25519}, KEY_ED25519, 256, SIG_EDDSA},
	    {{.cn = "x", .md = EVP_sha1()}, KEY_RSA, 2048, SIG_SHA1},
	    {{.cn = "x", .md = EVP_md5()}, KEY_RSA, 2048, SIG_MD5},
	    {{.cn = "x", .md = EVP_sha384()}, KEY_RSA, 2048, SIG_SHA384},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct x509_facts f = facts_of(&t[i].m);

		CHECK_INT(f.key_type, t[i].type);
		CHECK(t[i].type == KEY_ED25519 || f.key_bits == t[i].bits);
		CHECK_INT(f.sig_hash, t[i].hash);
		CHECK(f.flags & X509F_SELF_SIGNED);
	}
}

TEST(usage_flags)
{
	struct x509_facts f = facts_of(&(struct mould){.cn = "x", .ca = 1});
	struct x509_facts g =
	    facts_of(&(struct mould){.cn = "x", .eku = "clientAuth"});
	struct x509_facts h =
	    facts_of(&(struct mould){.cn = "x", .eku = "anyExtendedKeyUsage"});
	struct x509_facts i = facts_of(&(struct mould){
	    .cn = "x", .aia = "caIssuers;URI:http://ca.example/ca.crt"});

	CHECK(f.flags & X509F_CA);
	CHECK(f.flags & X509F_SERVER_AUTH);
	CHECK(!(f.flags & X509F_HAS_EKU));
	CHECK(!(g.flags & X509F_SERVER_AUTH));
	CHECK(g.flags & X509F_HAS_EKU);
	CHECK(h.flags & X509F_SERVER_AUTH);
	CHECK(i.flags & X509F_HAS_AIA);
}

TEST(nul_in_a_name_is_shown_and_flagged)
{
	static const uint8_t cn[] = "bank.example\0.evil.example";
	struct x509_facts f = facts_of(
	    &(struct mould){.raw_cn = cn, .raw_cn_len = (int)sizeof(cn) - 1});

	CHECK(f.flags & X509F_BAD_NAME);
	CHECK_STR(f.common_name, "bank.example\\x00.evil.example");
	CHECK_INT(x509_speaks_for(&f, "bank.example"), 0);
	/* nor may a client that asks for the escaped form get it */
	CHECK_INT(x509_speaks_for(&f, "bank.example\\x00.evil.example"), 0);
}

TEST(names_beyond_our_room_are_cut_and_said)
{
	char san[8192] = "DNS:first.example";
	struct x509_facts f;

	for (int i = 0; i < 200; i++)
		snprintf(san + strlen(san), sizeof(san) - strlen(san),
		    ",DNS:a-rather-long-name-number-%d.example", i);
	f = facts_of(&(struct mould){.cn = "x", .san = san});
	CHECK(f.flags & X509F_NAMES_CUT);
	CHECK(strlen(f.names) < sizeof(f.names));
	CHECK(f.names[strlen(f.names) - 1] == 'e'); /* whole names only */
	CHECK_INT(x509_speaks_for(&f, "first.example"), 1);
	CHECK_INT(x509_speaks_for(&f, "other.example"), -1);
}

TEST(an_address_as_dns_name_speaks_for_nobody)
{
	struct x509_facts f =
	    facts_of(&(struct mould){.cn = "x", .san = "DNS:192.0.2.1"});

	CHECK(f.flags & X509F_BAD_NAME);
	CHECK_INT(x509_speaks_for(&f, "192.0.2.1"), 0);
}

TEST(whom_it_speaks_for)
{
	const struct {
		const char *cn, *san, *host;
		int want;
	} t[] = {
	    {"x", "DNS:mail.example.org", "mail.example.org", 1},
	    {"x", "DNS:mail.example.org", "MAIL.Example.ORG", 1},
	    {"x", "DNS:mail.example.org", "mail.example.org.", 1},
	    {"x", "DNS:mail.example.org", "example.org", 0},
	    {"x", "DNS:mail.example.org", "amail.example.org", 0},
	    {"x", "DNS:mail.example.org", "", 0},
	    {"x", "DNS:*.example.org", "mail.example.org", 1},
	    {"x", "DNS:*.example.org", "a.b.example.org", 0},
	    {"x", "DNS:*.example.org", "example.org", 0},
	    {"x", "DNS:*.example.org", ".example.org", 0},
	    {"x", "DNS:m*.example.org", "mail.example.org", 0},
	    {"x", "DNS:*", "localhost", 0},
	    {"x", "DNS:*.org", "example.org", 0},
	    {"x", "DNS:mail.*.org", "mail.example.org", 0},
	    {"x", "DNS:xn--mll-hoa.example", "xn--mll-hoa.example", 1},
	    {"x", "DNS:*.example", "xn--mll-hoa.example", 0},
	    {"x", "IP:192.0.2.1", "192.0.2.1", 1},
	    {"x", "IP:192.0.2.1", "192.0.2.2", 0},
	    {"x", "IP:2001:db8::1", "2001:DB8:0:0::1", 1},
	    {"x", "DNS:a.example,DNS:b.example", "b.example", 1},
	    /* the common name counts only where the list has no host */
	    {"mail.example.org", NULL, "mail.example.org", 1},
	    {"*.example.org", NULL, "mail.example.org", 1},
	    {"mail.example.org", "DNS:x.example", "mail.example.org", 0},
	    /* no host's name in the list: the common name holds */
	    {"mail.example.org", "email:a@b.example", "mail.example.org", 1},
	    {"mail.example.org", "IP:192.0.2.1", "mail.example.org", 1},
	    {"mail.example.org", "DNS:a.example,IP:192.0.2.1",
		"mail.example.org", 0},
	    /* what an operator writes, and what stands in certificates */
	    {"x", "DNS:xn--mnchen-3ya.example", "münchen.example", 1},
	    {"x", "DNS:xn--mnchen-3ya.example", "MÜNCHEN.example.", 1},
	    {"x", "DNS:*.xn--mnchen-3ya.example", "mx.münchen.example", 1},
	    {"x", "DNS:munchen.example", "münchen.example", 0},
	    {"192.0.2.1", NULL, "192.0.2.1", 0},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct x509_facts f =
		    facts_of(&(struct mould){.cn = t[i].cn, .san = t[i].san});
		int got = x509_speaks_for(&f, t[i].host);

		if (got != t[i].want)
			TEST_FAIL("%s / %s for %s: %d", t[i].cn,
			    t[i].san ? t[i].san : "-", t[i].host, got);
	}
}

TEST(what_does_not_parse)
{
	struct cert *c = cert_make(&(struct mould){.cn = "x"});
	struct x509_facts f;
	uint8_t longer[16384];
	static uint8_t huge[X509_DER_MAX + 1];

	CHECK_INT(x509_read((struct slice){NULL, 0}, &f), -1);
	CHECK_INT(x509_read((struct slice){c->der, c->slice.len - 1}, &f), -1);
	memcpy(longer, c->der, c->slice.len);
	longer[c->slice.len] = 0;
	CHECK_INT(x509_read((struct slice){longer, c->slice.len + 1}, &f), -1);
	CHECK_INT(x509_read((struct slice){huge, sizeof(huge)}, &f), -1);
	cert_free(c);
}

/* Any byte may be wrong: nothing but an answer is asked for. */
TEST(every_byte_flipped_survives)
{
	struct cert *c = cert_make(&(struct mould){
	    .cn = "x", .san = "DNS:a.example,IP:192.0.2.1", .key = CK_EC});
	struct x509_facts f;
	unsigned read = 0;

	for (size_t i = 0; i < c->slice.len; i++) {
		c->der[i] ^= 0x55;
		read += x509_read(c->slice, &f) == 0;
		c->der[i] ^= 0x55;
	}
	CHECK(read > 0);
	CHECK_INT(x509_read(c->slice, &f), 0);
	cert_free(c);
}

TEST_MAIN
