/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the TLS transport reads from files, and what it says about a
 * receiver's certificate; transport_tls*.c only. */
#ifndef STRIPWIRE_TRANSPORT_TLS_H
#define STRIPWIRE_TRANSPORT_TLS_H

#include <openssl/ssl.h>

#include "db/transport_priv.h"

/* TLS 1.2 or later, authorities, and the client's certificate. NULL with a
 * sentence that names the file. */
SSL_CTX *tls_context(const struct transport_config *c, char *err);

/* Why the receiver's certificate was not accepted. */
struct tls_refusal {
	int code; /* X509_V_ERR_..., X509_V_OK: it was */
	int depth; /* 0: its own, else an authority's */
	char detail[120]; /* a date, the names that it has */
};

/* In the callback of the verification: the first one is kept. */
void tls_refusal_note(struct tls_refusal *r, X509_STORE_CTX *x);
int tls_refusal_error(const struct tls_refusal *r,
    const struct transport_config *c, const char *where, char *err);

#endif
