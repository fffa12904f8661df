/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates made on the spot, for tests. A mould says what is special;
 * zero is an ordinary server certificate: RSA 2048, SHA-256, valid from 2026
 * to 2027. Keys are made once per kind and program, RSA takes its time.
 */
#ifndef STRIPWIRE_TESTS_CERTS_H
#define STRIPWIRE_TESTS_CERTS_H

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "decoders/slice.h"
#include "tests/test.h"

#define T2025 INT64_C(1735689600)
#define T2026 INT64_C(1767225600)
#define T2027 INT64_C(1798761600)
#define T2030 INT64_C(1893456000)

enum cert_key {
	CK_RSA = 0, /* 2048 */
	CK_RSA1024,
	CK_EC, /* P-256 */
	CK_ED25519,
	CK_OTHER_RSA, /* a second one */
	CK_CA, /* of authorities */
	CK_SUB, /* of intermediates */
	CK_EC192, /* P-192, too short by now */
	CK_CA_EC,
	CK_SUB_EC,
	CK_OTHER_EC,
	CK_CA_ED25519,
	CK_SUB_ED25519,
	CK_OTHER_ED25519,
	CK_COUNT
};

struct cert_ext {
	int nid;
	const char *value; /* OpenSSL's syntax; NULL: none */
};

struct cert {
	X509 *x;
	EVP_PKEY *key; /* borrowed */
	uint8_t der[131072];
	struct slice slice;
};

struct mould {
	const char *cn, *org;
	const uint8_t *raw_cn; /* instead of cn: bytes with a length */
	int raw_cn_len;
	const char *san; /* OpenSSL's syntax: DNS:a,IP:1.2.3.4 */
	const char *eku; /* NULL: none */
	const char *aia;
	enum cert_key key;
	EVP_PKEY *own_key; /* instead of key; borrowed */
	const struct cert *issuer; /* NULL: itself */
	const EVP_MD *md; /* NULL: SHA-256 */
	int64_t from, to; /* 0: 2026, 2027 */
	int ca;
	const char *constraints; /* instead of CA:TRUE and CA:FALSE */
	struct cert_ext more[3];
	int serial;
	int akid_names_issuer; /* authority key id names issuer and serial */
};

static inline EVP_PKEY *
cert_key(enum cert_key kind)
{
	static EVP_PKEY *keys[CK_COUNT];

	if (keys[kind] != NULL)
		return keys[kind];
	switch (kind) {
	case CK_EC192:
		keys[kind] = EVP_EC_gen("P-192");
		break;
	case CK_EC:
	case CK_CA_EC:
	case CK_SUB_EC:
	case CK_OTHER_EC:
		keys[kind] = EVP_EC_gen("P-256");
		break;
	case CK_ED25519:
	case CK_CA_ED25519:
	case CK_SUB_ED25519:
	case CK_OTHER_ED25519:
		keys[kind] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	default:
		keys[kind] = EVP_RSA_gen(kind == CK_RSA1024 ? 1024 : 2048);
		break;
	}
	if (keys[kind] == NULL)
		abort();
	return keys[kind];
}

static inline void
cert_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	CONF *none = NCONF_new(NULL); /* policies insist on one */
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, none);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (e == NULL || X509_add_ext(x, e, -1) != 1)
		abort();
	X509_EXTENSION_free(e);
	NCONF_free(none);
}

static inline void
cert_name(X509_NAME *name, const struct mould *m)
{
	if (m->org != NULL)
		X509_NAME_add_entry_by_NID(name, NID_organizationName,
		    MBSTRING_UTF8, (const uint8_t *)m->org, -1, -1, 0);
	if (m->raw_cn != NULL)
		X509_NAME_add_entry_by_NID(name, NID_commonName,
		    V_ASN1_UTF8STRING, m->raw_cn, m->raw_cn_len, -1, 0);
	else if (m->cn != NULL)
		X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		    (const uint8_t *)m->cn, -1, -1, 0);
}

static inline void
cert_extensions(X509 *x, X509 *issuer, const struct mould *m)
{
	cert_extension(x, issuer, NID_basic_constraints,
	    m->constraints != NULL ? m->constraints
	    : m->ca		   ? "critical,CA:TRUE"
				   : "critical,CA:FALSE");
	cert_extension(x, issuer, NID_subject_key_identifier, "hash");
	if (m->issuer != NULL)
		cert_extension(x, issuer, NID_authority_key_identifier,
		    m->akid_names_issuer ? "keyid,issuer:always" : "keyid");
	if (m->san != NULL)
		cert_extension(x, issuer, NID_subject_alt_name, m->san);
	if (m->eku != NULL)
		cert_extension(x, issuer, NID_ext_key_usage, m->eku);
	if (m->aia != NULL)
		cert_extension(x, issuer, NID_info_access, m->aia);
	for (unsigned i = 0; i < sizeof(m->more) / sizeof(m->more[0]); i++)
		if (m->more[i].value != NULL)
			cert_extension(
			    x, issuer, m->more[i].nid, m->more[i].value);
}

/* To be freed with cert_free(). */
static inline struct cert *
cert_make(const struct mould *m)
{
	static int serial;
	struct cert *c = calloc(1, sizeof(*c));
	X509 *x = X509_new(), *issuer;
	EVP_PKEY *signer;
	const EVP_MD *md = m->md != NULL ? m->md : EVP_sha256();
	uint8_t *p = c->der;
	int n;

	c->x = x;
	c->key = m->own_key != NULL ? m->own_key : cert_key(m->key);
	issuer = m->issuer != NULL ? m->issuer->x : x;
	signer = m->issuer != NULL ? m->issuer->key : c->key;
	X509_set_version(x, 2);
	ASN1_INTEGER_set(
	    X509_get_serialNumber(x), m->serial ? m->serial : ++serial + 4096);
	X509_set_pubkey(x, c->key);
	ASN1_TIME_set(X509_getm_notBefore(x), m->from ? m->from : T2026);
	ASN1_TIME_set(X509_getm_notAfter(x), m->to ? m->to : T2027);
	cert_name(X509_get_subject_name(x), m);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	cert_extensions(x, issuer, m);
	if (EVP_PKEY_is_a(signer, "ED25519"))
		md = NULL;
	if (X509_sign(x, signer, md) <= 0)
		abort();
	n = i2d_X509(x, NULL);
	if (n <= 0 || (size_t)n > sizeof(c->der))
		abort();
	n = i2d_X509(x, &p);
	c->slice = (struct slice){c->der, (size_t)n};
	return c;
}

static inline void
cert_free(struct cert *c)
{
	X509_free(c->x);
	free(c);
}

/* Writes a PEM file and returns its name, to be unlinked. */
static inline char *
cert_write_pem(const struct cert *c)
{
	static char path[] = "/tmp/stripwire-anchor-XXXXXX";
	int fd;
	FILE *fp;

	memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
	fd = mkstemp(path);
	fp = fd < 0 ? NULL : fdopen(fd, "w");
	if (fp == NULL || PEM_write_X509(fp, c->x) != 1)
		abort();
	fclose(fp);
	return path;
}

#endif
