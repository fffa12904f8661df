/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the sender of a reset does next. A host that has sent a reset is dead
 * to this connection: it neither sends new data nor acknowledges data that
 * came later. Whoever does has not sent the reset (Weaver, Sommer, Paxson,
 * "Detecting Forged TCP Reset Packets", NDSS 2009).
 *
 * What makes this hard is that segments overtake each other. A late segment
 * of the dead host looks like a sign of life, so a proof has to be something
 * that it cannot have sent before its reset:
 *
 *  - Data beyond all it had sent, if the reset has the ACK flag: such a reset
 *    is an abort and carries the last number used (RFC 9293 3.5.3), so what
 *    was sent before it lies below it. A reset without ACK answers a segment
 *    for which there is no connection (3.5.2), with the number that segment
 *    acknowledges; there the data must also acknowledge all that the peer
 *    had sent, the answered segment among it, which a host that answers with
 *    a reset does not do.
 *  - An acknowledgement of bytes that the peer sent after the reset.
 *
 * A proof settles the group at once, except where an abort that explains it
 * may still be under way.
 */
#include "sensor/evidence.h"
#include "sensor/evidence_private.h"

#define SENT_AGAIN 150000000LL /* ns: no path delays, so it was sent anew */

bool
evidence_answers(const struct rst_group *g)
{
	return (g->first.tcp_flags & TCP_ACK) == 0 &&
	       (g->tests & RST_ANSWERS_ACK) != 0;
}

/* C5: the SYN that was answered by a reset is answered by the server after
 * all. A SYN that was repeated may have met a server just started. */
static uint32_t
after_syn(struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *peer = &g->ev->d[!g->dir];

	if ((pkt->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) ||
	    (peer->flags & EVD_SYN) == 0 ||
	    seq_diff(pkt->ack, evidence_rest(peer)->isn) <= 0)
		return 0;
	g->in_window = false; /* whoever it was, the connection lives */
	if ((peer->flags & EVD_SYN_AGAIN) != 0)
		return 0;
	g->ttl_base = pkt->ttl;
	if (g->wrong.ttl != pkt->ttl)
		g->signs |= RST_TTL;
	return RST_SYN_RACE;
}

/*
 * The sender had taken in all that the peer had sent when the reset came, so
 * it did not answer any of that with a reset. A bare ACK cannot be told from
 * its forerunners this way: a socket that just closed, or was closed by its
 * peer's reset, answers one that comes late. That takes a path on which
 * segments overtake each other, or a peer that sent a reset.
 */
static bool
took_it_in(const struct rst_group *g, const struct packet *pkt)
{
	if (!evidence_answers(g))
		return true;
	return !g->shaky && g->peer_known && (pkt->tcp_flags & TCP_ACK) != 0 &&
	       seq_diff(pkt->ack, g->peer_next) >= 0;
}

/* Where took_it_in() cannot tell: the reset had a foreign TTL, and the data
 * acknowledge all that there was to answer. A sign, no proof. */
static bool
is_another_voice(const struct rst_group *g, const struct packet *pkt)
{
	return (g->signs & RST_TTL) != 0 && g->peer_known &&
	       (pkt->tcp_flags & TCP_ACK) != 0 &&
	       seq_diff(pkt->ack, g->peer_next) >= 0;
}

static uint32_t
after_data(struct rst_group *g, const struct packet *pkt)
{
	uint32_t end = pkt->seq + pkt->wire_len;
	int32_t fresh = seq_diff(end, g->next);

	if (pkt->wire_len == 0 || fresh <= 0)
		return 0;
	if (!took_it_in(g, pkt))
		return RST_CROSSED |
		       (is_another_voice(g, pkt) ? RST_SAME_AFTER : 0);
	if (seq_diff(end, g->first.seq) > 0) {
		if ((uint32_t)fresh > g->data_after)
			g->data_after = (uint32_t)fresh;
		return RST_DATA_AFTER;
	}
	return end != g->first.seq ? RST_BLIND : 0;
}

/* The first acknowledgement of a client, after a reset of its that says there
 * is no such connection: it does complete the handshake. */
static bool
completes_handshake(const struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *d = &g->ev->d[g->dir];
	const struct evidence_dir *peer = &g->ev->d[!g->dir];

	return (g->first.tcp_flags & TCP_ACK) == 0 &&
	       (d->flags & (EVD_SYN | EVD_ACKED)) == EVD_SYN &&
	       (peer->flags & EVD_SYN) != 0 && pkt->ack == peer->next &&
	       pkt->seq == evidence_rest(d)->isn + 1;
}

/* What the sender had taken when it sent its reset: `seen`, or what the reset
 * itself acknowledges, if the peer has sent that much by now. Its data may be
 * seen later than the reset, and so may other acknowledgements of it. */
static uint32_t
taken(const struct rst_group *g, uint32_t seen)
{
	uint32_t ack = g->first.ack;

	if ((g->first.tcp_flags & TCP_ACK) == 0 || seq_diff(ack, seen) <= 0 ||
	    seq_diff(ack, g->ev->d[!g->dir].next) > 0)
		return seen;
	return ack;
}

/* It acknowledges bytes that we saw its peer send after the reset. */
static uint32_t
after_ack(const struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *d = &g->ev->d[g->dir];
	const struct evidence_dir *peer = &g->ev->d[!g->dir];
	uint32_t tests = 0;
	bool alive;

	if ((pkt->tcp_flags & TCP_ACK) == 0 || (peer->flags & EVD_SEEN) == 0 ||
	    seq_diff(peer->next, pkt->ack) < 0)
		return 0;
	if (g->peer_known)
		alive = seq_diff(pkt->ack, taken(g, g->peer_next)) > 0;
	else
		alive =
		    (peer->flags & EVD_SYN) != 0 &&
		    seq_diff(pkt->ack, taken(g, evidence_rest(peer)->isn)) > 0;
	if (alive || completes_handshake(g, pkt)) {
		tests |= RST_ALIVE;
		if ((g->tests & (RST_EXACT | RST_ANSWERS_ACK)) == 0)
			tests |= RST_BLIND;
	}
	if ((d->flags & EVD_ACKED) != 0 &&
	    seq_diff(pkt->ack, taken(g, g->acked)) > 0 &&
	    seq_diff(pkt->seq, g->first.seq) >= 0)
		tests |= RST_SAME_AFTER;
	return tests;
}

/* Whoever repeats a segment after a while has not given up the connection. A
 * copy that only took its time has the IP id of the last one seen. */
static uint32_t
after_while(const struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *d = &g->ev->d[g->dir];

	if (pkt->time - g->first.time < SENT_AGAIN || pkt->wire_len == 0 ||
	    (pkt->ip_id != 0 && pkt->ip_id == d->ip_id))
		return 0;
	return RST_SAME_AFTER;
}

/* The FIN just below the reset's number: it was sent before, and overtaken. */
static bool
is_overtaken_fin(const struct rst_group *g, const struct packet *pkt)
{
	return (pkt->tcp_flags & TCP_FIN) != 0 &&
	       pkt->seq + pkt->wire_len + 1 == g->first.seq;
}

unsigned
evidence_rst_after(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct rst_group *g = &c->groups[ev->d[view->dir].group - 1];
	uint32_t tests;

	if (g->told || is_overtaken_fin(g, pkt))
		return 0;
	if (g->syn)
		tests = after_syn(g, pkt);
	else
		tests = after_data(g, pkt) | after_ack(g, pkt) |
			after_while(g, pkt);
	if ((tests & ~g->tests & ~(uint32_t)RST_CROSSED) != 0)
		evidence_ref(&g->proof, pkt, view->dir);
	g->tests |= tests;
	if ((tests & RST_PROOF) == 0)
		return 0;
	/* what could still be explained waits for the explanation: an abort,
	 * or the SYN that the SYN/ACK answers and has overtaken */
	if (!g->syn &&
	    ((tests & RST_PROOF) != RST_DATA_AFTER || !evidence_answers(g)))
		evidence_group_tell(c, g, pkt->time);
	return EVID_LIVES;
}
