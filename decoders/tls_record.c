/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Records (RFC 8446 5.1, RFC 5246 6.2): framing, what is plaintext and what is
 * not, and when the handshake is complete.
 *
 *	+------+---------+--------+------------------+
 *	| type | version | length | fragment         |
 *	|  1   |    2    |   2    | <= 2^14 (+2048)  |
 *	+------+---------+--------+------------------+
 *
 * A direction that lost bytes looks for the next plausible header; one that
 * did not and shows none is broken for good.
 */
#include "decoders/tls_private.h"

#include <string.h>

#define RECORD_MAX (16384 + 2048)
/* Encrypted records of TLS 1.3: an alert is 2 + 1 + 16 bytes; Finished is at
 * least 4 + 32 + 1 + 8; the shortest mail command that says something is
 * QUIT CRLF: 6 + 1 + 16. Between are key updates. */
#define FINISHED_MIN 45
#define APPDATA_MIN 23

enum side_state {
	SIDE_FRESH = 0, /* no record yet */
	SIDE_RECORDS,
	SIDE_V2, /* records in SSLv2 form */
	SIDE_CLOSED
};

enum record_type {
	REC_CHANGE_CIPHER = 20,
	REC_ALERT = 21,
	REC_HANDSHAKE = 22,
	REC_APPDATA = 23,
	REC_HEARTBEAT = 24
};

void
tls_init(struct tls *t, struct mail_env *env, const struct tls_head *head)
{
	memset(t, 0, sizeof(*t));
	t->head = *head;
	t->env = env;
	t->phase = PHASE_TLS_READY;
}

void
tls_fini(struct tls *t)
{
	tls_handshake_drop(t, DIR_C2S);
	tls_handshake_drop(t, DIR_S2C);
}

void
tls_obs(
    struct tls *t, struct obs *o, enum obs_kind kind, const struct tls_at *at)
{
	obs_init(o, kind);
	o->dir = (uint8_t)at->dir;
	o->proto = t->head.proto;
	o->phase = t->phase;
	o->implicit_tls = t->head.implicit_tls;
	o->vis = t->head.vis;
	o->flow = t->head.flow;
	o->time = at->pkt->time;
	o->pkt = *at->pkt;
}

void
tls_emit(struct tls *t, struct obs *o)
{
	t->env->sink.emit(t->env->sink.ctx, o);
}

void
tls_report(struct tls *t, const struct tls_at *at, const char *what)
{
	struct tls_side *s = &t->side[at->dir];
	struct obs o;

	t->env->n.tls_broken++;
	if (s->nreports == TLS_REPORTS_MAX)
		return;
	s->nreports++;
	tls_obs(t, &o, OBS_TLS_BROKEN, at);
	(void)obs_copy_string(o.u.verb.verb, sizeof(o.u.verb.verb),
	    (struct slice){(const uint8_t *)what, strlen(what)});
	tls_emit(t, &o);
}

static void
give_up(struct tls *t, const struct tls_at *at, const char *what)
{
	tls_report(t, at, what);
	t->broken = 1;
	t->phase = PHASE_OPAQUE;
	tls_fini(t);
}

static void
put_flight(const struct tls *t, struct obs_done *d)
{
	int64_t us = (t->flight_last - t->flight_first) / 1000;

	d->flight = t->flight;
	d->flight_records = t->flight_records;
	d->flight_us = us < 0 ? 0 : us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static void
emit_done(struct tls *t, const struct tls_at *at, enum obs_kind kind)
{
	struct obs o;

	tls_obs(t, &o, kind, at);
	o.u.done.version = t->version;
	o.u.done.suite = t->suite;
	o.u.done.resumed = t->resumed && !t->server_cert;
	o.u.done.said = t->said;
	if (!t->early_data && !t->side[DIR_S2C].gapped)
		put_flight(t, &o.u.done);
	tls_emit(t, &o);
}

void
tls_check_done(struct tls *t, const struct tls_at *at)
{
	if (t->done || !t->side[0].finished || !t->side[1].finished)
		return;
	t->done = 1;
	t->env->n.tls_handshakes++;
	emit_done(t, at, OBS_TLS_DONE);
	t->phase = PHASE_TLS_DONE;
	tls_fini(t);
}

void
tls_client_data(struct tls *t, const struct tls_at *at)
{
	if (t->appdata)
		return;
	t->appdata = 1;
	emit_done(t, at, OBS_TLS_APPDATA);
}

static bool
is_old(const struct tls *t) /* record types stay readable */
{
	return t->version != 0 && t->version < TLS_13;
}

/*
 * Are alert and handshake records of this side readable? Up to TLS 1.2 until
 * its ChangeCipherSpec; in 1.3 that record means nothing (RFC 8446 D.4) and
 * what is encrypted has the type of application data. Asked once a record,
 * because what is in it may change the version.
 */
static bool
is_plain(const struct tls *t, const struct tls_side *s)
{
	return t->version == TLS_13 || !s->ccs;
}

static void
on_alert(struct tls *t, const struct tls_at *at)
{
	struct tls_side *s = &t->side[at->dir];
	struct obs o;

	if (s->nalerts == TLS_ALERTS_MAX) {
		tls_report(t, at, "FLOOD");
		return;
	}
	s->nalerts++;
	tls_obs(t, &o, OBS_TLS_ALERT, at);
	o.u.alert.level = s->alert[0];
	o.u.alert.description = s->alert[1];
	tls_emit(t, &o);
}

/* Up to TLS 1.2 an alert may be cut over records, or share one. */
static void
alert_bytes(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];

	for (size_t i = 0; i < bytes.len; i++) {
		s->alert[s->nalert++] = bytes.p[i];
		if (s->nalert == sizeof(s->alert)) {
			s->nalert = 0;
			on_alert(t, at);
		}
	}
}

/* In TLS 1.3, and where a ChangeCipherSpec may have been missed, only one of
 * the very length of a plain alert is taken for one. */
static bool
alert_is_plain(const struct tls *t, const struct tls_side *s)
{
	return s->len == 2 || (t->version != TLS_13 && !s->gapped);
}

/* Something of this side was not seen, or nothing ever. */
static bool
is_partial(const struct tls_side *s)
{
	return s->gapped || s->state == SIDE_FRESH;
}

/*
 * Application data in clear view means that its sender has finished; and where
 * bytes were not seen, that the other has too.
 */
static void
old_appdata(struct tls *t, const struct tls_at *at)
{
	t->side[at->dir].finished = 1;
	if (is_partial(&t->side[0]) || is_partial(&t->side[1]))
		t->side[at->dir ^ 1].finished = 1;
	tls_check_done(t, at);
	if (at->dir == DIR_C2S)
		tls_client_data(t, at);
}

static void
new_appdata(struct tls *t, const struct tls_at *at, unsigned len)
{
	struct tls_side *s = &t->side[at->dir];

	if (at->dir == DIR_S2C) {
		s->finished = 1;
	} else if (!s->finished) {
		s->finished = t->side[DIR_S2C].finished && len >= FINISHED_MIN;
		tls_check_done(t, at);
	} else if (len >= APPDATA_MIN) {
		tls_client_data(t, at);
	}
}

/* Only what holds handshake messages, in clear or not. The ServerHello may be
 * cut over records too, so that they count from the ClientHello on. */
static void
note_flight(struct tls *t, const struct tls_at *at)
{
	const struct tls_side *s = &t->side[at->dir];

	if (t->done || (s->type != REC_HANDSHAKE && s->type != REC_APPDATA))
		return;
	if (at->dir == DIR_C2S) {
		t->flight_over = t->version != 0 && !t->retry;
	} else if (!t->flight_over) {
		if (t->flight_records == 0)
			t->flight_first = at->pkt->time;
		t->flight += s->len;
		t->flight_records += t->flight_records < UINT16_MAX;
		t->flight_last = at->pkt->time;
	}
}

static void
record_end(struct tls *t, const struct tls_at *at)
{
	struct tls_side *s = &t->side[at->dir];

	note_flight(t, at);
	s->nhead = 0;
	s->nrecords++;
	t->env->n.tls_records++;
	if (s->type == REC_CHANGE_CIPHER)
		s->ccs = 1;
	else if (s->type == REC_APPDATA && is_old(t))
		old_appdata(t, at);
	else if (s->type == REC_APPDATA)
		new_appdata(t, at, s->len);
	else if (s->type == REC_HANDSHAKE && !s->clear) {
		s->finished = 1;
		tls_check_done(t, at);
	}
}

static void
record_payload(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];

	if (!s->clear)
		return;
	if (s->type == REC_HANDSHAKE)
		tls_handshake_data(t, at, bytes);
	else if (s->type == REC_ALERT && alert_is_plain(t, s))
		alert_bytes(t, at, bytes);
}

static bool
header_is_sane(const uint8_t h[5])
{
	unsigned len = (unsigned)h[3] << 8 | h[4];

	return h[0] >= REC_CHANGE_CIPHER && h[0] <= REC_HEARTBEAT &&
	       h[1] == 3 && h[2] <= 4 && len <= RECORD_MAX;
}

/* 80 2e 01 03 01: length with the top bit, ClientHello, version. */
static bool
header_is_v2(const uint8_t h[5], uint8_t message)
{
	return (h[0] & 0x80) != 0 && h[2] == message &&
	       (h[3] == 3 ? h[4] <= 4 : h[3] == 0 && h[4] == 2);
}

static void
record_begin(const struct tls *t, struct tls_side *s)
{
	s->state = SIDE_RECORDS;
	s->type = s->head[0];
	s->version = (uint16_t)(s->head[1] << 8 | s->head[2]);
	s->len = s->left = (uint16_t)(s->head[3] << 8 | s->head[4]);
	s->adrift = 0;
	s->clear = is_plain(t, s);
}

/* The first five bytes are in SSLv2 form: they are its first five too. */
static void
begin_v2(struct tls *t, const struct tls_at *at)
{
	struct tls_side *s = &t->side[at->dir];
	uint8_t first[5];

	memcpy(first, s->head, sizeof(first));
	s->state = SIDE_V2;
	s->nhead = 0;
	if (tls_v2_data(t, at, (struct slice){first, sizeof(first)}) !=
	    sizeof(first))
		give_up(t, at, "BAD-RECORD");
}

/* SSLv2's ServerHello has no version where the client's has one: type, hit,
 * certificate type. */
static bool
side_starts_v2(const struct tls *t, enum dir dir)
{
	const struct tls_side *s = &t->side[dir];

	if (s->state != SIDE_FRESH || s->gapped)
		return false;
	if (dir == DIR_C2S)
		return header_is_v2(s->head, 1);
	return t->side[DIR_C2S].state == SIDE_V2 && s->head[0] & 0x80 &&
	       s->head[2] == 4;
}

static void
record_header(struct tls *t, const struct tls_at *at)
{
	struct tls_side *s = &t->side[at->dir];

	if (side_starts_v2(t, at->dir)) {
		t->phase = PHASE_TLS_HELLO;
		begin_v2(t, at);
	} else if (header_is_sane(s->head)) {
		if (t->phase == PHASE_TLS_READY)
			t->phase = PHASE_TLS_HELLO;
		record_begin(t, s);
		if (s->left == 0)
			record_end(t, at);
	} else if (s->gapped) {
		memmove(s->head, s->head + 1, sizeof(s->head) - 1);
		s->nhead--;
	} else {
		give_up(t, at, "BAD-RECORD");
	}
}

/* Returns the bytes used. */
static size_t
record_step(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];
	size_t n;

	if (s->nhead < sizeof(s->head)) {
		n = sizeof(s->head) - s->nhead;
		if (n > bytes.len)
			n = bytes.len;
		memcpy(s->head + s->nhead, bytes.p, n);
		s->nhead += (uint8_t)n;
		if (s->nhead == sizeof(s->head))
			record_header(t, at);
		return n;
	}
	n = bytes.len < s->left ? bytes.len : s->left;
	record_payload(t, at, (struct slice){bytes.p, n});
	s->left -= (uint16_t)n;
	if (s->left == 0)
		record_end(t, at);
	return n;
}

static size_t
side_step(struct tls *t, const struct tls_at *at, struct slice bytes)
{
	struct tls_side *s = &t->side[at->dir];

	if (s->state != SIDE_V2)
		return record_step(t, at, bytes);
	if (!tls_v2_is_over(t, at->dir))
		return tls_v2_data(t, at, bytes);
	s->state = SIDE_RECORDS;
	return 0;
}

/* Hellos without end are not followed for ever. */
static size_t
allowance(const struct tls *t, enum dir dir)
{
	return t->done ? SIZE_MAX : TLS_HANDSHAKE_MAX - t->side[dir].seen;
}

void
tls_data(
    struct tls *t, enum dir dir, struct slice bytes, const struct pkt_ref *pkt)
{
	struct tls_side *s = &t->side[dir];
	struct tls_at at = {dir, pkt};

	while (bytes.len > 0 && tls_wants(t, dir)) {
		size_t most = allowance(t, dir), n;

		if (most == 0) {
			give_up(t, &at, s->gapped ? "LOST" : "TOO-LONG");
			return;
		}
		n = side_step(t, &at,
		    (struct slice){
			bytes.p, bytes.len < most ? bytes.len : most});
		bytes.p += n;
		bytes.len -= n;
		if (!t->done)
			s->seen += (uint32_t)n;
	}
}

void
tls_gap(struct tls *t, enum dir dir, uint64_t n)
{
	struct tls_side *s = &t->side[dir];
	bool inside = s->state == SIDE_RECORDS && s->nhead == sizeof(s->head) &&
		      n < s->left;

	if (!tls_wants(t, dir) || n == 0)
		return;
	s->gapped = 1;
	s->nalert = 0;
	if (inside) {
		if (s->type == REC_HANDSHAKE && s->clear)
			tls_handshake_hole(t, dir, (uint32_t)n);
		s->left -= (uint16_t)n;
		return;
	}
	tls_handshake_drop(t, dir);
	s->state = SIDE_RECORDS;
	s->nhead = s->nmhead = 0;
	s->mskip = 0;
	s->left = 0;
}

void
tls_eof(struct tls *t, enum dir dir)
{
	t->side[dir].state = SIDE_CLOSED;
	tls_handshake_drop(t, dir);
}

enum phase
tls_phase(const struct tls *t)
{
	return (enum phase)t->phase;
}

bool
tls_done(const struct tls *t)
{
	return t->done;
}

bool
tls_broken(const struct tls *t)
{
	return t->broken;
}

bool
tls_wants(const struct tls *t, enum dir dir)
{
	if (t->broken || t->side[dir].state == SIDE_CLOSED)
		return false;
	return !t->done || (dir == DIR_C2S && !t->appdata);
}

enum tls_looks
tls_looks_like_record(struct slice first_bytes)
{
	/* What is not there yet is taken to be as it should. */
	uint8_t v3[5] = {REC_HANDSHAKE, 3, 1, 0, 1};
	uint8_t v2[5] = {0x80, 0, 1, 3, 1};
	size_t n = first_bytes.len < 5 ? first_bytes.len : 5;
	bool yes;

	if (n > 0) {
		memcpy(v3, first_bytes.p, n);
		memcpy(v2, first_bytes.p, n);
	}
	if (n == 4) { /* 00 02 is a version too, 48 00 a length */
		v2[4] = v2[3] == 0 ? 2 : 1;
		v3[4] = v3[3] == 0;
	}
	yes =
	    (header_is_sane(v3) && (v3[3] | v3[4]) != 0) || header_is_v2(v2, 1);
	if (!yes)
		return TLS_LOOKS_NO;
	return n < 5 ? TLS_LOOKS_MAYBE : TLS_LOOKS_YES;
}
