/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system's trust anchors, for verifier.c only. A bundle holds about 140,
 * and OpenSSL 3 needs a third of a millisecond to parse each, keys included;
 * of most only the subject is ever asked for. So a bundle is taken apart into
 * DER and subjects when the first certificate is to be verified, and an anchor
 * is parsed when a certificate names it as its issuer. Much mail carries none.
 */
#ifndef STRIPWIRE_VERIFIER_ANCHORS_H
#define STRIPWIRE_VERIFIER_ANCHORS_H

#include <stdbool.h>

struct anchors;
struct asn1_string_st; /* ASN1_STRING */
struct stack_st_X509; /* STACK_OF(X509) */
struct x509_store_st; /* X509_STORE */

struct anchors *anchors_new(void); /* NULL: no memory */
void anchors_free(struct anchors *a);

/* Takes a bundle, whose text it takes over where it returns true: there are
 * certificates in it, or at least one that can be read. At most one bundle. */
bool anchors_take_pem(struct anchors *a, char *pem);

/* Puts into the store what may stand above one of these certificates. */
void anchors_offer(struct anchors *a, struct x509_store_st *store,
    const struct stack_st_X509 *certs);

/* Does an anchor's subject have this organisation? */
bool anchors_have_organisation(
    struct anchors *a, const struct asn1_string_st *o);

#endif
