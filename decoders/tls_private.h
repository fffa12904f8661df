/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What tls_record.c (framing), tls_handshake.c (messages) and tls_sslv2.c
 * share with each other and with nobody else.
 */
#ifndef STRIPWIRE_TLS_PRIVATE_H
#define STRIPWIRE_TLS_PRIVATE_H

#include "decoders/tls_hello.h"
#include "decoders/tls_record.h"

/* A hostile flow must not turn bytes into floods of observations; real
 * handshakes have two hellos, one chain and an alert or two a direction. */
#define TLS_HELLOS_MAX 4
#define TLS_CHAINS_MAX 2
#define TLS_ALERTS_MAX 8
#define TLS_REPORTS_MAX 4

/* Where an observation comes from: whose bytes, and the packet. */
struct tls_at {
	enum dir dir;
	const struct pkt_ref *pkt;
};

/* obs_init() and the header fields. */
void tls_obs(
    struct tls *t, struct obs *o, enum obs_kind kind, const struct tls_at *at);
void tls_emit(struct tls *t, struct obs *o);
/* OBS_TLS_BROKEN with a word for what is wrong; counts. */
void tls_report(struct tls *t, const struct tls_at *at, const char *what);
/* Emits OBS_TLS_DONE once both sides have finished. */
void tls_check_done(struct tls *t, const struct tls_at *at);

/* Emits OBS_TLS_APPDATA, once. */
void tls_client_data(struct tls *t, const struct tls_at *at);

/* Plaintext handshake bytes of one direction. */
void tls_handshake_data(
    struct tls *t, const struct tls_at *at, struct slice bytes);
/* n of them are missing. */
void tls_handshake_hole(struct tls *t, enum dir dir, uint32_t n);
void tls_handshake_drop(struct tls *t, enum dir dir);
/* A whole message that was collected or is at hand. */
void tls_chain_seen(
    struct tls *t, const struct tls_at *at, const struct tls_chain *chain);

/* Adds to the message under way (side->mlen is its length); calls fn with it
 * when it is whole. Returns the bytes used. */
typedef void (*tls_message_fn)(
    struct tls *t, const struct tls_at *at, struct slice message);
size_t tls_collect(struct tls *t, const struct tls_at *at, struct slice bytes,
    tls_message_fn fn);

/* SSLv2 records. Returns the bytes used: all, unless the dialogue goes on in
 * TLS records after an SSLv2 ClientHello. */
size_t tls_v2_data(struct tls *t, const struct tls_at *at, struct slice bytes)
    __attribute__((warn_unused_result));
bool tls_v2_is_over(const struct tls *t, enum dir dir);

#endif
