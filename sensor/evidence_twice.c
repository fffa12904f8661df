/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a host does once in a connection: it chooses its first number (RFC 9293
 * 3.4.1) and it says which byte is its last (3.6). Two SYN/ACKs with different
 * numbers for one SYN, or bytes at and beyond the number of a FIN, come from
 * two senders.
 *
 * Both are contradictions between numbers, so it does not matter in which
 * order they arrive: no path and no tap that reorders makes them. What does
 * look like them is kept out here: a SYN/ACK for another SYN; the garbage byte
 * of a keep-alive, which uses the number before the next one, and after a FIN
 * that is the FIN's (RFC 9293 3.8.4); numbers of another connection.
 */
#include "sensor/evidence.h"
#include "sensor/evidence_private.h"

#define SYN_ACK (TCP_SYN | TCP_ACK)
#define ONE_GARBAGE_BYTE 1
#define FAR_BEYOND 65536 /* it is the next connection on these ports */

static bool
is_syn_ack(uint8_t flags)
{
	return (flags & (SYN_ACK | TCP_FIN)) == SYN_ACK;
}

/* The first of the answers to a SYN, and the first FIN, are kept. */
void
evidence_mark(struct evidence_dir *d, const struct packet *pkt)
{
	struct pkt_ref *m = &evidence_rest(d)->mark;

	if ((d->flags & EVD_FIN_MARK) != 0)
		return;
	if ((pkt->tcp_flags & TCP_SYN) != 0 &&
	    (m->tcp_flags & SYN_ACK) == (pkt->tcp_flags & SYN_ACK) &&
	    (is_syn_ack(m->tcp_flags) ? m->ack == pkt->ack
				      : m->seq == pkt->seq))
		return;
	evidence_ref(m, pkt, d->side);
	if ((pkt->tcp_flags & TCP_FIN) != 0)
		d->flags |= EVD_FIN_MARK;
}

static void
two_answers(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct evidence_dir *d = &ev->d[view->dir];
	const struct evidence_dir *peer = &ev->d[!view->dir];
	const struct pkt_ref *m = &evidence_rest(d)->mark;
	struct obs o;

	if (!is_syn_ack(m->tcp_flags) || m->ack != pkt->ack ||
	    m->seq == pkt->seq || (d->flags & EVD_TWICE) != 0 ||
	    pkt->time - m->time > EVIDENCE_ANSWERS)
		return;
	d->flags |= EVD_TWICE;
	c->n.two_answers++;
	obs_init(&o, OBS_TWO_ANSWERS);
	o.dir = view->dir;
	o.phase = view->phase;
	o.time = pkt->time;
	evidence_ref(&o.pkt, pkt, view->dir);
	o.u.answers.first = *m;
	o.u.answers.again = (peer->flags & EVD_SYN_AGAIN) != 0 ||
			    (peer->flags & EVD_SYN) == 0 ||
			    pkt->ack != evidence_rest(peer)->isn + 1;
	o.u.answers.taken = (peer->flags & EVD_ACKED) != 0 &&
			    seq_diff(peer->ack, m->seq + 1) >= 0;
	c->sink.emit(c->sink.user, ev->slot, &o);
}

static void
tell_fin(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct evidence_view *view, struct obs *o)
{
	ev->d[view->dir].flags |= EVD_UNDONE;
	c->n.fins_undone++;
	o->dir = view->dir;
	o->phase = view->phase;
	c->sink.emit(c->sink.user, ev->slot, o);
}

/* Data, and the FIN came before. */
static void
data_after_fin(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	const struct evidence_dir *d = &ev->d[view->dir];
	const struct evidence_dir *peer = &ev->d[!view->dir];
	uint32_t end = pkt->seq + pkt->wire_len;
	uint32_t fin = evidence_rest(d)->mark.seq + evidence_rest(d)->mark.len;
	struct obs o;

	if (seq_diff(end, fin) <= ONE_GARBAGE_BYTE ||
	    !evidence_is_near(d, peer, end) ||
	    seq_diff(pkt->seq, fin) > FAR_BEYOND)
		return;
	obs_init(&o, OBS_FIN_UNDONE);
	o.time = pkt->time;
	o.pkt = evidence_rest(d)->mark;
	evidence_ref(&o.u.fin.data, pkt, view->dir);
	o.u.fin.beyond = end - fin;
	o.u.fin.acked =
	    (peer->flags & EVD_ACKED) != 0 && seq_diff(peer->ack, fin) > 0;
	tell_fin(c, ev, view, &o);
}

/* A FIN, and data beyond its number came before. */
static void
fin_behind_data(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	const struct evidence_dir *d = &ev->d[view->dir];
	uint32_t fin = pkt->seq + pkt->wire_len;
	struct obs o;

	if ((d->flags & EVD_SEEN) == 0 ||
	    seq_diff(d->next, fin) <= ONE_GARBAGE_BYTE ||
	    seq_diff(fin, evidence_rest(d)->isn) <= 0)
		return;
	obs_init(&o, OBS_FIN_UNDONE);
	o.time = pkt->time;
	evidence_ref(&o.pkt, pkt, view->dir);
	o.u.fin.beyond = d->next - fin;
	o.u.fin.behind = 1;
	tell_fin(c, ev, view, &o);
}

void
evidence_twice(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	const struct evidence_dir *d = &ev->d[view->dir];

	if (is_syn_ack(pkt->tcp_flags))
		two_answers(c, ev, pkt, view);
	if ((pkt->tcp_flags & TCP_SYN) != 0 || (d->flags & EVD_UNDONE) != 0)
		return;
	if ((d->flags & EVD_FIN) == 0 && (pkt->tcp_flags & TCP_FIN) != 0)
		fin_behind_data(c, ev, pkt, view);
	else if ((d->flags & EVD_FIN_MARK) != 0 && pkt->wire_len > 0)
		data_after_fin(c, ev, pkt, view);
}
