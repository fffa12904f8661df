/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The state of the two directions, packet by packet, and the order in which
 * the other parts look at a packet: the reset that waits is held against it
 * before the sender's state takes it in, overlaps likewise.
 *
 * Numbers are believed with care: a segment far outside what its receiver
 * allows does not move `next`, so that one forged segment cannot make all
 * honest ones look old (RFC 9293 3.10.7.4, the acceptability test).
 */
#include "sensor/evidence.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/evidence_next.h"

#define MIDSTREAM_WSCALE 8 /* assumed where the handshake was not seen */
#define TTL_MOVED 4 /* in a row with another TTL: the route changed */
#define SYN_AGAIN 100000000LL /* ns: sooner it is a copy */
#define COPY_TIME 1000000LL /* ns */
#define FEW_GOOD 3 /* right checksums before a wrong one is doubted */

/* For evidence_ref(). */
#define SAME_PLACE(field)                                                      \
	static_assert(                                                         \
	    offsetof(struct packet, field) == offsetof(struct pkt_ref, field), \
	    "")
#define SAME_HEADER(field, of)                                            \
	static_assert(                                                    \
	    offsetof(struct packet, of) - offsetof(struct packet, seq) == \
		offsetof(struct pkt_ref, field) -                         \
		    offsetof(struct pkt_ref, seq),                        \
	    "")
SAME_PLACE(time);
SAME_PLACE(ordinal);
SAME_PLACE(file);
SAME_PLACE(frame_no);
SAME_HEADER(ack, ack);
SAME_HEADER(len, wire_len);
SAME_HEADER(window, window);
SAME_HEADER(ip_id, ip_id);
SAME_HEADER(ttl, ttl);
SAME_HEADER(tcp_flags, tcp_flags);

/* May say yes to a number that was never acknowledged (about one in ten on a
 * busy flow): the silent side. */
bool
evidence_acked_number(const struct evidence_dir *d, uint32_t number)
{
	const struct evidence_rest *e = evidence_rest(d);
	struct ev_filter_bits b = ev_filter_bits(number);

	return ev_filter_has(e->acks[0], b) || ev_filter_has(e->acks[1], b);
}

/* Wrong where this sender's checksums are otherwise right. Where a network
 * card would have filled them in, all are wrong, save those of resets that the
 * host's kernel made without a socket: so what carries no data is no measure
 * for what does, but a single right one is for a reset. */
static bool
checksum_doubt(struct evidence_dir *d, const struct packet *pkt)
{
	bool measure = (pkt->tcp_flags & TCP_RST) == 0 &&
		       (pkt->wire_len > 0 || (pkt->tcp_flags & TCP_SYN) != 0);
	bool doubt;

	if ((pkt->flags & PKT_CSUM_CHECKED) == 0)
		return false;
	if ((pkt->flags & PKT_BAD_TCP_CSUM) == 0) {
		if (measure)
			ev_count(&d->csum_good);
		return false;
	}
	doubt = d->csum_good > 2 * evidence_rest(d)->csum_bad &&
		(pkt->wire_len == 0 || d->csum_good >= FEW_GOOD);
	if (measure)
		ev_count(&evidence_rest(d)->csum_bad);
	return doubt;
}

bool
evidence_sums_unfit(const struct evidence_dir *d)
{
	return d->csum_good < 2 * evidence_rest(d)->csum_bad;
}

static void
note_ttl(struct evidence_dir *d, uint8_t ttl)
{
	struct evidence_rest *e;

	if (d->seen == 0)
		d->ttl = ttl;
	if (ttl == d->ttl) {
		d->ttl_alt_n = 0;
		return;
	}
	e = evidence_rest(d);
	d->ttl_alt_n = ttl == e->ttl_alt ? d->ttl_alt_n + 1 : 1;
	e->ttl_alt = ttl;
	if (d->ttl_alt_n < TTL_MOVED)
		return;
	e->ttl_alt = d->ttl;
	d->ttl = ttl;
	d->ttl_alt_n = 0;
}

static void
note_syn(struct evidence_dir *d, struct evidence_dir *peer,
    const struct packet *pkt, bool dup)
{
	struct evidence_rest *e = evidence_rest(d);

	if ((d->flags & EVD_SYN) != 0 && e->isn == pkt->seq && !dup &&
	    (pkt->time - e->mark.time >= SYN_AGAIN ||
		(peer->flags & EVD_RST) != 0))
		d->flags |= EVD_SYN_AGAIN;
	e->isn = pkt->seq;
	if ((d->flags & EVD_SYN) == 0)
		d->wscale = 0;
	d->flags |= EVD_SYN;
	if ((pkt->flags & PKT_WSCALE) != 0) {
		d->flags |= EVD_WSCALE;
		d->wscale = pkt->wscale > 14 ? 14 : pkt->wscale & 15;
	}
	if ((peer->flags & EVD_SYN) != 0 &&
	    ((d->flags & peer->flags) & EVD_WSCALE) == 0) {
		d->flags |= EVD_UNSCALED;
		peer->flags |= EVD_UNSCALED;
	}
	if ((d->flags & EVD_UNSCALED) != 0)
		d->wscale = peer->wscale = 0;
}

/* Could the receiver take bytes up to `end`? */
bool
evidence_is_near(
    const struct evidence_dir *d, const struct evidence_dir *peer, uint32_t end)
{
	uint32_t limit = d->next;

	if ((d->flags & EVD_SEEN) == 0)
		return true;
	if ((peer->flags & EVD_ACKED) != 0 && seq_diff(peer->edge, limit) > 0)
		limit = peer->edge;
	return seq_diff(end, limit) <= FAR_AHEAD;
}

static void
note_numbers(struct evidence_dir *d, const struct evidence_dir *peer,
    const struct packet *pkt, bool dup)
{
	uint32_t end = pkt->seq + pkt->wire_len;

	if (pkt->wire_len > 0 && !dup && (d->flags & EVD_SEEN) != 0 &&
	    pkt->seq != d->next)
		d->flags |= EVD_DISORDER;
	if ((pkt->tcp_flags & TCP_SYN) != 0)
		end++;
	if ((pkt->tcp_flags & TCP_FIN) != 0) {
		if (evidence_is_near(d, peer, end))
			d->flags |= EVD_FIN;
		end++;
	}
	if ((d->flags & EVD_SEEN) == 0 && (d->flags & EVD_SYN) == 0)
		evidence_rest(d)->isn = pkt->seq - 1;
	if ((d->flags & EVD_SEEN) == 0 ||
	    (seq_diff(end, d->next) > 0 && evidence_is_near(d, peer, end)))
		d->next = end;
	d->flags |= EVD_SEEN;
}

/* Its headers are those of the last packet: the same frame, copied by a switch
 * that mirrors two ports. Some hosts give all their packets one IP id, so that
 * alone does not make a copy. Where there is none, a copy is what comes sooner
 * than a host would send it again. */
static bool
is_copy(const struct evidence_dir *d, const struct packet *pkt)
{
	if ((d->flags & EVD_SEEN) == 0)
		return false;
	if ((pkt->flags & PKT_V6) != 0)
		return (pkt->tcp_flags & TCP_SYN) == 0 &&
		       pkt->time - d->last < COPY_TIME;
	return pkt->ip_id != 0 && pkt->ip_id == d->ip_id;
}

static inline void
note_packet(struct evidence_flow *ev, const struct packet *pkt,
    const struct evidence_view *view, bool dup)
{
	struct evidence_dir *d = &ev->d[view->dir];
	struct evidence_dir *peer = &ev->d[!view->dir];

	if ((pkt->tcp_flags & TCP_SYN) != 0)
		note_syn(d, peer, pkt, dup);
	evidence_host(ev, pkt, view->dir);
	if ((pkt->tcp_flags & (TCP_SYN | TCP_FIN)) != 0)
		evidence_mark(d, pkt);
	note_ttl(d, pkt->ttl);
	ev_note_ip_id(d, pkt);
	note_numbers(d, peer, pkt, dup);
	d->ack_noted = 0;
	if ((pkt->tcp_flags & TCP_ACK) != 0)
		ev_note_ack(d, &ev->rest[view->dir], pkt,
		    (pkt->tcp_flags & TCP_SYN) != 0);
	d->raw_window = pkt->window;
	if (!dup) /* the habits of its IP ids are counted in packets */
		ev_count(&d->seen);
	d->last = pkt->time;
	ev->later = view->dir;
}

/* Once both have said their last: a busy sensor has many such flows. */
static void
release(struct evidence_ctx *c, struct evidence_flow *ev)
{
	for (int i = 0; i < 2; i++) {
		if (ev->d[i].window != NULL)
			evidence_return(c, ev->d[i].window);
		if (ev->d[i].ring != NULL)
			evidence_return(c, ev->d[i].ring);
	}
}

__attribute__((noinline)) unsigned
evidence_any_packet(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	struct evidence_dir *d = &ev->d[view->dir];
	const struct evidence_dir *peer = &ev->d[!view->dir];
	bool dup = ev_frame_mark(pkt) == d->last_mark && is_copy(d, pkt);
	bool doubt = checksum_doubt(d, pkt);
	unsigned hints = dup ? EVID_DUP : 0;

	if ((pkt->tcp_flags & TCP_RST) != 0) {
		c->n.rst++;
		if (!doubt)
			return evidence_rst(c, ev, pkt, view);
		c->n.rst_bad_csum++;
		return EVID_RST | EVID_DOUBT;
	}
	c->n.dup_frames += dup;
	if (pkt->len > 0 && evidence_overlap(c, ev, pkt, view, doubt))
		hints |= EVID_CONFLICT;
	if (doubt)
		return hints | EVID_DOUBT;
	if (d->asked && (pkt->tcp_flags & TCP_ACK) != 0)
		evidence_used(c, ev, pkt, view);
	if (d->group != 0)
		hints |= evidence_rst_after(c, ev, pkt, view);
	if (!dup)
		evidence_twice(c, ev, pkt, view);
	note_packet(ev, pkt, view, dup);
	d->last_mark = ev_frame_mark(pkt);
	if ((d->flags & peer->flags & EVD_FIN) != 0)
		release(c, ev);
	return hints;
}

/* After the sender's last, as it had said all that came before. */
static void
note_close(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, int dir)
{
	struct evidence_dir *d = &ev->d[dir];

	if ((pkt->tcp_flags & TCP_FIN) != 0) {
		evidence_mark(d, pkt);
		d->flags |= EVD_FIN;
		d->next++;
	}
	if ((d->flags & ev->d[!dir].flags & EVD_FIN) != 0)
		release(c, ev);
}

/* The first packet of a direction: there is nothing to hold it against. */
static inline bool
is_first_syn(const struct evidence_dir *d, const struct packet *pkt)
{
	return (pkt->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)) == TCP_SYN &&
	       d->flags == 0 && d->group == 0 && !d->asked &&
	       pkt->wire_len == 0 && (pkt->flags & PKT_BAD_TCP_CSUM) == 0;
}

bool
evidence_open(struct evidence_flow *ev, const struct packet *pkt, enum dir dir)
{
	struct evidence_dir *d = &ev->d[dir];
	struct evidence_rest *e = &ev->rest[dir];

	if (!is_first_syn(d, pkt))
		return false;
	if ((pkt->flags & PKT_CSUM_CHECKED) != 0)
		ev_count(&d->csum_good);
	note_syn(d, &ev->d[!dir], pkt, false);
	evidence_host(ev, pkt, dir);
	evidence_ref(&e->mark, pkt, dir);
	d->ttl = pkt->ttl;
	ev_note_ip_id(d, pkt);
	d->next = pkt->seq + 1;
	d->flags |= EVD_SEEN;
	if ((pkt->tcp_flags & TCP_ACK) != 0)
		ev_note_ack(d, e, pkt, true);
	d->raw_window = pkt->window;
	d->seen = 1;
	d->last = pkt->time;
	ev->later = (uint8_t)dir;
	d->last_mark = ev_frame_mark(pkt);
	return true;
}

__attribute__((noinline)) unsigned
evidence_packet(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, const struct evidence_view *view)
{
	const uint8_t flags = TCP_SYN | TCP_RST | TCP_ACK;

	if ((pkt->tcp_flags & flags) == TCP_ACK &&
	    evidence_follow(c, ev, pkt, view, true)) {
		note_close(c, ev, pkt, view->dir);
		return 0;
	}
	if (evidence_open(ev, pkt, (enum dir)view->dir))
		return 0;
	return evidence_any_packet(c, ev, pkt, view);
}

bool
evidence_close(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct packet *pkt, enum dir dir)
{
	const struct evidence_view view = {.dir = (uint8_t)dir};

	if (pkt->len > 0 || !evidence_follow(c, ev, pkt, &view, true))
		return false;
	note_close(c, ev, pkt, dir);
	return true;
}

/* Nothing of it is borrowed that may be needed yet. */
static bool
is_done(const struct evidence_dir *d, const struct evidence_dir *peer,
    int64_t silent)
{
	return (d->window == NULL &&
		   (d->ring == NULL || silent >= EVIDENCE_FORGET)) ||
	       ((peer->flags & EVD_ACKED) != 0 &&
		   seq_diff(d->next, peer->ack) <= 0);
}

bool
evidence_may_sleep(const struct evidence_flow *ev, bool keep, int64_t now)
{
	int64_t silent = now - evidence_last(ev);
	const struct evidence_dir *a = &ev->d[0], *b = &ev->d[1];

	return a->group == 0 && b->group == 0 && !a->asked && !b->asked &&
	       (keep || (is_done(a, b, silent) && is_done(b, a, silent)));
}

void
evidence_sleep(
    struct evidence_ctx *c, struct evidence_flow *ev, bool keep, int64_t now)
{
	bool late = now - evidence_last(ev) >= EVIDENCE_FORGET;

	if (!keep)
		release(c, ev);
	for (int i = 0; i < 2; i++) {
		struct evidence_dir *d = &ev->d[i];

		if (d->window != NULL)
			((struct ev_block *)d->window)->busy = true;
		if (d->ring != NULL)
			((struct ev_block *)d->ring)->busy = true;
		else
			evidence_ring_is_none(&ev->rest[i]);
		if (late)
			d->last_mark = 0;
	}
}

static void
own(struct ev_block *b, struct evidence_dir *d)
{
	if (b == NULL)
		return;
	b->owner = d;
	b->busy = false;
}

void
evidence_wake(struct evidence_flow *ev)
{
	for (int i = 0; i < 2; i++) {
		own((struct ev_block *)ev->d[i].window, &ev->d[i]);
		own((struct ev_block *)ev->d[i].ring, &ev->d[i]);
	}
}

struct evidence_ctx *
evidence_new(const struct evidence_sink *sink, unsigned workers)
{
	struct evidence_ctx *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->sink = *sink;
	c->pool_max = EVIDENCE_POOL_BYTES / (workers > 1 ? workers : 1);
	if (c->pool_max < EVIDENCE_POOL_LEAST)
		c->pool_max = EVIDENCE_POOL_LEAST;
	bulk_key_init(&c->key);
	if (evidence_used_init(c) == -1 || evidence_group_init(c) == -1 ||
	    evidence_pool_init(c) == -1) {
		evidence_free(c);
		return NULL;
	}
	return c;
}

void
evidence_free(struct evidence_ctx *c)
{
	if (c == NULL)
		return;
	evidence_pool_fini(c);
	free(c->waits);
	free(c->groups);
	free(c);
}

const struct evidence_counters *
evidence_counters(const struct evidence_ctx *c)
{
	return &c->n;
}

void
evidence_init(struct evidence_flow *ev, uint32_t slot)
{
	ev->d[0].wscale = ev->d[1].wscale = MIDSTREAM_WSCALE;
	ev->d[1].side = 1;
	ev->slot = slot;
}

void
evidence_opaque(struct evidence_ctx *c, struct evidence_flow *ev)
{
	evidence_return(c, ev->d[0].window);
	evidence_return(c, ev->d[1].window);
}

void
evidence_tick(struct evidence_ctx *c, int64_t now)
{
	for (;;) {
		int64_t reset = evidence_group_deadline(c);
		int64_t conflict = c->wait_deadline;

		if (reset > now && conflict > now)
			return;
		if (reset <= conflict && c->oldest != 0)
			evidence_group_settle(c);
		else if (conflict != INT64_MAX)
			evidence_used_settle(c);
		else
			return; /* now is the end of time, and nothing waits */
	}
}

uint64_t
evidence_settling(const struct evidence_ctx *c)
{
	return c->settling;
}

int64_t
evidence_deadline(const struct evidence_ctx *c)
{
	int64_t reset = evidence_group_deadline(c);

	return reset < c->wait_deadline ? reset : c->wait_deadline;
}

void
evidence_end(struct evidence_ctx *c, struct evidence_flow *ev, int64_t now)
{
	evidence_used_end(c, ev, now);
	evidence_group_end(c, &ev->d[0], now);
	evidence_group_end(c, &ev->d[1], now);
	release(c, ev);
}

void
evidence_use(const struct evidence_ctx *c, struct table_use *windows,
    struct table_use *resets)
{
	*windows = (struct table_use){.entries = c->lent,
	    .bytes = c->pool_used,
	    .max_bytes = c->pool_max};
	resets->entries = 0;
	for (uint32_t i = c->oldest; i != 0; i = c->groups[i - 1].newer)
		resets->entries++;
	for (unsigned i = 0; i < EVIDENCE_WAITS; i++)
		resets->entries += c->waits[i].ev != NULL;
	resets->max_entries = EVIDENCE_GROUPS + EVIDENCE_WAITS;
	resets->bytes = resets->max_bytes =
	    EVIDENCE_GROUPS * sizeof(*c->groups) +
	    EVIDENCE_WAITS * sizeof(*c->waits);
}
