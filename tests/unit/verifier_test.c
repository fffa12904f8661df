/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trust of chains: what is missing, what is wrong, and what is remembered.
 */
#include "sensor/verifier.h"

#include <unistd.h>

#include "tests/certs.h"

static struct cert *root, *sub, *foreign_root, *foreign_sub;

static void
make_authorities(void)
{
	if (root != NULL)
		return;
	root = cert_make(&(struct mould){.cn = "Root",
	    .org = "Lab",
	    .key = CK_CA,
	    .ca = 1,
	    .from = T2025,
	    .to = T2030,
	    .md = EVP_sha1()});
	sub = cert_make(&(struct mould){.cn = "Issuing",
	    .org = "Lab",
	    .key = CK_SUB,
	    .ca = 1,
	    .issuer = root,
	    .to = T2030});
	foreign_root = cert_make(&(struct mould){.cn = "Evil Root",
	    .org = "Evil",
	    .key = CK_OTHER_RSA,
	    .ca = 1,
	    .to = T2030});
	foreign_sub = cert_make(&(struct mould){.cn = "Evil Sub",
	    .org = "Evil",
	    .key = CK_SUB,
	    .ca = 1,
	    .issuer = foreign_root,
	    .to = T2030});
}

static struct verifier *
lab_verifier(void)
{
	char err[256] = "";
	const char *path;
	struct verifier *v;

	make_authorities();
	path = cert_write_pem(root);
	v = verifier_new(&path, 1, true, err, sizeof(err));
	unlink(path);
	CHECK_STR(err, "");
	CHECK(v != NULL);
	return v;
}

/* Verifies leaf and up to two more under a chain id of its own. */
static struct chain_verdict
check(struct verifier *v, const struct cert *a, const struct cert *b,
    const struct cert *c)
{
	static uint8_t id[32];
	struct slice der[3];
	unsigned n = 0;

	id[0]++;
	id[1] += id[0] == 0;
	der[n++] = a->slice;
	if (b != NULL)
		der[n++] = b->slice;
	if (c != NULL)
		der[n++] = c->slice;
	return *verifier_chain(v, id, der, n);
}

static struct chain_verdict
check_new(const struct mould *m, const struct cert *b, const struct cert *c)
{
	struct verifier *v = lab_verifier();
	struct cert *leaf = cert_make(m);
	struct chain_verdict r = check(v, leaf, b, c);

	cert_free(leaf);
	verifier_free(v);
	return r;
}

TEST(a_whole_chain_is_trusted)
{
	make_authorities();
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m", .issuer = sub}, sub, NULL);

	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.anchor, ANCHOR_EXTRA);
	CHECK_INT(r.count, 2);
	CHECK_INT(r.completed, 0);
	CHECK_INT(r.valid_from, T2026);
	CHECK_INT(r.valid_to, T2027);
	/* the root's SHA-1 signature counts for nothing */
	CHECK_INT(r.weak_sig_depth, 0);
	CHECK_STR(r.leaf.common_name, "m");
}

TEST(the_root_may_be_sent_along)
{
	make_authorities();
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m", .issuer = sub}, sub, root);

	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.weak_sig_depth, 0);
}

TEST(time_is_left_out_and_kept)
{
	make_authorities();
	struct chain_verdict r = check_new(
	    &(struct mould){
		.cn = "m", .issuer = sub, .from = T2025, .to = T2025 + 86400},
	    sub, NULL);

	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.valid_to, T2025 + 86400);
	CHECK_INT(r.valid_from, T2026); /* the intermediate's */
	CHECK_INT(r.leaf.not_before, T2025);
}

TEST(self_signed)
{
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m"}, NULL, NULL);
	struct chain_verdict ed = check_new(
	    &(struct mould){.cn = "m", .key = CK_ED25519}, NULL, NULL);

	CHECK_INT(r.trust, TRUST_SELF_SIGNED);
	CHECK_INT(r.weak_sig_depth, 0);
	CHECK_INT(ed.trust, TRUST_SELF_SIGNED);
}

TEST(self_signed_anchor_is_trusted)
{
	struct verifier *v = lab_verifier();
	struct chain_verdict r = check(v, root, NULL, NULL);

	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.anchor, ANCHOR_EXTRA);
	verifier_free(v);
}

/* Same name as its issuer, signed by another key. */
TEST(self_issued_with_a_wrong_signature)
{
	struct cert *twin =
	    cert_make(&(struct mould){.cn = "m", .key = CK_OTHER_RSA, .ca = 1});
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m", .issuer = twin}, NULL, NULL);

	CHECK(r.trust == TRUST_BAD_SIGNATURE || r.trust == TRUST_ROOT_UNKNOWN);
	cert_free(twin);
}

TEST(missing_intermediate_of_a_known_organisation)
{
	make_authorities();
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m", .issuer = sub}, NULL, NULL);

	CHECK_INT(r.trust, TRUST_INCOMPLETE);
	CHECK(r.error[0] != '\0');
}

TEST(missing_intermediate_of_a_public_authority)
{
	make_authorities();
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m",
			  .issuer = foreign_sub,
			  .aia = "caIssuers;URI:http://ca.example/x.crt"},
		NULL, NULL);

	CHECK_INT(r.trust, TRUST_INCOMPLETE);
}

TEST(unknown_root_not_sent)
{
	make_authorities();
	struct chain_verdict r = check_new(
	    &(struct mould){.cn = "m", .issuer = foreign_root}, NULL, NULL);

	CHECK_INT(r.trust, TRUST_ROOT_UNKNOWN);
	CHECK_INT(r.missing, 1);
}

/* The authority key identifier says that the issuer is a root. */
TEST(unknown_root_that_calls_itself_one)
{
	make_authorities();
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m",
			  .issuer = foreign_root,
			  .akid_names_issuer = 1,
			  .aia = "OCSP;URI:http://o.example"},
		NULL, NULL);

	CHECK_INT(r.trust, TRUST_ROOT_UNKNOWN);
}

TEST(unknown_root_sent)
{
	make_authorities();
	struct chain_verdict r =
	    check_new(&(struct mould){.cn = "m", .issuer = foreign_sub},
		foreign_sub, foreign_root);

	CHECK_INT(r.trust, TRUST_ROOT_UNKNOWN);
}

TEST(a_changed_certificate_has_a_bad_signature)
{
	struct verifier *v = lab_verifier();
	struct cert *leaf =
	    cert_make(&(struct mould){.cn = "mail.example", .issuer = sub});
	struct chain_verdict r;
	uint8_t *name = memmem(leaf->der, leaf->slice.len, "mail.example", 12);

	CHECK(name != NULL);
	memcpy(name, "evil.example", 12);
	r = check(v, leaf, sub, NULL);
	CHECK_INT(r.trust, TRUST_BAD_SIGNATURE);
	cert_free(leaf);
	verifier_free(v);
}

/* A certificate that is no authority's signs another. */
TEST(a_leaf_cannot_issue)
{
	struct verifier *v = lab_verifier();
	struct cert *mid =
	    cert_make(&(struct mould){.cn = "not a CA", .issuer = sub});
	struct cert *leaf =
	    cert_make(&(struct mould){.cn = "m", .issuer = mid});
	struct chain_verdict r = check(v, leaf, mid, sub);

	CHECK(r.trust != TRUST_OK);
	cert_free(mid);
	cert_free(leaf);
	verifier_free(v);
}

TEST(weak_is_not_untrusted)
{
	make_authorities();
	struct chain_verdict md5 = check_new(
	    &(struct mould){.cn = "m", .issuer = sub, .md = EVP_md5()}, sub,
	    NULL);
	struct chain_verdict sha1 = check_new(
	    &(struct mould){.cn = "m", .issuer = sub, .md = EVP_sha1()}, sub,
	    NULL);
	struct chain_verdict tiny = check_new(
	    &(struct mould){.cn = "m", .issuer = sub, .key = CK_RSA1024}, sub,
	    NULL);

	CHECK_INT(md5.trust, TRUST_OK);
	CHECK_INT(md5.weak_sig_depth, 1);
	CHECK_INT(sha1.trust, TRUST_OK);
	CHECK_INT(sha1.weak_sig_depth, 1);
	CHECK_INT(tiny.trust, TRUST_OK);
	CHECK_INT(tiny.weak_sig_depth, 0);
	CHECK_INT(tiny.leaf.key_bits, 1024);
}

TEST(a_weak_intermediate_is_found)
{
	struct verifier *v = lab_verifier();
	struct cert *old = cert_make(&(struct mould){.cn = "Old Issuing",
	    .key = CK_OTHER_RSA,
	    .ca = 1,
	    .issuer = root,
	    .md = EVP_sha1()});
	struct cert *leaf =
	    cert_make(&(struct mould){.cn = "m", .issuer = old});
	struct chain_verdict r = check(v, leaf, old, NULL);

	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.weak_sig_depth, 2);
	cert_free(old);
	cert_free(leaf);
	verifier_free(v);
}

TEST(an_intermediate_seen_elsewhere_completes)
{
	struct verifier *v = lab_verifier();
	struct cert *a = cert_make(&(struct mould){.cn = "a", .issuer = sub});
	struct cert *b = cert_make(&(struct mould){.cn = "b", .issuer = sub});
	struct chain_verdict r;

	CHECK_INT(check(v, a, sub, NULL).trust, TRUST_OK);
	r = check(v, b, NULL, NULL);
	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.completed, 1);
	cert_free(a);
	cert_free(b);
	verifier_free(v);
}

TEST(the_intermediates_on_the_path_are_marked)
{
	struct verifier *v = lab_verifier();
	struct cert *a = cert_make(&(struct mould){.cn = "a", .issuer = sub});
	struct chain_verdict r = check(v, a, foreign_sub, sub);

	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.on_path, 1 << 2);
	CHECK(memcmp(r.others[0], r.others[1], 32) != 0);
	r = check(v, a, sub, root);
	CHECK_INT(r.on_path, 1 << 1); /* the anchor is none */
	cert_free(a);
	verifier_free(v);
}

TEST(an_intermediate_of_an_earlier_run_completes)
{
	struct verifier *v = lab_verifier();
	struct cert *a = cert_make(&(struct mould){.cn = "a", .issuer = sub});
	struct cert *f =
	    cert_make(&(struct mould){.cn = "f", .issuer = foreign_sub});
	struct chain_verdict r;

	verifier_know(v, sub->slice);
	verifier_know(v, foreign_sub->slice);
	verifier_know(v, a->slice); /* no authority's */
	verifier_know(v, (struct slice){NULL, 0});
	r = check(v, a, NULL, NULL);
	CHECK_INT(r.trust, TRUST_OK);
	CHECK_INT(r.completed, 1);
	/* and makes nothing trusted */
	CHECK(check(v, f, NULL, NULL).trust != TRUST_OK);
	cert_free(a);
	cert_free(f);
	verifier_free(v);
}

/* An attacker's intermediate of the same name must not stand in the way. */
TEST(untrusted_intermediates_are_not_remembered)
{
	struct verifier *v = lab_verifier();
	struct cert *fake = cert_make(&(struct mould){.cn = "Issuing",
	    .org = "Lab",
	    .key = CK_SUB,
	    .ca = 1,
	    .issuer = foreign_root});
	struct cert *a = cert_make(&(struct mould){.cn = "a", .issuer = fake});
	struct cert *b = cert_make(&(struct mould){.cn = "b", .issuer = sub});
	struct chain_verdict r;

	CHECK(check(v, a, fake, foreign_root).trust != TRUST_OK);
	r = check(v, b, NULL, NULL);
	CHECK_INT(r.trust, TRUST_INCOMPLETE);
	CHECK_INT(r.completed, 0);
	cert_free(fake);
	cert_free(a);
	cert_free(b);
	verifier_free(v);
}

/* Issuer's name and key identifier copied, the intermediate left out. */
TEST(a_copied_issuer_is_found_out_once_the_real_one_is_known)
{
	struct verifier *v = lab_verifier();
	struct cert *real =
	    cert_make(&(struct mould){.cn = "a", .issuer = sub});
	struct cert *copy =
	    cert_make(&(struct mould){.cn = "a", .issuer = sub});

	copy->der[copy->slice.len - 1] ^= 1; /* of the signature */
	CHECK_INT(check(v, copy, NULL, NULL).trust, TRUST_INCOMPLETE);
	CHECK_INT(check(v, real, sub, NULL).trust, TRUST_OK);
	CHECK_INT(check(v, copy, NULL, NULL).trust, TRUST_BAD_SIGNATURE);
	cert_free(real);
	cert_free(copy);
	verifier_free(v);
}

TEST(one_that_does_not_parse)
{
	struct verifier *v = lab_verifier();
	struct cert *leaf =
	    cert_make(&(struct mould){.cn = "m", .issuer = sub});
	uint8_t id[32] = {9}, junk[40] = {0x30};
	struct slice der[2] = {leaf->slice, {junk, sizeof(junk)}};

	CHECK_INT(verifier_chain(v, id, der, 2)->trust, TRUST_MALFORMED);
	CHECK_STR(verifier_lookup(v, id)->leaf.common_name, "m");
	id[0] = 10;
	CHECK_INT(verifier_chain(v, id, der + 1, 1)->trust, TRUST_MALFORMED);
	id[0] = 11;
	CHECK_INT(verifier_chain(v, id, NULL, 0)->trust, TRUST_MALFORMED);
	CHECK_INT(verifier_counters(v)->malformed, 3);
	cert_free(leaf);
	verifier_free(v);
}

TEST(a_chain_is_verified_once)
{
	struct verifier *v = lab_verifier();
	struct cert *leaf =
	    cert_make(&(struct mould){.cn = "m", .issuer = sub});
	struct slice der[2] = {leaf->slice, sub->slice};
	uint8_t id[32] = {1};

	CHECK(verifier_lookup(v, id) == NULL);
	(void)verifier_chain(v, id, der, 2);
	(void)verifier_chain(v, id, der, 2);
	CHECK_INT(verifier_counters(v)->chains, 2);
	CHECK_INT(verifier_counters(v)->verified, 1);
	CHECK_INT(verifier_counters(v)->cache_hits, 1);
	CHECK_INT(verifier_lookup(v, id)->trust, TRUST_OK);
	cert_free(leaf);
	verifier_free(v);
}

TEST(the_cache_is_bounded_and_the_oldest_goes)
{
	struct verifier *v = lab_verifier();
	uint8_t id[32] = {0}, first[32] = {0}, second[32] = {0, 0, 1};

	for (unsigned i = 0; i < VERIFIER_CACHE + 1; i++) {
		id[2] = (uint8_t)i;
		id[3] = (uint8_t)(i >> 8);
		if (i == VERIFIER_CACHE) /* used lately */
			CHECK(verifier_lookup(v, first) != NULL);
		(void)verifier_chain(v, id, NULL, 0);
	}
	CHECK_INT(verifier_counters(v)->evicted, 1);
	CHECK(verifier_lookup(v, first) != NULL);
	CHECK(verifier_lookup(v, second) == NULL);
	verifier_free(v);
}

TEST(issuers_are_looked_up_in_the_list)
{
	static const char text[] = "Issuing\tThe Product\tgateway\n";
	struct interceptors *list = interceptors_parse("t",
	    (struct slice){(const uint8_t *)text, sizeof(text) - 1}, NULL,
	    NULL);
	struct verifier *v = lab_verifier();
	struct cert *leaf =
	    cert_make(&(struct mould){.cn = "m", .issuer = sub});
	struct cert *alone = cert_make(&(struct mould){.cn = "m"});
	struct chain_verdict r;

	CHECK_INT(check(v, leaf, sub, NULL).interceptor, ICPT_NONE);
	verifier_use_interceptors(v, list);
	r = check(v, leaf, sub, NULL);
	CHECK_INT(r.interceptor, ICPT_GATEWAY);
	CHECK_STR(r.interceptor_name, "The Product");
	r = check(v, alone, NULL, NULL);
	CHECK_INT(r.interceptor, ICPT_NONE);
	CHECK_STR(r.interceptor_name, "");
	cert_free(leaf);
	cert_free(alone);
	verifier_free(v);
	interceptors_free(list);
}

TEST(bad_anchor_files_are_named)
{
	const char *missing = "/nonexistent/ca.pem", *empty = "/dev/null";
	char err[256] = "";

	CHECK(verifier_new(&missing, 1, true, err, sizeof(err)) == NULL);
	CHECK(strstr(err, missing) != NULL);
	CHECK(verifier_new(&empty, 1, true, err, sizeof(err)) == NULL);
	CHECK(strstr(err, "PEM") != NULL);
}

TEST_MAIN
