/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Resets: grouped by sender for two seconds of packet time, and held against
 * what the sender does next. A host that has sent a reset is dead to this
 * connection: it neither sends new data nor acknowledges data that came later.
 * Whoever does has not sent the reset (Weaver, Sommer, Paxson, NDSS 2009).
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
 * Everything else (TTL, IP id, a number that nobody asked for) is noted as a
 * sign; the detector wants more than one.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/evidence.h"
#include "sensor/evidence_private.h"

#define PROOF (RST_DATA_AFTER | RST_ALIVE | RST_SYN_RACE)
#define SIGNS (RST_TTL | RST_UNASKED | RST_IP_ID)
#define STALE_AHEAD (1 << 20) /* beyond the window: an older connection's */
#define ID_NEAR 1024 /* IP ids that a counter may have moved on */
#define ID_LATE 64 /* or lag behind */
#define ID_FEW 3 /* packets before a habit is one */
#define BEFORE_ISN 1024 /* a guess may fall short of the first number */
#define TTL_FEW 2
#define SENT_AGAIN 150000000LL /* ns: no path delays, so it was sent anew */

int
evidence_rst_init(struct evidence_ctx *c)
{
	c->groups = calloc(EVIDENCE_GROUPS, sizeof(*c->groups));
	if (c->groups == NULL)
		return -1;
	for (uint32_t i = EVIDENCE_GROUPS; i > 0; i--) {
		c->groups[i - 1].newer = c->free_group;
		c->free_group = i;
	}
	return 0;
}

static struct evidence_dir *
group_dir(const struct rst_group *g)
{
	return &g->ev->d[g->dir];
}

/* ---- settling ---- */

static void
group_free(struct evidence_ctx *c, struct rst_group *g)
{
	uint32_t i = (uint32_t)(g - c->groups) + 1;

	if (g->older != 0)
		c->groups[g->older - 1].newer = g->newer;
	else
		c->oldest = g->newer;
	if (g->newer != 0)
		c->groups[g->newer - 1].older = g->older;
	else
		c->newest = g->older;
	group_dir(g)->group = 0;
	g->newer = c->free_group;
	c->free_group = i;
}

/* A hole in what we saw, filled exactly up to the reset's number: then it was
 * no guess, and the number was the next one. */
static void
forget_filled_hole(struct rst_group *g)
{
	if ((g->tests & (RST_BLIND | RST_ALIVE)) == RST_BLIND &&
	    group_dir(g)->next == g->first.seq)
		g->tests &= ~(uint32_t)RST_BLIND;
}

static void
group_tell(struct evidence_ctx *c, struct rst_group *g, int64_t time)
{
	struct evidence_dir *d = group_dir(g);
	struct obs o;

	g->told = true;
	if (d->told_rsts == EVIDENCE_TOLD) {
		c->n.rst_untold++;
		return;
	}
	d->told_rsts++;
	forget_filled_hole(g);
	obs_init(&o, OBS_RST);
	o.dir = g->dir;
	o.phase = g->phase;
	o.time = time;
	o.pkt = g->wrong;
	o.u.rst.tests = g->tests | g->signs;
	o.u.rst.count = g->count;
	o.u.rst.seq_off = g->syn ? 0 : seq_diff(g->first.seq, g->next);
	o.u.rst.tool = g->tool;
	o.u.rst.ttl_base = g->ttl_base;
	o.u.rst.ttl_rst = g->wrong.ttl;
	o.u.rst.first_phase = g->phase;
	o.u.rst.data_after = g->data_after;
	o.u.rst.idle = g->idle;
	o.u.rst.next = g->proof;
	c->sink.emit(c->sink.user, g->ev->slot, &o);
}

static unsigned
verdict(const struct rst_group *g)
{
	if ((g->tests & (PROOF | RST_BLIND)) != 0 || !g->in_window)
		return EVID_LIVES;
	return EVID_DEAD;
}

/* By time: told now if it was not before; the tracker hears the verdict. */
static void
group_settle(struct evidence_ctx *c, struct rst_group *g, int64_t time)
{
	uint32_t slot = g->ev->slot;
	bool told = g->told;
	unsigned hints;

	if (!told)
		group_tell(c, g, time);
	hints = verdict(g);
	group_free(c, g);
	if (!told && c->sink.settled != NULL)
		c->sink.settled(c->sink.user, slot, hints);
}

void
evidence_tick(struct evidence_ctx *c, int64_t now)
{
	while (c->oldest != 0) {
		struct rst_group *g = &c->groups[c->oldest - 1];

		if (g->deadline > now)
			return;
		group_settle(c, g, g->deadline);
	}
}

int64_t
evidence_deadline(const struct evidence_ctx *c)
{
	return c->oldest == 0 ? INT64_MAX : c->groups[c->oldest - 1].deadline;
}

void
evidence_rst_end(struct evidence_ctx *c, struct evidence_dir *d, int64_t now)
{
	struct rst_group *g;

	if (d->group == 0)
		return;
	g = &c->groups[d->group - 1];
	if (!g->told)
		group_tell(c, g, now < g->deadline ? now : g->deadline);
	group_free(c, g);
}

/* ---- a reset arrives ---- */

/* The receiver obeys it: the exact number (RFC 5961) or, with older stacks,
 * any in the window; in SYN-SENT one that acknowledges the SYN. */
static bool
is_obeyed(const struct evidence_dir *d, const struct evidence_dir *peer,
    const struct packet *pkt)
{
	if ((d->flags & EVD_SEEN) == 0)
		return (pkt->tcp_flags & TCP_ACK) != 0 &&
		       pkt->ack == peer->next;
	if (pkt->seq == d->next || (peer->flags & EVD_ACKED) == 0)
		return true;
	return seq_diff(pkt->seq, peer->ack) >= 0 &&
	       seq_diff(pkt->seq, peer->edge) < 0;
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
		       pkt->ack != peer->next && pkt->ack != peer->isn + 1 &&
		       pkt->ack != peer->isn;
	}
	if ((peer->flags & EVD_ACKED) != 0 && seq_diff(peer->edge, limit) > 0)
		limit = peer->edge;
	return seq_diff(pkt->seq, d->isn) < -BEFORE_ISN ||
	       seq_diff(pkt->seq, limit) > STALE_AHEAD;
}

/* Not 0, as Linux sends, and far from where the counter of this host stands,
 * or not 0 where all others are. Hosts with random ids give no sign. */
static bool
id_is_odd(const struct evidence_dir *d, const struct packet *pkt)
{
	int16_t off = (int16_t)(pkt->ip_id - d->ip_id);
	int counted = d->seen - d->id_zero;

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

	if (d->seen >= TTL_FEW && pkt->ttl != d->ttl && pkt->ttl != d->ttl_alt)
		signs |= RST_TTL;
	if ((pkt->tcp_flags & TCP_ACK) == 0 && is_unasked(d, peer, pkt->seq))
		signs |= RST_UNASKED;
	if (id_is_odd(d, pkt))
		signs |= RST_IP_ID;
	return signs;
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
		 seq_diff(pkt->seq, d->isn) > 0 &&
		 (tests & RST_ANSWERS_ACK) == 0)
		tests |= RST_BEHIND_DATA;
	return tests;
}

static struct rst_group *
group_new(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	const struct evidence_dir *peer = &ev->d[!view->dir];
	struct evidence_dir *d = &ev->d[view->dir];
	struct rst_group *g;
	uint32_t i;

	if (c->free_group == 0) {
		c->n.rst_forced++;
		g = &c->groups[c->oldest - 1];
		if (!g->told)
			group_tell(c, g, pkt->time);
		group_free(c, g);
	}
	i = c->free_group;
	g = &c->groups[i - 1];
	c->free_group = g->newer;
	memset(g, 0, sizeof(*g));
	g->older = c->newest;
	if (c->newest != 0)
		c->groups[c->newest - 1].newer = i;
	else
		c->oldest = i;
	c->newest = i;
	d->group = i;
	c->n.rst_groups++;

	g->ev = ev;
	g->dir = view->dir;
	g->phase = view->phase;
	g->deadline = pkt->time + EVIDENCE_RST_WAIT;
	g->idle = ev->last == 0 ? 0 : pkt->time - ev->last;
	g->syn = (d->flags & EVD_SEEN) == 0;
	g->next = d->next;
	g->acked = d->ack;
	g->ttl_base = d->ttl;
	g->peer_known = (peer->flags & EVD_SEEN) != 0;
	g->peer_next = peer->next;
	g->shaky = ((d->flags | peer->flags) & EVD_DISORDER) != 0 ||
		   (peer->flags & EVD_RST) != 0;
	evidence_ref(&g->first, pkt, view);
	g->wrong = g->last = g->first;
	return g;
}

static bool
same_shape(const struct pkt_ref *a, const struct packet *b)
{
	return ((a->tcp_flags ^ b->tcp_flags) & TCP_ACK) == 0;
}

/* C3 and C4: no host changes its mind about the number upwards, beyond all
 * that was sent or acknowledged, nor acknowledges what was never sent. */
static uint32_t
rst_changes(const struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *d = &g->ev->d[g->dir];
	const struct evidence_dir *peer = &g->ev->d[!g->dir];
	uint32_t top = d->next, tests = 0;

	if (g->syn || (g->tests & RST_AFTER_FIN) != 0 ||
	    !same_shape(&g->first, pkt))
		return 0;
	if ((peer->flags & EVD_ACKED) != 0 && seq_diff(peer->ack, top) > 0)
		top = peer->ack;
	if (seq_diff(pkt->seq, g->first.seq) > 0 && seq_diff(pkt->seq, top) > 0)
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
	if (g->syn && !bare && pkt->ack == peer->isn && pkt->window != 0 &&
	    pkt->ip_id != 0 && pkt->ip_id == peer->ip_id)
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

static bool
answers_segment(const struct rst_group *g)
{
	return (g->first.tcp_flags & TCP_ACK) == 0 &&
	       (g->tests & RST_ANSWERS_ACK) != 0;
}

/* An abort by the sender itself, at the end of what it had sent: its reset
 * without ACK answered a late segment, and both had been overtaken. */
static void
explain_by_abort(struct rst_group *g, const struct packet *pkt, uint32_t signs)
{
	if (!answers_segment(g) || (pkt->tcp_flags & TCP_ACK) == 0 ||
	    pkt->seq != group_dir(g)->next || (g->signs | signs) != 0)
		return;
	if ((g->tests & RST_DATA_AFTER) != 0)
		g->tests |= RST_CROSSED;
	g->tests &= ~(uint32_t)RST_DATA_AFTER;
}

static void
group_add(struct rst_group *g, const struct packet *pkt,
    const struct evidence_view *view)
{
	const struct evidence_dir *d = &g->ev->d[view->dir];
	const struct evidence_dir *peer = &g->ev->d[!view->dir];
	uint32_t signs = rst_signs(d, peer, pkt), changes;
	struct pkt_ref ref;

	evidence_ref(&ref, pkt, view);
	g->count++;
	g->in_window |= is_obeyed(d, peer, pkt);
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
	}
	explain_by_abort(g, pkt, signs);
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
		g = group_new(c, ev, pkt, view);
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

/* ---- what the sender does next ---- */

/* C5: the SYN that was answered by a reset is answered by the server after
 * all. A SYN that was repeated may have met a server just started. */
static uint32_t
after_syn(struct rst_group *g, const struct packet *pkt)
{
	const struct evidence_dir *peer = &g->ev->d[!g->dir];

	if ((pkt->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK) ||
	    (peer->flags & EVD_SYN) == 0 || seq_diff(pkt->ack, peer->isn) <= 0)
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
	if (!answers_segment(g))
		return true;
	return !g->shaky && g->peer_known && (pkt->tcp_flags & TCP_ACK) != 0 &&
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
		return RST_CROSSED;
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
	       pkt->seq == d->isn + 1;
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
	alive = g->peer_known ? seq_diff(pkt->ack, g->peer_next) > 0
			      : (peer->flags & EVD_SYN) != 0 &&
				    seq_diff(pkt->ack, peer->isn) > 0;
	if (alive || completes_handshake(g, pkt)) {
		tests |= RST_ALIVE;
		if ((g->tests & (RST_EXACT | RST_ANSWERS_ACK)) == 0)
			tests |= RST_BLIND;
	}
	if ((d->flags & EVD_ACKED) != 0 && seq_diff(pkt->ack, g->acked) > 0 &&
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

unsigned
evidence_rst_after(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct rst_group *g = &c->groups[ev->d[view->dir].group - 1];
	uint32_t tests;

	if (g->told)
		return 0;
	if (g->syn)
		tests = after_syn(g, pkt);
	else
		tests = after_data(g, pkt) | after_ack(g, pkt) |
			after_while(g, pkt);
	if ((tests & ~g->tests & ~(uint32_t)RST_CROSSED) != 0)
		evidence_ref(&g->proof, pkt, view);
	g->tests |= tests;
	if ((tests & PROOF) == 0)
		return 0;
	/* what could still be explained waits for the explanation */
	if ((tests & PROOF) != RST_DATA_AFTER || !answers_segment(g))
		group_tell(c, g, pkt->time);
	return EVID_LIVES;
}
