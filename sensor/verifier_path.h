/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One path check, for verifier.c only: certificates in, trust out.
 */
#ifndef STRIPWIRE_VERIFIER_PATH_H
#define STRIPWIRE_VERIFIER_PATH_H

#include "decoders/x509.h"
#include "sensor/verifier_anchors.h"

/* OpenSSL's X509_STORE and STACK_OF(X509), whose headers stay in .c files. */
struct x509_store_st;
struct stack_st_X509;

/* What there is to build paths with; the owner keeps it. */
struct verifier_store {
	struct x509_store_st *store;
	struct anchors *system; /* the rest of them, see verifier_anchors.h */
	struct stack_st_X509 *extra; /* the operator's anchors, also in store */
	struct stack_st_X509 *known; /* intermediates of chains that verified */
};

/*
 * Checks sent[0] with the rest of sent as helpers, then, if an issuer is
 * missing, with the known ones too. Fills all of v but chain_id, count and
 * leaf; reads v->leaf. path, if not NULL, gets the path of a trusted chain
 * (to be freed with its elements).
 */
void verifier_check_path(const struct verifier_store *s,
    struct stack_st_X509 *sent, struct chain_verdict *v,
    struct stack_st_X509 **path);

#endif
