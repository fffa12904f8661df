/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A reset arrives: is it of this connection, would its receiver obey it, what
 * about it does not fit its sender, what speaks for a lawful one, and how does
 * it differ from those just before (C2-C4, C7, C14). TTL, IP id and a number
 * that nobody asked for are noted as signs; the detector wants more than one.
 */
#include "sensor/evidence.h"

#include <string.h>

#include "sensor/evidence_private.h"

#define STALE_AHEAD (1 << 20) /* beyond the window: an older connection's */
#define BEFORE_ISN 1024 /* a guess may fall short of the first number */
#define ID_NEAR 1024 /* IP ids that a counter may have moved on */
#define ID_LATE 64 /* or lag behind */
#define ID_FEW 3 /* packets before a habit is one */
#define TTL_FEW 2

/* In SYN-SENT the acknowledgement counts, not the number (RFC 9293 3.10.7.3). */
static enum rst_place
place_for_syn(const struct evidence_dir *peer, const struct packet *pkt)
{
	if ((peer->flags & EVD_SYN) == 0)
		return RST_AT_UNKNOWN;
	if ((pkt->tcp_flags & TCP_ACK) != 0 &&
	    seq_diff(pkt->ack, evidence_rest(peer)->isn) > 0 &&
	    seq_diff(pkt->ack, peer->next) <= 0)
		return RST_AT_SYN;
	return RST_AT_SYN_OTHER;
}

static enum rst_place
place_of_next(const struct evidence_dir *d, const struct evidence_dir *peer)
{
	bool closed = (d->flags & peer->flags & EVD_FIN) != 0;

	if (closed && (d->flags & peer->flags & EVD_ACKED) != 0 &&
	    seq_diff(d->ack, peer->next) >= 0 &&
	    seq_diff(peer->ack, d->next) >= 0)
		return RST_AT_OVER;
	return RST_AT_NEXT;
}

static enum rst_place
place_below(const struct evidence_dir *d, const struct evidence_dir *peer,
    uint32_t next, int64_t off)
{
	if ((peer->flags & EVD_ACKED) == 0 ||
	    off >= -(int64_t)seq_diff(next, peer->ack))
		return RST_AT_SENT;
	if (off == -1 && (d->flags & EVD_FIN) != 0)
		return RST_AT_FIN;
	return RST_AT_OUTSIDE;
}

static enum rst_place
place_above(
    const struct evidence_dir *d, const struct evidence_dir *peer, uint32_t seq)
{
	if ((peer->flags & EVD_ACKED) == 0)
		return RST_AT_UNKNOWN;
	if (seq_diff(seq, peer->edge) >= 0)
		return RST_AT_OUTSIDE;
	if ((d->flags & (EVD_SYN | EVD_ACKED)) == EVD_SYN)
		return RST_AT_SYN_RECEIVED;
	return RST_AT_WINDOW;
}

/* What the receiver has is taken to be all that was sent, also where it has
 * not said so yet: the reset came later on the same path. */
static enum rst_place
rst_place(const struct evidence_dir *d, const struct evidence_dir *peer,
    const struct packet *pkt, int32_t *off)
{
	bool seen = (d->flags & EVD_SEEN) != 0;
	bool acked = (peer->flags & EVD_ACKED) != 0;
	uint32_t next = d->next;

	*off = 0;
	if (!seen && !acked)
		return place_for_syn(peer, pkt);
	if (!seen || (acked && seq_diff(peer->ack, next) > 0))
		next = peer->ack; /* the tap missed some of it */
	*off = seq_diff(pkt->seq, next);
	if (*off == 0)
		return place_of_next(d, peer);
	return *off < 0 ? place_below(d, peer, next, *off)
			: place_above(d, peer, pkt->seq);
}

/* Do any receivers end the connection? Where nothing is known, yes. */
static bool
is_obeyed(enum rst_place place)
{
	return place != RST_AT_OUTSIDE && place != RST_AT_SYN_OTHER &&
	       place != RST_AT_FIN;
}

static void
note_place(struct rst_group *g, const struct packet *pkt)
{
	int32_t off;
	enum rst_place place =
	    rst_place(&g->ev->d[g->dir], &g->ev->d[!g->dir], pkt, &off);

	g->in_window |= is_obeyed(place);
	if (g->count > 1 && place <= g->place)
		return;
	g->place = (uint8_t)place;
	g->place_off = off;
}

/* A number that is none of this connection's: left over from an older one on
 * the same ports, or an answer to one (RFC 9293 3.5.1, half-open recovery). */
static bool
is_stale(const struct evidence_dir *d, const struct evidence_dir *peer,
    const struct packet *pkt)
{
	uint32_t limit = d->next;

	if ((d->flags & EVD_SEEN) == 0) {
		if ((peer->flags & EVD_SEEN) == 0)
			return true;
		return (pkt->tcp_flags & TCP_ACK) != 0 &&
		       pkt->ack != peer->next &&
		       pkt->ack != evidence_rest(peer)->isn + 1 &&
		       pkt->ack != evidence_rest(peer)->isn;
	}
	if ((peer->flags & EVD_ACKED) != 0 && seq_diff(peer->edge, limit) > 0)
		limit = peer->edge;
	return seq_diff(pkt->seq, evidence_rest(d)->isn) < -BEFORE_ISN ||
	       seq_diff(pkt->seq, limit) > STALE_AHEAD;
}

/* Not 0, as Linux sends, and far from where the counter of this host stands,
 * or not 0 where all others are. Hosts with random ids give no sign. */
static bool
id_is_odd(const struct evidence_dir *d, const struct packet *pkt)
{
	int16_t off = (int16_t)(pkt->ip_id - d->ip_id);
	int counted = d->seen - evidence_rest(d)->id_zero;

	if ((pkt->flags & PKT_V6) != 0 || pkt->ip_id == 0 || d->seen < ID_FEW)
		return false;
	if (counted == 0)
		return true;
	if (counted < ID_FEW || d->id_step * 8 < (counted - 1) * 7)
		return false;
	return off < -ID_LATE || off > ID_NEAR;
}

/* Nobody acknowledged this number, so it answers no segment. Only said where
 * we would have seen the acknowledgement. */
static bool
is_unasked(
    const struct evidence_dir *d, const struct evidence_dir *peer, uint32_t seq)
{
	return (d->flags & EVD_SYN) != 0 && (peer->flags & EVD_SYN) != 0 &&
	       (peer->flags & EVD_ACKED) != 0 &&
	       !evidence_acked_number(peer, seq);
}

static uint32_t
rst_signs(const struct evidence_dir *d, const struct evidence_dir *peer,
    const struct packet *pkt)
{
	uint32_t signs = 0;

	if (d->seen >= TTL_FEW && pkt->ttl != d->ttl &&
	    pkt->ttl != evidence_rest(d)->ttl_alt)
		signs |= RST_TTL;
	if ((pkt->tcp_flags & TCP_ACK) == 0 && is_unasked(d, peer, pkt->seq) &&
	    pkt->seq != d->next + 1) /* a FIN that the tap missed? */
		signs |= RST_UNASKED;
	if (id_is_odd(d, pkt))
		signs |= RST_IP_ID;
	return signs;
}

/* The connection was idle before the segment that this reset answers, or one
 * side has gone: what stands between them forgets such connections. */
static bool
is_silent(const struct evidence_flow *ev, int64_t now)
{
	for (int i = 0; i < 2; i++)
		if ((ev->d[i].flags & EVD_SEEN) != 0 && now > ev->d[i].last &&
		    (uint64_t)now - (uint64_t)ev->d[i].last > EVIDENCE_IDLE)
			return true;
	return false;
}

static uint32_t
rst_circumstances(const struct rst_group *g, const struct packet *pkt,
    const struct evidence_view *view)
{
	const struct evidence_dir *d = &g->ev->d[view->dir];
	const struct evidence_dir *peer = &g->ev->d[!view->dir];
	uint32_t tests = 0;

	if (((d->flags | peer->flags) & EVD_FIN) != 0)
		tests |= RST_AFTER_FIN;
	if (view->quit)
		tests |= RST_AFTER_QUIT;
	if (g->idle > EVIDENCE_IDLE)
		tests |= RST_IDLE;
	if (is_silent(g->ev, pkt->time))
		tests |= RST_SILENT;
	if ((peer->flags & EVD_SEEN) != 0 && (d->flags & EVD_ACKED) != 0 &&
	    seq_diff(peer->next, d->ack) > 0)
		tests |= RST_CROSSED;
	if (g->syn)
		return tests;
	if ((pkt->tcp_flags & TCP_ACK) == 0 && !is_unasked(d, peer, pkt->seq))
		tests |= RST_ANSWERS_ACK;
	if (pkt->seq == d->next)
		tests |= RST_EXACT;
	else if (seq_diff(pkt->seq, d->next) < 0 &&
		 seq_diff(pkt->seq, evidence_rest(d)->isn) > 0 &&
		 (tests & RST_ANSWERS_ACK) == 0)
		tests |= RST_BEHIND_DATA;
	return tests;
}

static bool
same_shape(const struct pkt_ref *a, const struct packet *b)
{
	return ((a->tcp_flags ^ b->tcp_flags) & TCP_ACK) == 0;
}

/* C3 and C4: no host changes its mind about the number upwards, beyond all
 * that was sent or acknowledged, nor acknowledges what was never sent. One
 * further than all that was seen may be behind a FIN that the tap missed, and
 * its acknowledgement with it: answers to two late segments. */
static uint32_t
rst_changes(const struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *d = &g->ev->d[g->dir];
	const struct evidence_dir *peer = &g->ev->d[!g->dir];
	uint32_t top = d->next, tests = 0;
	int32_t fin = (pkt->tcp_flags & TCP_ACK) == 0;

	if (g->syn || (g->tests & RST_AFTER_FIN) != 0 ||
	    !same_shape(&g->first, pkt))
		return 0;
	if ((peer->flags & EVD_ACKED) != 0 && seq_diff(peer->ack, top) > 0)
		top = peer->ack;
	if (seq_diff(pkt->seq, g->first.seq) > 0 &&
	    seq_diff(pkt->seq, top) > fin)
		tests |= RST_SEQ_CHANGE;
	if ((pkt->tcp_flags & TCP_ACK) != 0 && pkt->ack != g->first.ack &&
	    g->peer_known && seq_diff(pkt->ack, peer->next) > 0)
		tests |= RST_ACK_CHANGE;
	return tests;
}

static void
note_number(struct rst_group *g, uint32_t number)
{
	for (unsigned i = 0; i < g->nnumbers; i++)
		if (g->numbers[i] == number)
			return;
	if (g->nnumbers < GROUP_NUMBERS)
		g->numbers[g->nnumbers++] = number;
	if (g->nnumbers >= 3)
		g->tests |= RST_TRAIN;
}

/* C7. tcpkill: nothing but RST, ack and window 0, DF clear, numbers +0, +w,
 * +3w with w the window it saw. libnids: its own constants. RAE: copies from
 * the SYN. Reject rules of an IPS: RST and ACK, IP id 0, its own TTL. */
static uint8_t
rst_tool(const struct rst_group *g, const struct packet *pkt, uint32_t signs)
{
	const struct evidence_dir *peer = &g->ev->d[!g->dir];
	int32_t step = seq_diff(pkt->seq, g->last.seq);
	bool bare = (pkt->tcp_flags & TCP_ACK) == 0;

	if (pkt->ip_id == 12345 && pkt->window == 32000)
		return TOOL_LIBNIDS_KILL;
	if (g->syn && !bare && pkt->ack == evidence_rest(peer)->isn &&
	    pkt->window != 0 && pkt->ip_id != 0 && pkt->ip_id == peer->ip_id)
		return TOOL_RAE;
	if (!bare && (pkt->flags & PKT_V6) == 0 && pkt->ip_id == 0 &&
	    (signs & RST_TTL) != 0)
		return TOOL_IPS_REJECT;
	if (!bare || pkt->ack != 0 || pkt->window != 0 || step <= 0)
		return TOOL_NONE;
	if ((pkt->flags & PKT_IP_DF) == 0 && pkt->ttl <= 64 &&
	    (step == 2 * g->step || step == peer->raw_window))
		return TOOL_TCPKILL;
	if ((signs & RST_UNASKED) != 0 && (step == 1460 || step == 4380))
		return TOOL_TRAIN_1460;
	return TOOL_NONE;
}

static unsigned
count_bits(uint32_t v)
{
	return (unsigned)__builtin_popcount(v);
}

/* An abort by the sender itself, at the end of what it had sent: its reset
 * without ACK answered a late segment, and both had been overtaken. */
static void
explain_by_abort(struct rst_group *g, const struct packet *pkt, uint32_t signs)
{
	if (!evidence_answers(g) || (pkt->tcp_flags & TCP_ACK) == 0 ||
	    pkt->seq != g->ev->d[g->dir].next || (g->signs | signs) != 0)
		return;
	if ((g->tests & RST_DATA_AFTER) != 0)
		g->tests |= RST_CROSSED;
	g->tests &= ~(uint32_t)RST_DATA_AFTER;
}

/* A challenge was answered by a reset of the exact number: the first was no
 * guess, and what came after it was only overtaken. */
static void
explain_by_challenge(
    struct rst_group *g, const struct packet *pkt, uint32_t signs)
{
	if (g->count > 1 && signs == 0 && pkt->seq == g->ev->d[g->dir].next &&
	    (g->tests & (RST_BLIND | RST_DATA_AFTER | RST_ALIVE)) == RST_BLIND)
		g->tests &= ~(uint32_t)RST_BLIND;
}

static void
note_mac(struct rst_group *g, const struct packet *pkt)
{
	g->has_mac = (pkt->flags & PKT_HAS_MAC) != 0 && pkt->mac != NULL;
	if (g->has_mac)
		memcpy(g->mac, pkt->mac + 6, sizeof(g->mac));
	g->odd_mac = evidence_odd_mac(&g->ev->d[g->dir], pkt);
}

static void
group_add(struct rst_group *g, const struct packet *pkt,
    const struct evidence_view *view)
{
	const struct evidence_dir *d = &g->ev->d[view->dir];
	const struct evidence_dir *peer = &g->ev->d[!view->dir];
	uint32_t signs = rst_signs(d, peer, pkt), changes;
	struct pkt_ref ref;

	evidence_ref(&ref, pkt, view->dir);
	g->count++;
	note_place(g, pkt);
	if (g->count == 1)
		g->tests |= rst_circumstances(g, pkt, view);
	changes = g->count > 1 ? rst_changes(g, pkt) : 0;
	if (changes != 0 && (g->tests & changes) == 0)
		g->proof = ref;
	g->tests |= changes;
	if (is_unasked(d, peer, pkt->seq) && pkt->seq != d->next)
		note_number(g, pkt->seq);
	if (((g->signs & RST_TTL) != 0 && pkt->ttl == d->ttl) ||
	    ((signs & RST_TTL) != 0 && g->count > 1 && g->first.ttl == d->ttl))
		g->tests |= RST_OLD_TTL;
	if (g->tool == TOOL_NONE)
		g->tool = rst_tool(g, pkt, signs);
	if (g->count == 1 || count_bits(signs) > count_bits(g->signs)) {
		g->wrong = ref;
		g->signs = signs;
		note_mac(g, pkt);
	}
	explain_by_abort(g, pkt, signs);
	explain_by_challenge(g, pkt, signs);
	g->step = g->count > 1 ? seq_diff(pkt->seq, g->last.seq) : 0;
	g->last = ref;
}

/* The same reset again: a mirrored frame, or a host that repeats itself. */
static bool
is_same_rst(const struct pkt_ref *a, const struct packet *b)
{
	return a->seq == b->seq && a->ack == b->ack && a->ip_id == b->ip_id &&
	       a->ttl == b->ttl && a->tcp_flags == b->tcp_flags &&
	       a->window == b->window;
}

unsigned
evidence_rst(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct evidence_dir *d = &ev->d[view->dir];
	struct rst_group *g;

	if (is_stale(d, &ev->d[!view->dir], pkt)) {
		c->n.rst_stale++;
		return EVID_RST | EVID_LIVES;
	}
	d->flags |= EVD_RST;
	if (d->group == 0) {
		g = evidence_group_new(c, ev, pkt, view);
		group_add(g, pkt, view);
		return EVID_RST;
	}
	g = &c->groups[d->group - 1];
	if (g->told) /* settled: only the count goes on */
		return EVID_RST;
	if (is_same_rst(&g->last, pkt)) {
		c->n.dup_frames++;
		return EVID_RST | EVID_DUP;
	}
	group_add(g, pkt, view);
	return EVID_RST;
}
