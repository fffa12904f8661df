/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bodies of ClientHello, ServerHello and Certificate to facts. Pure functions
 * over a whole message.
 */
#ifndef STRIPWIRE_TLS_HELLO_H
#define STRIPWIRE_TLS_HELLO_H

#include "decoders/obs.h"

#define TLS_SSL2 0x0002
#define TLS_SSL3 0x0300
#define TLS_10 0x0301
#define TLS_11 0x0302
#define TLS_12 0x0303
#define TLS_13 0x0304 /* drafts of it are given this number too */

/* For sentences: "TLS 1.2". */
const char *tls_version_name(uint16_t v);

#define TLS_CERTS_MAX 32 /* handed on; more are hashed and counted */

enum tls_read {
	TLS_READ_OK,
	TLS_READ_PARTLY, /* the fixed part is good, extensions are not */
	TLS_READ_BAD
};

struct tls_session_id {
	uint8_t len;
	uint8_t id[32];
};

/* h is cleared first, except record_version. SSLv2 cipher kinds that have no
 * number in TLS become 0xff00 | first byte. */
enum tls_read tls_read_client_hello(
    struct slice body, struct obs_hello *h, struct tls_session_id *sid);
/* sid: what the server sent. `resumed` is left to the caller up to TLS 1.2. */
enum tls_read tls_read_server_hello(
    struct slice body, struct obs_hello *h, struct tls_session_id *sid);
/* body begins after the record header, with the message type. */
enum tls_read tls_read_v2_client_hello(struct slice body, struct obs_hello *h);
/* cert borrows from body; empty if the server sent none. */
enum tls_read tls_read_v2_server_hello(
    struct slice body, struct obs_hello *h, struct slice *cert);

struct tls_chain {
	struct slice list; /* length-prefixed certificates, as sent */
	struct slice der[TLS_CERTS_MAX];
	unsigned nder; /* of these */
	unsigned count; /* sent */
};

/* The Certificate message up to TLS 1.2 (RFC 5246 7.4.2). */
enum tls_read tls_read_certificate(struct slice body, struct tls_chain *out);

#endif
