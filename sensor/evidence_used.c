/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Of two versions, which one did the receiver use? TCP keeps what it got first
 * (RFC 9293 3.10.7.4), but what the sensor saw first may have been lost on its
 * way. So a conflict waits for the receiver's next words:
 *  - it had acknowledged the first before the second came, or
 *  - it acknowledges up to where just one of them ends, or
 *  - its acknowledgement echoes the first one's timestamp (RFC 7323 4.3; the
 *    echo of the second says nothing, a duplicate is echoed too), or
 *  - it reports the second as a duplicate (RFC 2883), or
 *  - one of them has a wrong checksum, and it is not asked.
 */
#include "sensor/evidence.h"

#include <stdlib.h>

#include "decoders/tcp_hdr.h"
#include "sensor/evidence_private.h"

#define ACKS_HEARD 2 /* that cover the place: then it has said what it says */

int
evidence_used_init(struct evidence_ctx *c)
{
	c->wait_deadline = INT64_MAX;
	c->waits = calloc(EVIDENCE_WAITS, sizeof(*c->waits));
	return c->waits == NULL ? -1 : 0;
}

static bool
is_before(const struct conflict_wait *a, const struct conflict_wait *b)
{
	if (a->deadline != b->deadline)
		return a->deadline < b->deadline;
	return a->obs.pkt.ordinal < b->obs.pkt.ordinal;
}

static struct conflict_wait *
first_wait(struct evidence_ctx *c)
{
	struct conflict_wait *first = NULL;

	for (unsigned i = 0; i < EVIDENCE_WAITS; i++) {
		struct conflict_wait *w = &c->waits[i];

		if (w->ev != NULL && (first == NULL || is_before(w, first)))
			first = w;
	}
	return first;
}

static struct conflict_wait *
find_wait(struct evidence_ctx *c, const struct evidence_flow *ev, int dir)
{
	for (unsigned i = 0; ev->d[!dir].asked && i < EVIDENCE_WAITS; i++)
		if (c->waits[i].ev == ev && c->waits[i].obs.dir == dir)
			return &c->waits[i];
	return NULL;
}

static void
settle(struct evidence_ctx *c, struct conflict_wait *w, int64_t time)
{
	struct evidence_flow *ev = w->ev;
	const struct conflict_wait *first;

	w->ev = NULL;
	ev->d[!w->obs.dir].asked = 0;
	first = first_wait(c);
	c->wait_deadline = first == NULL ? INT64_MAX : first->deadline;
	if (time > w->obs.time)
		w->obs.time = time;
	c->sink.emit(c->sink.user, ev->slot, &w->obs);
}

void
evidence_used_settle(struct evidence_ctx *c)
{
	struct conflict_wait *w = first_wait(c);

	c->settling = w->obs.pkt.ordinal;
	settle(c, w, w->deadline);
}

void
evidence_used_end(struct evidence_ctx *c, struct evidence_flow *ev, int64_t now)
{
	for (int i = 0; i < 2; i++) {
		struct conflict_wait *w = find_wait(c, ev, i);

		if (w != NULL)
			settle(c, w, now < w->deadline ? now : w->deadline);
	}
}

/* Which version is odd, if one of them is. */
static uint8_t
odd_one(unsigned first, unsigned second)
{
	return (first != 0) == (second != 0) ? 0 : first != 0 ? 1 : 2;
}

void
evidence_conflict_init(struct obs *o, const struct evidence_flow *ev,
    const struct ev_segment *s, const struct ev_first *first)
{
	const struct evidence_dir *peer = &ev->d[!s->view->dir];
	struct obs_conflict *r = &o->u.conflict;

	obs_init(o, OBS_CONFLICT);
	o->dir = s->view->dir;
	o->phase = s->view->phase;
	o->time = s->pkt->time;
	o->pkt = first->ref;
	r->seq = s->seq;
	r->used_first = !first->doubt;
	r->acked_between = (peer->flags & EVD_ACKED) != 0;
	r->csum_bad = s->doubt;
	r->odd_mac = odd_one(first->odd & ODD_MAC, s->odd & ODD_MAC);
	r->odd_ts = odd_one(first->odd & ODD_TS, s->odd & ODD_TS);
	evidence_ref(&r->other, s->pkt, s->view->dir);
}

static enum used_by
known_at_once(const struct obs_conflict *r, const struct ev_first *first)
{
	if (first->doubt && !r->csum_bad)
		return USED_SECOND_SUM;
	if (r->csum_bad && !first->doubt)
		return USED_FIRST_SUM;
	return r->acked_between ? USED_FIRST_ACKED : USED_UNKNOWN;
}

static struct conflict_wait *
new_wait(struct evidence_ctx *c)
{
	for (unsigned i = 0; i < EVIDENCE_WAITS; i++)
		if (c->waits[i].ev == NULL)
			return &c->waits[i];
	c->n.waits_full++;
	return NULL;
}

static void
tell_or_wait(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct obs *o, const uint32_t ts[2])
{
	struct obs now = *o;
	struct conflict_wait *w = find_wait(c, ev, o->dir);

	if (w != NULL)
		settle(c, w, o->time);
	w = now.u.conflict.used_by == USED_UNKNOWN ? new_wait(c) : NULL;
	if (w == NULL) {
		c->sink.emit(c->sink.user, ev->slot, &now);
		return;
	}
	w->ev = ev;
	w->obs = now;
	w->ts[0] = ts[0];
	w->ts[1] = ts[1];
	w->acks = 0;
	w->deadline = o->time + EVIDENCE_USED_WAIT;
	if (w->deadline < c->wait_deadline)
		c->wait_deadline = w->deadline;
	ev->d[!o->dir].asked = 1;
}

void
evidence_conflict(struct evidence_ctx *c, struct evidence_flow *ev,
    struct obs *o, const struct ev_segment *s, const struct ev_first *first)
{
	const uint32_t ts[2] = {first->tsval, s->pkt->tsval};
	struct evidence_dir *d = &ev->d[o->dir];
	const struct evidence_dir *peer = &ev->d[!o->dir];
	struct obs_conflict *r = &o->u.conflict;

	c->n.conflicts++;
	if (evidence_rest(d)->told_conflicts == EVIDENCE_CONFLICTS) {
		c->n.conflicts_untold++;
		return;
	}
	evidence_rest(d)->told_conflicts++;
	r->acked_between =
	    (peer->flags & EVD_ACKED) != 0 && seq_diff(peer->ack, r->seq) > 0;
	r->used_by = (uint8_t)known_at_once(r, first);
	tell_or_wait(c, ev, o, ts);
}

/* ---- the receiver's word ---- */

/* The block names what came twice: it lies below the acknowledgement. */
static bool
is_reported_twice(const struct obs *o, const struct packet *pkt)
{
	const struct pkt_ref *second = &o->u.conflict.other;
	uint32_t block[2];

	return tcp_sack_first(pkt, block) &&
	       seq_diff(block[1], pkt->ack) <= 0 &&
	       seq_diff(block[1], block[0]) > 0 &&
	       seq_diff(block[0], o->u.conflict.seq) <= 0 &&
	       seq_diff(block[1], o->u.conflict.seq) > 0 &&
	       seq_diff(block[0], second->seq) >= 0;
}

/* Of an acknowledgement that covers the place, the first one that does. */
static enum used_by
told_by_ack(const struct conflict_wait *w, const struct packet *pkt,
    const struct evidence_dir *peer)
{
	const struct pkt_ref *a = &w->obs.pkt, *b = &w->obs.u.conflict.other;
	uint32_t first = a->seq + a->len, second = b->seq + b->len;

	if (a->ordinal == 0)
		return USED_UNKNOWN;
	if (pkt->ack == first && seq_diff(second, first) > 0)
		return USED_FIRST_END;
	if (pkt->ack == second && seq_diff(first, second) > 0)
		return USED_SECOND_END;
	/* Only what begins where the receiver was is echoed for certain. */
	if ((pkt->flags & PKT_TS) != 0 && w->ts[0] != 0 && w->ts[1] != 0 &&
	    w->ts[0] != w->ts[1] && pkt->tsecr == w->ts[0] &&
	    (peer->flags & EVD_ACKED) != 0 && seq_diff(a->seq, peer->ack) <= 0)
		return USED_FIRST_ECHO;
	return USED_UNKNOWN;
}

void
evidence_used(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct conflict_wait *w = find_wait(c, ev, !view->dir);
	struct obs_conflict *r;

	if (w == NULL || seq_diff(pkt->ack, w->obs.u.conflict.seq) <= 0 ||
	    seq_diff(pkt->ack, ev->d[!view->dir].next) > 0)
		return;
	r = &w->obs.u.conflict;
	if (is_reported_twice(&w->obs, pkt))
		r->used_by = USED_FIRST_DUP;
	else if (w->acks == 0)
		r->used_by = (uint8_t)told_by_ack(w, pkt, &ev->d[view->dir]);
	w->acks++;
	if (r->used_by != USED_UNKNOWN || w->acks == ACKS_HEARD)
		settle(c, w, pkt->time);
}
