/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a flow: sequence numbers to offsets, what is refused, what
 * is trimmed, what waits in libnids, when a hole is given up. RFC 9293 3.10,
 * RFC 5961 5 (an acknowledgement of what was never sent makes a host drop the
 * segment), RFC 7323 for the window.
 *
 * A hole is never closed while the sender may still repeat what is missing:
 * only when the receiver has acknowledged it (then it arrived, and the sensor
 * missed it), when the receiver is never seen, or when the caps are reached.
 */
#include "sensor/causal.h"

#include <stdlib.h>
#include <string.h>

void
norm_init(struct norm *n, uint32_t slot, uint32_t generation)
{
	memset(n, 0, sizeof(*n));
	n->slot = slot;
	n->generation = generation;
	n->d[0].fin_at = n->d[1].fin_at = NORM_NONE;
}

void
norm_base(struct norm *n, enum dir dir, uint32_t seq)
{
	struct norm_dir *d = &n->d[dir];

	d->base = seq;
	d->known = true;
	d->soft = false;
}

static int64_t
unwrap(const struct norm_dir *d, uint32_t seq)
{
	uint32_t next = d->base + (uint32_t)d->next;

	return (int64_t)d->next + (int32_t)(seq - next);
}

/* A base guessed from an ACK is put right by the first segment itself, if it
 * lies before: the ACK was captured ahead of data that is still to come. */
static void
mend_base(struct norm_dir *d, uint32_t seq)
{
	int32_t back = (int32_t)(d->base - seq);

	d->soft = false;
	if (d->next != 0 || back <= 0 || (uint32_t)back > NORM_SLACK)
		return;
	d->base = seq;
	d->acked += (uint32_t)back;
	if (d->edge != 0)
		d->edge += (uint32_t)back;
}

static void
learn_bases(struct norm *n, const struct norm_seg *s)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];

	d->seen = true;
	if (!d->known)
		norm_base(n, s->dir, s->seq);
	else if (d->soft)
		mend_base(d, s->seq);
	if (!peer->known && s->has_ack) {
		norm_base(n, !s->dir, s->ack);
		peer->soft = true;
	}
}

/* May bytes of this direction reach to `end`? */
static bool
is_plausible(const struct norm_dir *d, int64_t end)
{
	uint64_t limit = d->acked > d->next ? d->acked : d->next;

	if (d->edge == 0)
		limit += NORM_AHEAD;
	else
		limit = (d->edge > limit ? d->edge : limit) + NORM_SLACK;
	if (limit > d->next + STREAM_AHEAD_MAX)
		limit = d->next + STREAM_AHEAD_MAX;
	return end <= (int64_t)limit;
}

static unsigned
note_ack(struct norm_dir *peer, const struct norm_seg *s, int64_t ack)
{
	uint64_t edge;
	unsigned r = 0;

	if (ack < 0)
		return 0;
	if ((uint64_t)ack > peer->acked) {
		peer->acked = (uint64_t)ack;
		r = NORM_NEW_ACK;
	}
	edge = (uint64_t)ack + s->window;
	if (s->window != 0 && edge > peer->edge)
		peer->edge = edge;
	return r;
}

static const struct seg *
first_pending(const struct norm *n, enum dir dir)
{
	return n->wait == NULL ? NULL : n->wait->pend[dir].head;
}

static void
note_gap(struct norm_env *env, struct norm_dir *d, uint64_t to)
{
	if (d->gap_to != d->next)
		d->gap_from = d->next;
	d->gap_to = to;
	d->gap += to - d->next;
	env->n.holes++;
	env->n.hole_bytes += to - d->next;
}

/* libnids is not entered twice: what its callback finds lost is told to it
 * when it has returned. */
static void
skip_stream(struct norm_env *env, struct norm *n, enum dir dir, uint64_t len)
{
	if (!stream_is_open(env->stream, n->slot))
		return;
	if (env->cur != NULL) {
		n->wait->later[dir] += len;
		return;
	}
	env->cur = n;
	stream_skip(env->stream, n->slot, dir, len);
	env->cur = NULL;
}

static void
skip_later(struct norm_env *env, struct norm *n)
{
	for (int d = 0; d < 2 && n->wait != NULL; d++) {
		uint64_t len = n->wait->later[d];

		n->wait->later[d] = 0;
		if (len > 0)
			skip_stream(env, n, (enum dir)d, len);
	}
}

void
norm_skip(struct norm_env *env, struct norm *n, enum dir dir, uint64_t to)
{
	struct norm_dir *d = &n->d[dir];

	while (d->next < to) {
		const struct seg *s = first_pending(n, dir);
		uint64_t stop = s != NULL && s->at < to ? s->at : to;
		uint64_t len = stop - d->next;

		if (stop <= d->next)
			break;
		note_gap(env, d, stop);
		causal_gap(env, n, dir, len);
		skip_stream(env, n, dir, len);
		if (n->wait != NULL && n->wait->cut_to[dir] > to)
			to = n->wait->cut_to[dir];
	}
}

/* libnids put bytes in order: our list says which packet each came from. */
void
norm_stream_bytes(void *ctx, uint32_t slot, enum dir dir, struct slice bytes)
{
	struct norm_env *env = ctx;
	struct norm *n = env->cur;

	if (n == NULL || n->slot != slot)
		return;
	while (bytes.len > 0 && first_pending(n, dir) != NULL) {
		struct norm_wait *w = n->wait;
		struct seg *s = w->pend[dir].head;
		uint64_t left = s->at + s->len - n->d[dir].next;
		size_t take = left < bytes.len ? (size_t)left : bytes.len;
		struct norm_piece p = {
		    .dir = dir, .bytes = {bytes.p, take}, .ref = &s->ref};

		if (take == left) {
			(void)seg_pop(&w->pend[dir]);
			w->pend_bytes -= s->len;
			if (s->cut != 0)
				w->cut_to[dir] = s->at + s->len + s->cut;
		}
		causal_bytes(env, n, &p, s->need);
		if (take == left)
			seg_free(env, s);
		bytes.p += take;
		bytes.len -= take;
	}
}

/* A segment on its way into the interval list. */
struct incoming {
	enum dir dir;
	uint64_t at, need;
	struct slice bytes;
	uint32_t cut;
};

static bool
insert_piece(struct norm_env *env, struct norm *n, struct seg **where,
    const struct incoming *in)
{
	struct seg_list *l = &n->wait->pend[in->dir];
	struct seg *s;

	if (l->count >= NORM_PEND_SEGS ||
	    n->wait->pend_bytes + in->bytes.len > NORM_PEND_MAX)
		return false;
	s = seg_new(env, 0);
	if (s == NULL)
		return false;
	s->cost += (uint32_t)in->bytes.len; /* libnids keeps the copy */
	env->pending += in->bytes.len;
	s->at = in->at;
	s->len = in->bytes.len;
	s->need = in->need;
	s->cut = in->cut;
	s->since = env->now;
	s->fresh = true;
	s->ref = *env->ref;
	s->next = *where;
	*where = s;
	if (s->next == NULL)
		l->tail = s;
	l->count++;
	n->wait->pend_bytes += s->len;
	return true;
}

/* Enters what is not covered yet: the first version of a byte wins. */
static bool
insert_uncovered(
    struct norm_env *env, struct norm *n, const struct incoming *in)
{
	struct seg_list *l = &n->wait->pend[in->dir];
	struct seg **where = &l->head;
	uint64_t cur = in->at, end = in->at + in->bytes.len;
	bool ok = true;

	if (l->tail != NULL && l->tail->at + l->tail->len <= cur)
		where = &l->tail->next;
	while (ok && cur < end) {
		const struct seg *s = *where;
		uint64_t stop = s != NULL && s->at < end ? s->at : end;
		struct incoming piece = *in;

		if (stop > cur) {
			piece.at = cur;
			piece.bytes.p += cur - in->at;
			piece.bytes.len = (size_t)(stop - cur);
			piece.cut = stop == end ? in->cut : 0;
			ok = insert_piece(env, n, where, &piece);
			cur = stop;
			if (ok)
				where = &(*where)->next;
			continue;
		}
		env->n.overlaps++;
		if (s->at + s->len > cur)
			cur = s->at + s->len;
		where = &(*where)->next;
	}
	return ok;
}

/* Gives libnids what was entered. A push can deliver, and what is delivered
 * leaves the list: hence from the start each time. */
static void
push_fresh(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	for (;;) {
		struct seg *s = n->wait->pend[in->dir].head;
		struct slice bytes;

		while (s != NULL && !s->fresh)
			s = s->next;
		if (s == NULL)
			return;
		s->fresh = false;
		bytes.p = in->bytes.p + (s->at - in->at);
		bytes.len = (size_t)s->len;
		env->cur = n;
		stream_push(env->stream, n->slot, in->dir, s->at, bytes);
		env->cur = NULL;
		skip_later(env, n);
	}
}

static bool
through_stream(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	uint64_t next[2] = {n->d[0].next, n->d[1].next};
	bool whole;

	if (!norm_need_wait(n))
		return false;
	if (!stream_is_open(env->stream, n->slot) &&
	    stream_open(env->stream, n->slot, n->generation, next) != 0)
		return false;
	whole = insert_uncovered(env, n, in);
	push_fresh(env, n, in);
	if (n->wait->cut_to[in->dir] > n->d[in->dir].next)
		norm_skip(env, n, in->dir, n->wait->cut_to[in->dir]);
	return whole;
}

static void
straight(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	struct norm_piece p = {
	    .dir = in->dir, .bytes = in->bytes, .ref = env->ref};

	if (p.bytes.len > 0)
		causal_bytes(env, n, &p, in->need);
	if (in->cut > 0)
		norm_skip(env, n, in->dir, n->d[in->dir].next + in->cut);
}

/* Bytes before next go. What is left may be nothing but what was cut. */
static void
trim(struct incoming *in, uint64_t next)
{
	uint64_t old = next > in->at ? next - in->at : 0;
	size_t n = old < in->bytes.len ? (size_t)old : in->bytes.len;

	in->bytes.p += n;
	in->bytes.len -= n;
	in->at += n;
	old -= n;
	in->cut -= old < in->cut ? (uint32_t)old : in->cut;
	in->at += old;
}

/* Gives up the first hole. What libnids should have and does not deliver
 * would be a mistake of ours; it must not become an endless loop. */
static void
skip_hole(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct seg *s = first_pending(n, dir);

	if (s == NULL)
		return;
	norm_skip(env, n, dir, s->at);
	if (first_pending(n, dir) == s) {
		env->n.stuck++;
		n->wait->pend_bytes -= s->len;
		seg_free(env, seg_pop(&n->wait->pend[dir]));
	}
}

/* No room, or no stream: whatever this flow waits for is given up. */
static void
without_room(struct norm_env *env, struct norm *n, struct incoming *in)
{
	env->n.pending_full++;
	for (int d = 0; d < 2; d++)
		while (first_pending(n, (enum dir)d) != NULL)
			skip_hole(env, n, (enum dir)d);
	norm_skip(env, n, in->dir, in->at);
	trim(in, n->d[in->dir].next);
	if (in->bytes.len == 0 && in->cut == 0)
		return;
	stream_close(env->stream, n->slot);
	straight(env, n, in);
}

static void
take(struct norm_env *env, struct norm *n, struct incoming *in)
{
	struct norm_dir *d = &n->d[in->dir];
	bool open = stream_is_open(env->stream, n->slot);

	trim(in, d->next);
	if (in->at > d->next)
		env->n.reordered++;
	else
		env->n.in_order++;
	if (in->bytes.len == 0 && in->at > d->next)
		return; /* cut to nothing: the hole stays */
	if (in->bytes.len == 0 || (in->at == d->next && !open && !env->always))
		straight(env, n, in);
	else if (!through_stream(env, n, in))
		without_room(env, n, in);
}

/* Bytes that were given up arrive after all, and nothing behind them was
 * delivered yet: go back. */
static bool
rewind_gap(struct norm_env *env, struct norm *n, const struct incoming *in)
{
	struct norm_dir *d = &n->d[in->dir];
	uint64_t to = in->at > d->gap_from ? in->at : d->gap_from;

	if (d->gap_to != d->next || d->done != d->next || to >= d->next ||
	    in->at + in->bytes.len <= to || d->eof || d->off)
		return false;
	if (n->wait != NULL &&
	    (n->wait->pend[0].count + n->wait->pend[1].count +
		n->wait->held[0].count + n->wait->held[1].count) > 0)
		return false;
	stream_close(env->stream, n->slot);
	if (n->wait != NULL)
		n->wait->cut_to[in->dir] = 0;
	d->gap -= d->next - to;
	d->next = d->done = d->gap_to = to;
	env->n.rewound++;
	return true;
}

static unsigned
take_data(struct norm_env *env, struct norm *n, const struct norm_seg *s,
    int64_t at, uint64_t need)
{
	struct norm_dir *d = &n->d[s->dir];
	struct incoming in = {.dir = s->dir,
	    .at = (uint64_t)at,
	    .need = need,
	    .bytes = s->bytes,
	    .cut = s->wire_len - (uint32_t)s->bytes.len};

	if (at + (int64_t)s->wire_len <= 0) {
		env->n.retrans++;
		return NORM_OLD;
	}
	if (at < 0) { /* before the first byte: a keep-alive, or mid-stream */
		uint32_t old = (uint32_t)-at;

		if (old >= s->bytes.len)
			return NORM_OLD;
		in.at = 0;
		in.bytes.p += old;
		in.bytes.len -= old;
	}
	if (in.at + in.bytes.len + in.cut <= d->next &&
	    !rewind_gap(env, n, &in)) {
		env->n.retrans++;
		return NORM_OLD;
	}
	take(env, n, &in);
	return NORM_NEW;
}

static unsigned
note_fin(struct norm_env *env, struct norm *n, const struct norm_seg *s,
    uint64_t end)
{
	struct norm_dir *d = &n->d[s->dir];

	if (d->fin_at != NORM_NONE || end < d->next)
		return 0;
	d->fin_at = end;
	if (!d->off && norm_need_wait(n)) {
		n->wait->fin[s->dir] = true;
		n->wait->fin_ref[s->dir] = *env->ref;
	}
	return NORM_NEW;
}

/* Data at or beyond a FIN: if nobody has acknowledged that FIN, it was not the
 * sender's last word. */
static bool
is_after_fin(struct norm_env *env, struct norm *n, enum dir dir, int64_t end)
{
	struct norm_dir *d = &n->d[dir];

	if (d->fin_at == NORM_NONE || end <= (int64_t)d->fin_at)
		return false;
	env->n.after_fin++;
	if (d->eof || d->acked > d->fin_at)
		return true;
	d->fin_at = NORM_NONE;
	if (n->wait != NULL)
		n->wait->fin[dir] = false;
	return false;
}

static void
give_eof(struct norm_env *env, struct norm *n, enum dir dir)
{
	struct norm_dir *d = &n->d[dir];
	struct norm_piece p = {.what = NORM_EOF,
	    .dir = dir,
	    .at = d->done,
	    .ref = &n->wait->fin_ref[dir]};

	n->wait->fin[dir] = false;
	d->eof = true;
	if (!d->off)
		env->deliver(env->user, n, &p);
}

static void
check_fins(struct norm_env *env, struct norm *n, bool at_end)
{
	for (int i = 0; i < 2 && n->wait != NULL; i++) {
		const struct norm_dir *d = &n->d[i];

		if (n->wait->fin[i] && d->done == d->fin_at &&
		    (at_end || d->acked > d->fin_at))
			give_eof(env, n, (enum dir)i);
	}
}

/* Has this hole waited long enough? */
static bool
hole_due(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];
	struct norm_wait *w = n->wait;

	if (w->hole_at[dir] != d->next || w->hole_since[dir] == INT64_MIN) {
		w->hole_at[dir] = d->next;
		w->hole_since[dir] = env->now;
		w->hole_segs[dir] = 0;
	}
	return env->now >= w->hole_since[dir] + NORM_WAIT ||
	       w->hole_segs[dir] >= NORM_WAIT_SEGMENTS;
}

static void
check_hole(struct norm_env *env, struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];
	const struct seg *s;

	while ((s = first_pending(n, dir)) != NULL) {
		uint64_t to = s->at;

		if (d->acked <= d->next && n->d[!dir].seen) {
			n->wait->hole_since[dir] = INT64_MIN;
			return;
		}
		if (!hole_due(env, n, dir))
			return;
		if (n->d[!dir].seen && d->acked < to)
			norm_skip(env, n, dir, d->acked);
		else
			skip_hole(env, n, dir);
	}
	if (n->wait != NULL)
		n->wait->hole_since[dir] = INT64_MIN;
}

static bool
is_empty(const struct norm_wait *w)
{
	return w->pend[0].count + w->pend[1].count + w->held[0].count +
		       w->held[1].count ==
		   0 &&
	       !w->fin[0] && !w->fin[1];
}

void
norm_tidy(struct norm_env *env, struct norm *n)
{
	struct norm_wait *w = n->wait;

	for (int d = 0; d < 2 && w != NULL; d++) {
		while (n->d[d].off && w->pend[d].head != NULL) {
			w->pend_bytes -= w->pend[d].head->len;
			seg_free(env, seg_pop(&w->pend[d]));
		}
		while (n->d[d].off && w->held[d].head != NULL) {
			w->held_bytes -= w->held[d].head->what == NORM_BYTES
					     ? w->held[d].head->len
					     : 0;
			seg_free(env, seg_pop(&w->held[d]));
		}
		w->fin[d] = w->fin[d] && !n->d[d].off;
	}
	if (n->d[0].off && n->d[1].off)
		stream_close(env->stream, n->slot);
	else if (!env->always &&
		 (w == NULL || w->pend[0].count + w->pend[1].count == 0))
		stream_close(env->stream, n->slot);
	if (w != NULL && is_empty(w))
		norm_wait_gone(env, n);
}

void
norm_timeout(struct norm_env *env, struct norm *n)
{
	for (int d = 0; d < 2 && n->wait != NULL; d++) {
		check_hole(env, n, (enum dir)d);
		while (causal_due(env, n, (enum dir)d))
			causal_force(env, n, (enum dir)d);
	}
	causal_release(env, n);
	check_fins(env, n, false);
	norm_tidy(env, n);
}

int64_t
norm_deadline(const struct norm *n)
{
	const struct norm_wait *w = n->wait;
	int64_t t = INT64_MAX;

	for (int d = 0; d < 2 && w != NULL; d++) {
		if (w->held[d].head != NULL &&
		    w->held[d].head->since + NORM_WAIT < t)
			t = w->held[d].head->since + NORM_WAIT;
		if (w->hole_since[d] != INT64_MIN &&
		    w->hole_since[d] + NORM_WAIT < t)
			t = w->hole_since[d] + NORM_WAIT;
	}
	return t;
}

static unsigned
follow_off(struct norm_dir *d, uint64_t end)
{
	if (end <= d->next)
		return NORM_OLD;
	d->next = d->done = end;
	return NORM_NEW;
}

static unsigned
slow_segment(struct norm_env *env, struct norm *n, const struct norm_seg *s,
    int64_t at, uint64_t need)
{
	struct norm_dir *d = &n->d[s->dir];
	int64_t end = at + (int64_t)s->wire_len;
	unsigned r = 0;

	if (n->wait != NULL) {
		n->wait->hole_segs[0]++;
		n->wait->hole_segs[1]++;
	}
	if (s->wire_len > 0 && is_after_fin(env, n, s->dir, end))
		r = NORM_OLD;
	else if (s->wire_len > 0 && d->off)
		r = end > 0 ? follow_off(d, (uint64_t)end) : NORM_OLD;
	else if (s->wire_len > 0)
		r = take_data(env, n, s, at, need);
	if (s->fin && end >= 0)
		r |= note_fin(env, n, s, (uint64_t)end);
	norm_timeout(env, n);
	return r;
}

unsigned
norm_segment(struct norm_env *env, struct norm *n, const struct norm_seg *s)
{
	struct norm_dir *d = &n->d[s->dir], *peer = &n->d[!s->dir];
	int64_t at, ack = 0;
	unsigned r = 0;

	learn_bases(n, s);
	at = unwrap(d, s->seq);
	if (s->has_ack)
		ack = unwrap(peer, s->ack);
	if (!is_plausible(d, at + (int64_t)s->wire_len) ||
	    !is_plausible(peer, ack - 1)) {
		env->n.out_of_window++;
		return NORM_REFUSED;
	}
	if (s->has_ack)
		r = note_ack(peer, s, ack);
	if (n->wait == NULL && !s->fin && s->wire_len == 0)
		return r;
	if (n->wait == NULL && !s->fin && !env->always && !d->off &&
	    at == (int64_t)d->next && s->bytes.len == s->wire_len &&
	    ack <= (int64_t)peer->done && d->fin_at == NORM_NONE) {
		struct norm_piece p = {.what = NORM_BYTES,
		    .dir = s->dir,
		    .bytes = s->bytes,
		    .at = d->next,
		    .len = s->wire_len,
		    .ref = env->ref};

		env->n.in_order++;
		d->next = d->done = d->next + s->wire_len;
		env->deliver(env->user, n, &p);
		return r | NORM_NEW;
	}
	return r | slow_segment(env, n, s, at, ack > 0 ? (uint64_t)ack : 0);
}

unsigned
norm_track(struct norm_env *env, struct norm *n, const struct norm_seg *s)
{
	n->d[0].off = n->d[1].off = true;
	return norm_segment(env, n, s);
}

void
norm_off(struct norm *n, enum dir dir)
{
	n->d[dir].off = true;
}

/* Acknowledged, but never seen. One byte may have been a FIN. */
static void
settle_tail(struct norm_env *env, struct norm *n, enum dir dir)
{
	struct norm_dir *d = &n->d[dir];
	uint64_t to = d->acked < d->fin_at ? d->acked : d->fin_at;

	if (d->off || to <= d->next)
		return;
	if (to - d->next > 1 || d->fin_at != NORM_NONE)
		norm_skip(env, n, dir, to);
}

void
norm_end(struct norm_env *env, struct norm *n)
{
	causal_release(env, n);
	while (n->wait != NULL) {
		const struct norm_wait *w = n->wait;

		if (w->held[0].head != NULL)
			causal_force(env, n, DIR_C2S);
		else if (w->held[1].head != NULL)
			causal_force(env, n, DIR_S2C);
		else if (w->pend[0].head != NULL)
			skip_hole(env, n, DIR_C2S);
		else if (w->pend[1].head != NULL)
			skip_hole(env, n, DIR_S2C);
		else
			break;
	}
	settle_tail(env, n, DIR_C2S);
	settle_tail(env, n, DIR_S2C);
	check_fins(env, n, true);
	norm_drop(env, n);
}

void
norm_drop(struct norm_env *env, struct norm *n)
{
	stream_close(env->stream, n->slot);
	norm_wait_gone(env, n);
}

bool
norm_fin_acked(const struct norm *n, enum dir dir)
{
	const struct norm_dir *d = &n->d[dir];

	return d->fin_at != NORM_NONE && d->acked > d->fin_at;
}
