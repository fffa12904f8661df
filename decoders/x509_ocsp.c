/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Parsing and signatures are OpenSSL's. What a hostile response costs is
 * bounded by its length, the number of certificates in it and their keys.
 */
#include "decoders/x509_ocsp.h"

#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

static int64_t
seconds(const ASN1_GENERALIZEDTIME *t)
{
	struct tm tm;

	return t != NULL && ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm)
							 : 0;
}

static ASN1_INTEGER *
serial_of(const char *hex)
{
	ASN1_INTEGER *serial = NULL;
	BIGNUM *n = NULL;

	if (hex[0] != '\0' && BN_hex2bn(&n, hex) == (int)strlen(hex))
		serial = BN_to_ASN1_INTEGER(n, NULL);
	BN_free(n);
	return serial;
}

/* Is the certificate named by hashes of its issuer the one of that serial? */
static bool
is_about(const OCSP_CERTID *id, const X509 *issuer, const ASN1_INTEGER *serial)
{
	ASN1_OBJECT *hash;
	const EVP_MD *md;
	OCSP_CERTID *ours;
	bool same;

	/* only reads, and wants it not const */
	if (OCSP_id_get0_info(NULL, &hash, NULL, NULL, (OCSP_CERTID *)id) !=
		1 ||
	    (md = EVP_get_digestbyobj(hash)) == NULL)
		return false;
	ours = OCSP_cert_id_new(md, X509_get_subject_name(issuer),
	    X509_get0_pubkey_bitstr(issuer), serial);
	same = ours != NULL && OCSP_id_cmp(ours, id) == 0;
	OCSP_CERTID_free(ours);
	return same;
}

static OCSP_SINGLERESP *
find_answer(OCSP_BASICRESP *basic, const X509 *issuer, const char *hex)
{
	ASN1_INTEGER *serial = serial_of(hex);
	OCSP_SINGLERESP *found = NULL;

	for (int i = 0; serial != NULL && i < OCSP_resp_count(basic); i++) {
		OCSP_SINGLERESP *one = OCSP_resp_get0(basic, i);
		const OCSP_CERTID *id = OCSP_SINGLERESP_get0_id(one);
		ASN1_INTEGER *its;

		/* the number first: hashing for each one would be slow */
		if (OCSP_id_get0_info(
			NULL, NULL, NULL, &its, (OCSP_CERTID *)id) != 1 ||
		    ASN1_INTEGER_cmp(its, serial) != 0)
			continue;
		if (is_about(id, issuer, serial)) {
			found = one;
			break;
		}
	}
	ASN1_INTEGER_free(serial);
	return found;
}

/* May the certificates in it be used for checking? */
static bool
is_cheap(const OCSP_BASICRESP *basic)
{
	const STACK_OF(X509) *certs = OCSP_resp_get0_certs(basic);

	if (sk_X509_num(certs) > X509_CHAIN_MAX)
		return false;
	for (int i = 0; i < sk_X509_num(certs); i++) {
		EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(certs, i));

		if (key != NULL && EVP_PKEY_get_bits(key) > X509_KEY_BITS_MAX)
			return false;
	}
	return true;
}

/* The issuer is all that is trusted. */
static bool
is_signed(OCSP_BASICRESP *basic, X509 *issuer, int64_t now)
{
	X509_STORE *store = X509_STORE_new();
	STACK_OF(X509) *certs = sk_X509_new_null();
	bool ok = false;

	if (store != NULL && certs != NULL &&
	    X509_STORE_add_cert(store, issuer) == 1 &&
	    sk_X509_push(certs, issuer) > 0) {
		X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
		X509_VERIFY_PARAM_set_time(
		    X509_STORE_get0_param(store), (time_t)now);
		ok = OCSP_basic_verify(basic, certs, store, 0) == 1;
	}
	sk_X509_free(certs);
	X509_STORE_free(store);
	return ok;
}

/* Only that they are there: no log is asked. */
static uint8_t
count_time_stamps(OCSP_SINGLERESP *one)
{
	STACK_OF(SCT) *list =
	    OCSP_SINGLERESP_get1_ext_d2i(one, NID_ct_cert_scts, NULL, NULL);
	int n = sk_SCT_num(list);

	SCT_LIST_free(list);
	return n < 0 ? 0 : n < UINT8_MAX ? (uint8_t)n : UINT8_MAX;
}

static enum staple_status
status_of(int status)
{
	switch (status) {
	case V_OCSP_CERTSTATUS_GOOD:
		return STAPLE_GOOD;
	case V_OCSP_CERTSTATUS_REVOKED:
		return STAPLE_REVOKED;
	default:
		return STAPLE_UNKNOWN;
	}
}

enum staple_status
x509_staple_at(const struct staple *s, int64_t now)
{
	if (s->status != STAPLE_GOOD && s->status != STAPLE_REVOKED &&
	    s->status != STAPLE_UNKNOWN)
		return s->status;
	if (s->this_update > now + OCSP_CLOCK_SLACK ||
	    (s->next_update != 0 && s->next_update < now - OCSP_CLOCK_SLACK))
		return STAPLE_OLD;
	return s->status;
}

static enum staple_status
read_basic(OCSP_BASICRESP *basic, X509 *issuer, const char *serial, int64_t now,
    struct staple *out)
{
	OCSP_SINGLERESP *one = find_answer(basic, issuer, serial);
	ASN1_GENERALIZEDTIME *revoked = NULL, *this = NULL, *next = NULL;
	int status, reason;

	if (one == NULL)
		return STAPLE_OTHER;
	status = OCSP_single_get0_status(one, &reason, &revoked, &this, &next);
	if (!is_cheap(basic) || !is_signed(basic, issuer, now))
		return STAPLE_UNSIGNED;
	out->this_update = seconds(this);
	out->next_update = seconds(next);
	out->revoked_at = seconds(revoked);
	out->scts = count_time_stamps(one);
	return status_of(status);
}

void
x509_read_staple(struct slice response, X509 *issuer, const char *serial,
    int64_t now, struct staple *out)
{
	const uint8_t *p = response.p;
	OCSP_RESPONSE *r = NULL;
	OCSP_BASICRESP *basic;

	memset(out, 0, sizeof(*out));
	out->status = STAPLE_MALFORMED;
	if (response.len > 0 && response.len <= OCSP_RESPONSE_MAX)
		r = d2i_OCSP_RESPONSE(NULL, &p, (long)response.len);
	if (r != NULL && p == response.p + response.len) {
		basic = OCSP_response_get1_basic(r);
		if (OCSP_response_status(r) != OCSP_RESPONSE_STATUS_SUCCESSFUL)
			out->status = STAPLE_REFUSED;
		else if (basic != NULL)
			out->status =
			    read_basic(basic, issuer, serial, now, out);
		OCSP_BASICRESP_free(basic);
	}
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
}
