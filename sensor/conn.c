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

#include <stdlib.h>
#include <string.h>

void
conn_init(struct tracker *t, struct conn *c, uint32_t slot,
    const struct packet *pkt, enum dir dir)
{
	memset(c, 0, sizeof(*c));
	c->number = t->cfg.first_number + ++t->next_number;
	if (t->clock_is_given) /* in the order of the whole input */
		c->number = t->cfg.first_number + t->ordinal;
	norm_init(&c->norm, slot, (uint32_t)t->next_number);
	evidence_init(&c->ev, slot);
	c->start = c->last = pkt->time;
	c->last_obs = INT64_MIN;
	c->port[dir] = pkt->sport;
	c->port[!dir] = pkt->dport;
	c->mail_port = mail_port(pkt->sport) || mail_port(pkt->dport);
	c->vantage = pkt->file + t->vantage; /* one of them is 0 */
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

bool
conn_is_ended(const struct conn *c)
{
	return (c->norm.d[0].fin_at != NORM_NONE ||
		   c->norm.d[1].fin_at != NORM_NONE) &&
	       norm_has_ended(&c->norm, DIR_C2S) &&
	       norm_has_ended(&c->norm, DIR_S2C);
}

/* A reset of either side may have ended it. */
static bool
is_reset(const struct conn *c)
{
	return c->reset[0] || c->reset[1];
}

int64_t
conn_idle_deadline(const struct conn *c)
{
	bool fin_c = c->norm.d[0].fin_at != NORM_NONE;
	bool fin_s = c->norm.d[1].fin_at != NORM_NONE;

	if (c->state == CONN_HALF || is_reset(c))
		return c->last + IDLE_HALF;
	if (fin_c && fin_s && norm_fin_acked(&c->norm, DIR_C2S) &&
	    norm_fin_acked(&c->norm, DIR_S2C))
		return c->last + IDLE_CLOSED;
	if (conn_is_ended(c))
		return c->last + IDLE_CLOSING;
	if (fin_c || fin_s)
		return c->last + IDLE_FIN;
	return c->last + (c->use == USE_UNDECIDED ? IDLE_QUIET : IDLE_MAIL);
}

enum end_how
conn_how(const struct conn *c, enum end_how otherwise)
{
	if (is_reset(c))
		return END_RST;
	if (conn_is_ended(c))
		return END_FIN;
	if (c->closed && otherwise == END_TIMEOUT)
		return END_FIN;
	return otherwise;
}

/* Did its receiver read what was delivered? It did not, where it said so by
 * its acknowledgements, or where the sender went on after a reset and nothing
 * of that was acknowledged: the reset was obeyed. */
static bool
is_unsure(const struct tracker *t, const struct conn *c, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir];

	return c->norm.unsure || t->unacked[dir] > 0 ||
	       (c->rst[dir] && !d->off && d->next > c->rst_top[dir] &&
		   d->acked <= c->rst_top[dir]);
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
	else
		norm_drop(&t->norm, &c->norm);
	for (int d = 0; d < 2; d++) {
		t->unacked[d] = norm_unacked(&c->norm, (enum dir)d);
		if (is_unsure(t, c, (enum dir)d))
			c->vis |= VIS_AMBIGUOUS;
	}
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

int8_t
conn_scale(const struct packet *pkt)
{
	if (!(pkt->flags & PKT_WSCALE))
		return -2;
	return (int8_t)(pkt->wscale > 14 ? 14 : pkt->wscale);
}

static void
note_scale(struct conn *c, const struct packet *pkt, enum dir dir)
{
	c->scale[dir] = conn_scale(pkt);
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
	c->cand_scale[dir] = syn ? conn_scale(pkt) : -1;
	c->cand_scale[!dir] = -1;
	c->cand_time = pkt->time;
}

/* Who was taken for the server sends the first SYN: the flow was begun by a
 * SYN/ACK of its own, which tells nothing; or by the SYN of the mail server
 * (simultaneous open, RFC 9293 3.5), who was taken for the client. */
static bool
is_turned_round(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	return c->state == CONN_HALF && dir == DIR_S2C &&
	       (c->scale[DIR_C2S] == -1 ||
		   (mail_port(pkt->dport) && !mail_port(pkt->sport)));
}

/* Its first number is still to come. */
static bool
is_free(const struct conn *c, enum dir dir)
{
	return c->state == CONN_HALF && !c->norm.d[dir].known;
}

/* It was guessed from a segment that carried the number of the SYN. */
static bool
is_just_before(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir];

	return d->known && c->scale[dir] == -1 && d->next == 0 &&
	       d->base == pkt->seq;
}

/* The candidate was first seen by its SYN/ACK. */
static bool
is_answered_before(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	return c->cand[0] && c->cand[1] && !c->cand_wild &&
	       c->cand_dir != dir &&
	       c->cand_isn[dir] - pkt->seq <= pkt->wire_len;
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
	if (is_free(c, dir) || is_just_before(c, pkt, dir)) {
		note_scale(c, pkt, dir);
		c->syn_len[dir] = (uint16_t)pkt->wire_len;
		norm_base(&c->norm, dir, pkt->seq + 1);
		return true;
	}
	if (d->soft && d->next == 0 &&
	    d->base - (pkt->seq + 1) <= pkt->wire_len) {
		note_scale(c, pkt, dir);
		return true; /* its answer came first, and told of its data */
	}
	if (c->state == CONN_OPEN && conn_is_ended(c))
		return false;
	c->cand_wild = false;
	c->cand[!dir] = is_answered_before(c, pkt, dir);
	c->cand[dir] = true;
	c->cand_client = (uint8_t)dir;
	c->cand_isn[dir] = pkt->seq;
	c->cand_scale[dir] = conn_scale(pkt);
	c->cand_len = (uint16_t)pkt->wire_len;
	c->cand_time = pkt->time;
	return true;
}

/* The other SYN was the real one. */
static void
take_candidate(struct conn *c)
{
	for (int d = 0; d < 2; d++) {
		if (!c->cand[d])
			continue;
		norm_base(&c->norm, (enum dir)d, c->cand_isn[d] + 1);
		c->scale[d] = c->cand_scale[d];
	}
}

/* Its data may be acknowledged too, or some of them (RFC 7413). */
static bool
acks_syn(const struct packet *pkt, uint32_t isn, uint32_t len)
{
	return pkt->ack - (isn + 1) <= len;
}

static bool
answers_candidate(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	return c->cand[!dir] &&
	       (c->cand_wild ? pkt->ack == c->cand_isn[!dir] + 1
			     : acks_syn(pkt, c->cand_isn[!dir], c->cand_len));
}

/* What was known of its numbers until now was nothing, or came from an
 * acknowledgement that is none. */
static bool
is_first_answer(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir];

	return is_free(c, dir) || is_just_before(c, pkt, dir) ||
	       (d->soft && d->next == 0 && !conn_is_near(d->base, pkt->seq));
}

static void
first_answer(struct conn *c, const struct packet *pkt, enum dir dir)
{
	note_scale(c, pkt, dir);
	norm_base(&c->norm, dir, pkt->seq + 1);
	if (c->norm.d[!dir].known)
		return;
	norm_base(&c->norm, !dir, pkt->ack);
	c->norm.d[!dir].soft = true;
}

static void
on_syn_ack(struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_dir *d = &c->norm.d[dir], *peer = &c->norm.d[!dir];
	bool fits =
	    !peer->known || acks_syn(pkt, peer->base - 1, c->syn_len[!dir]);

	if (fits && is_first_answer(c, pkt, dir)) {
		first_answer(c, pkt, dir);
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
	if (fits || answers_candidate(c, pkt, dir)) {
		c->cand[dir] = true;
		c->cand_isn[dir] = pkt->seq;
		c->cand_scale[dir] = conn_scale(pkt);
		if (c->state == CONN_HALF && !d->known)
			take_candidate(c);
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

/* The client goes on from the handshake that was seen on a living connection,
 * and the server had answered it, if that is ever seen: that one is real, and
 * the old one is over. A SYN alone costs its forger one packet. */
static bool
is_candidate_proven(
    const struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (c->state == CONN_HALF || !c->cand[dir] || c->cand_client != dir ||
	    pkt->seq != c->cand_isn[dir] + 1 || !(pkt->tcp_flags & TCP_ACK))
		return false;
	return c->cand[!dir] ? pkt->ack == c->cand_isn[!dir] + 1
			     : c->packets[!dir] == 0;
}

/* Such a packet proves what a packet of the other side, or a SYN/ACK, had told;
 * else the other side is waited for. */
static bool
proves_another(struct conn *c, const struct packet *pkt, enum dir dir)
{
	bool fits = c->cand[0] && c->cand[1] &&
		    conn_is_near(pkt->seq, c->cand_isn[dir]) &&
		    conn_is_near(pkt->ack, c->cand_isn[!dir]);

	if (fits && (!c->cand_wild || c->cand_dir != dir))
		return true;
	if (!fits)
		set_candidate(c, pkt, dir);
	return false;
}

/* Of two SYNs the client goes on from the second, which the server answered,
 * or the server is never seen. */
static bool
goes_on_from_candidate(
    const struct conn *c, const struct packet *pkt, enum dir dir)
{
	return c->cand[dir] && c->cand_client == dir &&
	       pkt->seq == c->cand_isn[dir] + 1 &&
	       (c->cand[!dir] ? pkt->ack == c->cand_isn[!dir] + 1
			      : c->packets[!dir] == 0);
}

/* Neither SYN nor RST: the handshake is over. If the server gave two answers,
 * the client's ACK says which it took. */
static void
leave_half(struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_dir *peer = &c->norm.d[!dir];

	c->state = CONN_OPEN;
	if (goes_on_from_candidate(c, pkt, dir))
		take_candidate(c);
	else if (c->cand[!dir] && pkt->ack == c->cand_isn[!dir] + 1 &&
		 peer->next == 0)
		norm_base(&c->norm, !dir, pkt->ack);
	memset(c->cand, 0, sizeof(c->cand));
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
	    .syn = syn,
	    .bytes = {pkt->payload, pkt->len},
	    .wire_len = pkt->wire_len,
	    .window = syn ? pkt->window : conn_window(c, pkt, dir)};
}

/* Its last packets may come yet, and are missed least; but where a reset is
 * waited for, what comes after it is the proof. */
void
conn_set_age(struct tracker *t, struct conn *c)
{
	if (c->proven)
		flow_set_age(t->flows, conn_slot(c),
		    conn_is_ended(c) && !is_reset(c) ? FLOW_CLOSED : FLOW_LIVE);
}

/* A SYN with data, which wait until they are acknowledged. */
static unsigned
take_syn(struct tracker *t, struct conn *c, const struct norm_seg *s)
{
	struct norm_seg bare = *s;
	unsigned r;

	bare.bytes.len = bare.wire_len = 0;
	r = norm_segment(&t->norm, &c->norm, &bare);
	norm_doubt(&t->norm, &c->norm, s);
	return r;
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
	r = s.syn && s.wire_len > 0 ? take_syn(t, c, &s)
				    : norm_segment(&t->norm, &c->norm, &s);
	if (s.fin && !(r & NORM_REFUSED) && !c->closed) {
		c->closed = true;
		c->closed_by = (uint8_t)dir;
	}
	if (r & NORM_OLD)
		c->retrans++;
	if (c->fed || c->norm.wait != NULL)
		session_settle(t, c);
	if (c->closed)
		conn_set_age(t, c);
	if (c->closed || c->norm.wait != NULL)
		tracker_arm(t, c);
}

/* No host takes it, if it does what it should. */
static void
set_aside(
    struct tracker *t, struct conn *c, const struct packet *pkt, enum dir dir)
{
	struct norm_seg s = segment_of(c, pkt, dir);

	t->n.bad_csum_ignored += (pkt->flags & PKT_BAD_TCP_CSUM) != 0;
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
	struct evidence_view view = conn_view(c, dir, session_phase(c));

	if (c->use != USE_OPAQUE ? is_worth_a_sum(pkt)
				 : (pkt->tcp_flags & TCP_RST) != 0)
		ip_check_tcp(t->ip, pkt);
	if (pkt->flags & PKT_BAD_TCP_CSUM)
		c->bad_csum++;
	if (c->use != USE_OPAQUE) /* else nothing is delivered */
		evidence_ref(&t->ref, pkt, dir);
	return evidence_packet(t->evidence, &c->ev, pkt, &view);
}

static void
on_rst(struct tracker *t, struct conn *c, enum dir dir)
{
	t->n.rst++;
	c->reset[dir] = true;
	if (!c->rst[dir])
		c->rst_top[dir] = c->norm.d[dir].top;
	c->rst[dir] = true;
	if (!c->closed) {
		c->closed = true;
		c->closed_by = (uint8_t)dir;
	}
	conn_set_age(t, c);
}

void
conn_lives(struct tracker *t, struct conn *c, enum dir dir)
{
	if (!c->reset[dir])
		return;
	t->n.rst_after_data++;
	c->reset[dir] = false;
	if (is_reset(c))
		return;
	c->closed = c->norm.d[0].fin_at != NORM_NONE ||
		    c->norm.d[1].fin_at != NORM_NONE;
}

void
conn_prove(struct tracker *t, struct conn *c)
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
		conn_prove(t, c);
	}
	normalise(t, c, pkt, dir);
}

struct packet *
conn_take_syn(struct tracker *t, struct conn *c)
{
	struct packet *p = c->again;

	if (p != NULL)
		t->norm.pending -= sizeof(*p) + p->len;
	c->again = NULL;
	return p;
}

/* A SYN after a reset: both may be forged. It is kept until the server answers
 * it, and until then tells the old connection nothing. */
static void
keep_syn(struct tracker *t, struct conn *c, struct packet *pkt)
{
	struct packet *p;
	size_t cost = sizeof(*p) + pkt->len;

	free(conn_take_syn(t, c));
	ip_check_tcp(t->ip, pkt);
	if (t->norm.pending + cost > t->norm.max_pending ||
	    (p = malloc(cost)) == NULL)
		return;
	t->norm.pending += cost;
	*p = *pkt;
	p->frame = p->mac = p->outer = p->ip = p->tcp = NULL;
	p->payload = (uint8_t *)(p + 1);
	if (pkt->len > 0)
		memcpy(p + 1, pkt->payload, pkt->len);
	p->flags = (p->flags & ~(uint32_t)PKT_HAS_MAC) | PKT_CSUM_CHECKED;
	c->again = p;
}

static bool
is_syn(const struct packet *pkt)
{
	return (pkt->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) == TCP_SYN;
}

/* By a SYN/ACK, or by a reset that acknowledges it. */
static bool
answers_kept(const struct conn *c, const struct packet *pkt)
{
	return c->again != NULL && pkt->sport == c->again->dport &&
	       pkt->tcp_flags & TCP_ACK &&
	       acks_syn(pkt, c->again->seq, c->again->wire_len) &&
	       (pkt->tcp_flags & (TCP_SYN | TCP_RST)) != 0;
}

/* What the packet says about other connections on the same ports. Returns
 * false if one has begun; *skip: the packet is not of this one, which is over. */
static bool
look_beside(struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir,
    bool *skip)
{
	*skip = false;
	if ((pkt->tcp_flags & (TCP_SYN | TCP_RST)) == 0 && !c->cand[dir] &&
	    !conn_is_elsewhere(c, pkt, dir))
		return true; /* most packets */
	if (answers_kept(c, pkt))
		return false;
	if (is_syn(pkt) && dir == DIR_C2S && is_reset(c) && !conn_is_ended(c) &&
	    c->norm.d[dir].base != pkt->seq + 1) {
		keep_syn(t, c, pkt);
		*skip = true;
		return true;
	}
	if (pkt->tcp_flags & TCP_SYN && !(pkt->tcp_flags & TCP_RST))
		return on_handshake(c, pkt, dir);
	if (is_candidate_proven(c, pkt, dir))
		return false;
	if (!conn_is_elsewhere(c, pkt, dir))
		return true;
	*skip = c->closed;
	return !proves_another(c, pkt, dir);
}

/* No host takes it. */
static bool
is_void(const struct packet *pkt)
{
	return (pkt->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) == 0 ||
	       (pkt->flags & PKT_UNSURE) != 0;
}

/* Of an urgent byte hosts differ: most take it out of the stream (RFC 6093). */
static void
note_doubt(struct conn *c, const struct packet *pkt, unsigned hints)
{
	if ((hints & (EVID_CONFLICT | EVID_DOUBT)) == EVID_CONFLICT ||
	    (pkt->tcp_flags & TCP_URG && c->use != USE_OPAQUE))
		c->vis |= VIS_AMBIGUOUS;
}

bool
conn_any_packet(
    struct tracker *t, struct conn *c, struct packet *pkt, enum dir dir)
{
	unsigned hints;
	bool skip;

	if (!look_beside(t, c, pkt, dir, &skip))
		return false;
	if (skip)
		return true;
	conn_count(c, pkt, dir);
	t->norm.now = t->now;
	hints = take_evidence(t, c, pkt, dir);
	note_doubt(c, pkt, hints);
	if ((hints & (EVID_RST | EVID_LIVES)) == EVID_LIVES)
		conn_lives(t, c, dir);
	if (hints & EVID_DUP) {
		t->n.dup_frames++;
		c->dup++;
	} else if (hints & EVID_DOUBT || is_void(pkt))
		set_aside(t, c, pkt, dir);
	else if ((hints & (EVID_RST | EVID_LIVES)) == EVID_RST)
		on_rst(t, c, dir);
	else if (!(hints & EVID_RST) && !(pkt->tcp_flags & TCP_RST))
		take_packet(t, c, pkt, dir);
	return true;
}
