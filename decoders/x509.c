/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts of one certificate (RFC 5280). Parsing and all arithmetic are
 * OpenSSL's; this file decides what is looked at and how much of it. A hostile
 * certificate costs no more than its X509_DER_MAX bytes of parsing and one
 * signature check with a key of at most X509_KEY_BITS_MAX.
 */
#include "decoders/x509.h"

#include <string.h>
#include <time.h>

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "decoders/hash.h"
#include "decoders/x509_names.h"

static uint8_t
key_type_of(const EVP_PKEY *key)
{
	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return KEY_RSA;
	case EVP_PKEY_EC:
		return KEY_EC;
	case EVP_PKEY_ED25519:
		return KEY_ED25519;
	case EVP_PKEY_ED448:
		return KEY_ED448;
	case EVP_PKEY_DSA:
		return KEY_DSA;
	default:
		return KEY_OTHER;
	}
}

static uint8_t
sig_hash_of(int digest)
{
	static const struct {
		int nid;
		uint8_t hash;
	} table[] = {
	    {NID_md2, SIG_MD2},
	    {NID_md4, SIG_MD4},
	    {NID_md5, SIG_MD5},
	    {NID_sha1, SIG_SHA1},
	    {NID_sha224, SIG_SHA224},
	    {NID_sha256, SIG_SHA256},
	    {NID_sha384, SIG_SHA384},
	    {NID_sha512, SIG_SHA512},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].nid == digest)
			return table[i].hash;
	return SIG_OTHER;
}

/* OBJ_find_sigid_algs() knows every pair of digest and key by its number; the
 * certificate's own opinion is asked for where the digest is a parameter. */
static void
read_signature(X509 *x, struct x509_facts *f)
{
	int nid = X509_get_signature_nid(x), digest = NID_undef, key, bits;
	uint32_t flags;

	if (nid == NID_ED25519 || nid == NID_ED448) {
		f->sig_hash = SIG_EDDSA;
	} else {
		(void)OBJ_find_sigid_algs(nid, &digest, &key);
		if (digest == NID_undef)
			(void)X509_get_signature_info(
			    x, &digest, &key, &bits, &flags);
		f->sig_hash = sig_hash_of(digest);
	}
	x509_copy_ascii(f->sig_name, sizeof(f->sig_name), OBJ_nid2ln(nid));
}

static int
read_time(const ASN1_TIME *t, int64_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return -1;
	*out = (int64_t)timegm(&tm);
	return 0;
}

static void
read_serial(X509 *x, char *out, size_t cap)
{
	static const char hex[] = "0123456789ABCDEF";
	const ASN1_INTEGER *n = X509_get0_serialNumber(x);
	const uint8_t *p = ASN1_STRING_get0_data(n);
	int len = ASN1_STRING_length(n);
	size_t used = 0;

	for (int i = 0; i < len && used + 3 <= cap; i++) {
		out[used++] = hex[p[i] >> 4];
		out[used++] = hex[p[i] & 15];
	}
	out[used] = '\0';
}

static int
hash_public_key(X509 *x, uint8_t out[HASH_SHA256_LEN])
{
	uint8_t *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der), rc = -1;

	if (n > 0)
		rc = hash_sha256((struct slice){der, (size_t)n}, out);
	OPENSSL_free(der);
	return rc;
}

static int
hash_issuer(X509 *x, uint8_t out[HASH_SHA256_LEN])
{
	const unsigned char *der;
	size_t n;

	if (X509_NAME_get0_der(X509_get_issuer_name(x), &der, &n) != 1)
		return -1;
	return hash_sha256((struct slice){der, n}, out);
}

static void
read_usage(X509 *x, struct x509_facts *f)
{
	uint32_t ext = X509_get_extension_flags(x);
	uint32_t usage = X509_get_extended_key_usage(x);

	if (ext & EXFLAG_CA)
		f->flags |= X509F_CA;
	if (ext & EXFLAG_XKUSAGE)
		f->flags |= X509F_HAS_EKU;
	if (!(ext & EXFLAG_XKUSAGE) ||
	    (usage & (XKU_SSL_SERVER | XKU_SGC | XKU_ANYEKU)))
		f->flags |= X509F_SERVER_AUTH;
	if (X509_get_ext_by_NID(x, NID_ct_precert_scts, -1) >= 0)
		f->flags |= X509F_HAS_SCT;
	if (X509_get_ext_by_NID(x, NID_info_access, -1) >= 0)
		f->flags |= X509F_HAS_AIA;
}

static void
read_key(X509 *x, struct x509_facts *f)
{
	EVP_PKEY *key = X509_get0_pubkey(x);
	int bits;

	if (X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) ==
	    0)
		f->flags |= X509F_SELF_ISSUED;
	if (key == NULL) /* of a kind that OpenSSL does not know */
		return;
	f->key_type = key_type_of(key);
	bits = EVP_PKEY_get_bits(key);
	f->key_bits = bits < 0 ? 0 : bits > UINT16_MAX ? UINT16_MAX : bits;
	if (f->flags & X509F_SELF_ISSUED && bits <= X509_KEY_BITS_MAX &&
	    X509_verify(x, key) == 1)
		f->flags |= X509F_SELF_SIGNED;
}

int
x509_read_parsed(X509 *x, struct slice der, struct x509_facts *f)
{
	memset(f, 0, sizeof(*f));
	if (read_time(X509_get0_notBefore(x), &f->not_before) != 0 ||
	    read_time(X509_get0_notAfter(x), &f->not_after) != 0 ||
	    hash_sha256(der, f->sha256) != 0 ||
	    hash_public_key(x, f->spki_sha256) != 0 ||
	    hash_issuer(x, f->issuer_sha256) != 0)
		return -1;
	if (hash_sha1(der, f->sha1) != 0) /* a policy may forbid it */
		memset(f->sha1, 0, sizeof(f->sha1));
	read_serial(x, f->serial, sizeof(f->serial));
	read_usage(x, f);
	read_key(x, f);
	read_signature(x, f);
	x509_read_names(x, f);
	return 0;
}

int
x509_read(struct slice der, struct x509_facts *out)
{
	const uint8_t *p = der.p;
	X509 *x;
	int rc = -1;

	if (der.len == 0 || der.len > X509_DER_MAX)
		return -1;
	x = d2i_X509(NULL, &p, (long)der.len);
	if (x != NULL && p == der.p + der.len)
		rc = x509_read_parsed(x, der, out);
	X509_free(x);
	ERR_clear_error();
	return rc;
}
