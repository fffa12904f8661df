/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The path check (RFC 5280 section 6, by OpenSSL), and what its outcome means.
 *
 * Left out on purpose: time (kept beside, packet time decides later), names
 * and purposes (findings of their own), and the strength of keys and hashes
 * (security level 0: an old signature is weak, which is not the same as
 * untrusted). Partial chains are not enough: a path ends in an anchor.
 */
#include "sensor/verifier_path.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#define PATH_DEPTH_MAX 10 /* intermediates; real paths have one to three */

static bool
stack_has(const STACK_OF(X509) * list, const X509 *x)
{
	for (int i = 0; i < sk_X509_num(list); i++)
		if (X509_cmp(sk_X509_value(list, i), x) == 0)
			return true;
	return false;
}

static bool
is_self_issued(X509 *x)
{
	return X509_NAME_cmp(
		   X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

static X509_STORE_CTX *
run_check(const struct verifier_store *s, STACK_OF(X509) * sent,
    STACK_OF(X509) * helpers)
{
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;

	if (ctx == NULL)
		return NULL;
	if (X509_STORE_CTX_init(
		ctx, s->store, sk_X509_value(sent, 0), helpers) != 1) {
		X509_STORE_CTX_free(ctx);
		return NULL;
	}
	param = X509_STORE_CTX_get0_param(ctx);
	(void)X509_VERIFY_PARAM_set_flags(
	    param, X509_V_FLAG_NO_CHECK_TIME | X509_V_FLAG_TRUSTED_FIRST);
	X509_VERIFY_PARAM_set_depth(param, PATH_DEPTH_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, 0);
	/* The outcome is in the context's error. */
	(void)X509_verify_cert(ctx);
	return ctx;
}

static bool
is_missing_issuer(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE;
}

/* The organisation in a name; NULL if there is none. */
static const ASN1_STRING *
organisation(const X509_NAME *name)
{
	int at = X509_NAME_get_index_by_NID(name, NID_organizationName, -1);

	if (at < 0)
		return NULL;
	return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
}

static bool
anchor_has_organisation(const struct verifier_store *s, const ASN1_STRING *o)
{
	const STACK_OF(X509_OBJECT) *all = X509_STORE_get0_objects(s->store);

	if (o != NULL && anchors_have_organisation(s->system, o))
		return true;
	for (int i = 0; o != NULL && i < sk_X509_OBJECT_num(all); i++) {
		X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(all, i));
		const ASN1_STRING *other =
		    x == NULL ? NULL : organisation(X509_get_subject_name(x));

		if (other != NULL && ASN1_STRING_cmp(o, other) == 0)
			return true;
	}
	return false;
}

/* RFC 5280 4.2.1.1: the authority key identifier may name the issuer of the
 * issuer. If that is the issuer itself, it is a root. */
static bool
issuer_is_root(X509 *x)
{
	AUTHORITY_KEYID *akid =
	    X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
	bool yes = false;

	if (akid == NULL)
		return false;
	for (int i = 0; i < sk_GENERAL_NAME_num(akid->issuer); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(akid->issuer, i);

		if (g->type == GEN_DIRNAME && X509_NAME_cmp(g->d.directoryName,
						  X509_get_issuer_name(x)) == 0)
			yes = true;
	}
	AUTHORITY_KEYID_free(akid);
	return yes;
}

/*
 * An issuer is not at hand. Is it an intermediate that the server forgot, or a
 * root that nobody here knows? The bytes do not say; these signs do: the
 * certificate names its issuer as a root; a public CA issued it (logged in
 * certificate transparency, or says where its issuer is found), whose roots
 * are known, so that what is missing lies between; or the issuer belongs to
 * the organisation of an anchor.
 */
static enum trust
missing_issuer(const struct verifier_store *s, X509 *top, bool top_is_leaf,
    const struct x509_facts *leaf)
{
	if (issuer_is_root(top))
		return TRUST_ROOT_UNKNOWN;
	if (top_is_leaf && leaf->flags & (X509F_HAS_SCT | X509F_HAS_AIA))
		return TRUST_INCOMPLETE;
	if (anchor_has_organisation(s, organisation(X509_get_issuer_name(top))))
		return TRUST_INCOMPLETE;
	return TRUST_ROOT_UNKNOWN;
}

static enum trust
judge_error(const struct verifier_store *s, X509_STORE_CTX *ctx,
    const struct x509_facts *leaf)
{
	const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
	int error = X509_STORE_CTX_get_error(ctx), n = sk_X509_num(path);

	if (error == X509_V_OK)
		return TRUST_OK;
	if (leaf->flags & X509F_SELF_SIGNED)
		return TRUST_SELF_SIGNED;
	if (error == X509_V_ERR_CERT_SIGNATURE_FAILURE &&
	    (leaf->sig_hash == SIG_MD2 || leaf->sig_hash == SIG_MD4))
		return TRUST_ROOT_UNKNOWN; /* nobody can check these now */
	if (error == X509_V_ERR_CERT_SIGNATURE_FAILURE ||
	    error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT)
		return TRUST_BAD_SIGNATURE; /* self-issued, and it is not so */
	if (is_missing_issuer(error) && n > 0)
		return missing_issuer(
		    s, sk_X509_value(path, n - 1), n == 1, leaf);
	return TRUST_ROOT_UNKNOWN;
}

static bool
is_weak(X509 *x)
{
	int digest = NID_undef, key, bits;
	uint32_t flags;

	(void)X509_get_signature_info(x, &digest, &key, &bits, &flags);
	return digest == NID_md2 || digest == NID_md4 || digest == NID_md5 ||
	       digest == NID_sha1;
}

static int64_t
seconds(const ASN1_TIME *t, int64_t otherwise)
{
	struct tm tm;

	return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : otherwise;
}

/* A root's own signature and dates count for nothing: it is trusted, or not,
 * for being in the store. */
static void
walk_path(const STACK_OF(X509) * path, struct chain_verdict *v)
{
	int n = sk_X509_num(path);

	v->valid_from = v->leaf.not_before;
	v->valid_to = v->leaf.not_after;
	for (int i = 0; i < n; i++) {
		X509 *x = sk_X509_value(path, i);
		int64_t from, to;

		if (is_self_issued(x) || (v->trust == TRUST_OK && i == n - 1))
			continue;
		from = seconds(X509_get0_notBefore(x), v->valid_from);
		to = seconds(X509_get0_notAfter(x), v->valid_to);
		if (from > v->valid_from)
			v->valid_from = from;
		if (to < v->valid_to)
			v->valid_to = to;
		if (v->weak_sig_depth == 0 && is_weak(x))
			v->weak_sig_depth = (uint8_t)(i + 1);
	}
}

static void
note_anchor(const struct verifier_store *s, const STACK_OF(X509) * path,
    STACK_OF(X509) * sent, struct chain_verdict *v)
{
	int n = sk_X509_num(path);

	v->anchor = stack_has(s->extra, sk_X509_value(path, n - 1))
			? ANCHOR_EXTRA
			: ANCHOR_SYSTEM;
	for (int i = 1; i < n - 1; i++)
		if (!stack_has(sent, sk_X509_value(path, i)) &&
		    stack_has(s->known, sk_X509_value(path, i)))
			v->completed = 1;
}

static void
note_outcome(const struct verifier_store *s, X509_STORE_CTX *ctx,
    STACK_OF(X509) * sent, struct chain_verdict *v)
{
	const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
	const char *words =
	    X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx));

	v->trust = (uint8_t)judge_error(s, ctx, &v->leaf);
	v->missing = is_missing_issuer(X509_STORE_CTX_get_error(ctx));
	if (v->trust == TRUST_OK)
		note_anchor(s, path, sent, v);
	else
		strncpy(v->error, words, sizeof(v->error) - 1);
	walk_path(path, v);
}

/* The certificates sent, then the known ones. */
static STACK_OF(X509) *
    with_known(const struct verifier_store *s, STACK_OF(X509) * sent)
{
	STACK_OF(X509) *all = sk_X509_dup(sent);

	for (int i = 0; all != NULL && i < sk_X509_num(s->known); i++)
		(void)sk_X509_push(all, sk_X509_value(s->known, i));
	return all;
}

/*
 * Did the second check, with the known ones, say more than the first? That the
 * chain is whole; or that the very key which the certificate names as its
 * issuer's is known, and did not sign it: names and key identifiers are easily
 * copied from a real certificate, and the intermediate left out.
 */
static bool
tells_more(X509_STORE_CTX *again, STACK_OF(X509) * sent)
{
	int error = X509_STORE_CTX_get_error(again);

	return error == X509_V_OK ||
	       (error == X509_V_ERR_CERT_SIGNATURE_FAILURE &&
		   X509_get0_authority_key_id(sk_X509_value(sent, 0)) != NULL);
}

static X509_STORE_CTX *
retry_with_known(const struct verifier_store *s, STACK_OF(X509) * sent,
    X509_STORE_CTX *first, STACK_OF(X509) * *helpers)
{
	X509_STORE_CTX *again;

	if (!is_missing_issuer(X509_STORE_CTX_get_error(first)) ||
	    sk_X509_num(s->known) == 0)
		return first;
	*helpers = with_known(s, sent);
	again = *helpers == NULL ? NULL : run_check(s, sent, *helpers);
	if (again == NULL)
		return first;
	if (!tells_more(again, sent)) {
		X509_STORE_CTX_free(again);
		return first;
	}
	X509_STORE_CTX_free(first);
	return again;
}

/* Bits of a key sent along that would check a signature and is longer than
 * anybody's; 0 if there is none. The work grows with their cube. */
static int
costly_key(STACK_OF(X509) * sent)
{
	for (int i = 0; i < sk_X509_num(sent); i++) {
		X509 *x = sk_X509_value(sent, i);
		EVP_PKEY *key = X509_get0_pubkey(x);
		int bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);

		if (bits > X509_KEY_BITS_MAX && (i > 0 || is_self_issued(x)))
			return bits;
	}
	return 0;
}

void
verifier_check_path(const struct verifier_store *s, STACK_OF(X509) * sent,
    struct chain_verdict *v, STACK_OF(X509) * *path)
{
	STACK_OF(X509) *helpers = NULL;
	X509_STORE_CTX *ctx;
	int bits = costly_key(sent);

	if (path != NULL)
		*path = NULL;
	v->valid_from = v->leaf.not_before;
	v->valid_to = v->leaf.not_after;
	if (bits != 0) {
		v->trust = TRUST_ROOT_UNKNOWN;
		v->costly_key = bits > UINT16_MAX ? UINT16_MAX : (uint16_t)bits;
		return;
	}
	ctx = run_check(s, sent, sent);
	if (ctx != NULL) {
		ctx = retry_with_known(s, sent, ctx, &helpers);
		note_outcome(s, ctx, sent, v);
		if (path != NULL && v->trust == TRUST_OK)
			*path = X509_STORE_CTX_get1_chain(ctx);
		X509_STORE_CTX_free(ctx);
	}
	sk_X509_free(helpers);
	ERR_clear_error();
}
