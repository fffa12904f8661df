/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two connections on one four-tuple at the same time: both legs of a proxy
 * that keeps addresses and ports (TPROXY, a firewall that chooses numbers of
 * its own), tenants of two networks with equal addresses.
 *
 * A place is what a packet says of where it was seen: interface, VLAN tags,
 * tunnel identifiers. It is not in the flow's key (flow.h says why); a
 * connection notes the places of its packets, and one that comes from a new
 * place belongs to it as long as the numbers agree: the other direction in
 * another VLAN, the same frame before and behind a router. Where they do not,
 * a flow of its own is opened, and from then on packets go by numbers first
 * and by place second.
 *
 * On a place that the connection is known at nothing changes: numbers that
 * disagree there are somebody's who speaks in another's name, or a new
 * connection on old ports (conn.c). So that nobody hides a forged answer by
 * sending it where the other direction is tagged, a place counts for both.
 */
#include "sensor/conn.h"

#define LEGS_MAX 8 /* of a four-tuple; a proxy has two */

static void
note(struct conn *c, uint32_t place)
{
	if (!leg_is_known(c, place) && c->nplaces < CONN_PLACES)
		c->place[c->nplaces++] = place;
}

static bool
fits_syn(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir];
	uint32_t off = d->base - pkt->seq; /* 1; more: its data, or a guess */

	return !d->known || off == 1 ||
	       (d->soft && d->next == 0 && off <= pkt->wire_len + 1);
}

/* It acknowledges the SYN. What else it says is C12's (evidence_twice.c): who
 * forges an answer to a SYN, and who gives the true one, may be seen in
 * different places. */
static bool
answers(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *peer = &c->norm.d[!dir];

	return !peer->known || pkt->ack - peer->base <= c->syn_len[!dir];
}

static bool
fits_answer(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir];

	return answers(c, pkt, dir) &&
	       (!d->known || d->soft || d->base == pkt->seq + 1);
}

/* By its numbers it may well be of this connection. */
static bool
fits(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	const struct norm_dir *d = &c->norm.d[dir], *peer = &c->norm.d[!dir];

	if (pkt->tcp_flags & TCP_SYN)
		return pkt->tcp_flags & TCP_ACK ? fits_answer(c, pkt, dir)
						: fits_syn(c, pkt, dir);
	if (d->known && !conn_is_near(pkt->seq, d->base + (uint32_t)d->next))
		return false;
	return !peer->known || !(pkt->tcp_flags & TCP_ACK) ||
	       conn_is_near(pkt->ack, peer->base + (uint32_t)peer->next);
}

/* By its numbers it is of another. One number alone may be far off because
 * much was lost. */
static bool
is_another(const struct conn *c, const struct packet *pkt, enum dir dir)
{
	if (conn_is_ended(c) || pkt->tcp_flags & TCP_RST)
		return false;
	if (pkt->tcp_flags & TCP_SYN)
		return pkt->tcp_flags & TCP_ACK ? !answers(c, pkt, dir)
						: !fits_syn(c, pkt, dir);
	return conn_is_elsewhere(c, pkt, dir);
}

/* How well a packet goes with a flow; 0: not at all. */
static unsigned
match(const struct flow *f, const struct packet *pkt, bool from_b)
{
	enum dir dir = f->client_is_b == from_b ? DIR_C2S : DIR_S2C;
	uint32_t place = leg_place(pkt);
	const struct conn *c = f->conn;

	if (c == NULL) /* passed over: nothing else is known of it */
		return f->tag == (uint8_t)place ? 2 : 0;
	return 4u * fits(c, pkt, dir) + 2u * leg_is_known(c, place) +
	       !is_another(c, pkt, dir);
}

/* Of several. FLOW_NONE: it is of none of them. */
static uint32_t
best_of(
    struct tracker *t, uint32_t first, const struct packet *pkt, bool from_b)
{
	uint32_t best = FLOW_NONE;
	unsigned most = 0, n = 0;

	for (uint32_t i = first; i != FLOW_NONE; i = flow_next(t->flows, i)) {
		unsigned m;

		(void)rest_wake(t, i);
		m = match(flow_at(t->flows, i), pkt, from_b);
		n++;
		if (m > most) {
			most = m;
			best = i;
		}
	}
	return best == FLOW_NONE && n >= LEGS_MAX ? first : best;
}

uint32_t
leg_of(struct tracker *t, uint32_t slot, const struct packet *pkt, bool from_b)
{
	struct flow *f = flow_at(t->flows, slot);

	if (f->shared)
		slot = best_of(t, slot, pkt, from_b);
	else if (f->conn == NULL || leg_is_known(f->conn, leg_place(pkt)))
		return slot;
	else if (match(f, pkt, from_b) == 0)
		slot = FLOW_NONE;
	if (slot == FLOW_NONE)
		t->n.legs++;
	else if (flow_at(t->flows, slot)->conn != NULL)
		note(flow_at(t->flows, slot)->conn, leg_place(pkt));
	return slot;
}

void
leg_init(
    struct tracker *t, uint32_t slot, uint32_t other, const struct packet *pkt)
{
	struct flow *f = flow_at(t->flows, slot);

	f->tag = (uint8_t)leg_place(pkt);
	note(f->conn, leg_place(pkt));
	if (other == FLOW_NONE)
		return;
	f->shared = true;
	flow_at(t->flows, other)->shared = true;
}
