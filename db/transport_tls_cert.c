/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates of the TLS transport: the files of the configuration, and
 * sentences about the receiver's. Names in a certificate are the other side's
 * bytes: what is not printable does not get into a sentence.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "db/transport_tls.h"

#define NAMES_MAX 6 /* of a certificate, in a sentence */

/* ---- files ---- */

static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt", /* Debian, Arch, Gentoo */
    "/etc/pki/tls/certs/ca-bundle.crt", /* Fedora, Red Hat */
    "/etc/ssl/ca-bundle.pem", /* SUSE */
    "/etc/ssl/cert.pem", /* Alpine */
};

static int
load_system(SSL_CTX *ctx, char *err)
{
	for (unsigned i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (SSL_CTX_load_verify_file(ctx, bundles[i]) == 1)
			return 0;
	return transport_error(err,
	    "this system has no store of certificate authorities (%s): "
	    "install ca-certificates, or set ca_file",
	    bundles[0]);
}

/* Whether it can be opened, apart from what is in it. */
static int
readable(const char *option, const char *path, char *err)
{
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return transport_error(err, "%s %.180s cannot be read: %s",
		    option, path, strerror(errno));
	fclose(f);
	return 0;
}

static int
load_ca(SSL_CTX *ctx, const char *path, char *err)
{
	if (path[0] == '\0')
		return load_system(ctx, err);
	if (readable("ca_file", path, err) != 0)
		return -1;
	if (SSL_CTX_load_verify_file(ctx, path) != 1)
		return transport_error(err,
		    "ca_file %.180s holds no certificate in PEM form", path);
	/* what the file names is trusted, be it a root or not */
	X509_STORE_set_flags(
	    SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	return 0;
}

/* A passphrase is never asked for; arg: that one would be needed. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf, (void)size, (void)writing;
	*(bool *)arg = true;
	return -1;
}

static int
load_key(SSL_CTX *ctx, const char *path, char *err)
{
	bool locked = false;
	int r;

	SSL_CTX_set_default_passwd_cb_userdata(ctx, &locked);
	r = SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	if (r == 1 && SSL_CTX_check_private_key(ctx) == 1)
		return 0;
	if (locked)
		return transport_error(err,
		    "key_file %.120s has a passphrase, and nobody is there to "
		    "give it: store the key without one, readable by the "
		    "feeds' user only",
		    path);
	unsigned long e = ERR_peek_error();
	if (ERR_GET_LIB(e) == ERR_LIB_X509 &&
	    ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH)
		return transport_error(err,
		    "key_file %.180s is not the key of the certificate in "
		    "cert_file",
		    path);
	return transport_error(
	    err, "key_file %.180s holds no private key in PEM form", path);
}

static int
load_own(SSL_CTX *ctx, const struct transport_config *c, char *err)
{
	const char *key = c->key_file[0] != '\0' ? c->key_file : c->cert_file;

	if (c->cert_file[0] == '\0' && c->key_file[0] == '\0')
		return 0;
	if (c->cert_file[0] == '\0')
		return transport_error(err,
		    "key_file %.180s is set without cert_file: both make a "
		    "client certificate",
		    key);
	if (readable("cert_file", c->cert_file, err) != 0 ||
	    readable("key_file", key, err) != 0)
		return -1;
	if (SSL_CTX_use_certificate_chain_file(ctx, c->cert_file) != 1)
		return transport_error(err,
		    "cert_file %.180s holds no certificate in PEM form",
		    c->cert_file);
	ERR_clear_error();
	return load_key(ctx, key, err);
}

SSL_CTX *
tls_context(const struct transport_config *c, char *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL) {
		transport_error(err, "OpenSSL gives no context");
		return NULL;
	}
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				  SSL_MODE_RELEASE_BUFFERS |
				  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_default_passwd_cb(ctx, no_password);
	ERR_clear_error();
	if (load_ca(ctx, c->ca_file, err) == 0 && load_own(ctx, c, err) == 0) {
		ERR_clear_error();
		return ctx;
	}
	ERR_clear_error();
	SSL_CTX_free(ctx);
	return NULL;
}

/* ---- the receiver's certificate ---- */

static void
add_name(char *out, size_t cap, const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, cap - n, "%s%s", n != 0 ? ", " : "", text);
}

static void
add_general_name(char *out, size_t cap, const GENERAL_NAME *g)
{
	char text[80];
	const ASN1_OCTET_STRING *s;

	if (g->type == GEN_DNS) {
		s = g->d.dNSName;
		snprintf(text, sizeof(text), "%.*s", ASN1_STRING_length(s),
		    (const char *)ASN1_STRING_get0_data(s));
		add_name(out, cap, text);
	} else if (g->type == GEN_IPADD) {
		s = g->d.iPAddress;
		int n = ASN1_STRING_length(s);

		if ((n == 4 || n == 16) &&
		    inet_ntop(n == 4 ? AF_INET : AF_INET6,
			ASN1_STRING_get0_data(s), text, sizeof(text)) != NULL)
			add_name(out, cap, text);
	}
}

static void
names_of(const X509 *x, char *out, size_t cap)
{
	GENERAL_NAMES *san =
	    X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	char cn[80] = "";

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(san) && i < NAMES_MAX; i++)
		add_general_name(out, cap, sk_GENERAL_NAME_value(san, i));
	GENERAL_NAMES_free(san);
	if (out[0] != '\0')
		return;
	X509_NAME_get_text_by_NID(
	    X509_get_subject_name(x), NID_commonName, cn, sizeof(cn));
	snprintf(out, cap, "%s", cn[0] != '\0' ? cn : "nobody");
}

static void
date_of(const ASN1_TIME *t, char *out, size_t cap)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1 ||
	    strftime(out, cap, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(out, cap, "an unreadable date");
}

static void
issuer_of(const X509 *x, char *out, size_t cap)
{
	char text[100] = "";

	X509_NAME_get_text_by_NID(
	    X509_get_issuer_name(x), NID_commonName, text, sizeof(text));
	snprintf(out, cap, "%s", text[0] != '\0' ? text : "an unnamed issuer");
}

void
tls_refusal_note(struct tls_refusal *r, X509_STORE_CTX *x)
{
	const X509 *cert = X509_STORE_CTX_get_current_cert(x);

	if (r->code != X509_V_OK)
		return;
	r->code = X509_STORE_CTX_get_error(x);
	r->depth = X509_STORE_CTX_get_error_depth(x);
	if (cert == NULL)
		return;
	switch (r->code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		date_of(X509_get0_notAfter(cert), r->detail, sizeof(r->detail));
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		date_of(
		    X509_get0_notBefore(cert), r->detail, sizeof(r->detail));
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		names_of(cert, r->detail, sizeof(r->detail));
		break;
	default:
		issuer_of(cert, r->detail, sizeof(r->detail));
	}
}

static bool
is_untrusted(int code)
{
	return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       code == X509_V_ERR_CERT_UNTRUSTED;
}

int
tls_refusal_error(const struct tls_refusal *r, const struct transport_config *c,
    const char *where, char *err)
{
	const char *whose =
	    r->depth == 0 ? "the certificate" : "an authority's certificate";

	if (r->code == X509_V_ERR_CERT_HAS_EXPIRED)
		return transport_error(err,
		    "%s of %.120s expired on %s: renew it there", whose, where,
		    r->detail);
	if (r->code == X509_V_ERR_CERT_NOT_YET_VALID)
		return transport_error(err,
		    "%s of %.120s is valid from %s only: are the clocks right?",
		    whose, where, r->detail);
	if (r->code == X509_V_ERR_HOSTNAME_MISMATCH ||
	    r->code == X509_V_ERR_IP_ADDRESS_MISMATCH)
		return transport_error(err,
		    "the certificate of %.80s is for %.60s, not for %.60s: set "
		    "server_name to the name that it should have, or renew it",
		    where, r->detail,
		    c->peer_name[0] != '\0' ? c->peer_name : c->host);
	if (is_untrusted(r->code))
		return transport_error(err,
		    "the certificate of %.80s, issued by %.40s, leads to no "
		    "authority in %.60s: put the receiver's authority into "
		    "ca_file",
		    where, r->detail,
		    c->ca_file[0] != '\0' ? c->ca_file : "the system's store");
	return transport_error(err, "%s of %.120s is not accepted: %s", whose,
	    where, X509_verify_cert_error_string(r->code));
}
