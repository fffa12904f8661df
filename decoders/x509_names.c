/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names out of certificates. A name is bytes with a length, and what a reader
 * sees must not differ from what a client compares: whatever is not printable
 * is escaped and flagged, so that "bank.example\0.evil.example" never reads as
 * "bank.example".
 */
#include "decoders/x509_names.h"

#include <string.h>

#include <arpa/inet.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "decoders/obs.h"

void
x509_copy_ascii(char *dst, size_t cap, const char *src)
{
	size_t n = src == NULL ? 0 : strnlen(src, cap - 1);

	if (n > 0)
		memcpy(dst, src, n);
	dst[n] = '\0';
}

/* RFC 2253 form, most specific part first; OpenSSL escapes what is not
 * printable ASCII. */
static void
name_text(const X509_NAME *name, char *out, size_t cap)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	out[0] = '\0';
	if (b == NULL)
		return;
	if (X509_NAME_print_ex(b, name, 0, XN_FLAG_RFC2253) >= 0) {
		n = BIO_get_mem_data(b, &p);
		(void)obs_copy_string(out, cap,
		    (struct slice){(const uint8_t *)p, n < 0 ? 0 : (size_t)n});
	}
	BIO_free(b);
}

static bool
is_clean(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] <= 0x20 || p[i] >= 0x7f || p[i] == '\\')
			return false;
	return n > 0;
}

/* The last one is the most specific (RFC 6125 section 2.3.1). */
static void
read_common_name(const X509_NAME *subject, struct x509_facts *f)
{
	int at = -1, last = -1, n;
	unsigned char *text = NULL;

	while (
	    (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
		last = at;
	if (last < 0)
		return;
	n = ASN1_STRING_to_UTF8(&text,
	    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
	if (n < 0) {
		f->flags |= X509F_BAD_NAME;
		return;
	}
	if (memchr(text, '\0', (size_t)n) != NULL)
		f->flags |= X509F_BAD_NAME;
	(void)obs_copy_string(f->common_name, sizeof(f->common_name),
	    (struct slice){text, (size_t)n});
	OPENSSL_free(text);
}

static void
add_name(struct x509_facts *f, size_t *used, struct slice name)
{
	char *end = f->names + *used;
	size_t cap = sizeof(f->names) - *used;

	if (*used > 0) {
		*end++ = '\n';
		cap--;
	}
	if (cap < 2 || !obs_copy_string(end, cap, name)) {
		f->names[*used] = '\0'; /* not a part of a name */
		f->flags |= X509F_NAMES_CUT;
		return;
	}
	*used = (size_t)(end - f->names) + strlen(end);
}

static void
add_ip(struct x509_facts *f, size_t *used, const ASN1_STRING *s)
{
	char text[INET6_ADDRSTRLEN];
	int n = ASN1_STRING_length(s);

	if ((n != 4 && n != 16) ||
	    inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(s),
		text, sizeof(text)) == NULL) {
		f->flags |= X509F_BAD_NAME;
		return;
	}
	add_name(f, used, (struct slice){(const uint8_t *)text, strlen(text)});
}

static bool
is_ip(const char *host)
{
	uint8_t raw[16];

	return inet_pton(AF_INET, host, raw) == 1 ||
	       inet_pton(AF_INET6, host, raw) == 1;
}

static void
add_dns(struct x509_facts *f, size_t *used, const ASN1_STRING *s)
{
	struct slice name = {
	    ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s)};
	char text[INET6_ADDRSTRLEN];

	if (!is_clean(name.p, name.len))
		f->flags |= X509F_BAD_NAME;
	/* An address as a host name speaks for nobody (RFC 9525 6.2). */
	if (obs_copy_string(text, sizeof(text), name) && is_ip(text)) {
		f->flags |= X509F_BAD_NAME;
		return;
	}
	add_name(f, used, name);
}

/* A list that does not parse may have had one. */
static bool
has_dns(const GENERAL_NAMES *list)
{
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++)
		if (sk_GENERAL_NAME_value(list, i)->type == GEN_DNS)
			return true;
	return list == NULL;
}

static void
read_alt_names(X509 *x, struct x509_facts *f)
{
	int critical = -1;
	GENERAL_NAMES *list =
	    X509_get_ext_d2i(x, NID_subject_alt_name, &critical, NULL);
	size_t used = 0;

	if (critical != -1)
		f->flags |= X509F_HAS_SAN;
	if (critical != -1 && !has_dns(list))
		f->flags |= X509F_SAN_NO_DNS;
	if (list == NULL && critical != -1) /* twice, or does not parse */
		f->flags |= X509F_BAD_NAME;
	for (int i = 0; i < sk_GENERAL_NAME_num(list); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(list, i);

		if (f->flags & X509F_NAMES_CUT)
			break;
		if (g->type == GEN_DNS)
			add_dns(f, &used, g->d.dNSName);
		else if (g->type == GEN_IPADD)
			add_ip(f, &used, g->d.iPAddress);
	}
	GENERAL_NAMES_free(list);
}

void
x509_read_names(X509 *x, struct x509_facts *f)
{
	const X509_NAME *subject = X509_get_subject_name(x);

	name_text(subject, f->subject, sizeof(f->subject));
	name_text(X509_get_issuer_name(x), f->issuer, sizeof(f->issuer));
	read_common_name(subject, f);
	read_alt_names(x, f);
}
