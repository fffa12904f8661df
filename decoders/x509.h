/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Facts out of certificates, by OpenSSL. Nothing here says good or bad; names
 * come out with length, NUL and encoding checked (a name with an embedded NUL
 * or a non-printable byte is escaped and flagged, never cut).
 */
#ifndef STRIPWIRE_X509_H
#define STRIPWIRE_X509_H

#include <stdbool.h>

#include "decoders/slice.h"

#define X509_NAME_TEXT 256 /* a subject or issuer, RFC 2253 form */
#define X509_NAMES_MAX 4096 /* all DNS and IP names, '\n' between */
#define X509_CHAIN_MAX 16 /* certificates looked at; more are counted */
#define X509_DER_MAX 65536 /* bytes; a larger one is not read */
#define X509_KEY_BITS_MAX 8192 /* signatures by longer keys: not checked */

enum x509_flag {
	X509F_SELF_ISSUED = 1 << 0, /* subject equals issuer */
	X509F_SELF_SIGNED = 1 << 1, /* and its own key verifies it */
	X509F_CA = 1 << 2,
	X509F_SERVER_AUTH = 1 << 3, /* EKU absent, any, or serverAuth */
	X509F_HAS_EKU = 1 << 4,
	X509F_NAMES_CUT = 1 << 5, /* more names than we keep */
	X509F_BAD_NAME = 1 << 6, /* NUL or other trick in a name */
	X509F_HAS_SAN = 1 << 7,
	X509F_HAS_SCT = 1 << 8, /* logged: a public CA's */
	X509F_HAS_AIA = 1 << 9, /* says where its issuer is to be found */
	X509F_SAN_NO_DNS = 1 << 10 /* X509F_HAS_SAN, without a host's name */
};

enum key_type {
	KEY_OTHER = 0,
	KEY_RSA,
	KEY_EC,
	KEY_ED25519,
	KEY_ED448,
	KEY_DSA
};

enum sig_hash {
	SIG_OTHER = 0,
	SIG_MD2,
	SIG_MD4,
	SIG_MD5,
	SIG_SHA1,
	SIG_SHA224,
	SIG_SHA256,
	SIG_SHA384,
	SIG_SHA512,
	SIG_EDDSA
};

struct x509_facts {
	uint32_t flags; /* enum x509_flag */
	uint8_t key_type; /* enum key_type */
	uint8_t sig_hash; /* enum sig_hash */
	uint16_t key_bits;
	int64_t not_before, not_after; /* seconds since the epoch */
	uint8_t sha256[32]; /* of the DER */
	uint8_t sha1[20]; /* likewise: a name that rules go by, no proof */
	uint8_t spki_sha256[32]; /* of the SubjectPublicKeyInfo */
	uint8_t issuer_sha256[32]; /* of the issuer's name, DER */
	char subject[X509_NAME_TEXT], issuer[X509_NAME_TEXT];
	char common_name[X509_NAME_TEXT];
	char serial[64]; /* hex */
	char sig_name[48]; /* e.g. "sha256WithRSAEncryption" */
	char names[X509_NAMES_MAX]; /* SAN dNSName and iPAddress as text */
};

/* What the trust store says of a chain, whatever the time. */
enum trust {
	TRUST_UNKNOWN = 0, /* not verified */
	TRUST_OK,
	TRUST_SELF_SIGNED, /* the leaf signs itself, not an anchor */
	TRUST_INCOMPLETE, /* an issuer is missing from the chain sent */
	TRUST_ROOT_UNKNOWN, /* ends in a root that the store lacks */
	TRUST_BAD_SIGNATURE, /* a signature in it is wrong */
	TRUST_MALFORMED /* a certificate does not parse */
};

enum anchor {
	ANCHOR_NONE = 0,
	ANCHOR_SYSTEM, /* of the system store: a public CA, as a rule */
	ANCHOR_EXTRA /* of the operator's own */
};

enum interceptor_kind { /* products that make certificates on the fly */
	ICPT_NONE = 0,
	ICPT_TOOL, /* made for looking into traffic by hand */
	ICPT_GATEWAY, /* firewall, proxy, mail or web gateway */
	ICPT_ENDPOINT /* antivirus and the like, on the client itself */
};

enum staple_status { /* what a stapled OCSP response says */
	STAPLE_NONE = 0, /* there was none so far */
	STAPLE_GOOD,
	STAPLE_REVOKED,
	STAPLE_UNKNOWN, /* the authority does not know the certificate */
	STAPLE_OLD, /* not of this time: it says nothing now */
	STAPLE_OTHER, /* about another certificate */
	STAPLE_UNSIGNED, /* not, or not rightly, or too dear to check */
	STAPLE_REFUSED, /* the responder gave an error for an answer */
	STAPLE_UNCHECKED, /* the chain is not trusted, nor who signs for it */
	STAPLE_MALFORMED
};

#define INTERCEPTOR_NAME_MAX 48

/* Filled by sensor/verifier.c once per chain, kept in its cache. */
struct chain_verdict {
	uint8_t chain_id[32]; /* as in obs_cert */
	uint8_t trust; /* enum trust */
	uint8_t count;
	uint8_t weak_sig_depth; /* 1-based place of an MD5/SHA-1 signature
				   on a non-root certificate, 0 none */
	uint8_t completed; /* an intermediate known from elsewhere was used */
	uint8_t anchor; /* enum anchor it ends in */
	uint8_t missing; /* an issuer was not at hand */
	uint16_t costly_key; /* bits of a key too long to verify with, or 0:
				then no signature was checked */
	uint8_t interceptor; /* enum interceptor_kind, by the issuer's name */
	char interceptor_name[INTERCEPTOR_NAME_MAX]; /* the product */
	uint16_t on_path; /* bit n: the n-th sent, leaf 0, is an intermediate
			     of the trusted path */
	int64_t valid_from, valid_to; /* intersection over the path */
	uint8_t staple; /* enum staple_status, of the last one seen with it */
	uint8_t staple_scts; /* time stamps in the last signed one */
	int64_t revoked_at; /* seconds, of STAPLE_REVOKED */
	char error[128]; /* OpenSSL's words, for people */
	struct x509_facts leaf;
	uint8_t others[X509_CHAIN_MAX - 1][32]; /* SHA-256 of the rest */
};

/* Returns 0, or -1 if it does not parse. der is DER, one certificate. */
int x509_read(struct slice der, struct x509_facts *out)
    __attribute__((warn_unused_result));
/* Likewise of one that OpenSSL has parsed already (an X509). */
struct x509_st;
int x509_read_parsed(struct x509_st *x, struct slice der,
    struct x509_facts *out) __attribute__((warn_unused_result));

/* PEM, to be freed; NULL: longer than X509_DER_MAX, or no memory. */
char *x509_to_pem(struct slice der);

/*
 * Does the certificate speak for this host? RFC 6125 6.4, which RFC 7672
 * 3.2.3 asks of mail servers as well: dNSName entries; the common name only
 * where there is none (RFC 9525 would not even then; clients do); a wildcard
 * is a whole left-most label and stands for exactly one; case-insensitive, a
 * final dot is ignored; IP addresses match iPAddress entries only. host may be
 * an A-label or UTF-8.
 * Returns 1 yes, 0 no, -1 cannot say (names were cut).
 */
int x509_speaks_for(const struct x509_facts *f, const char *host);

#endif
