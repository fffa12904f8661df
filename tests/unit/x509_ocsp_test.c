/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stapled OCSP responses: good, revoked, of another, of another time, signed
 * by whom, and what the verifier makes of a row of them.
 */
#include "decoders/x509_ocsp.h"

#include <unistd.h>

#include <openssl/ct.h>
#include <openssl/ocsp.h>

#include "sensor/verifier.h"
#include "tests/certs.h"

#define NOW (T2026 + 86400)
#define DAY INT64_C(86400)

static struct cert *root, *leaf, *other, *stranger, *delegate, *not_one;

struct answer { /* zero: good, by the issuer, valid for a week around NOW */
	int status; /* V_OCSP_CERTSTATUS_... */
	const struct cert *about; /* NULL: the leaf */
	const struct cert *signer; /* NULL: the issuer */
	int64_t from, to; /* seconds off NOW */
	int refused; /* the responder's error */
	int many; /* answers about others before it */
	int scts; /* time stamps of transparency */
};

static void
make_certs(void)
{
	if (root != NULL)
		return;
	root = cert_make(&(struct mould){
	    .cn = "Root", .key = CK_CA_EC, .ca = 1, .to = T2030});
	leaf =
	    cert_make(&(struct mould){.cn = "m", .key = CK_EC, .issuer = root});
	other =
	    cert_make(&(struct mould){.cn = "o", .key = CK_EC, .issuer = root});
	stranger = cert_make(&(struct mould){
	    .cn = "Root", .key = CK_OTHER_EC, .ca = 1, .to = T2030});
	delegate = cert_make(&(struct mould){.cn = "OCSP",
	    .key = CK_SUB_EC,
	    .issuer = root,
	    .eku = "OCSPSigning"});
	not_one = cert_make(
	    &(struct mould){.cn = "No OCSP", .key = CK_SUB_EC, .issuer = root});
}

static void
add_time_stamps(OCSP_SINGLERESP *one, int n)
{
	STACK_OF(SCT) *list = sk_SCT_new_null();
	uint8_t id[32] = {7}, sig[70] = {0x30};

	for (int i = 0; i < n; i++) {
		SCT *sct = SCT_new();

		if (SCT_set_version(sct, SCT_VERSION_V1) != 1 ||
		    SCT_set1_log_id(sct, id, sizeof(id)) != 1 ||
		    SCT_set1_signature(sct, sig, sizeof(sig)) != 1 ||
		    SCT_set_signature_nid(sct, NID_ecdsa_with_SHA256) != 1)
			abort();
		SCT_set_timestamp(sct, 1700000000000);
		sk_SCT_push(list, sct);
	}
	if (OCSP_SINGLERESP_add1_ext_i2d(one, NID_ct_cert_scts, list, 0, 0) !=
	    1)
		abort();
	SCT_LIST_free(list);
}

static void
add_answer(OCSP_BASICRESP *b, const struct answer *a, const struct cert *about)
{
	OCSP_CERTID *id = OCSP_cert_id_new(EVP_sha1(),
	    X509_get_subject_name(root->x), X509_get0_pubkey_bitstr(root->x),
	    X509_get0_serialNumber(about->x));
	ASN1_TIME *from = ASN1_TIME_set(NULL, NOW + a->from - 3 * DAY),
		  *to = ASN1_TIME_set(NULL, NOW + a->to + 3 * DAY),
		  *revoked = ASN1_TIME_set(NULL, NOW - 9 * DAY);

	OCSP_SINGLERESP *one = OCSP_basic_add1_status(b, id, a->status,
	    OCSP_REVOKED_STATUS_KEYCOMPROMISE, revoked, from, to);

	if (one == NULL)
		abort();
	if (a->scts > 0)
		add_time_stamps(one, a->scts);
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(to);
	ASN1_TIME_free(revoked);
}

/* The response, in a static buffer. */
static struct slice
respond(const struct answer *a)
{
	static uint8_t der[OCSP_RESPONSE_MAX];
	const struct cert *signer = a->signer != NULL ? a->signer : root;
	OCSP_BASICRESP *b = OCSP_BASICRESP_new();
	OCSP_RESPONSE *r;
	uint8_t *p = der;
	int n;

	for (int i = 0; i < a->many; i++)
		add_answer(b, a, other);
	add_answer(b, a, a->about != NULL ? a->about : leaf);
	if (OCSP_basic_sign(b, signer->x, signer->key, EVP_sha256(), NULL, 0) !=
	    1)
		abort();
	r = OCSP_response_create(a->refused, a->refused ? NULL : b);
	n = i2d_OCSP_RESPONSE(r, NULL);
	if (n <= 0 || (size_t)n > sizeof(der))
		abort();
	(void)i2d_OCSP_RESPONSE(r, &p);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(b);
	return (struct slice){der, (size_t)n};
}

static struct staple
read_staple(struct slice response)
{
	struct x509_facts f;
	struct staple s;

	CHECK_INT(x509_read(leaf->slice, &f), 0);
	x509_read_staple(response, root->x, f.serial, NOW, &s);
	return s;
}

TEST(what_an_answer_says)
{
	make_certs();
	const struct {
		const char *name;
		struct answer a;
		enum staple_status want;
	} t[] = {
	    {"good", {0}, STAPLE_GOOD},
	    {"revoked", {.status = V_OCSP_CERTSTATUS_REVOKED}, STAPLE_REVOKED},
	    {"not known", {.status = V_OCSP_CERTSTATUS_UNKNOWN},
		STAPLE_UNKNOWN},
	    {"of another", {.about = other}, STAPLE_OTHER},
	    {"among many", {.many = 50}, STAPLE_GOOD},
	    {"of yesterday", {.to = -4 * DAY}, STAPLE_OLD},
	    {"of tomorrow", {.from = 4 * DAY}, STAPLE_OLD},
	    {"by a delegate", {.signer = delegate}, STAPLE_GOOD},
	    {"by one without the right", {.signer = not_one}, STAPLE_UNSIGNED},
	    {"by the leaf itself", {.signer = leaf}, STAPLE_UNSIGNED},
	    {"by one of the same name", {.signer = stranger}, STAPLE_UNSIGNED},
	    {"try later", {.refused = OCSP_RESPONSE_STATUS_TRYLATER},
		STAPLE_REFUSED},
	};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct staple s = read_staple(respond(&t[i].a));

		if (x509_staple_at(&s, NOW) != t[i].want)
			TEST_FAIL("%s: %d, not %d", t[i].name,
			    x509_staple_at(&s, NOW), t[i].want);
		CHECK_INT(s.revoked_at,
		    t[i].want == STAPLE_REVOKED ? NOW - 9 * DAY : 0);
	}
}

/* RFC 6962 3.3: counted where the authority signed for them. */
TEST(time_stamps_in_an_answer)
{
	struct staple s;

	make_certs();
	s = read_staple(respond(&(struct answer){.scts = 3}));
	CHECK_INT(s.scts, 3);
	s = read_staple(respond(&(struct answer){0}));
	CHECK_INT(s.scts, 0);
	s = read_staple(respond(&(struct answer){.scts = 3, .signer = leaf}));
	CHECK_INT(s.scts, 0);
	s = read_staple(respond(&(struct answer){.scts = 300}));
	CHECK_INT(s.scts, 255);
}

TEST(what_is_no_answer)
{
	struct slice whole;
	uint8_t copy[4096], longer[OCSP_RESPONSE_MAX + 1] = {0x30};
	struct staple s;

	make_certs();
	whole = respond(&(struct answer){0});
	memcpy(copy, whole.p, whole.len);
	for (size_t n = 0; n < whole.len; n++) {
		s = read_staple((struct slice){copy, n});
		CHECK_INT(s.status, STAPLE_MALFORMED);
	}
	s = read_staple((struct slice){longer, sizeof(longer)});
	CHECK_INT(s.status, STAPLE_MALFORMED);
	copy[whole.len] = 0; /* something after it */
	s = read_staple((struct slice){copy, whole.len + 1});
	CHECK_INT(s.status, STAPLE_MALFORMED);
}

TEST(a_certificate_without_a_serial_number)
{
	struct slice good;
	struct staple s;

	make_certs();
	good = respond(&(struct answer){0});
	x509_read_staple(good, root->x, "", NOW, &s);
	CHECK_INT(s.status, STAPLE_OTHER);
}

/* Some bytes of a response are not signed; none of them makes it good. */
TEST(revoked_never_becomes_good)
{
	struct slice whole;
	uint8_t copy[4096];

	make_certs();
	whole = respond(&(struct answer){.status = V_OCSP_CERTSTATUS_REVOKED});
	memcpy(copy, whole.p, whole.len);
	for (size_t i = 0; i < 8 * whole.len; i++) {
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
		CHECK(read_staple((struct slice){copy, whole.len}).status !=
		      STAPLE_GOOD);
		copy[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

/* ---- by the verifier ---- */

static struct verifier *
lab_verifier(void)
{
	char err[256] = "";
	const char *path;
	struct verifier *v;

	make_certs();
	path = cert_write_pem(root);
	v = verifier_new(&path, 1, true, err, sizeof(err));
	unlink(path);
	CHECK_STR(err, "");
	return v;
}

TEST(the_verdict_has_the_last_word_of_the_authority)
{
	static const uint8_t id[32] = {1}, no[32] = {2};
	struct answer revoked = {.status = V_OCSP_CERTSTATUS_REVOKED};
	struct verifier *v = lab_verifier();
	const struct chain_verdict *r = verifier_chain(v, id, &leaf->slice, 1);

	CHECK_INT(r->staple, STAPLE_NONE);
	CHECK_INT(verifier_staple(v, no, respond(&revoked), NOW), STAPLE_NONE);
	CHECK_INT(verifier_staple(v, id, respond(&(struct answer){0}), NOW),
	    STAPLE_GOOD);
	CHECK_INT(r->staple, STAPLE_GOOD);
	CHECK_INT(
	    verifier_staple(v, id, respond(&revoked), NOW), STAPLE_REVOKED);
	CHECK_INT(r->revoked_at, NOW - 9 * DAY);
	/* an older one repeated, and what nobody signed, change nothing */
	CHECK_INT(verifier_staple(
		      v, id, respond(&(struct answer){.from = -DAY}), NOW),
	    STAPLE_GOOD);
	CHECK_INT(r->staple, STAPLE_REVOKED);
	(void)verifier_staple(
	    v, id, respond(&(struct answer){.signer = stranger}), NOW);
	CHECK_INT(r->staple, STAPLE_REVOKED);
	/* a hold was lifted */
	(void)verifier_staple(
	    v, id, respond(&(struct answer){.from = DAY}), NOW);
	CHECK_INT(r->staple, STAPLE_GOOD);
	CHECK_INT(r->revoked_at, 0);
	verifier_free(v);
}

TEST(a_staple_is_verified_once_and_grows_old)
{
	static const uint8_t id[32] = {1};
	struct verifier *v = lab_verifier();
	struct slice good = respond(&(struct answer){0});

	(void)verifier_chain(v, id, &leaf->slice, 1);
	for (unsigned i = 0; i < 1000; i++)
		CHECK_INT(verifier_staple(v, id, good, NOW), STAPLE_GOOD);
	CHECK_INT(verifier_staple(v, id, good, NOW + 9 * DAY), STAPLE_OLD);
	CHECK_INT(verifier_staple(v, id, good, NOW - 9 * DAY), STAPLE_OLD);
	CHECK_INT(verifier_staple(v, id, good, NOW), STAPLE_GOOD);
	CHECK_INT(verifier_counters(v)->staples, 1);
	verifier_free(v);
}

TEST(of_a_chain_without_trust_it_says_nothing)
{
	static const uint8_t id[32] = {1};
	struct verifier *v = lab_verifier();

	(void)verifier_chain(v, id, &stranger->slice, 1);
	CHECK_INT(verifier_staple(v, id, respond(&(struct answer){0}), NOW),
	    STAPLE_UNCHECKED);
	CHECK_INT(verifier_counters(v)->staples, 0);
	verifier_free(v);
}

TEST_MAIN
