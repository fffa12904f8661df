/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Most packets, in short: the next one of its sender, with the headers that its
 * sender's others have, while nothing waits for it and what it carries goes
 * behind what is kept. All else is evidence.c's, which makes the same of these.
 *
 * In a header, so that it becomes part of who takes the packet: evidence.c, and
 * conn.c for those that nobody else has anything to do with.
 */
#ifndef STRIPWIRE_EVIDENCE_NEXT_H
#define STRIPWIRE_EVIDENCE_NEXT_H

#include "sensor/evidence_private.h"

#define EV_ACKS_PER_FILTER 24 /* keeps two hashes in 128 bits below 10 % */
#define EV_ID_STEP_MAX 64 /* a counter shared with other connections */

/* Of a Bloom filter, the bit in each of its words that stands for a number. */
struct ev_filter_bits {
	uint64_t word[2];
};

static inline struct ev_filter_bits
ev_filter_bits(uint32_t number)
{
	uint64_t h = (number + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15);

	return (struct ev_filter_bits){
	    {UINT64_C(1) << (h >> 58), UINT64_C(1) << (h >> 52 & 63)}};
}

static inline bool
ev_filter_has(const uint64_t f[2], struct ev_filter_bits b)
{
	return (f[0] & b.word[0]) != 0 && (f[1] & b.word[1]) != 0;
}

static inline void
ev_remember_ack(struct evidence_rest *e, uint32_t number)
{
	struct ev_filter_bits b = ev_filter_bits(number);

	if (ev_filter_has(e->acks[0], b))
		return;
	if (e->nacks == EV_ACKS_PER_FILTER) {
		memcpy(e->acks[1], e->acks[0], sizeof(e->acks[1]));
		memset(e->acks[0], 0, sizeof(e->acks[0]));
		e->nacks = 0;
	}
	e->acks[0][0] |= b.word[0];
	e->acks[0][1] |= b.word[1];
	e->nacks++;
}

static inline void
ev_count(uint8_t *n)
{
	if (*n != UINT8_MAX)
		++*n;
}

static inline void
ev_note_ip_id(struct evidence_dir *d, const struct packet *pkt)
{
	uint16_t step = (uint16_t)(pkt->ip_id - d->ip_id);

	if ((pkt->flags & PKT_V6) != 0)
		return;
	if (pkt->ip_id == 0) {
		ev_count(&evidence_rest(d)->id_zero);
		return;
	}
	if (d->ip_id != 0 && step >= 1 && step <= EV_ID_STEP_MAX)
		ev_count(&d->id_step);
	d->ip_id = pkt->ip_id;
}

static inline void
ev_note_ack(struct evidence_dir *d, struct evidence_rest *e,
    const struct packet *pkt, bool syn)
{
	uint32_t edge =
	    pkt->ack + ((uint32_t)pkt->window << (syn ? 0 : d->wscale));

	ev_remember_ack(e, pkt->ack);
	if ((d->flags & EVD_ACKED) == 0) {
		d->ack = pkt->ack;
		d->edge = edge;
		d->flags |= EVD_ACKED;
	}
	if (seq_diff(pkt->ack, d->ack) > 0)
		d->ack = pkt->ack;
	if (seq_diff(edge, d->edge) > 0)
		d->edge = edge;
	if (d->ack_noted != (!syn && pkt->ack == d->ack))
		d->ack_noted ^= 1;
}

/* What two copies of one frame have in common, whatever routers did to it. */
static inline uint32_t
ev_frame_mark(const struct packet *pkt)
{
	uint32_t h = pkt->seq * 0x9e3779b1u;

	h = (h ^ pkt->ack) * 0x85ebca6bu;
	h = (h ^ pkt->wire_len ^ (uint32_t)pkt->tcp_flags << 24) * 0xc2b2ae35u;
	return h ^ pkt->window;
}

/* The next packet of a connection, and nothing waits for it. Where it may
 * close: a FIN is its first, and what comes after that is empty. */
static inline bool
ev_is_next(const struct evidence_dir *d, const struct packet *pkt, bool closing)
{
	const uint16_t have = EVD_SEEN | EVD_MAC, fin = EVD_FIN | EVD_FIN_MARK;
	const uint32_t flags = PKT_BAD_TCP_CSUM | PKT_HAS_MAC;
	uint16_t state = d->flags & (have | fin);

	if (state != have &&
	    (!closing || (state & have) != have || pkt->wire_len != 0 ||
		(pkt->tcp_flags & TCP_FIN) != 0))
		return false;
	return pkt->seq == d->next && (pkt->flags & flags) == PKT_HAS_MAC &&
	       d->group == 0 && !d->asked && pkt->wire_len < FAR_AHEAD;
}

/* Its frames have the address and the TTL that they had so far. */
static inline bool
ev_is_of_sender(const struct evidence_dir *d, const struct packet *pkt)
{
	return pkt->mac != NULL && evidence_is_from(d, pkt->mac + 6) &&
	       pkt->ttl == d->ttl && d->ttl_alt_n == 0;
}

/* Its acknowledgement, of which nothing may be new. */
static inline __attribute__((always_inline)) void
ev_next_ack(struct evidence_flow *ev, struct evidence_dir *d,
    const struct packet *pkt, int dir)
{
	if (d->ack_noted && pkt->ack == d->ack && pkt->window == d->raw_window)
		return;
	if ((d->flags & EVD_ACKED) == 0)
		evidence_rtt(ev, pkt, dir);
	ev_note_ack(d, &ev->rest[dir], pkt, false);
	d->raw_window = pkt->window;
}

/* Keeps what it carries. Returns false if that is not all there is to do. */
static inline __attribute__((always_inline)) bool
ev_keep_next(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct evidence_dir *d = &ev->d[view->dir];
	uint8_t odd = evidence_odd_ts(d, &ev->d[!view->dir], pkt) ? ODD_TS : 0;
	enum ring_keep keep = evidence_keep_of(view);

	if (keep == KEEP_NONE)
		return evidence_text_next(c, d, pkt, odd);
	if (d->window == NULL ? keep == KEEP_ALL && !view->body
			      : keep == KEEP_SAMPLE || !view->body ||
				    !evidence_is_beyond(d, pkt->seq))
		return false;
	evidence_ring_next(c, d, pkt, odd, keep);
	return true;
}

/* A packet with ACK, no SYN and no RST; nor a FIN, of a flow without one, but
 * where it is `closing`. Returns false, and has done nothing, where it takes
 * more than this; else there is nothing to hint at. */
static inline __attribute__((always_inline)) bool
evidence_follow(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view, bool closing)
{
	struct evidence_dir *d = &ev->d[view->dir];
	uint32_t mark = ev_frame_mark(pkt);

	if (mark == d->last_mark || !ev_is_next(d, pkt, closing) ||
	    !ev_is_of_sender(d, pkt) ||
	    (pkt->len > 0 && !ev_keep_next(c, ev, pkt, view)))
		return false;
	d->last_mark = mark;
	if (pkt->wire_len > 0 && (pkt->flags & PKT_CSUM_CHECKED) != 0)
		ev_count(&d->csum_good);
	evidence_note_ts(d, pkt);
	ev_note_ip_id(d, pkt);
	d->next += pkt->wire_len;
	ev_next_ack(ev, d, pkt, view->dir);
	ev_count(&d->seen);
	d->last = pkt->time;
	ev->later = view->dir;
	return true;
}

#endif
