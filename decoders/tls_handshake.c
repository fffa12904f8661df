/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Handshake messages out of the plaintext of handshake records. A message may
 * be cut over records and several may share one (RFC 8446 5.1):
 *
 *	type 1, length 3, body
 *
 * Only hellos, certificates and the server's part of the key exchange are
 * looked at; of others it is noted that they were there. A message that lies whole in the
 * bytes at hand is read in place; else it is collected in a borrowed buffer
 * that grows with what has really come, never with what a length claims.
 */
#include "decoders/tls_private.h"

#include <string.h>

#include "decoders/cursor.h"
#include "decoders/hash.h"
#include "decoders/memo.h"
#include "decoders/tls_fingerprint.h"
#include "decoders/tls_kex.h"
#include "decoders/tls_pool.h"

#define FIRST_BUFFER 4096u
#define STATUS_OCSP 1 /* CertificateStatusType */
#define STATUS_OCSP_MULTI 2

enum message_type {
	MSG_HELLO_REQUEST = 0,
	MSG_CLIENT_HELLO = 1,
	MSG_SERVER_HELLO = 2,
	MSG_NEW_SESSION_TICKET = 4,
	MSG_CERTIFICATE = 11,
	MSG_SERVER_KEY_EXCHANGE = 12,
	MSG_CERTIFICATE_REQUEST = 13,
	MSG_CERTIFICATE_STATUS = 22,
	MSG_COMPRESSED_CERTIFICATE = 25
};

static size_t
min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

void
tls_handshake_drop(struct tls *t, enum dir dir)
{
	struct tls_side *s = &t->side[dir];

	tls_pool_return(t->env->pool, s->buf, s->cap);
	s->buf = NULL;
	s->cap = 0;
	s->mhave = 0;
}

/* Room for n more bytes of the message under way. */
static bool
make_room(struct tls *t, struct tls_side *s, size_t n)
{
	uint32_t need = s->mhave + (uint32_t)n, cap = s->cap;
	uint8_t *buf;

	if (need <= cap)
		return true;
	while (cap < need)
		cap = cap == 0 ? FIRST_BUFFER : cap * 2;
	buf = tls_pool_grow(t->env->pool, s->buf, s->cap, cap);
	if (buf == NULL)
		return false;
	s->buf = buf;
	s->cap = cap;
	return true;
}

size_t
tls_collect(struct tls *t, const struct tls_at *at, struct slice bytes,
    tls_message_fn fn)
{
	struct tls_side *s = &t->side[at->dir];
	size_t n = min_size(bytes.len, s->mlen - s->mhave);

	if (s->mhave == 0 && n == s->mlen) { /* whole: no need to copy */
		s->nmhead = 0;
		fn(t, at, (struct slice){bytes.p, n});
		return n;
	}
	if (!make_room(t, s, n)) {
		t->env->n.tls_pool_empty++;
		s->mskip = s->mlen - s->mhave;
		s->nmhead = 0;
		tls_handshake_drop(t, at->dir);
		tls_report(t, at, "NO-BUFFER");
		return 0;
	}
	memcpy(s->buf + s->mhave, bytes.p, n);
	s->mhave += (uint32_t)n;
	if (s->mhave == s->mlen) {
		s->nmhead = 0;
		fn(t, at, (struct slice){s->buf, s->mlen});
		tls_handshake_drop(t, at->dir);
	}
	return n;
}

static void
emit_hello(
    struct tls *t, const struct tls_at *at, struct obs *o, enum tls_read how)
{
	struct tls_side *s = &t->side[at->dir];

	if (how != TLS_READ_OK)
		tls_report(t, at, "BAD-HELLO");
	if (how == TLS_READ_BAD)
		return;
	if (s->nhello == TLS_HELLOS_MAX) {
		tls_report(t, at, "FLOOD");
		return;
	}
	s->nhello++;
	tls_emit(t, o);
}

/* What is not told, or does not read, needs no fingerprint. */
static bool
is_told(const struct tls *t, const struct tls_at *at, enum tls_read how)
{
	return how == TLS_READ_OK && t->side[at->dir].nhello < TLS_HELLOS_MAX;
}

static void
on_client_hello(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct tls_session_id sid;
	struct obs o;
	enum tls_read how;

	tls_obs(t, &o, OBS_TLS_CLIENT_HELLO, at);
	o.u.hello.record_version = t->side[at->dir].version;
	how = tls_read_client_hello(body, &o.u.hello, &sid);
	if (how != TLS_READ_BAD) {
		if (t->version != 0 && !t->retry)
			t->said |= SAID_HELLO_AGAIN;
		t->flight = t->flight_records = 0;
		t->early_data = o.u.hello.early_data;
		t->sid_len = sid.len;
		memcpy(t->sid, sid.id, sizeof(t->sid));
	}
	if (is_told(t, at, how))
		tls_fingerprint_client(body, &o.u.hello);
	emit_hello(t, at, &o, how);
}

/*
 * RFC 5246 7.4.1.3: a session is resumed if the server echoes the client's
 * session id. In TLS 1.3 the echo means nothing (RFC 8446 4.1.3) and the
 * pre_shared_key extension says it.
 */
static void
on_server_hello(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct tls_session_id sid;
	struct obs o;
	struct obs_hello *h = &o.u.hello;
	enum tls_read how;

	tls_obs(t, &o, OBS_TLS_SERVER_HELLO, at);
	h->record_version = t->side[at->dir].version;
	how = tls_read_server_hello(body, h, &sid);
	if (how != TLS_READ_BAD) {
		if (h->version < TLS_13)
			h->resumed = sid.len > 0 && sid.len == t->sid_len &&
				     memcmp(sid.id, t->sid, sid.len) == 0;
		t->version = h->version;
		t->suite = h->suite;
		t->resumed = h->resumed;
		t->retry = h->retry;
		t->scts = h->scts;
		t->flight_over = 0;
	}
	if (is_told(t, at, how))
		tls_fingerprint_server(body, h);
	emit_hello(t, at, &o, how);
}

/* The name of a chain: a hash of its bytes, which are most often the same as
 * before. */
static int
name_chain(struct slice list, uint8_t id[HASH_SHA256_LEN])
{
	static struct memo seen;

	if (memo_get(&seen, list, id, HASH_SHA256_LEN))
		return 0;
	if (hash_sha256(list, id) != 0)
		return -1;
	memo_put(&seen, list, id, HASH_SHA256_LEN);
	return 0;
}

void
tls_chain_seen(
    struct tls *t, const struct tls_at *at, const struct tls_chain *chain)
{
	struct tls_side *s = &t->side[at->dir];
	struct obs o;

	if (s->ncert == TLS_CHAINS_MAX) {
		tls_report(t, at, "FLOOD");
		return;
	}
	s->ncert++;
	tls_obs(t, &o, OBS_TLS_CERT, at);
	o.u.cert.from_server = at->dir == DIR_S2C;
	o.u.cert.count = chain->count > 255 ? 255 : (uint8_t)chain->count;
	o.u.cert.bytes = (uint32_t)chain->list.len;
	if (name_chain(chain->list, o.u.cert.chain_id) != 0) {
		tls_report(t, at, "NO-BUFFER");
		return;
	}
	if (at->dir == DIR_S2C) {
		o.u.cert.scts = t->scts;
		t->server_cert = 1;
		memcpy(t->chain_id, o.u.cert.chain_id, sizeof(t->chain_id));
	} else if (chain->count > 0)
		t->said |= SAID_CLIENT_CERT;
	if (chain->nder > 0 && t->env->sink.chain != NULL)
		t->env->sink.chain(t->env->sink.ctx, o.u.cert.chain_id,
		    chain->der, chain->nder);
	tls_emit(t, &o);
}

static void
on_certificate(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct tls_chain chain;

	if (tls_read_certificate(body, &chain) == TLS_READ_OK)
		tls_chain_seen(t, at, &chain);
	else
		tls_report(t, at, "BAD-CERTIFICATE");
}

static void
on_key_exchange(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct tls_side *s = &t->side[at->dir];
	struct obs o;

	if (s->nkex == TLS_CHAINS_MAX) {
		tls_report(t, at, "FLOOD");
		return;
	}
	s->nkex++;
	tls_obs(t, &o, OBS_TLS_KEY_EXCHANGE, at);
	if (tls_read_key_exchange(body, tls_suite_kex(t->suite), &o.u.kex) ==
	    TLS_READ_OK)
		tls_emit(t, &o);
	else
		tls_report(t, at, "BAD-KEY-EXCHANGE");
}

/* RFC 6066 8: CertificateStatus is a type, 1 for OCSP, and a response of that
 * type with its length before it. Type 2 (RFC 6961) is a list of them, one for
 * each certificate of the chain, with nothing in it where there is none. */
static void
on_certificate_status(struct tls *t, const struct tls_at *at, struct slice body)
{
	struct slice response;
	struct cursor c;
	uint8_t type;

	cursor_init(&c, body);
	type = cursor_u8(&c);
	response = cursor_vec24(&c);
	if (type == STATUS_OCSP_MULTI) {
		cursor_init(&c, response);
		response = cursor_vec24(&c);
	}
	if (!cursor_ok(&c) || response.len == 0 ||
	    (type != STATUS_OCSP && type != STATUS_OCSP_MULTI))
		return; /* what it lacks is no news: there is a chain */
	t->env->sink.staple(
	    t->env->sink.ctx, t->chain_id, response, at->pkt->time);
}

static void
on_message(struct tls *t, const struct tls_at *at, struct slice body)
{
	switch (t->side[at->dir].mhead[0]) {
	case MSG_CLIENT_HELLO:
		on_client_hello(t, at, body);
		break;
	case MSG_SERVER_HELLO:
		on_server_hello(t, at, body);
		break;
	case MSG_SERVER_KEY_EXCHANGE:
		on_key_exchange(t, at, body);
		break;
	case MSG_CERTIFICATE_STATUS:
		on_certificate_status(t, at, body);
		break;
	default:
		on_certificate(t, at, body);
		break;
	}
}

static bool
is_wanted(const struct tls *t, enum dir dir, uint8_t type)
{
	if (type == MSG_SERVER_KEY_EXCHANGE)
		return dir == DIR_S2C &&
		       tls_suite_kex(t->suite) != TLS_KEX_OTHER;
	if (type == MSG_CERTIFICATE_STATUS)
		return dir == DIR_S2C && t->server_cert &&
		       t->env->sink.staple != NULL;
	return type == MSG_CERTIFICATE ||
	       type == (dir == DIR_C2S ? MSG_CLIENT_HELLO : MSG_SERVER_HELLO);
}

/* That there was one says enough. */
static uint8_t
what_it_says(enum dir dir, uint8_t type)
{
	if (type == MSG_COMPRESSED_CERTIFICATE)
		return SAID_COMPRESSED;
	if (dir == DIR_C2S)
		return 0;
	switch (type) {
	case MSG_HELLO_REQUEST:
		return SAID_HELLO_REQUEST;
	case MSG_NEW_SESSION_TICKET:
		return SAID_TICKET;
	case MSG_CERTIFICATE_REQUEST:
		return SAID_CERT_REQUEST;
	case MSG_CERTIFICATE_STATUS:
		return SAID_STATUS;
	default:
		return 0;
	}
}

/* IANA's registry, 0 to 25 with holes, and two far ones (67, 254). */
static bool
is_known(uint8_t type)
{
	return type <= 25 || type == 67 || type == 254;
}

static void
skip_message(struct tls_side *s, uint32_t n)
{
	s->mskip = n;
	s->nmhead = 0;
}

/* The four bytes of a message header are there. */
static void
begin_message(struct tls *t, const struct tls_at *at)
{
	struct tls_side *s = &t->side[at->dir];
	uint8_t type = s->mhead[0];

	s->mlen = (uint32_t)s->mhead[1] << 16 | (uint32_t)s->mhead[2] << 8 |
		  s->mhead[3];
	s->mhave = 0;
	t->said |= what_it_says(at->dir, type);
	if (!is_known(type) && s->gapped) {
		/* Its ChangeCipherSpec was in the hole. */
		s->ccs = 1;
		s->adrift = 1;
		s->nmhead = 0;
	} else if (!is_known(type)) {
		tls_report(t, at, "BAD-MESSAGE");
		skip_message(s, s->mlen);
	} else if (!is_wanted(t, at->dir, type)) {
		skip_message(s, s->mlen);
	} else if (s->mlen > TLS_MESSAGE_MAX) {
		tls_report(t, at, "TOO-LONG");
		skip_message(s, s->mlen);
	} else if (s->mlen == 0) {
		s->nmhead = 0;
		on_message(t, at, (struct slice){s->mhead, 0});
	}
}

/* Returns the bytes used. */
static size_t
handshake_step(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];
	size_t n;

	if (s->mskip > 0) {
		n = min_size(bytes.len, s->mskip);
		s->mskip -= (uint32_t)n;
		return n;
	}
	if (s->nmhead == sizeof(s->mhead))
		return tls_collect(t, at, bytes, on_message);
	n = min_size(bytes.len, sizeof(s->mhead) - s->nmhead);
	memcpy(s->mhead + s->nmhead, bytes.p, n);
	s->nmhead += (uint8_t)n;
	if (s->nmhead == sizeof(s->mhead))
		begin_message(t, at);
	return n;
}

void
tls_handshake_data(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	while (bytes.len > 0 && !t->side[at->dir].adrift) {
		size_t n = handshake_step(t, at, bytes);

		bytes.p += n;
		bytes.len -= n;
	}
}

void
tls_handshake_hole(struct tls *t, enum dir dir, uint32_t n)
{
	struct tls_side *s = &t->side[dir];
	uint32_t rest = s->mskip;

	if (s->nmhead == sizeof(s->mhead)) {
		rest = s->mlen - s->mhave;
		tls_handshake_drop(t, dir);
	}
	s->nmhead = 0;
	s->mskip = rest > n ? rest - n : 0;
	s->adrift = rest < n;
}
