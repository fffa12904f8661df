/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * TLS as seen from outside: records of both directions in, observations out,
 * until the handshake is complete and the rest is opaque. SSLv2 hello, SSL 3,
 * TLS 1.0 to 1.3 (RFC 6101, 5246, 8446).
 *
 * Contract: the observations are the same however the bytes are cut, as long
 * as the order between the directions is the same. State is of fixed size; a
 * handshake message that does not arrive in one piece borrows a buffer from
 * the pool (TLS_MESSAGE_MAX at most), returned when it is complete.
 *
 * What can be known of "complete": up to TLS 1.2 record types stay readable,
 * so it is the first encrypted handshake record after ChangeCipherSpec of both
 * sides. In TLS 1.3 all is application data: it is the client's first
 * encrypted record after the server's that is too long to be an alert. Client
 * application data in 1.3 is likewise the next record that is no alert.
 */
#ifndef STRIPWIRE_TLS_RECORD_H
#define STRIPWIRE_TLS_RECORD_H

#include "decoders/mail.h"

#define TLS_MESSAGE_MAX 65536 /* a handshake message that is buffered */
#define TLS_HANDSHAKE_MAX (1u << 20) /* bytes a direction before it is done */
#define TLS_POOL_DEFAULT (64u << 20) /* bytes, all flows of a worker */

/* Header fields of each observation that the owner keeps up to date. */
struct tls_head {
	uint64_t flow;
	uint32_t vis; /* enum vis */
	uint8_t proto; /* enum proto */
	uint8_t implicit_tls;
};

#define TLS_RECORD_HEAD 5 /* bytes: type, version, length */

struct tls_side { /* one direction; private */
	uint8_t state; /* enum side_state, tls_record.c */
	uint8_t head[TLS_RECORD_HEAD]; /* of the record */
	uint8_t nhead;
	uint8_t type; /* of the record under way */
	uint8_t mhead[4]; /* of the handshake message */
	uint8_t nmhead;
	uint8_t alert[2];
	uint8_t nalert; /* bytes of it */
	uint8_t clear; /* the record under way is not encrypted */
	uint8_t gapped; /* bytes were missing */
	uint8_t adrift; /* message boundaries lost until the next record */
	uint8_t ccs; /* ChangeCipherSpec sent */
	uint8_t finished; /* what passes for its Finished was sent */
	uint8_t nhello, ncert, nkex, nalerts, nreports; /* observations made */
	uint16_t version; /* of the record under way */
	uint16_t len, left; /* of its payload, and still to come */
	uint32_t mlen, mhave; /* of the message, and held */
	uint32_t mskip; /* bytes of an unwanted message still to come */
	uint32_t cap; /* of buf */
	uint32_t seen; /* bytes so far */
	uint32_t nrecords;
	uint8_t *buf; /* from the pool, or NULL */
};

struct tls {
	struct tls_head head; /* the owner's to write, at any time */
	struct mail_env *env; /* private from here on */
	struct tls_side side[2]; /* by enum dir */
	uint16_t version, suite; /* chosen; 0: not seen */
	uint8_t phase; /* enum phase */
	uint8_t v2; /* the server answered in SSLv2 */
	uint8_t chain_id[32]; /* of the server's chain, if server_cert */
	uint8_t resumed, server_cert, done, broken, appdata;
	uint8_t retry; /* the last ServerHello was a HelloRetryRequest */
	uint8_t early_data; /* offered: records before the client's answer */
	uint8_t said; /* enum tls_said */
	uint8_t flight_over; /* the client has answered */
	uint8_t scts; /* of the last ServerHello */
	uint16_t flight_records;
	uint32_t flight; /* bytes of the server since the ClientHello */
	int64_t flight_first, flight_last; /* ns */
	uint8_t sid_len;
	uint8_t sid[32]; /* session id the client offered */
};

void tls_init(struct tls *t, struct mail_env *env, const struct tls_head *head);
/* Returns what was borrowed. May be called more than once. */
void tls_fini(struct tls *t);

/* Ordered bytes of one direction. Bytes are not kept. */
void tls_data(
    struct tls *t, enum dir dir, struct slice bytes, const struct pkt_ref *pkt);
/* n bytes of this direction were never seen. A hole inside one record is
 * skipped; beyond it, following goes on if a record header comes next. */
void tls_gap(struct tls *t, enum dir dir, uint64_t n);
/* FIN: nothing more will come from this direction. */
void tls_eof(struct tls *t, enum dir dir);

/* PHASE_TLS_READY until the first record, PHASE_TLS_HELLO until the handshake
 * is complete, then PHASE_TLS_DONE; PHASE_OPAQUE once records do not parse. */
enum phase tls_phase(const struct tls *t);
bool tls_done(const struct tls *t); /* handshake complete */
bool tls_broken(const struct tls *t); /* records do not parse */
/* false: opaque, never feed this direction again. */
bool tls_wants(const struct tls *t, enum dir dir);

enum tls_looks { TLS_LOOKS_NO = 0, TLS_LOOKS_YES, TLS_LOOKS_MAYBE };

/* Are these bytes the start of a TLS record (or of an SSLv2 ClientHello)?
 * MAYBE: so far yes, ask again with more (TLS_RECORD_HEAD bytes are
 * always enough). */
enum tls_looks tls_looks_like_record(struct slice first_bytes);

/* Buffers for handshakes in progress. bytes is the limit of all together;
 * when it is reached, messages in several pieces are skipped, counted
 * (mail_env.n.tls_pool_empty) and reported by OBS_TLS_BROKEN. */
struct tls_pool *tls_pool_new(size_t bytes);
void tls_pool_free(struct tls_pool *p);

#endif
