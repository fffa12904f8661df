/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Payload of bodies and of TLS: of each segment its numbers and a keyed hash,
 * the last EVIDENCE_SEGMENTS of a direction. What is sent again is hashed over
 * the very bytes of each record it covers, so that whole records agree however
 * many of them a segment joins. Of a record that comes again in pieces, as a
 * joined frame does, the hash is made as they come, in order. Pieces that
 * begin in its middle cannot be compared: they are counted, never a conflict.
 *
 * Of bodies and handshakes each byte is hashed. Of application data, which
 * nobody without the keys can alter to any purpose, SAMPLE bytes a segment, at
 * a place that only the hash's key knows: another content differs everywhere.
 *
 * A difference is no conflict where one version was spoilt on the wire. Of the
 * second the checksum says so. Of the first only the sum over its header is
 * kept: if that fits the payload of the second, then its sender had sent
 * what the second holds. A hash does not say how much differs, so that any
 * wrong checksum is taken for an error on the wire, and the silent side.
 */
#include "sensor/evidence.h"

#include <assert.h>
#include <string.h>

#include "decoders/tcp_hdr.h"
#include "sensor/evidence_private.h"

#define HELD_MAX UINT16_MAX /* bytes of a segment that are hashed */
#define SAMPLE 128
#define CACHE_LINE 64

static_assert(
    sizeof(struct ev_ring) + EV_RING_FEW_SEGMENTS * sizeof(struct ev_record) <=
	    640 &&
	sizeof(struct ev_ring) + EVIDENCE_SEGMENTS * sizeof(struct ev_record) <=
	    2176,
    "EV_SIZES");

struct repeat { /* what a segment holds of a record */
	struct ev_record *r;
	const uint8_t *p;
	uint32_t off, len; /* from the record's first byte on */
};

static struct ev_ring *
ring_lend(struct evidence_ctx *c, struct evidence_dir *d, int64_t now)
{
	struct evidence_rest *e = evidence_rest(d);
	struct ev_ring *g = evidence_lend(c, d, EV_RING_FEW, now);

	c->n.windows += g != NULL;
	d->ring = g;
	e->ring_n = e->ring_at = e->ring_part = 0;
	return g;
}

/* A larger one in its place, where there is one. */
static __attribute__((noinline)) void
ring_grow(struct evidence_ctx *c, struct evidence_dir *d, int64_t now)
{
	struct evidence_rest *e = evidence_rest(d);
	struct ev_ring *old = d->ring, *g;

	old->block.busy = true;
	g = evidence_lend(c, d, EV_RING, now);
	old->block.busy = false;
	if (g == NULL)
		return;
	g->part = old->part;
	for (unsigned i = 0; i < e->ring_n; i++)
		g->records[i] = old->records[i];
	evidence_return(c, old);
	d->ring = g;
	e->ring_at = e->ring_n;
}

/* Number of the first byte that was hashed. */
static uint32_t
record_seq(const struct ev_record *r)
{
	return r->ref.seq + ((r->ref.tcp_flags & TCP_SYN) != 0) + r->off;
}

/* Returns false if the segment holds nothing of the record. */
static bool
overlap_of(struct repeat *o, struct ev_record *r, const struct ev_segment *s)
{
	int64_t from = seq_diff(record_seq(r), s->seq), to = from + r->held;
	int64_t lo = from > 0 ? from : 0, hi = to < s->len ? to : s->len;

	if (lo >= hi)
		return false;
	o->r = r;
	o->p = s->p + lo;
	o->off = (uint32_t)(lo - from);
	o->len = (uint32_t)(hi - lo);
	return true;
}

static void
leave_part(struct evidence_ctx *c, struct evidence_dir *d)
{
	struct evidence_rest *e = evidence_rest(d);

	if (e->ring_part != 0)
		c->n.uncompared += d->ring->part.len;
	e->ring_part = 0;
}

/* The next piece of a record. Returns false if it is not the next one. */
static bool
add_part(struct evidence_ctx *c, struct evidence_dir *d, const struct repeat *o)
{
	struct evidence_rest *e = evidence_rest(d);
	struct ev_ring *g = d->ring;
	uint8_t index = (uint8_t)(o->r - g->records + 1);
	struct slice piece = {o->p, o->len};

	if (o->off == 0) {
		leave_part(c, d);
		memset(&g->part, 0, sizeof(g->part));
		e->ring_part = index;
	}
	if (e->ring_part != index || g->part.len != o->off)
		return false;
	bulk_hash_add(&c->key, &g->part, piece);
	return true;
}

static bool
is_second_spoilt(const struct evidence_dir *d, const struct ev_segment *s)
{
	const struct packet *p = s->pkt;

	if (s->doubt)
		return true;
	if (p->tcp == NULL || evidence_sums_unfit(d) ||
	    (p->flags & (PKT_TRUNCATED | PKT_CSUM_CHECKED)) != 0)
		return false;
	return !tcp_checksum_ok(p) && !tcp_checksum_open(p);
}

/* The first version's checksum fits what the second holds in its place. */
static bool
is_first_spoilt(const struct ev_record *r, const struct ev_segment *s)
{
	int64_t from = seq_diff(record_seq(r) - r->off, s->seq);
	struct slice whole = {s->p + from, r->ref.len};

	if (r->sum == 0 || from < 0 || from + r->ref.len > s->len)
		return false;
	return tcp_sum_is_right(
	    s->pkt, r->sum, tcp_sum_payload(whole), r->ref.len);
}

static void
tell(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, const struct ev_record *r)
{
	struct ev_first first = {
	    .ref = r->ref, .tsval = r->tsval, .odd = r->odd};
	struct obs obs;

	evidence_conflict_init(&obs, ev, s, &first);
	obs.u.conflict.seq = record_seq(r);
	obs.u.conflict.len = r->held;
	obs.u.conflict.hashed = 1;
	evidence_conflict(c, ev, &obs, s, &first);
}

/* All of the record is there again, with another hash. */
static enum difference
judge(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, struct ev_record *r, uint32_t hash)
{
	if (is_second_spoilt(&ev->d[s->view->dir], s)) {
		c->n.corrupted++;
		return SPOILT;
	}
	if (is_first_spoilt(r, s)) {
		c->n.corrupted++;
		r->hash = hash;
		return SAME;
	}
	tell(c, ev, s, r);
	return CONFLICT;
}

/* Returns false if not all of the record is there yet. */
static bool
take_repeat(struct evidence_ctx *c, struct evidence_dir *d,
    const struct repeat *o, uint32_t *hash)
{
	if (o->len == o->r->held) {
		*hash = (uint32_t)bulk_hash_of(
		    &c->key, (struct slice){o->p, o->len});
		return true;
	}
	if (!add_part(c, d, o)) {
		c->n.uncompared += o->len;
		return false;
	}
	if (d->ring->part.len < o->r->held)
		return false;
	evidence_rest(d)->ring_part = 0;
	*hash = (uint32_t)bulk_hash_end(&c->key, &d->ring->part);
	return true;
}

/* Where the sample of a segment begins: at a cache line of it, so that few are
 * asked of memory, or else as early or as late as it can. */
static inline uint32_t
sample_place(const struct bulk_key *k, const struct packet *pkt, uint32_t len)
{
	uint32_t seq = pkt->seq + ((pkt->tcp_flags & TCP_SYN) != 0);
	uint64_t x = (seq ^ (uint32_t)k->point) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t last = len - SAMPLE;
	uint32_t off = (uint32_t)((x >> 32) * (last + CACHE_LINE) >> 32);
	uint32_t beyond =
	    (uint32_t)((uintptr_t)(pkt->payload + off) % CACHE_LINE);

	off -= beyond < off ? beyond : off;
	return off < last ? off : last;
}

static inline unsigned
segments(const struct ev_ring *g)
{
	return g->block.kind == EV_RING ? EVIDENCE_SEGMENTS
					: EV_RING_FEW_SEGMENTS;
}

static void
ring_keep(struct evidence_ctx *c, struct evidence_dir *d,
    const struct packet *pkt, uint8_t odd, bool sample)
{
	struct evidence_rest *e = evidence_rest(d);
	struct ev_record *r;
	uint32_t held = pkt->len < HELD_MAX ? pkt->len : HELD_MAX, off = 0;

	if (sample && held > SAMPLE) {
		off = sample_place(&c->key, pkt, held);
		held = SAMPLE;
	}
	if (e->ring_n == EV_RING_FEW_SEGMENTS && e->ring_at == 0)
		ring_grow(c, d, pkt->time);
	r = &d->ring->records[e->ring_at];
	if (e->ring_part == e->ring_at + 1)
		leave_part(c, d);
	e->ring_at = (uint8_t)((e->ring_at + 1) % segments(d->ring));
	if (e->ring_n < segments(d->ring))
		e->ring_n++;
	evidence_ref(&r->ref, pkt, d->side);
	r->tsval = pkt->tsval;
	r->odd = odd;
	r->off = (uint16_t)off;
	r->held = (uint16_t)held;
	r->sum = pkt->tcp != NULL && pkt->len == pkt->wire_len
		     ? tcp_sum_header(pkt)
		     : 0;
	r->hash = (uint32_t)bulk_hash_of(
	    &c->key, (struct slice){pkt->payload + off, held});
}

/* It begins below the next number. *known: all of it agrees with records. */
static enum difference
look_back(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, bool *known)
{
	struct evidence_dir *d = &ev->d[s->view->dir];
	const struct evidence_rest *e = evidence_rest(d);
	uint32_t same = 0;

	for (uint32_t i = 0; i < e->ring_n; i++) {
		struct ev_record *r =
		    &d->ring->records[(e->ring_at + i) % e->ring_n];
		enum difference diff = SAME;
		struct repeat o;
		uint32_t hash;

		if (!overlap_of(&o, r, s) || !take_repeat(c, d, &o, &hash))
			continue;
		c->n.compared += r->held;
		if (hash != r->hash)
			diff = judge(c, ev, s, r, hash);
		if (diff != SAME)
			return diff;
		same += r->held < r->ref.len ? r->ref.len : o.len;
	}
	/* One byte again may be garbage of a keep-alive that comes soon. */
	*known = same >= s->len || s->len == 1;
	return SAME;
}

enum difference
evidence_ring(struct evidence_ctx *c, struct evidence_flow *ev,
    const struct ev_segment *s, enum ring_keep keep)
{
	struct evidence_dir *d = &ev->d[s->view->dir];
	bool again =
	    (d->flags & EVD_SEEN) != 0 && seq_diff(s->seq, d->next) < 0;
	enum difference diff = SAME;
	bool known = false;

	if (d->ring == NULL &&
	    (keep == KEEP_NONE || ring_lend(c, d, s->pkt->time) == NULL))
		return SAME;
	if (again && evidence_is_keepalive(ev, s)) {
		evidence_rest(d)->kept_alive = s->pkt->time;
		c->n.keepalives++;
		return HARMLESS;
	}
	if (again)
		diff = look_back(c, ev, s, &known);
	/* The first version stays: it is what was delivered. */
	if (diff == SAME && keep != KEEP_NONE && !known && !s->doubt && s->near)
		ring_keep(c, d, s->pkt, s->odd, keep == KEEP_SAMPLE);
	return diff;
}

void
evidence_ring_next(struct evidence_ctx *c, struct evidence_dir *d,
    const struct packet *pkt, uint8_t odd, enum ring_keep keep)
{
	if (d->ring != NULL || ring_lend(c, d, pkt->time) != NULL)
		ring_keep(c, d, pkt, odd, keep == KEEP_SAMPLE);
}
