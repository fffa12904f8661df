/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Anchors by subject, parsed on demand. Subjects are compared as OpenSSL does
 * (canonical form), so that case and string types do not hide an anchor.
 */
#include "sensor/verifier_anchors.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define ANCHORS_MAX 4096 /* bundles have 100 to 200 */
#define RISE_MAX 8 /* anchors above anchors */

struct anchor {
	X509_NAME *subject;
	unsigned char *der; /* NULL once it is in the store */
	long len;
};

struct anchors {
	struct anchor *list;
	unsigned n, room;
	BIO *bio; /* what was not taken apart yet, of pem; or NULL */
	char *pem;
};

struct anchors *
anchors_new(void)
{
	return calloc(1, sizeof(struct anchors));
}

void
anchors_free(struct anchors *a)
{
	if (a == NULL)
		return;
	for (unsigned i = 0; i < a->n; i++) {
		X509_NAME_free(a->list[i].subject);
		OPENSSL_free(a->list[i].der);
	}
	BIO_free(a->bio);
	free(a->pem);
	free(a->list);
	free(a);
}

/* Moves *p over one element, or into it; false at a wrong one. */
static bool
step(const unsigned char **p, const unsigned char *end, bool into)
{
	const unsigned char *q = *p;
	int tag, class;
	long len;

	if (q >= end ||
	    (ASN1_get_object(&q, &len, &tag, &class, end - q) & 0x80) != 0)
		return false;
	*p = into ? q : q + len;
	return true;
}

/* RFC 5280 4.1: Certificate { TBSCertificate { [0] version, serialNumber,
 * signature, issuer, validity, subject, ... */
static X509_NAME *
subject_of(const unsigned char *der, long len)
{
	const unsigned char *p = der, *end = der + len;
	bool ok = step(&p, end, true);

	ok = ok && step(&p, end, true);
	if (ok && p < end && *p == 0xa0)
		ok = step(&p, end, false);
	for (unsigned i = 0; ok && i < 4; i++)
		ok = step(&p, end, false);
	return ok ? d2i_X509_NAME(NULL, &p, end - p) : NULL;
}

static bool
make_room(struct anchors *a)
{
	unsigned room = a->room == 0 ? 256 : 2 * a->room;
	struct anchor *list;

	if (a->n < a->room)
		return true;
	if (room > ANCHORS_MAX)
		return false;
	list = realloc(a->list, room * sizeof(*list));
	if (list == NULL)
		return false;
	a->list = list;
	a->room = room;
	return true;
}

/* Takes der over. */
static bool
add(struct anchors *a, unsigned char *der, long len)
{
	X509_NAME *subject = subject_of(der, len);

	if (subject == NULL || !make_room(a)) {
		X509_NAME_free(subject);
		OPENSSL_free(der);
		return false;
	}
	a->list[a->n++] = (struct anchor){subject, der, len};
	return true;
}

/* The next certificate of the text; false at its end. */
static bool
add_next(struct anchors *a, BIO *bio)
{
	char *name, *header;
	unsigned char *der;
	long len;

	if (PEM_read_bio(bio, &name, &header, &der, &len) != 1)
		return false;
	if (strcmp(name, PEM_STRING_X509) == 0)
		(void)add(a, der, len);
	else
		OPENSSL_free(der);
	OPENSSL_free(name);
	OPENSSL_free(header);
	return true;
}

bool
anchors_take_pem(struct anchors *a, char *pem)
{
	a->bio = BIO_new_mem_buf(pem, -1);
	while (a->bio != NULL && a->n == 0 && add_next(a, a->bio))
		continue;
	ERR_clear_error();
	if (a->n > 0) {
		a->pem = pem;
		return true;
	}
	BIO_free(a->bio);
	a->bio = NULL;
	return false;
}

/* Now they are wanted. */
static void
read_all(struct anchors *a)
{
	if (a->bio == NULL)
		return;
	while (add_next(a, a->bio))
		continue;
	ERR_clear_error();
	BIO_free(a->bio);
	free(a->pem);
	a->bio = NULL;
	a->pem = NULL;
}

/* Parses the anchor into the store; the name of its own issuer if another
 * stands above it, or NULL. */
static X509_NAME *
load(struct anchor *at, X509_STORE *store)
{
	const unsigned char *p = at->der;
	X509 *x = d2i_X509(NULL, &p, at->len);
	X509_NAME *above = NULL;

	OPENSSL_free(at->der);
	at->der = NULL;
	if (x == NULL)
		return NULL;
	(void)X509_STORE_add_cert(store, x);
	if (X509_NAME_cmp(at->subject, X509_get_issuer_name(x)) != 0)
		above = X509_NAME_dup(X509_get_issuer_name(x));
	X509_free(x);
	return above;
}

static void
offer_name(
    struct anchors *a, X509_STORE *store, const X509_NAME *issuer, int rise)
{
	for (unsigned i = 0; i < a->n; i++) {
		X509_NAME *above;

		if (a->list[i].der == NULL ||
		    X509_NAME_cmp(a->list[i].subject, issuer) != 0)
			continue;
		above = load(&a->list[i], store);
		if (above != NULL && rise < RISE_MAX)
			offer_name(a, store, above, rise + 1);
		X509_NAME_free(above);
	}
}

void
anchors_offer(
    struct anchors *a, X509_STORE *store, const STACK_OF(X509) * certs)
{
	if (sk_X509_num(certs) > 0)
		read_all(a);
	for (int i = 0; i < sk_X509_num(certs); i++)
		offer_name(
		    a, store, X509_get_issuer_name(sk_X509_value(certs, i)), 0);
	ERR_clear_error();
}

bool
anchors_have_organisation(struct anchors *a, const ASN1_STRING *o)
{
	read_all(a);
	for (unsigned i = 0; i < a->n; i++) {
		const X509_NAME *name = a->list[i].subject;
		int at =
		    X509_NAME_get_index_by_NID(name, NID_organizationName, -1);

		if (at >= 0 &&
		    ASN1_STRING_cmp(o, X509_NAME_ENTRY_get_data(
					   X509_NAME_get_entry(name, at))) == 0)
			return true;
	}
	return false;
}
