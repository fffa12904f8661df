/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How the keys of a session up to TLS 1.2 are agreed on: what the suite says,
 * and what the ServerKeyExchange message brings (RFC 5246 7.4.3, RFC 8422 5.4,
 * RFC 4279 2). TLS 1.3 has no such message: its group is in the ServerHello.
 */
#ifndef STRIPWIRE_TLS_KEX_H
#define STRIPWIRE_TLS_KEX_H

#include "decoders/tls_hello.h"

enum tls_kex {
	TLS_KEX_OTHER = 0, /* no ServerKeyExchange, or none that we read */
	TLS_KEX_RSA_EXPORT, /* a short RSA key made for the occasion */
	TLS_KEX_DHE, /* signed or anonymous */
	TLS_KEX_DHE_PSK,
	TLS_KEX_ECDHE,
	TLS_KEX_ECDHE_PSK
};

enum tls_kex tls_suite_kex(uint16_t suite);

/* Bits of the field of a named group (RFC 8422, 7919); 0: not known. */
uint16_t tls_group_bits(uint16_t group);

/* The head of the message: what it agrees on. Signatures are not read. k is
 * cleared first. */
enum tls_read tls_read_key_exchange(
    struct slice body, enum tls_kex kex, struct obs_kex *k);

#endif
