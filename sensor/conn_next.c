/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most packets take a short way: those that are simply the next of an
 * established flow, and those of an orderly end. Whatever is unusual about one
 * is conn.c's, which makes the same of all of these (tests/unit/next_test.c
 * holds them against each other).
 */
#include "sensor/conn.h"

#include "sensor/evidence_next.h"
#include "sensor/norm_next.h"

static inline struct norm_step
step_of(const struct packet *pkt, enum dir dir, uint64_t window)
{
	return (struct norm_step){
	    dir, pkt->seq, pkt->ack, pkt->wire_len, pkt->payload, window};
}

static inline bool
is_next(const struct tracker *t, const struct conn *c, const struct packet *pkt,
    enum dir dir)
{
	struct norm_step s = step_of(pkt, dir, 0);

	return !c->cand[dir] && pkt->len == pkt->wire_len &&
	       (pkt->flags & PKT_UNSURE) == 0 &&
	       norm_is_next(&t->norm, &c->norm, &s);
}

/* Returns false, and has done nothing, where it takes more. */
static inline __attribute__((always_inline)) bool
follow(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	bool heard = pkt->len > 0 && c->use != USE_OPAQUE;
	struct evidence_view view;
	struct norm_step s;

	if (!is_next(t, c, pkt, dir))
		return false;
	if (heard)
		ip_check_tcp(t->ip, pkt);
	view = conn_view(c, dir,
	    c->use == USE_UNDECIDED ? PHASE_TEXT : (enum phase)c->known.phase);
	if (!evidence_follow(t->evidence, &c->ev, pkt, &view, false))
		return false;
	conn_count(c, pkt, dir);
	t->norm.now = t->now;
	if (heard)
		evidence_ref(&t->ref, pkt, dir);
	s = step_of(pkt, dir, conn_window(c, pkt, dir));
	norm_follow(&t->norm, &c->norm, &s);
	if (c->fed && c->use != USE_OPAQUE)
		session_settle(t, c);
	return true;
}

/* Made for each direction, so that where its parts lie is no question. */
static __attribute__((noinline)) bool
from_client(struct tracker *t, struct conn *c, struct packet *pkt)
{
	return follow(t, c, pkt, DIR_C2S) ||
	       conn_any_packet(t, c, pkt, DIR_C2S);
}

static __attribute__((noinline)) bool
from_server(struct tracker *t, struct conn *c, struct packet *pkt)
{
	return follow(t, c, pkt, DIR_S2C) ||
	       conn_any_packet(t, c, pkt, DIR_S2C);
}

/* An orderly end: a FIN that is next, what acknowledges it, nothing beside.
 * Returns false, and has done nothing, where it takes more. */
static bool
close_by(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	const uint8_t flags = TCP_SYN | TCP_RST | TCP_ACK | TCP_URG;
	bool fin = (pkt->tcp_flags & TCP_FIN) != 0;
	struct norm_step s = step_of(pkt, dir, 0);

	if (!c->proven || c->reset[0] || c->reset[1] || c->cand[dir] ||
	    (pkt->tcp_flags & flags) != TCP_ACK ||
	    (pkt->flags & PKT_UNSURE) != 0 || pkt->wire_len > 0 ||
	    !norm_is_closing(&t->norm, &c->norm, &s, fin))
		return false;
	if (fin && c->use != USE_OPAQUE)
		ip_check_tcp(t->ip, pkt);
	if (!evidence_close(t->evidence, &c->ev, pkt, dir))
		return false;
	conn_count(c, pkt, dir);
	t->norm.now = t->now;
	if (fin)
		evidence_ref(&t->ref, pkt, dir);
	s.window = conn_window(c, pkt, dir);
	norm_close(&t->norm, &c->norm, &s, fin);
	if (fin && !c->closed) {
		c->closed = true;
		c->closed_by = (uint8_t)dir;
	}
	if (c->fed)
		session_settle(t, c);
	conn_set_age(t, c);
	if (c->closed)
		tracker_arm(t, c);
	return true;
}

/* A SYN or its answer, as the first packet of its direction. */
static bool
open_by_syn(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	struct norm_dir *d = &c->norm.d[dir], *peer = &c->norm.d[!dir];
	bool ack = (pkt->tcp_flags & TCP_ACK) != 0;

	if (d->known ||
	    (ack ? !peer->known || pkt->ack != peer->base || peer->next != 0
		 : dir != DIR_C2S))
		return false;
	ip_check_tcp(t->ip, pkt);
	if (!evidence_open(&c->ev, pkt, dir))
		return false;
	conn_count(c, pkt, dir);
	c->scale[dir] = conn_scale(pkt);
	norm_base(&c->norm, dir, pkt->seq + 1);
	d->seen = true;
	if (ack)
		(void)norm_note_ack(peer, pkt->window, 0, t->now);
	else
		c->syn_len[dir] = 0;
	return true;
}

/* The handshake is over: an acknowledgement without data. */
static bool
open_by_ack(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	struct norm_step s = step_of(pkt, dir, 0);

	if (c->packets[0] == 0 || c->packets[1] == 0 ||
	    !norm_is_next(&t->norm, &c->norm, &s) ||
	    !evidence_close(t->evidence, &c->ev, pkt, dir))
		return false;
	conn_count(c, pkt, dir);
	c->state = CONN_OPEN;
	conn_prove(t, c);
	s.window = conn_window(c, pkt, dir);
	t->norm.now = t->now;
	norm_follow(&t->norm, &c->norm, &s);
	return true;
}

/* Of a handshake of which nothing is known twice. */
static bool
open_by(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	const uint8_t flags = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK | TCP_URG;
	uint8_t f = pkt->tcp_flags & flags;

	if (c->use != USE_UNDECIDED || c->cand[0] || c->cand[1] ||
	    c->reset[0] || c->reset[1] || c->again != NULL || c->closed ||
	    c->norm.d[0].waiting || pkt->wire_len > 0 ||
	    (pkt->flags & PKT_UNSURE) != 0)
		return false;
	if (f == TCP_ACK)
		return open_by_ack(t, c, pkt, dir);
	return (f == TCP_SYN || f == (TCP_SYN | TCP_ACK)) &&
	       open_by_syn(t, c, pkt, dir);
}

static __attribute__((noinline)) bool
other(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	if (c->state == CONN_HALF ? open_by(t, c, pkt, dir)
				  : close_by(t, c, pkt, dir))
		return true;
	return conn_any_packet(t, c, pkt, dir);
}

bool
conn_packet(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	const uint8_t flags = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK | TCP_URG;

	if (c->proven && !c->closed && (pkt->tcp_flags & flags) == TCP_ACK)
		return dir == DIR_C2S ? from_client(t, c, pkt)
				      : from_server(t, c, pkt);
	return other(t, c, pkt, dir);
}
