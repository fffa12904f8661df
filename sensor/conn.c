/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a connection: handshake, closing, resets, and a new connection
 * on the four-tuple of an old one.
 *
 * What a single segment claims is not believed where believing it would blind
 * the sensor. A RST closes nothing: evidence.c withholds it until the sender
 * has kept silent for two seconds. A FIN closes nothing until it is
 * acknowledged. A SYN on a living connection starts nothing until the client
 * goes on from the handshake it began: a forged SYN costs its sender one
 * packet and must not cost us the flow (RFC 5961 4 has hosts answer it with a
 * challenge ACK).
 */
#include "sensor/conn.h"

#include <string.h>

#define ELSEWHERE (1 << 20) /* bytes: further off is another connection */

void
conn_init(struct tracker *t, struct conn *c, uint32_t slot,
    const struct packet *pkt, enum dir dir)
{
	memset(c, 0, sizeof(*c));
	c->number = ++t->next_number;
	norm_init(&c->norm, slot, (uint32_t)c->number);
	evidence_init(&c->ev, slot);
	c->start = c->last = pkt->time;
	c->last_obs = INT64_MIN;
	c->port[dir] = pkt->sport;
	c->port[!dir] = pkt->dport;
	c->mail_port = mail_port(pkt->sport) || mail_port(pkt->dport);
	c->scale[0] = c->scale[1] = -1;
	c->v6 = (pkt->flags & PKT_V6) != 0;
	c->nvlan = pkt->nvlan < 2 ? pkt->nvlan : 2;
	memcpy(c->vlan, pkt->vlan, sizeof(c->vlan));
	if (!(pkt->tcp_flags & TCP_SYN)) {
		c->state = CONN_OPEN;
		c->vis = VIS_MIDSTREAM;
		t->n.midstream++;
	}
}

void
conn_adopt(struct conn *c, const struct conn *old)
{
	if (old->cand_wild)
		return; /* in its middle */
	c->start = old->cand_time;
	c->vis &= ~(uint32_t)VIS_MIDSTREAM;
	for (int d = 0; d < 2; d++)
		if (old->cand[d])
			norm_base(&c->norm, (enum dir)d, old->cand_isn[d] + 1);
}

/* Both sides have closed. One of the FINs, and one only, may have been missed
 * by the sensor: then its acknowledgement tells. */
static bool
is_ended(const struct conn *c)
{
	return (c->norm.d[0].fin_at != NORM_NONE ||
		   c->norm.d[1].fin_at != NORM_NONE) &&
	       norm_has_ended(&c->norm, DIR_C2S) &&
	       norm_has_ended(&c->norm, DIR_S2C);
}

static bool
is_closing(const struct conn *c)
{
	return c->reset || is_ended(c);
}

int64_t
conn_idle_deadline(const struct conn *c)
{
	bool fin_c = c->norm.d[0].fin_at != NORM_NONE;
	bool fin_s = c->norm.d[1].fin_at != NORM_NONE;

	if (c->state == CONN_HALF || c->reset)
		return c->last + IDLE_HALF;
	if (fin_c && fin_s && norm_fin_acked(&c->norm, DIR_C2S) &&
	    norm_fin_acked(&c->norm, DIR_S2C))
		return c->last + IDLE_CLOSED;
	if (is_ended(c))
		return c->last + IDLE_CLOSING;
	if (fin_c || fin_s)
		return c->last + IDLE_FIN;
	return c->last + (c->use == USE_UNDECIDED ? IDLE_QUIET : IDLE_MAIL);
}

enum end_how
conn_how(const struct conn *c, enum end_how otherwise)
{
	if (c->reset)
		return END_RST;
	if (is_ended(c))
		return END_FIN;
	if (c->closed && otherwise == END_TIMEOUT)
		return END_FIN;
	return otherwise;
}

void
conn_end(struct tracker *t, struct conn *c, enum end_how how, int64_t at)
{
	bool was_busy = t->busy == conn_slot(c);

	t->norm.now = at;
	t->busy = conn_slot(c);
	t->ref = (struct pkt_ref){.time = at};
	if (how == END_INPUT || how == END_EVICTED)
		c->vis |= VIS_CUT;
	if (!c->mute)
		norm_end(&t->norm, &c->norm);
	norm_drop(&t->norm, &c->norm);
	evidence_end(t->evidence, &c->ev, at);
	session_finish(t, c);
	session_flow_end(t, c, how);
	if (c->packets[0] == 0 || c->packets[1] == 0)
		t->n.one_way++;
	if (!was_busy)
		t->busy = FLOW_NONE;
	tracker_forget(t, c);
}

void
conn_timeout(struct tracker *t, struct conn *c, int64_t deadline)
{
	if (norm_deadline(&c->norm) <= deadline) {
		t->norm.now = deadline;
		t->ref = (struct pkt_ref){.time = deadline};
		norm_timeout(&t->norm, &c->norm);
		session_settle(t, c);
	}
	if (conn_idle_deadline(c) <= deadline) {
		t->n.timed_out++;
		conn_end(t, c, conn_how(c, END_TIMEOUT), deadline);
		return;
	}
	tracker_arm(t, c);
}

static void
note_scale(struct conn *c, const struct packet *pkt, enum dir dir)
{
	c->scale[dir] = -2;
	if (pkt->flags & PKT_WSCALE)
		c->scale[dir] = (int8_t)(pkt->wscale > 14 ? 14 : pkt->wscale);
}

/* Both numbers, as a packet that is not the first tells them. */
static void
set_candidate(struct conn *c, const struct packet *pkt, enum dir dir)
{
	bool syn = pkt->tcp_flags & TCP_SYN;

	c->cand[0] = c->cand[1] = true;
	c->cand_wild = !syn;
	c->cand_dir = (uint8_t)dir;
	c->cand_client = (uint8_t)!dir;
	c->cand_isn[dir] = pkt->seq - !syn;
	c->cand_isn[!dir] = pkt->ack - 1;
	c->cand_time = pkt->time;
}

/* Simultaneous open (RFC 9293 3.5), and the SYN of the mail server was seen
 * first: it was taken for a client. */
static bool
is_turned_round(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	return c->state == CONN_HALF && dir == DIR_S2C &&
	       mail_port(pkt->dport) && !mail_port(pkt->sport);
}

/* The first SYN, another one before the handshake is complete, or one on a
 * living connection. Returns false where a new connection has begun. */
static bool
on_syn(struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_dir *d = &c->norm.d[dir];

	if (is_turned_round(c, pkt, dir))
		return false;
	if (d->known && d->base == pkt->seq + 1) {
		note_scale(c, pkt, dir);
		c->vis &= ~(uint32_t)VIS_MIDSTREAM;
		return true; /* repeated, or seen after what it began */
	}
	if (c->state == CONN_HALF && d->next == 0) {
		note_scale(c, pkt, dir);
		norm_base(&c->norm, dir, pkt->seq + 1);
		c->norm.d[!dir].known = false;
		return true;
	}
	if (is_closing(c))
		return false;
	c->cand_wild = false;
	c->cand[dir] = true;
	c->cand[!dir] = false;
	c->cand_client = (uint8_t)dir;
	c->cand_isn[dir] = pkt->seq;
	c->cand_time = pkt->time;
	return true;
}

static void
on_syn_ack(struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_dir *d = &c->norm.d[dir], *peer = &c->norm.d[!dir];
	bool fits = !peer->known || pkt->ack == peer->base;

	if (c->state == CONN_HALF && !d->known && fits) {
		note_scale(c, pkt, dir);
		norm_base(&c->norm, dir, pkt->seq + 1);
		if (!peer->known)
			norm_base(&c->norm, !dir, pkt->ack);
		return;
	}
	if (d->known && d->base == pkt->seq + 1) {
		if (fits)
			c->vis &= ~(uint32_t)VIS_MIDSTREAM;
		return;
	}
	if (fits && d->soft) {
		note_scale(c, pkt, dir);
		return; /* the normalizer puts it right */
	}
	/* Another answer to the same SYN, or one to a candidate's. */
	if (fits || (c->cand[!dir] && pkt->ack == c->cand_isn[!dir] + 1)) {
		c->cand[dir] = true;
		c->cand_isn[dir] = pkt->seq;
	} else if (c->state == CONN_OPEN && (!c->cand[!dir] || c->cand_wild))
		set_candidate(c, pkt, dir); /* its SYN was not seen */
}

static bool
on_handshake(struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (!(pkt->tcp_flags & TCP_ACK))
		return on_syn(c, pkt, dir);
	on_syn_ack(c, pkt, dir);
	return true;
}

/* The client goes on from the handshake that was seen on a living connection:
 * that one is real, and the old one is over. */
static bool
is_candidate_proven(
    const struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (c->state == CONN_HALF || !c->cand[dir] || c->cand_client != dir ||
	    pkt->seq != c->cand_isn[dir] + 1 || !(pkt->tcp_flags & TCP_ACK))
		return false;
	return !c->cand[!dir] || pkt->ack == c->cand_isn[!dir] + 1;
}

static bool
is_near(uint32_t a, uint32_t b)
{
	int32_t off = (int32_t)(a - b);

	return off >= -ELSEWHERE && off <= ELSEWHERE;
}

/* Neither number is of this connection: there is another on its ports, whose
 * handshake the tap missed, or somebody guesses. */
static bool
is_elsewhere(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir], *peer = &c->norm.d[!dir];

	return c->state == CONN_OPEN && d->known && peer->known &&
	       (pkt->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_ACK &&
	       !is_near(pkt->seq, d->base + (uint32_t)d->next) &&
	       !is_near(pkt->ack, peer->base + (uint32_t)peer->next);
}

/* Such a packet proves what a packet of the other side, or a SYN/ACK, had told;
 * else the other side is waited for. */
static bool
proves_another(struct conn *c, const struct packet *pkt, enum dir dir)
{
	bool fits = c->cand[0] && c->cand[1] &&
		    is_near(pkt->seq, c->cand_isn[dir]) &&
		    is_near(pkt->ack, c->cand_isn[!dir]);

	if (fits && (!c->cand_wild || c->cand_dir != dir))
		return true;
	if (!fits)
		set_candidate(c, pkt, dir);
	return false;
}

/* Neither SYN nor RST: the handshake is over. If the server gave two answers,
 * the client's ACK says which it took. */
static void
leave_half(struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_dir *peer = &c->norm.d[!dir];

	c->state = CONN_OPEN;
	if (c->cand[!dir] && pkt->ack == c->cand_isn[!dir] + 1 &&
	    peer->next == 0)
		norm_base(&c->norm, !dir, pkt->ack);
	memset(c->cand, 0, sizeof(c->cand));
}

/* The window this packet offers, scaled; 0 where the scale is not known. */
static uint64_t
window_of(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (c->scale[dir] == -1 || c->scale[!dir] == -1)
		return 0;
	if (c->scale[dir] < 0 || c->scale[!dir] < 0)
		return pkt->window;
	return (uint64_t)pkt->window << c->scale[dir];
}

static struct norm_seg
segment_of(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	bool syn = pkt->tcp_flags & TCP_SYN;

	return (struct norm_seg){.dir = dir,
	    .seq = pkt->seq + syn,
	    .ack = pkt->ack,
	    .has_ack = pkt->tcp_flags & TCP_ACK,
	    .fin = pkt->tcp_flags & TCP_FIN && !syn,
	    .bytes = {pkt->payload, pkt->len},
	    .wire_len = pkt->wire_len,
	    .window = syn ? pkt->window : window_of(c, pkt, dir)};
}

/* Its last packets may come yet, and are missed least. */
static void
set_age(struct tracker *t, struct conn *c)
{
	if (c->proven)
		flow_set_age(t->flows, conn_slot(c),
		    is_ended(c) ? FLOW_CLOSED : FLOW_LIVE);
}

static void
normalise(
    struct tracker *t, struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_seg s = segment_of(c, pkt, dir);
	unsigned r;

	if (pkt->tcp_flags & TCP_SYN && c->norm.d[dir].base != s.seq &&
	    !c->norm.d[dir].soft)
		return; /* a candidate's, or forged */
	if (pkt->len < pkt->wire_len)
		c->vis |= VIS_TRUNCATED;
	r = norm_segment(&t->norm, &c->norm, &s);
	if (s.fin && !(r & NORM_REFUSED) && !c->closed) {
		c->closed = true;
		c->closed_by = (uint8_t)dir;
	}
	if (r & NORM_OLD)
		c->retrans++;
	if (c->use != USE_OPAQUE || c->norm.wait != NULL)
		session_settle(t, c);
	if (c->closed)
		set_age(t, c);
	if (c->closed || c->norm.wait != NULL)
		tracker_arm(t, c);
}

/* No host takes it, if it does what it should. */
static void
set_aside(
    struct tracker *t, struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_seg s = segment_of(c, pkt, dir);

	t->n.bad_csum_ignored++;
	if (!(pkt->tcp_flags & (TCP_SYN | TCP_RST)))
		norm_doubt(&t->norm, &c->norm, &s);
}

/* A bare acknowledgement says nothing that another would not say too. */
static bool
is_worth_a_sum(const struct packet *pkt)
{
	return pkt->len > 0 ||
	       (pkt->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) != 0;
}

static unsigned
take_evidence(
    struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	struct evidence_view view = {.dir = (uint8_t)dir,
	    .phase = (uint8_t)session_phase(c),
	    .quit = c->quit,
	    .opaque = c->use == USE_OPAQUE};

	if (c->use != USE_OPAQUE ? is_worth_a_sum(pkt)
				 : (pkt->tcp_flags & TCP_RST) != 0)
		ip_check_tcp(t->ip, pkt);
	if (pkt->flags & PKT_BAD_TCP_CSUM)
		c->bad_csum++;
	evidence_ref(&t->ref, pkt, &view);
	return evidence_packet(t->evidence, &c->ev, pkt, &view);
}

static void
on_rst(struct tracker *t, struct conn *c, enum dir dir)
{
	t->n.rst++;
	c->reset = true;
	if (!c->closed) {
		c->closed = true;
		c->closed_by = (uint8_t)dir;
	}
}

void
conn_lives(struct tracker *t, struct conn *c)
{
	if (!c->reset)
		return;
	t->n.rst_after_data++;
	c->reset = false;
	c->closed = c->norm.d[0].fin_at != NORM_NONE ||
		    c->norm.d[1].fin_at != NORM_NONE;
}

static void
prove(struct tracker *t, struct conn *c)
{
	if (c->proven || c->state == CONN_HALF || c->packets[0] == 0 ||
	    c->packets[1] == 0)
		return;
	c->proven = true;
	flow_set_age(t->flows, conn_slot(c), FLOW_LIVE);
}

/* Handshake, FIN and data of a packet that a host takes. */
static void
take_packet(
    struct tracker *t, struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (!(pkt->tcp_flags & TCP_SYN)) {
		if (c->state == CONN_HALF)
			leave_half(c, pkt, dir);
		prove(t, c);
	}
	normalise(t, c, pkt, dir);
}

/* What the packet says about other connections on the same ports. Returns
 * false if one has begun; *skip: the packet is not of this one, which is over. */
static bool
look_beside(struct conn *c, const struct packet *pkt, enum dir dir, bool *skip)
{
	*skip = false;
	if (pkt->tcp_flags & TCP_SYN && !(pkt->tcp_flags & TCP_RST))
		return on_handshake(c, pkt, dir);
	if (is_candidate_proven(c, pkt, dir))
		return false;
	if (!is_elsewhere(c, pkt, dir))
		return true;
	*skip = c->closed;
	return !proves_another(c, pkt, dir);
}

bool
conn_packet(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	unsigned hints;
	bool skip;

	if (!look_beside(c, pkt, dir, &skip))
		return false;
	if (skip)
		return true;
	c->packets[dir]++;
	c->last = pkt->time > c->last ? pkt->time : c->last;
	if (c->ttl[dir] == 0)
		c->ttl[dir] = pkt->ttl;
	t->norm.now = t->now;
	hints = take_evidence(t, c, pkt, dir);
	if ((hints & (EVID_RST | EVID_LIVES)) == EVID_LIVES)
		conn_lives(t, c);
	if (hints & EVID_DUP) {
		t->n.dup_frames++;
		c->dup++;
	} else if (hints & EVID_DOUBT)
		set_aside(t, c, pkt, dir);
	else if ((hints & (EVID_RST | EVID_LIVES)) == EVID_RST)
		on_rst(t, c, dir);
	else if (!(hints & EVID_RST) && !(pkt->tcp_flags & TCP_RST))
		take_packet(t, c, pkt, dir);
	return true;
}
