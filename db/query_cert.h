/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Certificates out of the database, for the commands. Only reads.
 */
#ifndef STRIPWIRE_QUERY_CERT_H
#define STRIPWIRE_QUERY_CERT_H

#include "db/query.h"
#include "decoders/slice.h"

struct query_cert_filter { /* zero: all of them */
	const char *sha256; /* how it begins, hex, lower case; NULL: any */
	/* a server's address, one of the names, or NULL */
	const char *host;
	bool servers_only; /* not those of issuers */
};

struct query_cert { /* the columns of certificates, see schema.sql */
	const char *sha256, *spki_sha256, *subject, *issuer, *serial, *names,
	    *signature, *error, *first_server, *last_server;
	int64_t not_before, not_after; /* seconds since 1970 */
	int64_t first, last; /* ns */
	int key_type, key_bits, trust, place, staple, scts;
	uint32_t flags; /* enum x509_flag */
	struct slice der; /* empty: it was not kept */
};

/* The row lives until fn returns; not 0 ends the query. */
typedef int (*query_cert_fn)(void *ctx, const struct query_cert *row);

/* Those first seen first. Returns how many rows fn was given, or -1 with a
 * sentence in err. */
int64_t query_certs(struct query *q, const struct query_cert_filter *f,
    query_cert_fn fn, void *ctx, char *err, size_t errlen)
    __attribute__((warn_unused_result));

#endif
